"""The scores of every class, found again for boxes that have come through an edit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SAME = 0.011
"""Pixels: boxes are rounded to hundredths."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreVectors:
    """Score vectors by frame and box.

    What was interpolated or moved is no box that a detector has scored, and has none.

    Attributes:
        classes: C names, in the order of the scores.
        frames: (N,) int64, not decreasing.
        boxes: (N, 4) float64, cut off at the border of the picture.
        scores: (N, C) float32; may lie on the disk.
    """

    classes: tuple[str, ...]
    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float32]

    def of(self, frame: int, box: Sequence[float]) -> list[float] | None:
        """The scores (C) of a box in a frame, None where it has none."""
        first, behind = np.searchsorted(self.frames, (frame, frame + 1))
        if first == behind:
            return None
        apart = np.abs(self.boxes[first:behind] - np.asarray(box)).max(axis=1)
        nearest = int(apart.argmin())
        if apart[nearest] > _SAME:
            return None
        scores: list[float] = self.scores[first + nearest].tolist()
        return scores
