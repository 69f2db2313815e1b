"""NanoDet's layouts of cells: four sides as distributions over distances from the cell."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch

from minet_core.boxes import Ints
from minet_core.models.nanodet.detector import decode_boxes
from minet_core.models.nanodet.network import BGR_MEAN, BGR_STD
from minet_core.models.onnx.graph import Facts, Size
from minet_core.models.onnx.layouts.contract import (
    CellLayout,
    are_probabilities,
    floats,
    says,
    sigmoid,
    single,
)
from minet_core.models.onnx.layouts.grids import Strides, cells, places, strides_of
from minet_core.models.onnx.preparation import Order, Preparation, Resize
from minet_core.models.onnx.session import Arrays
from minet_core.models.proposals import Floats, highest

_PLUS_STRIDES = (8, 16, 32, 64)
_PLUS_SIDES = 4 * 8  # four distributions over eight distances
_USUAL_SIDES = (4 * 8, 4 * 11)
_PREPARED = Preparation(
    order=Order.BGR, mean=BGR_MEAN, std=BGR_STD, padding=(0.0, 0.0, 0.0), size=(416, 416)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NanoDetPlus(CellLayout):
    """A score of each class and four distributions, side by side at every cell."""

    name: ClassVar[str] = "nanodet-plus"
    about: ClassVar[str] = "NanoDetCells-Plus"
    as_bundled: ClassVar[bool] = True
    prepared: ClassVar[Preparation] = Preparation(
        order=Order.BGR, mean=BGR_MEAN, std=BGR_STD, size=(416, 416), resize=Resize.STRETCH
    )
    output: str

    @classmethod
    def find(cls, facts: Facts, classes: int | None) -> Self | None:
        """One output of as many rows as cells of strides 8 to 64, by C + 4 · bins."""
        found = single(facts)
        if found is None:
            return None
        name, (_, count, columns) = found
        number = classes or columns - _PLUS_SIDES
        if count != cells(facts.size, _PLUS_STRIDES) or number < 1 or columns - number < 8:
            return None
        if (columns - number) % 4 or not are_probabilities(facts.trial[name][..., :number]):
            return None
        bins = (columns - number) // 4
        meaning = f"{number} scores and 4 sides over {bins} distances at the {count} cells"
        return cls(why=says(name, found[1], meaning), columns=number, output=name)

    def surest(self, outputs: Arrays) -> tuple[Ints, Floats]:
        """By the best class."""
        return _surest(floats(outputs[self.output])[:, : self.columns])

    def boxes(self, outputs: Arrays, cells: Ints, size: Size) -> Floats:
        """Distances count from the corner of a cell, in strides."""
        corners, strides = (values[cells] for values in places(size, _PLUS_STRIDES))
        sides = floats(outputs[self.output])[cells, self.columns :]
        return _decoded(sides, corners * strides, strides)

    def scores(self, outputs: Arrays, cells: Ints) -> Floats:
        """They are probabilities."""
        return floats(outputs[self.output])[cells, : self.columns]


@dataclass(frozen=True, slots=True, kw_only=True)
class NanoDetCells(CellLayout):
    """Scores in some outputs and distributions in others: one of each, or one of each a stride.

    Attributes:
        scored: names of the outputs with scores, finest grid first.
        sides: likewise.
        strides: of the grids.
        logits: whether the scores still are.
    """

    name: ClassVar[str] = "nanodet"
    about: ClassVar[str] = "NanoDetCells before Plus"
    as_bundled: ClassVar[bool] = True
    prepared: ClassVar[Preparation] = _PREPARED
    scored: tuple[str, ...]
    sides: tuple[str, ...]
    strides: Strides
    logits: bool

    @classmethod
    def find(cls, facts: Facts, classes: int | None) -> Self | None:
        """Outputs in pairs of as many rows, of C and of 4 · bins columns."""
        shapes = {name: shape for name, shape in facts.shapes.items() if len(shape) == 3}
        if len(shapes) < 2 or len(shapes) != len(facts.trial):
            return None
        widths = sorted({shape[2] for shape in shapes.values()})
        if len(widths) != 2:
            return None
        number, sides = _roles(widths, shapes, classes)
        scored = _finest_first(shapes, number)
        placed = _finest_first(shapes, sides)
        count = sum(shapes[name][1] for name in scored)
        strides = strides_of(count, facts.size)
        same = [shapes[name][1] for name in scored] == [shapes[name][1] for name in placed]
        if not same or strides is None or sides % 4 or sides < 8:
            return None
        names = ", ".join(shapes)
        return cls(
            why=f"{names} are {number} scores and 4 sides over {sides // 4} distances at "
            f"{count} cells",
            columns=number,
            scored=scored,
            sides=placed,
            strides=strides,
            logits=not all(are_probabilities(facts.trial[name]) for name in scored),
        )

    def surest(self, outputs: Arrays) -> tuple[Ints, Floats]:
        """By the best class; of logits, as that is the order of their probabilities."""
        return _surest(_joined(outputs, self.scored))

    def boxes(self, outputs: Arrays, cells: Ints, size: Size) -> Floats:
        """Distances count from the middle of a cell, in strides."""
        corners, strides = (values[cells] for values in places(size, self.strides))
        sides = _joined(outputs, self.sides)[cells]
        return _decoded(sides, (corners + 0.5) * strides, strides)

    def scores(self, outputs: Arrays, cells: Ints) -> Floats:
        """As they are, or of logits."""
        found = _joined(outputs, self.scored)[cells]
        return sigmoid(found) if self.logits else found


def _joined(outputs: Arrays, names: Sequence[str]) -> Floats:
    """The rows of several outputs, one below the other."""
    parts = [floats(outputs[name]) for name in names]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _surest(scores: Floats) -> tuple[Ints, Floats]:
    best = scores.max(axis=1)
    cells = highest(best)
    return cells, best[cells]


def _decoded(sides: Floats, centres: Floats, strides: Floats) -> Floats:
    return decode_boxes(*map(torch.from_numpy, (sides, centres, strides))).numpy()


def _roles(
    widths: list[int], shapes: Mapping[str, tuple[int, ...]], classes: int | None
) -> tuple[int, int]:
    """How wide scores are, and how wide sides: by the number of classes, or by names."""
    if classes in widths:
        return classes or 0, next(width for width in widths if width != classes)
    named = {shape[2] for name, shape in shapes.items() if re.search("dis|reg|box", name.lower())}
    usual = named if len(named) == 1 else {width for width in widths if width in _USUAL_SIDES}
    sides = usual.pop() if len(usual) == 1 else widths[0]
    return next(width for width in widths if width != sides), sides


def _finest_first(shapes: Mapping[str, tuple[int, ...]], width: int) -> tuple[str, ...]:
    fitting = [name for name, shape in shapes.items() if shape[2] == width]
    return tuple(sorted(fitting, key=lambda name: -shapes[name][1]))
