"""YOLO's layouts of cells: with and without an objectness, decoded and not."""

from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from minet_core.box_tensors import from_centres
from minet_core.models.onnx.graph import Facts, Size
from minet_core.models.onnx.layouts.contract import (
    CellLayout,
    are_probabilities,
    may_have_more,
    ranked,
    says,
    single,
    tensor,
)
from minet_core.models.onnx.layouts.grids import Strides, places, strides_of
from minet_core.models.onnx.preparation import Order, PaddingPlace, Preparation
from minet_core.models.onnx.session import Arrays

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

    def surest(self, outputs: Arrays) -> tuple[Tensor, Tensor]:
        """By the best class."""
        return ranked(self._scores(outputs).amax(dim=0))

    def boxes(self, outputs: Arrays, cells: Tensor, size: Size) -> Tensor:  # noqa: ARG002
        """Centres and sizes are in pixels."""
        return from_centres(self._table(outputs)[:4].index_select(1, cells).T)

    def scores(self, outputs: Arrays, cells: Tensor) -> Tensor:
        """They are probabilities."""
        return self._scores(outputs).index_select(1, cells).T

    def _table(self, outputs: Arrays) -> Tensor:
        """A column a cell."""
        table = tensor(outputs[self.output])
        return table.T if self.cells_first else table

    def _scores(self, outputs: Arrays) -> Tensor:
        return self._table(outputs)[4 : 4 + (self.columns or 0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _WithObjectness(CellLayout):
    """Rows of four sides, an objectness and a score of each class, by which it is multiplied.

    Attributes:
        output: its name.
    """

    output: str

    def surest(self, outputs: Arrays) -> tuple[Tensor, Tensor]:
        """Of the highest objectness, above which no product is; by the product."""
        table = tensor(outputs[self.output])
        cells, objectness = ranked(table[:, 4])
        scores = table.index_select(0, cells)[:, 5 : self._end]
        best, order = (scores.amax(dim=1) * objectness).sort(descending=True, stable=True)
        return cells[order], best

    def boxes(self, outputs: Arrays, cells: Tensor, size: Size) -> Tensor:
        """Of centres and sizes."""
        sides = tensor(outputs[self.output])[:, :4].index_select(0, cells)
        return from_centres(self._sides(sides, cells, size))

    def scores(self, outputs: Arrays, cells: Tensor) -> Tensor:
        """The products."""
        rows = tensor(outputs[self.output]).index_select(0, cells)
        return rows[:, 4:5] * rows[:, 5 : self._end]

    @property
    def _end(self) -> int:
        return 5 + (self.columns or 0)

    def _sides(self, sides: Tensor, cells: Tensor, size: Size) -> Tensor:  # noqa: ARG002
        """(K, 4) centres and sizes in pixels."""
        return sides


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
        decoded = _is_decoded(tensor(table)[0], facts.size, strides)
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

    def _sides(self, sides: Tensor, cells: Tensor, size: Size) -> Tensor:
        """Offsets from a cell's corner and log sizes, both in strides; or pixels already."""
        if self.decoded:
            return sides
        corners, strides = (values.index_select(0, cells) for values in places(size, self.strides))
        return torch.cat(((sides[:, :2] + corners) * strides, sides[:, 2:].exp() * strides), dim=1)


def _is_decoded(table: Tensor, size: Size, strides: Strides) -> bool:
    """Whether centres lie at their cells, in pixels, rather than all near the same offset."""
    corners, steps = places(size, strides)
    off = (table[:, :2] / steps - corners - 0.5).abs().median()
    return bool(off < (table[:, :2] - 0.5).abs().median())
