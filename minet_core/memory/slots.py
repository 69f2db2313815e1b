"""A memory slot: one remembered object."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from minet_core.config import Existence, MemoryConfig
from minet_core.memory.identifier import RunningRidge
from minet_core.memory.motion import TrackState
from minet_core.scores import ScoreKind, foreground

HELD = 0.95
"""Existence of an object that a person has marked; not 1, because single boxes may be wrong."""

_DOUBT = 0.85
"""Log-odds of a missing box below the threshold; a score of 0.3 for a threshold of 0.5."""

_AWAY = 10
"""Minimum boxes in a row away from the first that are a motion, rather than a leap."""

_LEAST = 1e-3
"""Minimum probability that a box is an object, or that it is none."""


@dataclass(slots=True, eq=False)
class Slot:
    """One remembered object m^k.

    Attributes:
        id: identity of the object; never used again.
        score: (C + 1,) or (C,) float64 memory score π, of base scores.
        ridge: running sums for its identifier.
        identifier: (D,) float64 γ.
        track: its position; (4, 2) mean and (4, 2, 2) covariance.
        seen: frame of its last match, by the memory's clock.
        scene: number of the scene of its last match.
        matches: f, number of boxes written so far.
        best: base scores of its best boxes, descending, at most `Existence.sightings`.
        name: reported id: its own, or that of an older slot with the same object.
        opened: frame of its first match, by the memory's clock.
        suitors: id of each older slot that may have the same object → log-likelihood ratio of the
            first box's position.
        held: whether a person has marked the object: then the slot never retires.
        away: number of its last boxes, in a row, that were its own size or more from the first.
    """

    id: int
    score: Tensor
    ridge: RunningRidge
    identifier: Tensor
    track: TrackState
    seen: float
    scene: int
    matches: int = 0
    best: list[float] = field(default_factory=list)
    name: int = 0
    opened: float = 0.0
    suitors: dict[int, float] = field(default_factory=dict)
    held: bool = False
    away: int = 0

    @classmethod
    def empty(cls, number: int, columns: int, dim: int, buffer: int, track: TrackState) -> "Slot":
        """A new slot with only a position.

        Args:
            number: its id.
            columns: C + 1 or C.
            dim: length of an embedding.
            buffer: maximum number of frames whose samples it keeps.
            track: its position.
        """
        score, identifier = (torch.zeros(n, dtype=torch.float64) for n in (columns, dim))
        ridge = RunningRidge(dim, buffer)
        return cls(number, score, ridge, identifier, track, seen=0.0, scene=0, name=number)

    def vouch(self, score: float, rule: Existence | None) -> None:
        """Add the score of one more box, if the rule of existence is on."""
        if rule is not None:
            self.best = sorted([*self.best, score], reverse=True)[: rule.sightings]

    def existence(self, rule: Existence) -> float:
        """Probability that the object exists."""
        return HELD if self.held else existence(self.best, rule, rule.threshold, moved=self.moved)

    @property
    def moved(self) -> bool:
        """Whether it has left its first place, seen in at least half of the frames."""
        return self.away >= _AWAY and self.matches >= (self.seen - self.opened) / 2

    def patience(self, rule: Existence) -> float:
        """Number of frames that it is kept without a match."""
        if self.held:
            return math.inf
        likely = existence(self.best, rule, rule.doubtful, moved=self.moved) >= rule.doubtful
        return rule.patience if likely else rule.first_patience


def existence(scores: Sequence[float], rule: Existence, threshold: float, *, moved: bool) -> float:
    """Probability that boxes with these base scores show an object.

    It is the mean log-odds of the n best boxes, as a probability. A thousand weak boxes do not make
    an object: a detector repeats its errors. Each missing box counts against the object, so weak
    boxes need several, and strong boxes do not. What a detector mistakes for an object mostly
    stands still, so motion adds the log-odds `rule.moved`.
    """
    best = sorted(scores, reverse=True)[: rule.sightings]
    missing = rule.sightings - len(best)
    odds = sum(map(_log_odds, best)) + missing * (_log_odds(threshold) - _DOUBT)
    chance = 1 / (1 + math.exp(-odds / rule.sightings - rule.moved * moved))
    return round(chance, 9)  # so that boxes with the very threshold reach it


def _log_odds(chance: float) -> float:
    chance = min(max(chance, _LEAST), 1 - _LEAST)
    return math.log(chance / (1 - chance))


def identifiers_of(slots: Sequence[Slot], dim: int) -> Tensor:
    """(K, D) γ of all slots."""
    known = [slot.identifier for slot in slots]
    return torch.stack(known) if known else torch.zeros(0, dim, dtype=torch.float64)


def scores_of(slots: Sequence[Slot], columns: int, config: MemoryConfig, kind: ScoreKind) -> Tensor:
    """(K, C) or (K, C + 1) slot scores for Eq. 6: π, or existence if that rule is on."""
    if not slots:
        return torch.zeros(0, columns, dtype=torch.float64)
    if config.existence is not None:
        return existence_scores(slots, config.existence, kind)
    return torch.stack([slot.score for slot in slots])


def awaited(slots: Sequence[Slot], now: float, before: float, config: MemoryConfig) -> Tensor:
    """(K,) bool: slots that are not missing for too long, or were seen in the last frame.

    Args:
        slots: K slots.
        now: the frame, by the memory's clock.
        before: the last frame.
        config: without existence all slots are awaited for ever.
    """
    rule = config.existence
    return torch.tensor(
        [
            rule is None or now - slot.seen <= slot.patience(rule) or slot.seen == before
            for slot in slots
        ],
        dtype=torch.bool,
    )


def kept(slots: list[Slot], now: float, config: MemoryConfig) -> list[Slot]:
    """The slots to keep: not missing for too long, and at most `max_slots`."""
    mask = awaited(slots, now, now, config).tolist()
    slots = [slot for slot, stays in zip(slots, mask, strict=True) if stays]
    if config.max_slots is None or len(slots) <= config.max_slots:
        return slots
    latest = sorted(slots, key=lambda slot: (slot.held, slot.seen), reverse=True)
    latest = latest[: config.max_slots]
    ids = {slot.id for slot in latest}
    return [slot for slot in slots if slot.id in ids]


def existence_scores(slots: Sequence[Slot], rule: Existence, kind: ScoreKind) -> Tensor:
    """(K, C) or (K, C + 1) existence scores, which replace π in Eq. 6.

    π is the mean of past scores. Multiplied with a score, it raises classes above one half and
    lowers the rest, even for a right but weak box. The probability that the slot's object exists
    raises every box of the object. A slot without enough evidence has no effect.
    """
    rows = [_existence_row(slot, rule, kind) for slot in slots]
    return torch.stack(rows)


def _existence_row(slot: Slot, rule: Existence, kind: ScoreKind) -> Tensor:
    sure = slot.existence(rule)
    if sure <= 0.5:
        ignorance = 1 / len(slot.score) if kind is ScoreKind.SOFTMAX else 0.5
        return torch.full_like(slot.score, ignorance)
    classes = foreground(slot.score, kind)
    if kind is ScoreKind.SOFTMAX:
        share = sure * classes / classes.sum()
        return torch.cat([share.new_tensor([1 - sure]), share])
    # Nothing is lowered: the slot may have the wrong class.
    return (sure * classes / classes.max()).clamp_min(0.5)
