"""Boxes on NumPy arrays: the shape that every table of them has, and their overlap.

Beside them, what tells shares of a picture from pixels.
"""

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from supervision import Detections

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Which = slice | NDArray[np.bool_] | NDArray[np.intp]
"""Rows of a table: a slice, a mark (N,) for each row, or their numbers in any order."""

NO_TRACK = -1
"""Track id of a box that belongs to no track, here, in truth and in results."""

SHARES = (
    "all boxes lie between 0 and 1, so they are shares of the picture; pixels are needed, "
    "which is its width and height times as much"
)
"""What to say of boxes that `are_shares`."""

_MOST_OF_A_PICTURE = 1.5
"""A share is 1 at most, but for boxes that reach out of the picture."""


class Boxes:
    """A table of boxes: a frozen dataclass in which every array is a column, with a row a box.

    What it has beside `boxes` is its own, and of the same name in all tables: `frames`, `scores`,
    `label_ids`, `track_ids`. What is no array is about the table as a whole.

    Attributes:
        boxes: (N, 4) float64 xyxy.
    """

    __slots__ = ()
    boxes: Floats

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: Which) -> Self:
        """Some of the rows, or all in another order."""
        return self._with({name: column[rows] for name, column in self._columns().items()})

    def joined(self, other: Self) -> Self:
        """The rows of both; what is about the whole is this one's.

        Raises:
            KeyError: the other one lacks a column.
        """
        others = other._columns()
        both = {
            name: np.concatenate([column, others[name]]) for name, column in self._columns().items()
        }
        return self._with(both)

    def to_supervision(self) -> "Detections":
        """As the package `supervision` has detections, for its annotators, trackers and metrics."""
        import supervision

        columns = self._columns()
        return supervision.Detections(
            xyxy=self.boxes,
            confidence=columns.get("scores"),
            class_id=columns.get("label_ids"),
            tracker_id=columns.get("track_ids"),
        )

    def _columns(self) -> dict[str, NDArray[Any]]:
        named = ((each.name, getattr(self, each.name)) for each in fields(self))  # type: ignore[arg-type]
        return {name: value for name, value in named if isinstance(value, np.ndarray)}

    def _with(self, columns: dict[str, NDArray[Any]]) -> Self:
        return replace(self, **columns)  # type: ignore[type-var]


class VideoBoxes(Boxes):
    """Boxes of a whole video, in the order of their frames.

    Attributes:
        frames: (N,) int64 0-based, not decreasing.
    """

    __slots__ = ()
    frames: Ints

    def span(self, frame: int) -> slice:
        """The rows of a frame."""
        first, behind = np.searchsorted(self.frames, (frame, frame + 1))
        return slice(int(first), int(behind))


def are_shares(boxes: Floats) -> bool:
    """Whether boxes (N, 4) xyxy can only be shares of a picture: as pixels all were within one."""
    inside = bool((np.abs(boxes) <= _MOST_OF_A_PICTURE).all())
    return inside and bool((boxes != np.floor(boxes)).any())


def edges_of_inclusive(boxes: ArrayLike) -> Floats:
    """Boxes (N, 4) by edges, from boxes that name their last pixel: x2 and y2 grow by one."""
    pixels = np.asarray(boxes, dtype=np.float64)
    edges: Floats = pixels.reshape(-1, 4) + np.array([0.0, 0.0, 1.0, 1.0])
    return edges


def box_iou(a: Floats, b: Floats) -> Floats:
    """Overlap (N, M) of every box of a (N, 4) with every one of b (M, 4), xyxy by edges."""
    return paired_iou(a[:, None], b[None])


def paired_iou(a: Floats, b: Floats) -> Floats:
    """Overlap (…) of boxes (…, 4) one by one, with broadcasting; 0 where neither has an area."""
    shared = _area(np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:]))
    union = _area(a[..., :2], a[..., 2:]) + _area(b[..., :2], b[..., 2:]) - shared
    iou: Floats = np.divide(shared, union, out=np.zeros_like(union), where=union > 0)
    return iou


def _area(upper_left: Floats, lower_right: Floats) -> Floats:
    """Area (…) between corners (…, 2); 0 where they are the wrong way round."""
    sides = (lower_right - upper_left).clip(min=0)
    return np.asarray(sides[..., 0] * sides[..., 1])
