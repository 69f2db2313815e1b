"""The scores of true tracks over time, for plots (the paper's Fig. 4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from minet_core.errors import ConfigError
from minet_core.evaluation.frames import EvalFrame, Floats, Ints
from minet_core.evaluation.matching import ApProtocol, class_frame
from minet_core.evaluation.tracks.steadiness import TrackKey


@dataclass(frozen=True, slots=True, eq=False)
class TrackScores:
    """The scores of one true track, from one or several runs.

    Attributes:
        video: its name.
        track_id: of the true track.
        label: name of its class.
        frames: (K,) 0-based frames with a true box of the track, ascending.
        scores: run → (K,) score of the detection on the true box, 0 without one.
    """

    video: str
    track_id: int
    label: str
    frames: Ints
    scores: Mapping[str, Floats]


class TrackScoreAccumulator:
    """Collects the scores of one run, frame by frame; ascending within a video.

    A true box is matched as in `steadiness.TemporalAccumulator`: greedily by descending score, same
    class, overlap of one half or more. Memory grows only with the true boxes.

    Args:
        classes: names, in the order of the class ids.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = tuple(classes)
        self._points: dict[TrackKey, list[tuple[int, float]]] = {}
        self._labels: dict[TrackKey, str] = {}

    def add(self, frame: EvalFrame) -> None:
        """Add a frame.

        Raises:
            InputError: a label is no index of `classes`.
        """
        frame.check_labels(len(self._classes))
        for label in frame.true_labels:
            entry = class_frame(frame, label, ApProtocol.VOC50)
            matched = entry.match()
            scores = np.zeros(len(entry.truths))
            scores[matched[matched >= 0]] = frame.found.scores[entry.detections[matched >= 0]]
            for track, score in zip(frame.truth.track_ids[entry.truths], scores, strict=True):
                if track >= 0:
                    key = (frame.video, int(track))
                    self._labels.setdefault(key, self._classes[label])
                    self._points.setdefault(key, []).append((frame.number, float(score)))

    def result(self, run: str) -> dict[TrackKey, TrackScores]:
        """All tracks so far, in the order of their first box, with the scores of this run."""
        return {
            (video, track): TrackScores(
                video,
                track,
                self._labels[video, track],
                np.array([frame for frame, _ in points], dtype=np.int64),
                {run: np.array([score for _, score in points], dtype=np.float64)},
            )
            for (video, track), points in self._points.items()
        }


def longest_tracks(
    runs: Sequence[Mapping[TrackKey, TrackScores]], count: int = 6
) -> list[TrackScores]:
    """The tracks with the most true boxes, with the scores of all runs.

    Length does not depend on the scores, so the choice favours no run.

    Raises:
        ConfigError: the runs have different true tracks.
    """
    if any(set(run) != set(runs[0]) for run in runs):
        raise ConfigError("two runs can only be compared on the same true tracks")
    keys = sorted(runs[0], key=lambda key: -len(runs[0][key].frames)) if runs else []
    return [_side_by_side([run[key] for run in runs]) for key in keys[:count]]


def _side_by_side(same: Sequence[TrackScores]) -> TrackScores:
    first = same[0]
    if any(not np.array_equal(other.frames, first.frames) for other in same):
        raise ConfigError("two runs can only be compared on the same true boxes")
    scores = {name: values for track in same for name, values in track.scores.items()}
    return TrackScores(first.video, first.track_id, first.label, first.frames, scores)
