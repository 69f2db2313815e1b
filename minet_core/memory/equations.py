"""Equations 5 to 8 of the paper, in its order, as pure functions.

They compare the N boxes of a frame with K slots. A box belongs to a slot (columns 1 … K) or to none
(column 0, the paper's empty slot).
"""

import torch
from torch import Tensor

from minet_core.config import MemoryConfig
from minet_core.scores import ScoreKind


def exponents(appearance: Tensor, config: MemoryConfig) -> Tensor:
    """Exponents of Eq. 5: μ · a + η, with a fixed association for the empty slot.

    Args:
        appearance: (N, K) a_i · γ_k.
        config: μ, η, and the association of the empty slot.

    Returns:
        (N, K + 1), the empty slot first.
    """
    empty = appearance.new_full((len(appearance), 1), config.empty_association)
    return config.scale * torch.cat([empty, appearance], dim=1) + config.shift


def log_odds(exponents: Tensor) -> Tensor:
    """(N, K) log-odds that a box is a slot's object, against the empty slot; η cancels."""
    return exponents[:, 1:] - exponents[:, :1]


def association_weights(exponents: Tensor) -> Tensor:
    """Eq. 5: (N, K + 1) exponents → weights w; rows sum to one."""
    return exponents.softmax(dim=1)


def memory_scores(weights: Tensor, slot_scores: Tensor, kind: ScoreKind) -> Tensor:
    """Eq. 6: v_i = Σ_k w_ik π_k.

    The empty slot has uniform scores: 1 / (C + 1) for each class of a distribution (§III-C.2), one
    half for each pair (c, not c) of independent probabilities.

    Args:
        weights: (N, K + 1), the empty slot first.
        slot_scores: (K, C + 1) or (K, C) π.
        kind: meaning of the columns.
    """
    ignorance = 1 / slot_scores.shape[1] if kind is ScoreKind.SOFTMAX else 0.5
    return weights[:, :1] * ignorance + weights[:, 1:] @ slot_scores


def reweight(base: Tensor, memory: Tensor, kind: ScoreKind) -> Tensor:
    """Eq. 7: the renormalised product of base scores s and memory scores v.

    A distribution is renormalised over its row. Independent probabilities are renormalised class
    by class over the pair (c, not c), with one half as neutral value: over the row, the tails of
    all other classes would shrink a score.

    Returns:
        float64, same shape as `base`.
    """
    product = base.double() * memory
    if kind is ScoreKind.SOFTMAX:
        return product / product.sum(dim=1, keepdim=True)
    return product / (product + (1 - base.double()) * (1 - memory))


def remembered(score: Tensor, base: Tensor, matches: int, config: MemoryConfig) -> Tensor:
    """Eq. 8: π ← (s + σ f π) / (1 + σ f), with the base score s.

    Args:
        score: (C + 1,) or (C,) π, of the boxes matched before.
        base: s of the box matched now, same shape.
        matches: f, number of boxes matched before.
        config: σ, and the cap of f, if any.
    """
    seen = matches if config.match_cap is None else min(matches, config.match_cap)
    past = config.decay * seen
    return (base + past * score) / (1 + past)
