"""Boxes linked from frame to frame, and the best paths through them.

Both offline linking methods (Seq-NMS, tube linking) take the best path from a graph of boxes,
remove it, and continue with the rest. They differ in the value of a link.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import Floats, box_iou
from minet_core.errors import InputError
from minet_core.inference.score_frames import ScoredFrame

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class LinkedBoxes:
    """The boxes of a video in one array, frame after frame, and the links between them.

    Attributes:
        boxes: (N, 4) xyxy in pixels.
        bounds: (F + 1,) frame f has the boxes bounds[f] … bounds[f + 1] - 1.
        before: (E,) box a link comes from.
        after: (E,) box it goes to, one frame later; ascending.
        overlaps: (E,) overlap of the two.
    """

    boxes: Floats
    bounds: Ints
    before: Ints
    after: Ints
    overlaps: Floats

    @classmethod
    def of(cls, frames: Sequence[ScoredFrame], iou: float) -> "LinkedBoxes":
        """Link every box to boxes of the next given frame with an overlap of `iou` or more.

        Raises:
            InputError: the frames are not in ascending order.
        """
        numbers = [frame.frame for frame in frames]
        for last, number in pairwise(numbers):
            if number <= last:
                raise InputError(f"frame {number} comes after frame {last}; order the frames")
        bounds = np.cumsum([0, *(len(frame.boxes) for frame in frames)], dtype=np.int64)
        parts = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
        for index in range(1, len(frames)):
            overlaps = box_iou(frames[index].boxes, frames[index - 1].boxes)
            after, before = np.nonzero((overlaps >= iou) & (overlaps > 0))
            linked = overlaps[after, before]
            parts.append((before + bounds[index - 1], after + bounds[index], linked))
        before, after, overlaps = (np.concatenate(part) for part in zip(*parts, strict=True))
        boxes = np.concatenate([np.zeros((0, 4)), *(frame.boxes for frame in frames)])
        return cls(boxes, bounds, before, after, overlaps)

    def subset(self, rows: Ints) -> "LinkedBoxes":
        """Only the boxes `rows` (ascending), with the links between them."""
        place = np.full(len(self.boxes), -1)
        place[rows] = np.arange(len(rows))
        before, after = place[self.before], place[self.after]
        stays = (before >= 0) & (after >= 0)
        bounds = np.searchsorted(rows, self.bounds)
        overlaps = self.overlaps[stays]
        return LinkedBoxes(self.boxes[rows], bounds, before[stays], after[stays], overlaps)


class BestPaths:
    """Best paths through linked boxes, while boxes are removed.

    A path follows links through boxes of consecutive frames. Its value is the start of its first
    box plus the gains of its links. This is dynamic programming over frames. After boxes are
    removed, values are computed again from there, up to the frame where nothing changes any more.
    So many short paths in a long video cost little.

    Args:
        graph: boxes and links.
        starts: (N,) value of a path that begins at the box.
        gains: (E,) value that a link adds to a path; above 0.
    """

    def __init__(self, graph: LinkedBoxes, starts: Floats, gains: Floats) -> None:
        self._graph = graph
        self._starts = starts
        self._gains = gains
        # Links into box n are those from _into[n] to _into[n + 1] - 1.
        self._into = np.searchsorted(graph.after, np.arange(len(starts) + 1))
        self._values = np.full(len(starts), -np.inf)
        self._best = np.full(len(graph.bounds) - 1, -np.inf)
        self.left: Bools = np.ones(len(starts), dtype=bool)
        self._settle(0, len(self._best) - 1)

    def take(self) -> Ints:
        """The best path's boxes (K,), in order of time; empty when no box is left.

        The boxes are not removed. Among equal paths the one that ends first is taken.
        """
        frame = int(self._best.argmax()) if len(self._best) else 0
        if not len(self._best) or self._best[frame] == -np.inf:
            return np.zeros(0, dtype=np.int64)
        begin, end = self._graph.bounds[frame : frame + 2]
        path = [int(begin + self._values[begin:end].argmax())]
        while (box := self._previous(path[-1])) is not None:
            path.append(box)
        return np.array(path[::-1], dtype=np.int64)

    def remove(self, boxes: Ints) -> None:
        """Remove boxes (K,), ascending, at least one."""
        self.left[boxes] = False
        first, last = np.searchsorted(self._graph.bounds, boxes[[0, -1]], side="right") - 1
        self._settle(int(first), int(last))

    def _previous(self, box: int) -> int | None:
        links = slice(self._into[box], self._into[box + 1])
        before = self._graph.before[links]
        reached = self._values[before] + self._gains[links]
        if not len(reached) or reached.max() <= self._starts[box]:
            return None
        return int(before[reached.argmax()])

    def _settle(self, first: int, last: int) -> None:
        """Update the values from frame `first` on; boxes have changed up to frame `last`."""
        for frame in range(first, len(self._best)):
            begin, end = self._graph.bounds[frame : frame + 2]
            values = self._frame_values(begin, end)
            if frame > last and np.array_equal(values, self._values[begin:end]):
                break
            self._values[begin:end] = values
            self._best[frame] = values.max(initial=-np.inf)

    def _frame_values(self, begin: int, end: int) -> Floats:
        """Best value (end - begin,) of a path that ends at each of these boxes of one frame."""
        values: Floats = self._starts[begin:end].copy()
        links = slice(self._into[begin], self._into[end])
        reached = self._values[self._graph.before[links]] + self._gains[links]
        np.maximum.at(values, self._graph.after[links] - begin, reached)
        values[~self.left[begin:end]] = -np.inf
        return values
