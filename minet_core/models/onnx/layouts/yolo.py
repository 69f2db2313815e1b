"""YOLO's layouts of cells: with and without an objectness, decoded and not."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from minet_core.boxes import Ints
from minet_core.models.onnx.graph import Facts, Size
from minet_core.models.onnx.layouts.contract import (
    CellLayout,
    are_probabilities,
    corners,
    floats,
    may_have_more,
    says,
    single,
)
from minet_core.models.onnx.layouts.grids import Strides, places, strides_of
from minet_core.models.onnx.preparation import Order, PaddingPlace, Preparation
from minet_core.models.onnx.session import Arrays
from minet_core.models.proposals import Floats, highest

_ANCHORS = 3  # boxes a cell of YOLOv5


@dataclass(frozen=True, slots=True, kw_only=True)
class Yolo(CellLayout):
    """Four sides and a score of each class, at every cell.

    Attributes:
        output: its name.
        cells_first: whether a row of the output is a cell; usually a column is.
    """

    name: ClassVar[str] = "yolo"
    about: ClassVar[str] = "Ultralytics YOLOv8 to 12, and 26 without its end-to-end head"
    prepared: ClassVar[Preparation] = Preparation()
    output: str
    cells_first: bool

    @classmethod
    def find(cls, facts: Facts, classes: int | None) -> Self | None:
        """One output of 4 + C (and more, such as masks) by as many as there are cells."""
        found = single(facts)
        if found is None:
            return None
        name, (_, high, wide) = found
        for cells_first, columns, count in ((False, high, wide), (True, wide, high)):
            # Cells first is how YOLOX and v5 write, whose fifth number is an objectness.
            number = classes or (0 if cells_first else columns - 4)
            more = columns - 4 - number
            fits = number > 0 and (more == 0 or (more > 0 and may_have_more(facts)))
            if fits and strides_of(count, facts.size):
                meaning = f"4 sides and {number} scores at the {count} cells of a grid"
                return cls(
                    why=says(name, found[1], meaning),
                    columns=number,
                    output=name,
                    cells_first=cells_first,
                )
        return None

    def surest(self, outputs: Arrays) -> tuple[Ints, Floats]:
        """By the best class."""
        best = self._scores(outputs).max(axis=0)
        cells = highest(best)
        return cells, best[cells]

    def boxes(self, outputs: Arrays, cells: Ints, size: Size) -> Floats:  # noqa: ARG002
        """Centres and sizes are in pixels."""
        sides = self._table(outputs)[:4, cells].T
        return corners(sides[:, :2], sides[:, 2:])

    def scores(self, outputs: Arrays, cells: Ints) -> Floats:
        """They are probabilities."""
        return np.ascontiguousarray(self._scores(outputs)[:, cells].T)

    def _table(self, outputs: Arrays) -> Floats:
        """A column a cell."""
        table = floats(outputs[self.output])
        return table.T if self.cells_first else table

    def _scores(self, outputs: Arrays) -> Floats:
        return self._table(outputs)[4 : 4 + (self.columns or 0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _WithObjectness(CellLayout):
    """Rows of four sides, an objectness and a score of each class, by which it is multiplied.

    Attributes:
        output: its name.
    """

    output: str

    def surest(self, outputs: Arrays) -> tuple[Ints, Floats]:
        """Of the highest objectness, above which no product is; by the product."""
        table = floats(outputs[self.output])
        cells = highest(table[:, 4])
        rows = table.take(cells, axis=0)
        return cells, rows[:, 5 : self._end].max(axis=1) * rows[:, 4]

    def boxes(self, outputs: Arrays, cells: Ints, size: Size) -> Floats:
        """Of centres and sizes."""
        rows = floats(outputs[self.output]).take(cells, axis=0)
        return corners(*self._centred(rows[:, :2], rows[:, 2:4], cells, size))

    def scores(self, outputs: Arrays, cells: Ints) -> Floats:
        """The products."""
        rows = floats(outputs[self.output]).take(cells, axis=0)
        return rows[:, 4:5] * rows[:, 5 : self._end]

    @property
    def _end(self) -> int:
        return 5 + (self.columns or 0)

    def _centred(
        self,
        centres: Floats,
        sizes: Floats,
        cells: Ints,  # noqa: ARG002
        size: Size,  # noqa: ARG002
    ) -> tuple[Floats, Floats]:
        """(K, 2) centres and (K, 2) widths and heights in pixels."""
        return centres, sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class YoloV5(_WithObjectness):
    """Four sides, an objectness and a score of each class, three times at every cell."""

    name: ClassVar[str] = "yolov5"
    about: ClassVar[str] = "YOLOv5 and YOLOv7 with their grid"
    prepared: ClassVar[Preparation] = Preparation()

    @classmethod
    def find(cls, facts: Facts, classes: int | None) -> Self | None:
        """One output of three times as many rows as there are cells, by 5 + C (and masks)."""
        found = single(facts)
        if found is None:
            return None
        name, (_, count, columns) = found
        number = classes or columns - 5
        more = columns - 5 - number
        if number < 1 or more < 0 or (more and not may_have_more(facts)):
            return None
        if count % _ANCHORS or not strides_of(count // _ANCHORS, facts.size):
            return None
        meaning = f"4 sides, objectness and {number} scores, 3 times at {count // _ANCHORS} cells"
        return cls(why=says(name, found[1], meaning), columns=number, output=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Yolox(_WithObjectness):
    """Four sides, an objectness and a score of each class, once at every cell.

    Attributes:
        strides: of its grids.
        decoded: whether the sides are in pixels already.
    """

    name: ClassVar[str] = "yolox"
    about: ClassVar[str] = "YOLOX, decoded or not; YOLOv6"
    prepared: ClassVar[Preparation] = Preparation(
        order=Order.BGR, std=(1.0, 1.0, 1.0), place=PaddingPlace.CORNER
    )
    strides: Strides
    decoded: bool

    @classmethod
    def find(cls, facts: Facts, classes: int | None) -> Self | None:
        """One output of as many rows as there are cells, by 5 + C, of probabilities."""
        found = single(facts)
        if found is None:
            return None
        name, (_, count, columns) = found
        strides = strides_of(count, facts.size)
        if strides is None or columns != 5 + (classes or columns - 5) or columns < 6:
            return None
        table = facts.trial[name]
        if not are_probabilities(table[..., 4:]):
            return None
        decoded = _is_decoded(floats(table)[0], facts.size, strides)
        how = "in pixels" if decoded else "still relative to their cells"
        number = columns - 5
        meaning = f"4 sides {how}, objectness and {number} scores at the {count} cells of a grid"
        return cls(
            why=says(name, found[1], meaning),
            columns=number,
            output=name,
            strides=strides,
            decoded=decoded,
        )

    def _centred(
        self, centres: Floats, sizes: Floats, cells: Ints, size: Size
    ) -> tuple[Floats, Floats]:
        """Offsets from a cell's corner and log sizes, both in strides; or pixels already."""
        if self.decoded:
            return centres, sizes
        at, strides = (values.take(cells, axis=0) for values in places(size, self.strides))
        with np.errstate(over="ignore"):  # a cell that shows nothing may have any size
            return (centres + at) * strides, np.exp(sizes) * strides


def _is_decoded(table: Floats, size: Size, strides: Strides) -> bool:
    """Whether centres lie at their cells, in pixels, rather than all near the same offset."""
    cells, steps = places(size, strides)
    off = np.median(np.abs(table[:, :2] / steps - cells - 0.5))
    return bool(off < np.median(np.abs(table[:, :2] - 0.5)))
