"""Instance identifiers: ridge regression in closed form and as running sums (Eq. 1–2).

An identifier γ is the weight vector of a linear classifier that tells one object (label 1) from
everything else (label 0) by its association embedding. All sums and solves are float64 with
autocast off: a Gram matrix in bfloat16 is silently wrong, and Cholesky has no half kernel.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


def closed_form(embeddings: Tensor, labels: Tensor, ridge: float) -> Tensor:
    """Eq. 2: γ = (AᵀA + λI)⁻¹ Aᵀy, differentiable in `embeddings`.

    Args:
        embeddings: (..., N, D) support embeddings A.
        labels: (..., N) identification labels y, 1 for the object and 0 for the rest.
        ridge: λ > 0; it means something only for embeddings of known scale.

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
    """The proposals of one frame, kept once and shared by every slot that learns from it.

    Attributes:
        embeddings: (N, D) embeddings of all proposals.
        gram: (D, D) float64 Gram matrix of all of them.
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
    """What one slot learns from one frame: positives of its own, negatives from the shared pool.

    Every proposal but the excluded ones is a negative of the same `weight`. With
    weight = 96 / N' for N' eligible proposals this is the expectation of the paper's sample of
    96 (§III-D): it depends on no order and no random state.

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

    The sums are exact up to float64 rounding: adding a frame adds its share, leaving the window
    subtracts the same share again. Identifiers of many slots are solved together by `identifiers`.

    Attributes:
        gram: (D, D) float64.
        moment: (D,) float64.
        window: the support frames the sums are made of, oldest first.
    """

    def __init__(self, dim: int, capacity: int) -> None:
        self.gram = torch.zeros(dim, dim, dtype=torch.float64)
        self.moment = torch.zeros(dim, dtype=torch.float64)
        self.window: deque[SupportSamples] = deque()
        self._capacity = capacity

    def push(self, samples: SupportSamples) -> list[SupportSamples]:
        """Append a support frame; return those that leave the window (their shares are due)."""
        self.window.append(samples)
        leaving = []
        while len(self.window) > self._capacity:
            leaving.append(self.window.popleft())
        return leaving


def update(slots: Sequence[RunningRidge], samples: Sequence[SupportSamples]) -> None:
    """Add one frame's samples to each of K slots, and slide their windows."""
    shares = [
        [(new, 1.0), *((old, -1.0) for old in slot.push(new))]
        for slot, new in zip(slots, samples, strict=True)
    ]
    if not shares:
        return
    gram, moment = _summed(shares)
    for k, slot in enumerate(slots):
        slot.gram.add_(gram[k])
        slot.moment.add_(moment[k])


Share = tuple[SupportSamples, float]
"""What one support frame adds to the sums of a slot, or takes off with a sign of -1."""


def _summed(shares: Sequence[Sequence[Share]]) -> tuple[Tensor, Tensor]:
    """(K, D, D) AᵀA and (K, D) Aᵀy of the shares of K slots, all in a few large products.

    The Gram matrices that slots share are added by their weights, and the rows that a slot
    excludes are taken off again.
    """
    frames = list({id(own.frame): own.frame for each in shares for own, _ in each}.values())
    pool = _Pool(frames)
    lines = [pool.line(each) for each in shares]
    most = max(len(line.places) for line in lines)
    places = torch.tensor([_padded(line.places, most) for line in lines], dtype=torch.int64)
    weights = torch.tensor([_padded(line.weights, most) for line in lines], dtype=torch.float64)
    labels = torch.tensor([_padded(line.labels, most) for line in lines], dtype=torch.float64)
    rows = pool.rows()[places].double()
    grams = torch.stack([frame.gram for frame in frames]).flatten(1)
    by_frame = torch.tensor([line.frames for line in lines], dtype=torch.float64)
    gram = (by_frame @ grams).view(len(shares), *frames[0].gram.shape)
    gram.baddbmm_((rows * weights[..., None]).mT, rows)
    return gram, (labels[:, None] @ rows).squeeze(1)


@dataclass(slots=True)
class _Line:
    """What the sums of one slot change by.

    Attributes:
        frames: weight of each frame's shared Gram matrix.
        places: of its own rows in the pool.
        weights: of each of them in AᵀA.
        labels: of each in Aᵀy.
    """

    frames: list[float]
    places: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    labels: list[float] = field(default_factory=list)

    def add(self, places: Iterable[int], weight: float, label: float) -> None:
        """Take in rows."""
        before = len(self.places)
        self.places.extend(places)
        count = len(self.places) - before
        self.weights.extend([weight] * count)
        self.labels.extend([label] * count)


class _Pool:
    """The embeddings of some frames, and the positives that slots bring, one below the other."""

    def __init__(self, frames: Sequence[FrameSamples]) -> None:
        self._parts = [frame.embeddings for frame in frames]
        self._begins = [0, *accumulate(map(len, self._parts))]
        self._length = self._begins[-1]
        self._numbers = {id(frame): number for number, frame in enumerate(frames)}

    def line(self, shares: Sequence[Share]) -> _Line:
        """What a slot's shares come to."""
        line = _Line([0.0] * len(self._numbers))
        for samples, sign in shares:
            number = self._numbers[id(samples.frame)]
            line.frames[number] += sign * samples.weight
            begin, positives = self._begins[number], len(samples.positives)
            taken_off = (begin + row for row in samples.excluded.tolist())
            line.add(taken_off, -sign * samples.weight, 0.0)
            line.add(range(self._length, self._length + positives), sign, sign)
            self._parts.append(samples.positives)
            self._length += positives
        return line

    def rows(self) -> Tensor:
        """(R, D) all of them."""
        return torch.cat(self._parts)


def _padded(values: list[T], length: int) -> list[T | int]:
    return [*values, *[0] * (length - len(values))]


def identifiers(slots: Sequence[RunningRidge], ridge: float) -> Tensor:
    """(K, D) float64 identifiers of K slots: γ of Eq. 2."""
    lhs = torch.stack([slot.gram for slot in slots])
    lhs.diagonal(dim1=1, dim2=2).add_(ridge)
    # For so small systems LU takes less time here than Cholesky.
    found: Tensor = torch.linalg.solve(lhs, torch.stack([slot.moment for slot in slots]))
    return found
