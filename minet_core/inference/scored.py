"""Frames with whole score vectors: what evaluation and the offline methods work on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class ScoredFrame:
    """Every box of one frame with a score for each class, before class-wise suppression.

    Attributes:
        frame: 0-based index.
        boxes: (N, 4) float64 xyxy in pixels.
        scores: (N, C) float64 foreground scores, re-weighted by memory where there is one.
        base: (N, C) float64 the detector's own.
        track_ids: (N,) int64 slot ids, NO_TRACK where a box belongs to none.
    """

    frame: int
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    base: NDArray[np.float64]
    track_ids: NDArray[np.int64]
