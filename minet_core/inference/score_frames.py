"""Frames with whole score vectors, for evaluation and the offline methods."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK, Boxes
from minet_core.formats.minet.result_json import read_json
from minet_core.formats.minet.score_vectors import read_score_vectors


@dataclass(frozen=True, slots=True, eq=False)
class ScoredFrame(Boxes):
    """Every box of one frame with a score for each class, before class-wise suppression.

    Attributes:
        frame: 0-based index.
        boxes: (N, 4) float64 xyxy in pixels.
        scores: (N, C) float64 foreground scores, re-weighted if there is a memory.
        base: (N, C) float64 the detector's own scores.
        track_ids: (N,) int64 slot ids, NO_TRACK without a slot.
    """

    frame: int
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    base: NDArray[np.float64]
    track_ids: NDArray[np.int64]


def read_scored_frames(result: str | Path) -> list[ScoredFrame]:
    """The frames of a result.json that has score vectors, for `minet_core.inference.offline`.

    Of the detector's own scores, only that of each row's label is known; the others are 0. Frames
    without rows are left out.

    Raises:
        InputError: there are no score vectors, or the result cannot be read.
    """
    rows, vectors = read_json(result).rows, read_score_vectors(result)
    boxes = rows[["x1", "y1", "x2", "y2"]].to_numpy(np.float64)
    tracks = rows["track_id"].fillna(NO_TRACK).to_numpy(np.int64)
    base = np.zeros(vectors.shape)
    base[np.arange(len(rows)), rows["label_id"]] = rows["base_score"]
    frames, starts = np.unique(rows["frame"], return_index=True)
    parts = np.split(np.arange(len(rows)), starts[1:])
    return [
        ScoredFrame(int(frame), boxes[r], vectors[r].astype(np.float64), base[r], tracks[r])
        for frame, r in zip(frames, parts if len(frames) else [], strict=True)
    ]
