"""Average precision per class: its counts, and the result."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from minet_core.errors import ConfigError
from minet_core.evaluation.frames import Floats
from minet_core.evaluation.matching import ApProtocol
from minet_core.evaluation.precision.curve import SHARED, Curve, ScoredDetections, curve
from minet_core.evaluation.precision.video_bootstrap import VideoTally


@dataclass(frozen=True, slots=True, eq=False)
class ClassAp:
    """Average precision of one class.

    Attributes:
        name: of the class.
        ap: from 0 to 1; NaN for a class without true boxes.
        truths: number of true boxes that count.
        true_positives: number of detections on them.
        false_positives: number of other detections, or the sum of their weights; detections on
            ignored true boxes count in neither.
        curve: precision over recall; without points for a class without true boxes.
    """

    name: str
    ap: float
    truths: int
    true_positives: int
    false_positives: float
    curve: Curve


@dataclass(frozen=True, slots=True, eq=False)
class ApResult:
    """Average precision of every class, with its protocol.

    Attributes:
        protocol: of the number.
        classes: an entry per class, in the order of the class ids.
    """

    protocol: ApProtocol
    classes: tuple[ClassAp, ...]

    @property
    def mean(self) -> float:
        """Mean over the classes with true boxes; NaN without any."""
        return self.mean_over([entry.name for entry in self.classes])

    def mean_over(self, names: Collection[str]) -> float:
        """Mean over the named classes with true boxes; NaN without any."""
        scored = [e.ap for e in self.classes if e.name in names and not math.isnan(e.ap)]
        return float(np.mean(scored)) if scored else math.nan


class ClassTallies:
    """True boxes and detections of every class."""

    def __init__(self, classes: Sequence[str]) -> None:
        repeated = {name for name in classes if classes.count(name) > 1}
        if repeated:
            raise ConfigError(f"class {min(repeated)!r} is named twice")
        self._names = tuple(classes)
        self._truths = [0] * len(classes)
        self._tallies = [ScoredDetections() for _ in classes]
        self._ends: list[list[tuple[int, int]]] = [[] for _ in classes]

    def add(self, label: int, truths: int, scores: Floats, outcomes: Floats) -> None:
        """Add a class's true boxes and detections of one frame."""
        self._truths[label] += truths
        self._tallies[label].add(scores, outcomes)

    def end_video(self) -> None:
        """End a video."""
        for ends, tally, truths in zip(self._ends, self._tallies, self._truths, strict=True):
            ends.append((len(tally), truths))

    def by_video(self) -> Iterator[VideoTally]:
        """Detections of each class with their videos, if every video was ended."""
        for ends, tally in zip(self._ends, self._tallies, strict=True):
            rows, truths = np.diff(np.array(ends, np.int64), axis=0, prepend=[[0, 0]]).T
            videos = np.repeat(np.arange(len(ends)), rows)
            yield VideoTally(tally.scores, tally.outcomes, videos, truths)

    def result(self, protocol: ApProtocol, shared_weight: float = 1.0) -> ApResult:
        """Average precision so far; `shared_weight` is the weight of SHARED outcomes."""
        return ApResult(protocol, tuple(self._classes(protocol, shared_weight)))

    def _classes(self, protocol: ApProtocol, shared_weight: float) -> Iterator[ClassAp]:
        for name, truths, tally in zip(self._names, self._truths, self._tallies, strict=True):
            outcomes = tally.outcomes
            outcomes[outcomes == SHARED] = -shared_weight
            yield _class_ap(name, truths, tally.scores, outcomes, protocol)


def _class_ap(
    name: str, truths: int, scores: Floats, outcomes: Floats, protocol: ApProtocol
) -> ClassAp:
    hits = int((outcomes > 0).sum())
    misses = float(-outcomes[outcomes < 0].sum())
    if truths == 0:
        nothing = Curve(np.zeros(0), np.zeros(0), np.zeros(0))
        return ClassAp(name, math.nan, 0, hits, misses, nothing)
    line = curve(scores, outcomes, truths)
    ap = line.mean_at_101_recalls() if protocol is ApProtocol.COCO else line.area()
    return ClassAp(name, ap, truths, hits, misses, line)
