"""Layouts of networks of the DETR family that give every query: a box and a score of each class."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray

from minet_core.models.onnx.exporter_metadata import Said, huggingface, rfdetr
from minet_core.models.onnx.graph import Facts, Size
from minet_core.models.onnx.layouts.contract import (
    Decoded,
    RowLayout,
    Rows,
    by_kind,
    corners,
    floats,
    says,
    sigmoid,
    single,
)
from minet_core.models.onnx.layouts.grids import strides_of
from minet_core.models.onnx.preparation import Interpolation, Preparation, Resize, Triple
from minet_core.models.onnx.session import Arrays
from minet_core.models.proposals import Floats
from minet_core.scores import ScoreKind

IMAGENET_MEAN: Triple = (123.675, 116.28, 103.53)
IMAGENET_STD: Triple = (58.395, 57.12, 57.375)


@dataclass(frozen=True, slots=True, kw_only=True)
class RfDetr(RowLayout):
    """Boxes in `dets`, logits in `labels`; the last column is a class only of COCO's numbers."""

    name: ClassVar[str] = "rf-detr"
    about: ClassVar[str] = "RF-DETR"
    rows: ClassVar[Rows] = Rows.QUERIES
    spare: ClassVar[int] = 1
    prepared: ClassVar[Preparation] = Preparation(
        (560, 560), Resize.STRETCH, mean=IMAGENET_MEAN, std=IMAGENET_STD
    )
    boxes: str
    scores: str

    @classmethod
    def find(cls, facts: Facts, classes: int | None) -> Self | None:  # noqa: ARG003
        """Outputs of those names: `labels` with a column a class, three dimensions."""
        found = by_kind(facts, {"boxes": ("dets",), "scores": ("labels",)})
        if found is None or not _are_queries(facts, found["boxes"], found["scores"]):
            return None
        columns = facts.shapes[found["scores"]][2]
        why = says(found["scores"], facts.shapes[found["scores"]], f"{columns} logits a query")
        return cls(why=why, columns=columns, **found)

    def decode(self, outputs: Arrays, size: Size) -> Decoded:
        """Centres and sizes as shares of the picture; scores are independent."""
        return Decoded(_pixels(outputs[self.boxes], size), sigmoid(floats(outputs[self.scores])))

    @classmethod
    def said(cls, facts: Facts) -> Said:
        """What newer exports write into the file."""
        return rfdetr(facts.metadata, facts.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class HuggingFace(RowLayout):
    """Logits and `pred_boxes`, as Hugging Face's models return them.

    Attributes:
        boxes: name of the output.
        scores: name of the output.
        background: whether the last column means that there is nothing; then they are one
            distribution.
    """

    name: ClassVar[str] = "huggingface"
    about: ClassVar[str] = "Hugging Face's models by optimum, with config.json beside the file"
    rows: ClassVar[Rows] = Rows.QUERIES
    told_beside: ClassVar[bool] = True
    prepared: ClassVar[Preparation] = Preparation(
        (640, 640), Resize.STRETCH, Interpolation.ANTIALIAS, mean=IMAGENET_MEAN, std=IMAGENET_STD
    )
    boxes: str
    scores: str
    background: bool

    @classmethod
    def find(cls, facts: Facts, classes: int | None) -> Self | None:
        """Outputs of those names; one column more than classes is the background."""
        found = by_kind(facts, {"boxes": ("pred_boxes",), "scores": ("logits",)})
        if found is None or not _are_queries(facts, found["boxes"], found["scores"]):
            return None
        width = facts.shapes[found["scores"]][2]
        background = classes is not None and width == classes + 1
        meaning = f"{width} logits a query" + (", the last for nothing" if background else "")
        why = says(found["scores"], facts.shapes[found["scores"]], meaning)
        return cls(why=why, columns=width - background, background=background, **found)

    @property
    def score_kind(self) -> ScoreKind:
        """A distribution where there is a background."""
        return ScoreKind.SOFTMAX if self.background else ScoreKind.SIGMOID

    def decode(self, outputs: Arrays, size: Size) -> Decoded:
        """Centres and sizes as shares of the picture; the background comes to column 0."""
        logits = floats(outputs[self.scores])
        scores = _background_first(logits) if self.background else sigmoid(logits)
        return Decoded(_pixels(outputs[self.boxes], size), scores)

    @classmethod
    def said(cls, facts: Facts) -> Said:
        """config.json and preprocessor_config.json."""
        return huggingface(facts.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class UltralyticsQueries(RowLayout):
    """Four sides as shares of the picture and a score of each class, for every query."""

    name: ClassVar[str] = "yolo-rtdetr"
    about: ClassVar[str] = "Ultralytics RT-DETR"
    rows: ClassVar[Rows] = Rows.QUERIES
    prepared: ClassVar[Preparation] = Preparation(resize=Resize.STRETCH)
    output: str

    @classmethod
    def find(cls, facts: Facts, classes: int | None) -> Self | None:
        """One output of 4 + C columns, where the number of classes is known, and no grid's rows."""
        found = single(facts)
        if found is None or classes is None:
            return None
        name, (_, count, columns) = found
        if columns != 4 + classes or strides_of(count, facts.size):
            return None
        why = says(name, found[1], f"4 sides and {classes} scores of {count} queries")
        return cls(why=why, columns=classes, output=name)

    def decode(self, outputs: Arrays, size: Size) -> Decoded:
        """Centres and sizes as shares of the picture, scores are probabilities."""
        table = outputs[self.output]
        return Decoded(_pixels(table[:, :4], size), floats(table[:, 4:]))


def _are_queries(facts: Facts, boxes: str, scores: str) -> bool:
    """Whether both have three dimensions and as many rows, and boxes four columns."""
    first, second = facts.shapes[boxes], facts.shapes[scores]
    return len(first) == len(second) == 3 and first[:2] == second[:2] and first[2] == 4


def _background_first(logits: Floats) -> Floats:
    """Their distribution, of which the last column becomes the first."""
    return torch.from_numpy(logits).softmax(dim=1).roll(1, dims=1).numpy()


def _pixels(shares: NDArray[Any], size: Size) -> Floats:
    """(N, 4) xyxy in pixels of centres and sizes as shares of the picture."""
    centred = floats(shares)
    return corners(centred[:, :2], centred[:, 2:]) * np.array(size * 2, np.float32)
