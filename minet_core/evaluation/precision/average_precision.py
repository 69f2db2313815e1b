"""Mean average precision over video, as in ImageNet VID.

Every class is scored over the frames of all videos together. The number depends on the protocol
(ApProtocol), so each result has its protocol.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from minet_core.evaluation.frames import EvalFrame, Floats
from minet_core.evaluation.matching import DROPPED, ApProtocol, class_frame
from minet_core.evaluation.precision.coco_matching import CocoMatcher
from minet_core.evaluation.precision.curve import FALSE_POSITIVE, TRUE_POSITIVE
from minet_core.evaluation.precision.result import ApResult, ClassTallies
from minet_core.evaluation.precision.video_bootstrap import drawn_weights, mean_ap_draws


class Matcher(Protocol):
    """Scores the detections of one class in one frame.

    Attributes:
        limit: maximum detections per class and frame, by descending score; None for all.
    """

    limit: int | None

    def __call__(self, frame: EvalFrame, label: int) -> tuple[Floats, Floats]:
        """Scores (N,) and outcomes (N,) of the detections that count, by descending score."""
        ...


class ApAccumulator:
    """Computes average precision from frames in any order.

    Its memory grows only with the detections (see `curve.ScoredDetections`).

    Args:
        classes: names, in the order of the class ids.
        protocol: rules of the number.

    Raises:
        ConfigError: the protocol needs a package that is not installed, or two classes have the
            same name.
    """

    def __init__(self, classes: Sequence[str], protocol: ApProtocol = ApProtocol.VOC50) -> None:
        self._protocol = protocol
        self._classes = len(classes)
        self._videos = 0
        self._tallies = ClassTallies(classes)
        self._match: Matcher = (
            CocoMatcher() if protocol is ApProtocol.COCO else GreedyMatcher(protocol)
        )

    def add(self, frame: EvalFrame) -> None:
        """Add a frame.

        Raises:
            InputError: a label is no index of `classes`.
        """
        frame.check_labels(self._classes)
        true_labels = frame.true_labels
        for label in frame.labels:
            if label in true_labels:
                counted = (frame.truth.label_ids == label) & ~frame.truth.ignore
                self._tallies.add(label, int(counted.sum()), *self._match(frame, label))
            else:
                # Most classes have nothing to match in a frame; this makes it fast.
                scores = frame.found.scores[frame.found.label_ids == label]
                scores = np.sort(scores)[::-1][: self._match.limit]
                self._tallies.add(label, 0, scores, np.full(len(scores), FALSE_POSITIVE))

    def end_video(self) -> None:
        """End a video; only `draws` needs this."""
        self._tallies.end_video()
        self._videos += 1

    def result(self) -> ApResult:
        """Average precision of the frames so far."""
        return self._tallies.result(self._protocol)

    def draws(self) -> Floats:
        """(D,) mean average precision on videos drawn at random; empty for fewer than two videos.

        Two accumulators of the same videos, in the same order, have the same draws.
        """
        if self._videos < 2:
            return np.zeros(0)
        weights = drawn_weights(self._videos)
        return mean_ap_draws(list(self._tallies.by_video()), weights, self._protocol)


class GreedyMatcher:
    """True and false positives under voc50 and devkit."""

    limit: int | None = None

    def __init__(self, protocol: ApProtocol) -> None:
        self._protocol = protocol

    def __call__(self, frame: EvalFrame, label: int) -> tuple[Floats, Floats]:
        """Scores and outcomes of one class in one frame."""
        entry = class_frame(frame, label, self._protocol)
        matched = entry.match()
        counts = matched != DROPPED
        outcomes = np.where(matched >= 0, TRUE_POSITIVE, FALSE_POSITIVE)
        return frame.found.scores[entry.detections][counts], outcomes[counts]
