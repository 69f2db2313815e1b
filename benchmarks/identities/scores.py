"""From the boxes that a tracker reports to the figures of a table."""

from collections.abc import Sequence as Rows
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.identities.data import Sequence
from benchmarks.identities.replicates import Replicate
from minet_core.evaluation.frames import EvalFrame, FoundBoxes
from minet_core.evaluation.tracks.metrics import TrackingAccumulator

METRICS = ("HOTA", "AssA", "IDF1", "MOTA", "ids")


@dataclass(frozen=True, slots=True)
class Figures:
    """What one tracker reaches in one replicate of a sequence; shares in percent.

    Attributes:
        hota: HOTA.
        ass_a: its association part.
        idf1: IDF1.
        mota: MOTA.
        ids: ids reported to one true object; those on ignored regions do not count.
    """

    hota: float
    ass_a: float
    idf1: float
    mota: float
    ids: float

    def row(self) -> tuple[float, ...]:
        """The figures in the order of METRICS."""
        return self.hota, self.ass_a, self.idf1, self.mota, self.ids


def score(sequence: Sequence, replicate: Replicate, found: Rows[FoundBoxes]) -> Figures:
    """Figures of what was found in each frame that the replicate shows, in order."""
    tracking = TrackingAccumulator(sequence.classes)
    shown = replicate.frames(sequence)
    frames = [
        EvalFrame(sequence.name, place, sequence.truth[frame], boxes)
        for place, (frame, boxes) in enumerate(zip(shown, found, strict=True))
    ]
    tracking.add_video(sequence.name, frames)
    scores = tracking.result().overall
    ids = _ids(frames) / scores.true_tracks
    return Figures(100 * scores.hota, 100 * scores.ass_a, 100 * scores.idf1, 100 * scores.mota, ids)


def _ids(frames: Rows[EvalFrame]) -> int:
    """How many ids there are among the classes that are annotated, outside ignored regions."""
    annotated = {int(i) for frame in frames for i in frame.truth.label_ids[~frame.truth.ignore]}
    counted: set[int] = set()
    for frame in frames:
        found = frame.found
        rows = np.isin(found.label_ids, sorted(annotated)) & (found.track_ids >= 0)
        ignored = frame.truth.boxes[frame.truth.ignore]
        rows &= ~_inside(found.boxes, ignored)
        counted.update(found.track_ids[rows].tolist())
    return len(counted)


def _inside(boxes: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """(N,) whether half of a box or more lies in one of (R, 4) regions."""
    if not len(boxes) or not len(regions):
        return np.zeros(len(boxes), dtype=bool)
    low = np.maximum(boxes[:, None, :2], regions[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], regions[None, :, 2:])
    shared = (high - low).clip(min=0).prod(axis=2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    covered: NDArray[np.bool_] = (shared >= 0.5 * area[:, None]).any(axis=1)
    return covered
