"""The bootstrap over videos: how far mean average precision depends on the choice of videos.

V of V videos are drawn with replacement. Each draw is a dataset that has a video as often as it was
drawn. Nothing is matched again, because a detection is right or wrong independently of other
videos.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minet_core.evaluation.bootstrap import Interval
from minet_core.evaluation.frames import Floats, Ints
from minet_core.evaluation.matching import ApProtocol

DRAWS = 1000
_AT_ONCE = 100
"""Draws per batch; memory grows with them."""
_CELLS = 10_000_000
"""Maximum cells of a table of true positives by videos."""


@dataclass(frozen=True, slots=True, eq=False)
class VideoTally:
    """The detections of one class, with their videos.

    Attributes:
        scores: (N,).
        outcomes: (N,) above 0 for a true positive, minus its weight for a false positive.
        videos: (N,) index of the video.
        truths: (V,) true boxes of each video.
    """

    scores: Floats
    outcomes: Floats
    videos: Ints
    truths: Ints


def drawn_weights(videos: int, draws: int = DRAWS, seed: int = 0) -> Floats:
    """(V, D) how often each video is in each draw; the same for the same number of videos."""
    random = np.random.default_rng(seed)
    drawn = random.integers(videos, size=(draws, videos))
    counts = [np.bincount(row, minlength=videos) for row in drawn]
    return np.array(counts, dtype=np.float64).T


def mean_ap_draws(tallies: Sequence[VideoTally], weights: Floats, protocol: ApProtocol) -> Floats:
    """(D,) mean over the classes with true boxes, with these weights (V, D) of videos.

    NaN if no class has true boxes.
    """
    sums, counts = np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
    for tally in tallies:
        points = _points(tally)
        for first in range(0, weights.shape[1], _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            values = _class_draws(points, tally.truths, weights[:, part], protocol)
            sums[part] += np.nan_to_num(values)
            counts[part] += np.isfinite(values)
    means: Floats = np.divide(sums, counts, out=np.full(len(sums), math.nan), where=counts > 0)
    return means


def draws_interval(draws: Floats, level: float = 0.95) -> Interval:
    """Interval of the draws (D,); NaN if it is unknown."""
    draws = draws[np.isfinite(draws)]
    if not len(draws):
        return Interval(math.nan, math.nan)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """The detections of a class that affect the result, in order of scores.

    Attributes:
        hits: (K,) videos of the true positives.
        places: (M,) true positives before each false one, ascending and below K.
        videos: (M,) of the false positives.
        false: (M,) their weights.
    """

    hits: Ints
    places: Ints
    videos: Ints
    false: Floats

    def false_before(self, weights: Floats) -> Floats:
        """(K, D) false positives above each true one, with these weights of videos."""
        points, videos = len(self.hits), len(weights)
        step = max(1, _CELLS // videos)
        sums = []
        for first in range(0, points, step):
            rows = slice(*np.searchsorted(self.places, (first, first + step)))
            height = min(step, points - first)
            cells = (self.places[rows] - first) * videos + self.videos[rows]
            table = np.bincount(cells, self.false[rows], height * videos)
            sums.append(table.reshape(height, videos) @ weights)
        return np.cumsum(np.concatenate(sums), axis=0)


def _points(tally: VideoTally) -> _Points:
    order = np.argsort(-tally.scores, kind="stable")
    outcomes, videos = tally.outcomes[order], tally.videos[order]
    hit = outcomes > 0
    before = np.cumsum(hit)
    missed = (outcomes < 0) & (before < hit.sum())
    return _Points(videos[hit], before[missed], videos[missed], -outcomes[missed])


def _class_draws(points: _Points, truths: Ints, weights: Floats, protocol: ApProtocol) -> Floats:
    """(D,) average precision of a class; NaN for a draw without true boxes of it."""
    drawn = truths @ weights
    if not len(points.hits):
        return np.where(drawn > 0, 0.0, math.nan)
    gained = weights[points.hits]
    true_positives = np.cumsum(gained, axis=0)
    found = true_positives + points.false_before(weights)
    precision = np.divide(true_positives, found, out=np.zeros_like(found), where=found > 0)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    drawn = np.where(drawn > 0, drawn, math.nan)
    if protocol is ApProtocol.COCO:
        return _at_101_recalls(true_positives / drawn, envelope)
    areas: Floats = (gained * envelope).sum(axis=0) / drawn
    return areas


def _at_101_recalls(recall: Floats, envelope: Floats) -> Floats:
    """COCO's mean of the envelope (K, D) over its recalls (K, D)."""
    wanted = np.linspace(0, 1, 101)
    means = [
        math.nan
        if math.isnan(reached[-1])
        else float(np.append(line, 0.0)[np.searchsorted(reached, wanted)].mean())
        for reached, line in zip(recall.T, envelope.T, strict=True)
    ]
    return np.array(means)
