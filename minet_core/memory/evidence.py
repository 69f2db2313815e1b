"""How sure it is that the boxes of a slot show an object."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from minet_core.config import Existence

_MOST = 64
"""Number of scores kept, from the whole time of an object."""

_SHARE = 6
"""One in so many boxes of a standing object counts: the best, as objects are hidden at times."""

_DOUBT = 0.85
"""Log-odds of a missing box below the threshold; a score of 0.3 for a threshold of 0.5."""

_LEAST = 1e-3
"""Minimum probability that a box is an object, or that it is none."""


@dataclass(slots=True)
class Evidence:
    """Base scores of an object's boxes: all of the first ones, later every `stride`-th.

    Attributes:
        scores: in order of time, at most `_MOST`.
        stride: see above; a power of two.
        boxes: number of boxes added.
    """

    scores: list[float] = field(default_factory=list)
    stride: int = 1
    boxes: int = 0
    _ranked: tuple[float, ...] | None = field(default=None, compare=False, repr=False)

    def add(self, score: float) -> None:
        """The base score of one more box."""
        if self.boxes % self.stride == 0:
            self.scores.append(score)
            self._ranked = None
            if len(self.scores) > _MOST:
                self._thin(2 * self.stride)
        self.boxes += 1

    def existence(self, rule: Existence, threshold: float, *, moved: bool) -> float:
        """Probability that the object exists.

        It is the mean log-odds of the best n = `sightings` boxes, as a probability; of an object
        that stands, of the best sixth of its boxes, if that is more. A thousand weak boxes do not
        make an object: a detector repeats its errors. Nor do the best n of a thousand: the longer a
        false object stands there, the surer is its best box. Each box that is missing to n counts
        against the object, so weak boxes need several, and strong boxes do not. What a detector
        mistakes for an object mostly stands still, so motion adds the log-odds `rule.moved`.

        Args:
            rule: the settings.
            threshold: an existence; a missing box counts as one somewhat below it.
            moved: whether the object has moved.
        """
        if self._ranked is None:
            self._ranked = tuple(map(_log_odds, sorted(self.scores, reverse=True)))
        share = 0 if moved else len(self.scores) // _SHARE
        best = self._ranked[: max(rule.sightings, share)]
        missing = max(rule.sightings - len(best), 0)
        odds = sum(best) + missing * (_log_odds(threshold) - _DOUBT)
        chance = 1 / (1 + math.exp(-odds / (len(best) + missing) - rule.moved * moved))
        return round(chance, 9)  # so that boxes with the very threshold reach it

    def plain(self) -> tuple[list[float], int, int]:
        """The whole state, as plain values."""
        return [*self.scores], self.stride, self.boxes

    def _thin(self, stride: int) -> None:
        self.scores, self.stride = self.scores[:: stride // self.stride], stride
        self._ranked = None


def together(parts: Iterable[Evidence]) -> Evidence:
    """The evidence of one object that several tracks show, in order of time."""
    copies = [Evidence(*part.plain()) for part in parts]
    stride = max(one.stride for one in copies)
    for one in copies:
        one._thin(stride)
    joined = Evidence([score for one in copies for score in one.scores], stride)
    joined.boxes = stride * len(joined.scores)
    while len(joined.scores) > _MOST:
        joined._thin(2 * joined.stride)
    return joined


def _log_odds(chance: float) -> float:
    chance = min(max(chance, _LEAST), 1 - _LEAST)
    return math.log(chance / (1 - chance))
