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
"""How sure it is that there is an object where a person has said so: not of every box of it."""

_DOUBT = 0.85
"""Log-odds by which a box that has not come yet is below the threshold; 0.3 where that is 0.5."""

_LEAST = 1e-3
"""No box is surer than this of being an object, or of being none."""


@dataclass(slots=True, eq=False)
class Slot:
    """One remembered object m^k.

    Attributes:
        id: identity of the object; never used again.
        score: (C + 1,) or (C,) float64 memory score π, of base scores.
        ridge: the running sums its identifier is solved from.
        identifier: (D,) float64 γ.
        track: where it is; (4, 2) mean and (4, 2, 2) covariance.
        seen: frame, as the memory's clock counts, of its last match.
        scene: number of the scene it was last seen in.
        matches: f, the boxes written so far.
        best: base scores of its surest boxes, descending, no more than vouch for it.
        name: the id it is reported under: its own, or that of an older slot whose object it is.
        opened: frame, as the memory's clock counts, of its first match.
        suitors: id of each slot that may turn out to be the same object → what its position said
            of the first box, a log-likelihood ratio.
        held: whether a person has said that it is an object: it stays for good.
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

    @classmethod
    def empty(cls, number: int, columns: int, dim: int, buffer: int, track: TrackState) -> "Slot":
        """One that knows nothing but its place.

        Args:
            number: its id.
            columns: C + 1 or C.
            dim: length of an embedding.
            buffer: most frames whose samples it keeps.
            track: where it is.
        """
        score, identifier = (torch.zeros(n, dtype=torch.float64) for n in (columns, dim))
        ridge = RunningRidge(dim, buffer)
        return cls(number, score, ridge, identifier, track, seen=0.0, scene=0, name=number)

    def vouch(self, score: float, rule: Existence | None) -> None:
        """Take in the score of one more box, where there is a rule that asks for it."""
        if rule is not None:
            self.best = sorted([*self.best, score], reverse=True)[: rule.sightings]

    def existence(self, rule: Existence) -> float:
        """How sure it is that there is an object."""
        return HELD if self.held else existence(self.best, rule)

    def patience(self, rule: Existence) -> float:
        """How many frames it is kept without being seen."""
        if self.held:
            return math.inf
        sure = self.existence(rule) >= rule.threshold
        return rule.patience if sure else rule.first_patience


def existence(scores: Sequence[float], rule: Existence) -> float:
    """How sure it is that boxes with such base scores show an object.

    It is the mean log-odds of the n best boxes, as a probability. A thousand weak boxes do not make
    an object: a detector errs on the same thing again and again. A box that has not come yet speaks
    against it, so that weak ones need company, and sure ones do not.
    """
    best = sorted(scores, reverse=True)[: rule.sightings]
    missing = rule.sightings - len(best)
    odds = sum(map(_log_odds, best)) + missing * (_log_odds(rule.threshold) - _DOUBT)
    return 1 / (1 + math.exp(-odds / rule.sightings))


def _log_odds(chance: float) -> float:
    chance = min(max(chance, _LEAST), 1 - _LEAST)
    return math.log(chance / (1 - chance))


def identifiers_of(slots: Sequence[Slot], dim: int) -> Tensor:
    """(K, D) γ of all slots."""
    known = [slot.identifier for slot in slots]
    return torch.stack(known) if known else torch.zeros(0, dim, dtype=torch.float64)


def scores_of(slots: Sequence[Slot], columns: int, config: MemoryConfig, kind: ScoreKind) -> Tensor:
    """(K, C) or (K, C + 1) what Eq. 6 gathers: π, or existence where that counts."""
    if not slots:
        return torch.zeros(0, columns, dtype=torch.float64)
    if config.existence is not None:
        return existence_scores(slots, config.existence, kind)
    return torch.stack([slot.score for slot in slots])


def awaited(slots: Sequence[Slot], now: float, before: float, config: MemoryConfig) -> Tensor:
    """(K,) bool: not away for too long; what was seen in the last frame never is.

    Args:
        slots: K of them.
        now: the frame, as the memory's clock counts.
        before: the last frame.
        config: without existence all slots are awaited for good.
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
    """The slots without those that have not been seen for long, or are too many."""
    mask = awaited(slots, now, now, config).tolist()
    slots = [slot for slot, stays in zip(slots, mask, strict=True) if stays]
    if config.max_slots is None or len(slots) <= config.max_slots:
        return slots
    latest = sorted(slots, key=lambda slot: (slot.held, slot.seen), reverse=True)
    latest = latest[: config.max_slots]
    ids = {slot.id for slot in latest}
    return [slot for slot in slots if slot.id in ids]


def existence_scores(slots: Sequence[Slot], rule: Existence, kind: ScoreKind) -> Tensor:
    """(K, C) or (K, C + 1): what stands in Eq. 6 in the place of π.

    π is the mean of past scores; multiplied with a score, it lifts what is over one half and pushes
    down the rest, a right but weak box too. The probability that the slot's object exists lifts
    every box that is the object's. A slot that is not yet sure says nothing.
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
    # Nothing is pushed down: the slot may have been given the wrong class.
    return (sure * classes / classes.max()).clamp_min(0.5)
