"""What every reader does with the boxes of a frame before anybody sees them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK, Boxes
from minet_core.datasets.dataset import FrameTruth
from minet_core.datasets.problems import Problem, Problems

_SLACK = 1.0
"""Pixels a box may reach out of the frame unreported: conventions differ by that much."""


@dataclass(frozen=True, slots=True, eq=False)
class FileBoxes(Boxes):
    """Boxes of one frame as a file has them; a flag column of None is all False.

    Attributes:
        boxes: (N, 4) xyxy.
        label_ids: (N,).
        track_ids: (N,).
        ignore: (N,) or None.
        occluded: (N,) or None.
        generated: (N,) or None.
    """

    boxes: NDArray[np.float64]
    label_ids: NDArray[np.int64]
    track_ids: NDArray[np.int64]
    ignore: NDArray[np.bool_] | None = None
    occluded: NDArray[np.bool_] | None = None
    generated: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class BoxChecker:
    """Turns a frame's rows into truth; what is wrong with them is mended and counted.

    Attributes:
        problems: where to count.
        inclusive: see `Dataset.inclusive`.
    """

    problems: Problems
    inclusive: bool

    def __call__(
        self, index: int, rows: FileBoxes, size: tuple[int, int] | None, place: Callable[[int], str]
    ) -> FrameTruth:
        """The truth of one frame.

        Args:
            index: 0-based frame.
            rows: its boxes.
            size: (width, height) of the frame, if known.
            place: from a row to the words that name it.
        """
        right_bottom = rows.boxes[:, 2:] + self.inclusive
        edges = np.concatenate([rows.boxes[:, :2], right_bottom], axis=1)
        keep = self._with_area(edges, place)
        outside = keep & self._outside(edges, size, keep, place)
        tracks = np.where(keep, rows.track_ids, NO_TRACK)
        self._without_repeats(tracks, place)
        return FrameTruth(
            index=index,
            boxes=rows.boxes[keep],
            label_ids=rows.label_ids[keep],
            track_ids=tracks[keep],
            ignore=(_flags(rows.ignore, keep) | outside)[keep],
            occluded=_flags(rows.occluded, keep)[keep],
            generated=_flags(rows.generated, keep)[keep],
        )

    def _with_area(
        self, edges: NDArray[np.float64], place: Callable[[int], str]
    ) -> NDArray[np.bool_]:
        left, top, right, bottom = edges.T
        good: NDArray[np.bool_] = (right > left) & (bottom > top) & np.isfinite(edges).all(axis=1)
        self._count(Problem.NO_AREA, ~good, place)
        return good

    def _outside(
        self,
        edges: NDArray[np.float64],
        size: tuple[int, int] | None,
        keep: NDArray[np.bool_],
        place: Callable[[int], str],
    ) -> NDArray[np.bool_]:
        if size is None:
            return np.zeros(len(edges), np.bool_)
        left, top, right, bottom = edges.T
        width, height = size
        outside: NDArray[np.bool_] = (
            (right <= 0) | (bottom <= 0) | (left >= width) | (top >= height)
        )
        outside &= keep
        beyond: NDArray[np.bool_] = (np.minimum(left, top) < -_SLACK) | (
            np.maximum(right - width, bottom - height) > _SLACK
        )
        self._count(Problem.OUTSIDE, outside, place)
        self._count(Problem.REACHES_OUT, keep & ~outside & beyond, place)
        return outside

    def _without_repeats(self, tracks: NDArray[np.int64], place: Callable[[int], str]) -> None:
        """Take the id of every box away that is not the first of its frame to have it."""
        _, first = np.unique(tracks, return_index=True)
        repeated = tracks != NO_TRACK
        repeated[first] = False
        tracks[repeated] = NO_TRACK
        self._count(Problem.SAME_ID, repeated, place)

    def _count(
        self, problem: Problem, rows: NDArray[np.bool_], place: Callable[[int], str]
    ) -> None:
        for row in np.flatnonzero(rows):
            self.problems.add(problem, place(int(row)))


def _flags(column: NDArray[np.bool_] | None, like: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.zeros_like(like) if column is None else column
