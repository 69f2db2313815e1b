"""From a model's score vectors, or a file's rows, to the detections that metrics use."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from minet_core.boxes import NO_TRACK, edges_of_inclusive
from minet_core.config import MemoryConfig
from minet_core.datasets.dataset import FrameTruth
from minet_core.datasets.vocabulary import ClassMap
from minet_core.errors import InputError
from minet_core.evaluation.eval_config import Offline
from minet_core.evaluation.frames import (
    Bools,
    FoundBoxes,
    TrueBoxes,
)
from minet_core.inference.candidates import PAIR_FLOOR
from minet_core.inference.score_frames import ScoredFrame
from minet_core.models.stored_detections import StoredBoxes
from minet_core.scores import classwise_nms


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The detections of one frame.

    Attributes:
        boxes: every (box, class) pair that counts for average precision.
        shown: (D,) true if the class is its box's best, so that a user sees this pair.
    """

    boxes: FoundBoxes
    shown: Bools

    def tracked(self, score: float) -> FoundBoxes:
        """Detections for tracking: shown pairs with a track and at least this score."""
        keep = self.shown & (self.boxes.track_ids != NO_TRACK) & (self.boxes.scores >= score)
        found = self.boxes
        return FoundBoxes(
            found.boxes[keep], found.label_ids[keep], found.scores[keep], found.track_ids[keep]
        )


def nothing() -> Found:
    """A frame without detections."""
    return Found(FoundBoxes.of([], [], []), np.zeros(0, dtype=bool))


def pairs(frame: ScoredFrame, names: ClassMap, classes: int, nms: float) -> Found:
    """The (box, class) pairs after class-wise suppression, in the dataset's classes.

    Args:
        frame: score vectors in the model's classes.
        names: the model's classes in the dataset; if several map to one, the best score counts.
        classes: number of the dataset's classes.
        nms: overlap above which the lower score of a class is suppressed.
    """
    scores = names.project(frame.scores, classes)
    rows, labels = (
        kept.numpy()
        for kept in classwise_nms(
            torch.from_numpy(frame.boxes), torch.from_numpy(scores), nms, PAIR_FLOOR
        )
    )
    best = names.ids[frame.scores[rows].argmax(axis=1)] if len(rows) else rows
    found = FoundBoxes(frame.boxes[rows], labels, scores[rows, labels], frame.track_ids[rows])
    return Found(found, best == labels)


def stored_pairs(
    stored: StoredBoxes, frames: int, classes: int, offline: Offline
) -> Iterator[Found]:
    """A file's detections of each frame: its rows, or every pair if it has score vectors.

    Args:
        stored: of one video, in the dataset's classes.
        frames: number of the video's frames.
        classes: number of the dataset's classes.
        offline: methods to apply to the score vectors first.

    Raises:
        InputError: score vectors are needed but missing.
    """
    spans = [stored.span(number) for number in range(frames)]
    if stored.vectors is None:
        if offline:
            raise InputError(f"{stored.source}: has no score vectors; make it with --score-vectors")
        for rows in spans:
            found = FoundBoxes(*(getattr(stored, name)[rows] for name in _COLUMNS))
            yield Found(found, np.ones(len(found.boxes), dtype=bool))
        return
    scored = [
        ScoredFrame(
            number, stored.boxes[r], stored.vectors[r], stored.vectors[r], stored.track_ids[r]
        )
        for number, r in enumerate(spans)
    ]
    same = ClassMap(np.arange(classes), ())
    for frame in offline.linked(scored):
        yield pairs(frame, same, classes, MemoryConfig().nms)


_COLUMNS = ("boxes", "label_ids", "scores", "track_ids")


def true_boxes(truth: FrameTruth, *, inclusive: bool) -> TrueBoxes:
    """A dataset's annotation with box edges, as input of metrics."""
    boxes = edges_of_inclusive(truth.boxes) if inclusive else truth.boxes
    return TrueBoxes(boxes, truth.label_ids, truth.track_ids, truth.ignore)
