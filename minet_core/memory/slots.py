"""A memory slot: one remembered object."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from minet_core.config import Existence, MemoryConfig
from minet_core.memory.evidence import Evidence
from minet_core.memory.identifier import RunningRidge
from minet_core.memory.motion import TrackState
from minet_core.scores import ScoreKind, foreground

HELD = 0.95
"""Existence of an object that a person has marked; not 1, because single boxes may be wrong."""

_AWAY = 10
"""Minimum boxes in a row away from the first that are a motion, rather than a leap."""


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
        evidence: base scores of its boxes.
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
    evidence: Evidence = field(default_factory=Evidence)
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

    def existence(self, rule: Existence) -> float:
        """Probability that the object exists."""
        return HELD if self.held else self._existence(rule, rule.threshold)

    @property
    def moved(self) -> bool:
        """Whether it has left its first place, seen in at least half of the frames."""
        return self.away >= _AWAY and self.matches >= (self.seen - self.opened) / 2

    def patience(self, rule: Existence) -> float:
        """Number of frames that it is kept without a match."""
        if self.held:
            return math.inf
        likely = self._existence(rule, rule.doubtful) >= rule.doubtful
        return rule.patience if likely else rule.first_patience

    def _existence(self, rule: Existence, threshold: float) -> float:
        return self.evidence.existence(rule, threshold, moved=self.moved)


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
    scores = torch.stack([slot.score for slot in slots])
    sure = scores.new_tensor([[slot.existence(rule)] for slot in slots])
    classes = foreground(scores, kind)
    if kind is ScoreKind.SOFTMAX:
        share = torch.cat([1 - sure, sure * classes / classes.sum(dim=1, keepdim=True)], dim=1)
        return torch.where(sure > 0.5, share, 1 / scores.shape[1])
    # Nothing is lowered: the slot may have the wrong class.
    share = (sure * classes / classes.amax(dim=1, keepdim=True)).clamp_min(0.5)
    return torch.where(sure > 0.5, share, 0.5)
