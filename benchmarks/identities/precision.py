"""What memory does to the scores of boxes: average precision, and whether a score is a chance."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.identities.data import Sequence
from benchmarks.identities.replicates import PLAIN
from benchmarks.identities.runs import detector_of, found_boxes
from minet_core.config import VIDEO, MemoryConfig
from minet_core.datasets.vocabulary import map_classes
from minet_core.evaluation.frames import EvalFrame, FoundBoxes
from minet_core.evaluation.matching import ApProtocol
from minet_core.evaluation.precision.average_precision import ApAccumulator, GreedyMatcher
from minet_core.evaluation.predictions.convert import pairs
from minet_core.inference.gaps import filled
from minet_core.inference.online import OnlineDetector
from minet_core.inference.score_frames import ScoredFrame
from minet_core.inference.tracklets import linked
from minet_core.models.zoo import Model
from minet_core.options import DetectOptions
from minet_core.results import FrameDetections

BINS = 10
"""Of scores from 0 to 1."""

Outcomes = NDArray[np.float64]
"""(N, 2) of N boxes: the score, and 1 where the box is right, else 0."""


@dataclass(frozen=True, slots=True)
class Precision:
    """Scores of one sequence.

    Attributes:
        without: AP50 of the detector alone, in percent.
        memory: AP50 with memory, as it is known at once.
        linked: AP50 of what `minet detect --score 0 --score-vectors` writes of a file, over every
            (box, class) pair as well.
        base: outcomes of the detector's own best score of each box.
        reported: outcomes of what `minet detect` writes.
    """

    without: float
    memory: float
    linked: float
    base: Outcomes
    reported: Outcomes


def precision(sequence: Sequence, kind: str, model: Model) -> Precision:
    """Run a sequence as it is, with memory and without."""
    without, base = scored(sequence, kind, model, None)
    memory, _ = scored(sequence, kind, model, VIDEO)
    rows = written(sequence, kind, model)
    names = map_classes(rows[0].classes, sequence.classes)
    average = ApAccumulator(sequence.classes)
    for frame, one in enumerate(rows):
        vectors = one.score_vectors
        assert vectors is not None
        scores = ScoredFrame(frame, one.boxes, vectors, vectors, one.track_ids)
        found = pairs(scores, names, len(sequence.classes), VIDEO.nms)
        average.add(EvalFrame(sequence.name, frame, sequence.truth[frame], found.boxes))
    best = [found_boxes(one, names.ids) for one in rows]
    return Precision(without, memory, 100 * average.result().mean, base, _outcomes(sequence, best))


def written(sequence: Sequence, kind: str, model: Model) -> list[FrameDetections]:
    """What `minet detect --score 0 --score-vectors` writes of each frame of a file."""
    shown, whole = detector_of(sequence, PLAIN, kind, model)
    online = OnlineDetector(whole, VIDEO, score=0.0, vectors=True, link=True)
    observed = []
    for place, frame in enumerate(PLAIN.frames(sequence)):
        shown.frame = int(frame)
        image, time = np.asarray(sequence.images[frame]), PLAIN.time(sequence, place)
        observed.append(online.observe(image, frame=place, pts=None, time=time).detections)
    assert online.linker is not None
    tracks, size = online.linker.tracks(), sequence.images.shape[1:3]
    joined = ((size, linked(one, tracks, 0.0)) for one in observed)
    return [rows for _, rows in filled(joined, DetectOptions().fill, online.linker.cuts)]


def scored(
    sequence: Sequence, kind: str, model: Model, config: MemoryConfig | None
) -> tuple[float, Outcomes]:
    """AP50 over every (box, class) pair, and the outcomes under each box's best class."""
    shown, whole = detector_of(sequence, PLAIN, kind, model)
    online = OnlineDetector(whole, config)
    names = map_classes(whole.classes, sequence.classes)
    average, best = ApAccumulator(sequence.classes), []
    for place, frame in enumerate(PLAIN.frames(sequence)):
        shown.frame = int(frame)
        image, time = np.asarray(sequence.images[frame]), PLAIN.time(sequence, place)
        found = pairs(
            online.step(image, frame=place, time=time), names, len(sequence.classes), VIDEO.nms
        )
        average.add(EvalFrame(sequence.name, place, sequence.truth[frame], found.boxes))
        one = found.boxes
        columns: tuple[Any, ...] = (one.boxes, one.label_ids, one.scores, one.track_ids)
        best.append(FoundBoxes(*(column[found.shown] for column in columns)))
    return 100 * average.result().mean, _outcomes(sequence, best)


def _outcomes(sequence: Sequence, rows: list[FoundBoxes]) -> Outcomes:
    """Of the classes that are annotated; what lies on something ignored is in it neither way."""
    annotated = {int(i) for truth in sequence.truth for i in truth.label_ids[~truth.ignore]}
    match, parts = GreedyMatcher(ApProtocol.VOC50), [np.zeros((0, 2))]
    for frame, found in enumerate(rows):
        one = EvalFrame(sequence.name, frame, sequence.truth[frame], found)
        for label in sorted(annotated):
            scores, outcomes = match(one, label)
            parts.append(np.stack([scores, outcomes > 0], axis=1))
    return np.concatenate(parts)


def show(kind: str, found: dict[str, Precision]) -> None:
    """Print average precision of each sequence, and whether scores are chances."""
    print(f"\n{kind} boxes, AP50 of each sequence as it is: without memory, online, linked")
    rows = {name: (one.without, one.memory, one.linked) for name, one in found.items()}
    rows["mean"] = tuple(np.mean(list(rows.values()), axis=0).tolist())
    for name, row in rows.items():
        print(f"{name:24}" + "".join(f"{value:8.1f}" for value in row))
    for title, own in (("detector's", "base"), ("reported", "reported")):
        print(f"\n{kind} boxes, {title} score: boxes, mean score, share that is right")
        for line in reliability(np.concatenate([getattr(one, own) for one in found.values()])):
            print("{:.1f} to {:.1f}{:9d}{:8.2f}{:8.2f}".format(*line))


def reliability(outcomes: Outcomes) -> list[tuple[float, float, int, float, float]]:
    """Of each bin with boxes: from, to, how many boxes, their mean score, the share that is right.

    Args:
        outcomes: see there.
    """
    numbers = np.minimum((outcomes[:, 0] * BINS).astype(int), BINS - 1)
    lines = []
    for number in np.unique(numbers):
        own = outcomes[numbers == number]
        score, right = own.mean(axis=0)
        lines.append((number / BINS, (number + 1) / BINS, len(own), float(score), float(right)))
    return lines
