"""Layouts of finished detections: a box, one class and one score a row."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from minet_core.models.onnx.exporter_metadata import Said, mmdeploy
from minet_core.models.onnx.graph import Facts, Size
from minet_core.models.onnx.layouts.contract import (
    Decoded,
    RowLayout,
    Rows,
    by_kind,
    floats,
    says,
    single,
)
from minet_core.models.onnx.layouts.queries import IMAGENET_MEAN, IMAGENET_STD
from minet_core.models.onnx.preparation import Interpolation, PaddingPlace, Preparation, Resize
from minet_core.models.onnx.session import Arrays
from minet_core.models.proposals import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class EndToEnd(RowLayout):
    """Rows of x1, y1, x2, y2, score, class, and perhaps more, such as masks."""

    name: ClassVar[str] = "end2end"
    about: ClassVar[str] = "Ultralytics with nms=True, YOLOv10 and YOLO26"
    rows: ClassVar[Rows] = Rows.FINAL
    prepared: ClassVar[Preparation] = Preparation()
    output: str

    @classmethod
    def find(cls, facts: Facts, classes: int | None) -> Self | None:  # noqa: ARG003
        """One output of 6 columns; of more, if the metadata calls it end-to-end."""
        found = single(facts)
        if found is None:
            return None
        name, (_, count, columns) = found
        told = "True" in (facts.metadata.get("end2end"), facts.metadata.get("nms"))
        if columns != 6 and not (told and columns > 6):
            return None
        why = says(name, found[1], f"up to {count} rows of box, score and class")
        return cls(why=why, columns=None, output=name)

    def decode(self, outputs: Arrays, size: Size) -> Decoded:  # noqa: ARG002
        """Boxes are in pixels; rows without a score are filling."""
        table = floats(outputs[self.output])
        return _decoded(table[:, :4], table[:, 4], table[:, 5])


@dataclass(frozen=True, slots=True, kw_only=True)
class MmDeploy(RowLayout):
    """Boxes with scores in `dets`, classes in `labels`."""

    name: ClassVar[str] = "mmdeploy"
    about: ClassVar[str] = "MMDeploy (MMDetection, MMYOLO), with pipeline.json beside the file"
    rows: ClassVar[Rows] = Rows.FINAL
    told_beside: ClassVar[bool] = True
    prepared: ClassVar[Preparation] = Preparation(
        (1333, 800),
        Resize.EDGES,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        padding=IMAGENET_MEAN,
        place=PaddingPlace.CORNER,
        multiple=32,
    )
    boxes: str
    labels: str

    @classmethod
    def find(cls, facts: Facts, classes: int | None) -> Self | None:  # noqa: ARG003
        """Outputs of those names, of 5 columns and of one."""
        found = by_kind(facts, {"boxes": ("dets",), "labels": ("labels",)})
        if found is None:
            return None
        shape = facts.shapes[found["boxes"]]
        if len(shape) != 3 or shape[2] != 5 or len(facts.shapes[found["labels"]]) != 2:
            return None
        why = says(found["boxes"], shape, "rows of box and score")
        return cls(why=why, columns=None, **found)

    def decode(self, outputs: Arrays, size: Size) -> Decoded:  # noqa: ARG002
        """Boxes are in pixels of the network's picture."""
        table = floats(outputs[self.boxes])
        return _decoded(table[:, :4], table[:, 4], outputs[self.labels])

    @classmethod
    def said(cls, facts: Facts) -> Said:
        """pipeline.json."""
        return mmdeploy(facts.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class RtDetr(RowLayout):
    """Labels, boxes and scores; the graph scales boxes to a size that it is told.

    Attributes:
        boxes: name of the output.
        labels: name of the output.
        scores: name of the output.
        shares: whether boxes are shares of the picture, as the graph is told no size.
    """

    name: ClassVar[str] = "rt-detr"
    about: ClassVar[str] = "RT-DETR, D-FINE and DEIM with their postprocessor"
    rows: ClassVar[Rows] = Rows.FINAL
    prepared: ClassVar[Preparation] = Preparation(
        (640, 640), Resize.STRETCH, Interpolation.ANTIALIAS
    )
    boxes: str
    labels: str
    scores: str
    shares: bool

    @classmethod
    def find(cls, facts: Facts, classes: int | None) -> Self | None:  # noqa: ARG003
        """Outputs of those names, with a dimension for the batch."""
        found = _three(facts)
        if found is None or [len(facts.shapes[name]) for name in found.values()] != [3, 2, 2]:
            return None
        shape = facts.shapes[found["boxes"]]
        why = says(found["boxes"], shape, "xyxy beside labels and scores, with the batch first")
        told = len(facts.inputs) > 1
        shares = not told and bool(np.abs(facts.trial[found["boxes"]]).max(initial=0) <= 2)
        return cls(why=why, columns=None, shares=shares, **found)

    def decode(self, outputs: Arrays, size: Size) -> Decoded:
        """Boxes are in pixels of the network's picture, as that is the size the graph is told."""
        boxes = floats(outputs[self.boxes])
        if self.shares:
            boxes = boxes * np.array(size * 2, np.float32)
        return _decoded(boxes, floats(outputs[self.scores]), outputs[self.labels])


@dataclass(frozen=True, slots=True, kw_only=True)
class Torchvision(RowLayout):
    """Boxes, labels and scores of one picture; label 0 would be the background."""

    name: ClassVar[str] = "torchvision"
    about: ClassVar[str] = "torchvision's detectors by torch.onnx"
    rows: ClassVar[Rows] = Rows.FINAL
    batched: ClassVar[bool] = False
    first_label: ClassVar[int] = 1
    prepared: ClassVar[Preparation] = Preparation(
        (640, 640), Resize.NONE, padding=IMAGENET_MEAN, place=PaddingPlace.CORNER
    )
    boxes: str
    labels: str
    scores: str

    @classmethod
    def find(cls, facts: Facts, classes: int | None) -> Self | None:  # noqa: ARG003
        """Three outputs without a batch: (N, 4), whole numbers (N) and others (N)."""
        found = _three(facts)
        if found is None or [len(facts.shapes[name]) for name in found.values()] != [2, 1, 1]:
            return None
        shape = facts.shapes[found["boxes"]]
        why = says(found["boxes"], shape, "xyxy beside labels and scores, without a batch")
        return cls(why=why, columns=None, **found)

    def decode(self, outputs: Arrays, size: Size) -> Decoded:  # noqa: ARG002
        """Boxes are in pixels of the network's picture."""
        boxes, scores = floats(outputs[self.boxes]), floats(outputs[self.scores])
        return _decoded(boxes, scores, outputs[self.labels])


def _three(facts: Facts) -> dict[str, str] | None:
    """Names of the outputs for boxes, labels and scores: boxes have 4 columns, labels are whole."""
    boxes = [name for name, shape in facts.shapes.items() if len(shape) > 1 and shape[-1] == 4]
    if len(boxes) != 1 or len(facts.trial) < 3:
        return None
    rank = len(facts.shapes[boxes[0]]) - 1
    rows = [name for name, shape in facts.shapes.items() if len(shape) == rank]
    whole = [name for name in rows if np.issubdtype(facts.trial[name].dtype, np.integer)]
    named = whole or [name for name in rows if "label" in name.lower()]
    rest = [name for name in rows if name not in named]
    if len(named) != 1 or len(rest) != 1:
        return None
    return {"boxes": boxes[0], "labels": named[0], "scores": rest[0]}


def _decoded(boxes: Floats, scores: Floats, labels: NDArray[Any]) -> Decoded:
    """The rows that have a score."""
    there = scores > 0
    return Decoded(boxes[there], scores[there], labels[there].round().astype(np.int64))
