"""Combine a person's boxes with a detector's, as input of the memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from minet_core.box_tensors import box_iou
from minet_core.errors import ConfigError, InputError
from minet_core.inference.prompted.anchors import FIRST, NOTHING, Anchors, Box
from minet_core.models.detector import BaseDetections
from minet_core.models.zoo import Model
from minet_core.scores import ScoreKind
from minet_core.suggest import did_you_mean

CERTAIN = 0.99
"""Score of a class that the user named; below 1, which later frames could not change."""

_SAME = 0.5
"""Minimum overlap of a person's box with the detection that it replaces."""

_COPY = 0.7
"""Minimum overlap at which every detection is a copy of a person's box."""


@dataclass(frozen=True, slots=True)
class Planted:
    """One frame with a person's annotations.

    Attributes:
        base: a person's boxes, then the detector's.
        drawn: number of the person's boxes.
        pairs: rows of `base`, each with the id of its object.
        out: (N,) bool: rows that are not separate objects.
        absent: ids of objects that are in no box.
    """

    base: BaseDetections
    drawn: int
    pairs: tuple[tuple[int, int], ...]
    out: Tensor
    absent: frozenset[int]


@dataclass(frozen=True, slots=True)
class Planting:
    """Plants a person's annotations in a memory, frame by frame.

    Args:
        anchors: the annotations.
        columns: object id → label id of the class that a person set.
        kind: meaning of the score columns.
        only: whether to track no other objects.
        paths: frame → id → detector's box that was found for the object.
        above: other objects get ids above it.
    """

    anchors: Anchors
    columns: Mapping[int, int]
    kind: ScoreKind
    only: bool = False
    paths: Mapping[int, Mapping[int, Box]] = field(default_factory=dict)
    above: int = 0

    @property
    def ids(self) -> frozenset[int]:
        """Ids of the objects."""
        return self.anchors.ids

    def at(self, frame: int, own: BaseDetections, size: tuple[int, int]) -> Planted | None:
        """The frame with its annotations; None without any.

        Args:
            frame: its index, or `FIRST`.
            own: the detector's output.
            size: its width and height in pixels.

        Raises:
            InputError: a box lies outside the frame.
        """
        anchors, found = self.anchors.boxes.get(frame, ()), self.paths.get(frame, {})
        gone, absent = self.anchors.gone.get(frame, ()), self.anchors.hidden.get(frame)
        if not (anchors or found or gone or absent):
            return None
        boxes = _tensor([anchor.box for anchor in anchors])
        _check_inside(boxes, frame, size)
        scores = self._scores([anchor.id for anchor in anchors], boxes, own)
        base = BaseDetections(
            torch.cat([boxes, own.proposals]),
            torch.cat([boxes, own.boxes]),
            torch.cat([scores, own.scores]),
            own.final,
        )
        pairs = [(row, anchor.id) for row, anchor in enumerate(anchors)]
        out = _covered(boxes, own.boxes, _COPY) | _covered(_tensor(gone), own.boxes, _SAME)
        for number, box in found.items():
            overlap = box_iou(_tensor([box]), own.boxes).masked_fill(out, 0)[0]
            if len(own) and float(overlap.max()) >= _SAME:
                pairs.append((len(boxes) + int(overlap.argmax()), number))
        nothing = torch.zeros(len(boxes), dtype=torch.bool)
        out = torch.cat([nothing, out])
        return Planted(base, len(boxes), tuple(pairs), out, absent or frozenset())

    def _scores(self, ids: Sequence[int], boxes: Tensor, own: BaseDetections) -> Tensor:
        """Class scores of each box: by its label, else from the detection that it covers."""
        count = own.scores.shape[1]
        soft = self.kind is ScoreKind.SOFTMAX
        rest = (1 - CERTAIN) / (count - 1) if soft else 1 - CERTAIN
        scores = torch.full((len(boxes), count), 1 / count if soft else 0.5)
        overlap = box_iou(boxes, own.boxes)
        for i, number in enumerate(ids):
            if number in self.columns:
                scores[i] = rest
                scores[i, self.columns[number] + soft] = CERTAIN
            elif len(own) and float(overlap[i].max()) >= _SAME:
                scores[i] = own.scores[int(overlap[i].argmax())]
        return scores


def planting(anchors: Anchors, model: Model, *, only: bool = False) -> Planting:
    """A person's boxes, with a model's class ids.

    Args:
        anchors: the annotations.
        model: gives the classes.
        only: whether to track no other objects.

    Raises:
        ConfigError: a label is no class of the model.
    """
    classes = model.classes
    for label in anchors.labels.values():
        if label not in classes:
            raise ConfigError(f"the model has no class {label!r}{did_you_mean(label, classes)}")
    columns = {number: classes.index(label) for number, label in anchors.labels.items()}
    return Planting(anchors, columns, model.score_kind, only)


NO_PLANTING = Planting(NOTHING, {}, ScoreKind.SIGMOID)
"""No annotations."""


def _tensor(boxes: Sequence[Box]) -> Tensor:
    return torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)


def _covered(boxes: Tensor, others: Tensor, least: float) -> Tensor:
    """(N,) bool: others that overlap a box by at least `least`."""
    overlap: Tensor = box_iou(boxes, others)
    return (overlap >= least).any(dim=0)


def _check_inside(boxes: Tensor, frame: int, size: tuple[int, int]) -> None:
    inside = (boxes[:, :2] < torch.tensor(size)) & (boxes[:, 2:] > 0)
    if not bool(inside.all()):
        number = int(inside.all(dim=1).int().argmin()) + 1
        where = "" if frame == FIRST else f" {frame}"
        raise InputError(f"drawn box {number} lies outside the frame{where} of {size[0]}×{size[1]}")
