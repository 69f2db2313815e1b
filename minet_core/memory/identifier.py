"""Instance identifiers: ridge regression in closed form and as running sums (Eq. 1–2).

An identifier γ is the weight vector of a linear classifier that separates one object (label 1)
from everything else (label 0) by its association embedding. All sums and solves are float64 with
autocast off: a Gram matrix in bfloat16 is silently wrong, and Cholesky has no half kernel.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import torch
from torch import Tensor


def closed_form(embeddings: Tensor, labels: Tensor, ridge: float) -> Tensor:
    """Eq. 2: γ = (AᵀA + λI)⁻¹ Aᵀy, differentiable in `embeddings`.

    Args:
        embeddings: (..., N, D) support embeddings A.
        labels: (..., N) identification labels y, 1 for the object and 0 for the rest.
        ridge: λ > 0; its effect depends on the scale of the embeddings.

    Returns:
        (..., D) identifiers, float64.
    """
    with torch.autocast(embeddings.device.type, enabled=False):
        a = embeddings.double()
        return solve(a.mT @ a, (a.mT @ labels.double().unsqueeze(-1)).squeeze(-1), ridge)


def solve(gram: Tensor, moment: Tensor, ridge: float) -> Tensor:
    """Solve (G + λI) γ = m for a batch of slots in one Cholesky factorisation.

    Args:
        gram: (..., D, D) float64 AᵀA.
        moment: (..., D) float64 Aᵀy.
        ridge: λ > 0.
    """
    eye = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    factor = torch.linalg.cholesky(gram + ridge * eye)
    return torch.cholesky_solve(moment.unsqueeze(-1), factor).squeeze(-1)


@dataclass(frozen=True, slots=True)
class FrameSamples:
    """The proposals of one frame, stored once for all slots that learn from it.

    Attributes:
        embeddings: (N, D) embeddings of all proposals.
        gram: (D, D) float64 Gram matrix of all embeddings.
    """

    embeddings: Tensor
    gram: Tensor

    @classmethod
    def of(cls, embeddings: Tensor) -> "FrameSamples":
        """Compute the shared Gram matrix of (N, D) proposal embeddings."""
        a = embeddings.double()
        return cls(embeddings, a.mT @ a)


@dataclass(frozen=True, slots=True)
class SupportSamples:
    """Samples of one slot in one frame: its own positives, and negatives from the shared pool.

    Every proposal except the excluded ones is a negative with the same `weight`. With
    weight = 96 / N' for N' eligible proposals this is the expectation of the paper's sample of
    96 (§III-D), without order or random state.

    Attributes:
        frame: the shared samples.
        excluded: (E,) int64 rows of `frame.embeddings` that are not negatives of this slot.
        positives: (P, D) embeddings of label 1; P = 0 for a frame of negatives only.
        weight: weight of each negative.
    """

    frame: FrameSamples
    excluded: Tensor
    positives: Tensor
    weight: float


class RunningRidge:
    """AᵀA and Aᵀy of one slot over a sliding window of support frames.

    The sums are exact up to float64 rounding: a new frame adds its share, and a frame that leaves
    the window subtracts the same share. `identifiers` solves many slots.

    Attributes:
        gram: (D, D) float64.
        moment: (D,) float64.
        window: the support frames in the sums, oldest first.
    """

    def __init__(self, dim: int, capacity: int) -> None:
        self.gram = torch.zeros(dim, dim, dtype=torch.float64)
        self.moment = torch.zeros(dim, dtype=torch.float64)
        self.window: deque[SupportSamples] = deque()
        self._capacity = capacity

    def push(self, samples: SupportSamples) -> list[SupportSamples]:
        """Append a support frame; return those that leave the window, to be subtracted."""
        self.window.append(samples)
        leaving = []
        while len(self.window) > self._capacity:
            leaving.append(self.window.popleft())
        return leaving

    def add(self, samples: SupportSamples, sign: float) -> None:
        """Add the share of a support frame to the sums; a sign of -1 subtracts it.

        The excluded rows are subtracted from the Gram matrix that all slots share.
        """
        positives = samples.positives.double()
        rows = torch.cat([positives, samples.frame.embeddings[samples.excluded].double()])
        weights = rows.new_full((len(rows), 1), -samples.weight)
        weights[: len(positives)] = 1.0
        self.gram.add_(samples.frame.gram, alpha=sign * samples.weight)
        self.gram.addmm_((weights * rows).mT, rows, alpha=sign)
        self.moment.add_(positives.sum(dim=0), alpha=sign)

    def solve(self, ridge: float) -> Tensor:
        """(D,) γ of Eq. 2, with LAPACK: torch takes twice as long for one small matrix."""
        dposv = load_lapack().dposv
        lhs = self.gram.numpy().copy()
        np.fill_diagonal(lhs, lhs.diagonal() + ridge)
        # lhs is symmetric: transposed, it is in LAPACK's order
        _, solution, failed = dposv(lhs.T, self.moment.numpy(), overwrite_a=True)
        if failed:
            raise ArithmeticError("the Gram matrix of a slot is not positive definite")
        return torch.from_numpy(solution)


def load_lapack() -> ModuleType:
    """SciPy's LAPACK. Loading it takes a third of a second, so nothing does before it is needed."""
    from scipy.linalg import lapack

    return lapack


def update(slots: Sequence[RunningRidge], samples: Sequence[SupportSamples]) -> None:
    """Add one frame's samples to each of K slots, and slide their windows."""
    for slot, new in zip(slots, samples, strict=True):
        slot.add(new, 1.0)
        for old in slot.push(new):
            slot.add(old, -1.0)


def identifiers(slots: Sequence[RunningRidge], ridge: float) -> Tensor:
    """(K, D) float64 identifiers of K slots."""
    return torch.stack([slot.solve(ridge) for slot in slots])
