"""Tracking metrics, by TrackEval, the reference implementation of the MOTChallenge.

    HOTA    detection and association in balance, averaged over overlaps 0.05 … 0.95; its parts
            are DetA and AssA (Luiten et al., 2021)
    CLEAR   MOTA, from misses, false positives and identity switches at an overlap of one half
    IDF1    detections with the right identity, under the best one-to-one assignment of tracks

Only this module uses TrackEval.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from minet_core.boxes import box_iou
from minet_core.errors import ConfigError, InputError
from minet_core.evaluation.frames import Bools, EvalFrame, Floats, Ints

OVERLAP = 0.5
"""Overlap of CLEAR and IDF1, and of a detection with an ignored true box."""

_Scores = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class TrackingScores:
    """Tracking metrics of a class, a video or everything.

    Scores are NaN without true boxes; counts are valid anyway.

    Attributes:
        hota: mean over the overlaps; 0 to 1, like all scores here except MOTA.
        det_a: detection part of HOTA.
        ass_a: association part of HOTA.
        mota: 1 minus the share of misses, false positives and switches; can be negative.
        idf1: share of boxes with the right identity, over true and predicted boxes.
        id_switches: times a true track changed its predicted id.
        fragmentations: times a true track was lost and found again.
        false_positives: detections without a true box.
        misses: true boxes without a detection.
        true_boxes: all true boxes that count.
        true_tracks: all true tracks that count.
    """

    hota: float
    det_a: float
    ass_a: float
    mota: float
    idf1: float
    id_switches: int
    fragmentations: int
    false_positives: int
    misses: int
    true_boxes: int
    true_tracks: int


@dataclass(frozen=True, slots=True, eq=False)
class TrackingResult:
    """Tracking metrics at every level.

    Attributes:
        overall: over the boxes of all classes and videos, so frequent classes weigh more.
        classes: by class; only those with true boxes or tracked detections.
        videos: by video.
    """

    overall: TrackingScores
    classes: dict[str, TrackingScores]
    videos: dict[str, TrackingScores]


class TrackingAccumulator:
    """Computes tracking metrics, video by video.

    Detections without a track id do not count. A track that changes its class counts as one track
    of each class.

    Ignored true boxes are handled as in MOTChallenge: in every frame and class, true boxes and
    detections are assigned to each other (Hungarian, overlap of one half or more). Detections
    assigned to an ignored true box are removed, then the ignored true boxes.

    Args:
        classes: names, in the order of the class ids.

    Raises:
        ConfigError: TrackEval is not installed.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = tuple(classes)
        self._metrics = _metrics()
        self._sequences: dict[tuple[str, str], _Scores] = {}
        self._videos: set[str] = set()

    def add_video(self, video: str, frames: Iterable[EvalFrame]) -> None:
        """Add all frames of one video, in ascending order, including frames without boxes.

        Raises:
            InputError: the video was added before, a frame is of another video or out of order, a
                label is no index of `classes`, or a true box that counts has no track id.
        """
        if video in self._videos:
            raise InputError(f"{video}: the video is given twice")
        self._videos.add(video)
        rows = list(_in_order(video, frames))
        for frame in rows:
            frame.check_labels(len(self._classes))
        labels = sorted({label for frame in rows for label in frame.labels})
        for label in labels:
            sequence = _sequence([_pair(frame, label) for frame in rows])
            if sequence["num_gt_dets"] or sequence["num_tracker_dets"]:
                self._sequences[video, self._classes[label]] = self._evaluated(sequence)

    def result(self) -> TrackingResult:
        """Metrics of the videos so far."""
        classes = {name: self._of(name=name) for name in self._classes}
        return TrackingResult(
            overall=self._scores(list(self._sequences.values())),
            classes={name: self._scores(found) for name, found in classes.items() if found},
            videos={video: self._scores(self._of(video=video)) for video in sorted(self._videos)},
        )

    def _of(self, video: str | None = None, name: str | None = None) -> list[_Scores]:
        return [
            scores
            for (of_video, of_class), scores in self._sequences.items()
            if of_video == (video or of_video) and of_class == (name or of_class)
        ]

    def _evaluated(self, sequence: Mapping[str, Any]) -> _Scores:
        return {name: metric.eval_sequence(sequence) for name, metric in self._metrics.items()}

    def _scores(self, sequences: Sequence[_Scores]) -> TrackingScores:
        # TrackEval cannot combine nothing, but it can combine a sequence without boxes.
        sequences = sequences or [self._evaluated(_sequence([]))]
        pooled = {
            name: metric.combine_sequences({str(i): s[name] for i, s in enumerate(sequences)})
            for name, metric in self._metrics.items()
        }
        return _tracking_scores(pooled)


def _metrics() -> dict[str, Any]:
    try:
        from trackeval.metrics import CLEAR, HOTA, Identity
    except ImportError as error:
        raise ConfigError("tracking metrics need TrackEval: pip install trackeval") from error
    quiet = {"THRESHOLD": OVERLAP, "PRINT_CONFIG": False}
    return {"hota": HOTA(), "clear": CLEAR(dict(quiet)), "identity": Identity(dict(quiet))}


def _in_order(video: str, frames: Iterable[EvalFrame]) -> Iterator[EvalFrame]:
    last = -1
    for frame in frames:
        if frame.video != video:
            raise InputError(f"{frame.place}: not a frame of {video}")
        if frame.number <= last:
            raise InputError(f"{frame.place}: comes after frame {last}")
        if (~frame.truth.ignore & (frame.truth.track_ids < 0)).any():
            raise InputError(
                f"{frame.place}: a true box has no track id, which tracking metrics need"
            )
        last = frame.number
        yield frame


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """One class of one frame: true (T,) and found (D,) ids, overlaps (T, D)."""

    true_ids: Ints
    found_ids: Ints
    overlaps: Floats


def _pair(frame: EvalFrame, label: int) -> _Pair:
    truth, found = frame.truth, frame.found
    true = truth.label_ids == label
    tracked = (found.label_ids == label) & (found.track_ids >= 0)
    overlaps = box_iou(truth.boxes[true], found.boxes[tracked])
    ignored = truth.ignore[true]
    stays = ~_taken_by_ignored(overlaps, ignored)
    return _Pair(
        true_ids=truth.track_ids[true][~ignored],
        found_ids=found.track_ids[tracked][stays],
        overlaps=overlaps[~ignored][:, stays],
    )


def _taken_by_ignored(overlaps: Floats, ignored: Bools) -> Bools:
    """Detections (D,) that an assignment by overlaps (T, D) gives to ignored true boxes."""
    enough = np.where(overlaps >= OVERLAP, overlaps, 0.0)
    rows, columns = linear_sum_assignment(enough, maximize=True)
    taken = np.zeros(overlaps.shape[1], dtype=bool)
    taken[columns] = ignored[rows] & (enough[rows, columns] > 0)
    return taken


def _sequence(pairs: Sequence[_Pair]) -> dict[str, Any]:
    """A class of a video as TrackEval expects it: ids 0 … n-1, an entry per frame."""
    true_ids = _renumbered([pair.true_ids for pair in pairs])
    found_ids = _renumbered([pair.found_ids for pair in pairs])
    return {
        "num_timesteps": len(pairs),
        "gt_ids": true_ids,
        "tracker_ids": found_ids,
        "similarity_scores": [pair.overlaps for pair in pairs],
        "num_gt_dets": sum(map(len, true_ids)),
        "num_tracker_dets": sum(map(len, found_ids)),
        "num_gt_ids": 1 + max((int(ids.max(initial=-1)) for ids in true_ids), default=-1),
        "num_tracker_ids": 1 + max((int(ids.max(initial=-1)) for ids in found_ids), default=-1),
    }


def _renumbered(ids: Sequence[Ints]) -> list[Ints]:
    known = np.unique(np.concatenate(ids)) if ids else np.zeros(0, np.int64)
    return [np.searchsorted(known, frame_ids) for frame_ids in ids]


def _tracking_scores(pooled: Mapping[str, Mapping[str, Any]]) -> TrackingScores:
    hota, clear, identity = pooled["hota"], pooled["clear"], pooled["identity"]
    true_boxes = int(clear["CLR_TP"] + clear["CLR_FN"])

    def score(value: Any) -> float:
        return float(np.mean(value)) if true_boxes else math.nan

    return TrackingScores(
        hota=score(hota["HOTA"]),
        det_a=score(hota["DetA"]),
        ass_a=score(hota["AssA"]),
        mota=score(clear["MOTA"]),
        idf1=score(identity["IDF1"]),
        id_switches=int(clear["IDSW"]),
        fragmentations=int(clear["Frag"]),
        false_positives=int(clear["CLR_FP"]),
        misses=int(clear["CLR_FN"]),
        true_boxes=true_boxes,
        true_tracks=int(clear["MT"] + clear["PT"] + clear["ML"]),
    )
