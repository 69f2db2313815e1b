"""From a model's score vectors, or a file's rows, to the detections that metrics look at."""

from dataclasses import dataclass

import numpy as np
import torch

from minet_core.boxes import NO_TRACK
from minet_core.datasets.base import FrameTruth
from minet_core.datasets.vocabulary import ClassMap
from minet_core.evaluation.frames import (
    Bools,
    Floats,
    FoundBoxes,
    TrueBoxes,
    edges_of_inclusive,
)
from minet_core.inference.online import PAIR_FLOOR
from minet_core.inference.scored import ScoredFrame
from minet_core.scores import classwise_nms


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The detections of one frame.

    Attributes:
        boxes: every (box, class) pair that counts for average precision.
        shown: (D,) true where the class is its box's best, so that the pair is what a user sees.
    """

    boxes: FoundBoxes
    shown: Bools

    def tracked(self, score: float) -> FoundBoxes:
        """What tracking is scored on: pairs that are shown, have a track and reach the score."""
        keep = self.shown & (self.boxes.track_ids != NO_TRACK) & (self.boxes.scores >= score)
        found = self.boxes
        return FoundBoxes(
            found.boxes[keep], found.label_ids[keep], found.scores[keep], found.track_ids[keep]
        )


def nothing() -> Found:
    """A frame where nothing was found."""
    return Found(FoundBoxes.of([], [], []), np.zeros(0, dtype=bool))


def pairs(frame: ScoredFrame, names: ClassMap, classes: int, nms: float) -> Found:
    """The (box, class) pairs that survive class-wise suppression, in the dataset's classes.

    Args:
        frame: score vectors in the model's classes.
        names: the model's classes in the dataset; where several are one, the best score counts.
        classes: how many the dataset has.
        nms: overlap above which the lower score of a class goes.
    """
    scores = project(frame.scores, names, classes)
    rows, labels = (
        kept.numpy()
        for kept in classwise_nms(
            torch.from_numpy(frame.boxes), torch.from_numpy(scores), nms, PAIR_FLOOR
        )
    )
    best = names.ids[frame.scores[rows].argmax(axis=1)] if len(rows) else rows
    found = FoundBoxes(frame.boxes[rows], labels, scores[rows, labels], frame.track_ids[rows])
    return Found(found, best == labels)


def project(scores: Floats, names: ClassMap, classes: int) -> Floats:
    """Scores (N, C) of a model's classes → (N, classes) of the dataset's; 0 where none maps."""
    projected = np.zeros((len(scores), classes))
    for column, label in enumerate(names.ids):
        if label >= 0:
            np.maximum(projected[:, label], scores[:, column], out=projected[:, label])
    return projected


def true_boxes(truth: FrameTruth, *, inclusive: bool) -> TrueBoxes:
    """A dataset's annotation by edges, as metrics want it."""
    boxes = edges_of_inclusive(truth.boxes) if inclusive else truth.boxes
    return TrueBoxes(boxes, truth.label_ids, truth.track_ids, truth.ignore)
