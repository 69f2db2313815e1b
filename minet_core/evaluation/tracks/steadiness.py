"""Steadiness over time: do the boxes of a true object stay, and keep their score?

This is what the memory improves; average precision hardly measures it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from minet_core.errors import ConfigError, InputError
from minet_core.evaluation.bootstrap import Interval, difference_interval, ratio_interval
from minet_core.evaluation.frames import Bools, EvalFrame, Floats, Ints
from minet_core.evaluation.matching import ApProtocol, class_frame
from minet_core.options import MIN_SCORE

TrackKey = tuple[str, int]
"""Video and track id."""


@dataclass(slots=True)
class TrackHistory:
    """The detections of one true track.

    Attributes:
        label_id: its class, as first annotated.
        boxes: number of true boxes that count.
        covered: number of these found with at least the minimum score.
        steps: number of pairs of boxes in consecutive frames.
        change: sum over these pairs of the absolute change of the score.
        runs: number of stretches of covered boxes.
    """

    label_id: int
    boxes: int = 0
    covered: int = 0
    steps: int = 0
    change: float = 0.0
    runs: int = 0
    _last_index: int = -2
    _last_score: float = 0.0
    _was_covered: bool = False

    def extend(self, index: int, score: float, shown: float) -> None:
        """Add the true box of the `index`-th frame, detected with `score` (0: missed)."""
        if index == self._last_index + 1:
            self.steps += 1
            self.change += abs(score - self._last_score)
        is_covered = 0 < score >= shown
        self.boxes += 1
        self.covered += is_covered
        self.runs += is_covered and not self._was_covered
        self._last_index, self._last_score, self._was_covered = index, score, is_covered


@dataclass(frozen=True, slots=True, eq=False)
class TemporalResult:
    """Steadiness of detections along the true tracks.

    Attributes:
        shown: minimum score of a detection that covers a true box.
        tracks: history of every true track, in the order of its first box.
    """

    shown: float
    tracks: dict[TrackKey, TrackHistory]

    @property
    def jitter(self) -> float:
        """Mean absolute change of a true box's score from frame to frame; NaN without pairs."""
        changes, steps = self._changes()
        return float(changes.sum() / steps.sum()) if steps.sum() else float("nan")

    def jitter_interval(self, level: float = 0.95, seed: int = 0) -> Interval:
        """Bootstrap interval of `jitter` over tracks."""
        return ratio_interval(*self._changes(), level=level, seed=seed)

    def jitter_difference(
        self, other: "TemporalResult", level: float = 0.95, seed: int = 0
    ) -> Interval:
        """Interval of this jitter minus another's on the same tracks: with and without memory.

        Raises:
            ConfigError: the two have different tracks.
        """
        if set(self.tracks) != set(other.tracks):
            raise ConfigError("two results can only be compared on the same true tracks")
        theirs = TemporalResult(other.shown, {key: other.tracks[key] for key in self.tracks})
        return difference_interval(*self._changes(), *theirs._changes(), level=level, seed=seed)

    def recall(self, share: float) -> float:
        """Share of the true tracks that are covered in at least this share of their boxes."""
        covered = [t.covered / t.boxes >= share for t in self.tracks.values()]
        return float(np.mean(covered)) if covered else float("nan")

    @property
    def fragmentations(self) -> int:
        """How often a track was lost and found again while it was visible."""
        return sum(max(0, track.runs - 1) for track in self.tracks.values())

    def _changes(self) -> tuple[Floats, Floats]:
        tracks = self.tracks.values()
        changes = np.array([track.change for track in tracks], dtype=np.float64)
        return changes, np.array([track.steps for track in tracks], dtype=np.float64)


class TemporalAccumulator:
    """Computes steadiness along true tracks, video by video and frame by frame.

    A true box has the score of the matched detection of its class (greedily by descending score,
    overlap of one half or more), or 0 without one: an object that flickers out is as unsteady as
    its score was high. Changes count between consecutive given frames if the track has a box in
    both; gaps in the annotation do not count. True boxes that are ignored or have no track id do
    not count.

    Args:
        classes: names, in the order of the class ids.
        shown: minimum score of a detection that covers a true box; recall and fragmentations
            depend on it, jitter does not.
    """

    def __init__(self, classes: Sequence[str], shown: float = MIN_SCORE) -> None:
        self._classes = len(classes)
        self._shown = shown
        self._tracks: dict[TrackKey, TrackHistory] = {}
        self._videos: set[str] = set()
        self._video: str | None = None
        self._number = -1
        self._index = -1

    def add(self, frame: EvalFrame) -> None:
        """Add the next frame of a video.

        Raises:
            InputError: frames of a video are not in ascending order or not consecutive, or a label
                is no index of `classes`.
        """
        frame.check_labels(self._classes)
        self._advance(frame)
        for label in frame.true_labels:
            rows, scores = _matched_scores(frame, label)
            for track, score in zip(frame.truth.track_ids[rows], scores, strict=True):
                if track >= 0:
                    history = self._tracks.setdefault(
                        (frame.video, int(track)), TrackHistory(label)
                    )
                    history.extend(self._index, float(score), self._shown)

    def _advance(self, frame: EvalFrame) -> None:
        if frame.video != self._video:
            if frame.video in self._videos:
                raise InputError(f"{frame.place}: this video's frames are not consecutive")
            self._videos.add(frame.video)
            self._video, self._number = frame.video, -1
        if frame.number <= self._number:
            raise InputError(f"{frame.place}: comes after frame {self._number}")
        self._number = frame.number
        self._index += 1

    def result(self) -> TemporalResult:
        """Steadiness over the frames so far."""
        tracks = {key: replace(history) for key, history in self._tracks.items()}
        return TemporalResult(self._shown, tracks)


def _matched_scores(frame: EvalFrame, label: int) -> tuple[Ints, Floats]:
    """Rows (T,) of a class's true boxes that count, and the scores (T,) of their detections."""
    entry = class_frame(frame, label, ApProtocol.VOC50)
    matched = entry.match()
    hit: Bools = matched >= 0
    scores = np.zeros(len(entry.truths))
    scores[matched[hit]] = frame.found.scores[entry.detections[hit]]
    return entry.truths, scores
