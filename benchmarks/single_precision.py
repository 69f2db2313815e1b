"""The memory's sums and solves in single precision: how far they drift, and what they save.

    python -m benchmarks.single_precision VIDEO --frames 10000

Embeddings are those of a video's proposals, whose first frames come again in random order, a
little disturbed. Beside each slot's running sums, in double and in single precision, stand those
of its window added up anew in double precision: the direct solve. Of each it is told how far a·γ
is from the direct one, how often the ten best proposals come in another order, and the CPU time of
a frame.
"""

import argparse
from collections import deque
from dataclasses import dataclass, field
from statistics import median
from time import process_time

import numpy as np
import scipy.linalg.lapack
import torch
from numpy.typing import NDArray
from torch import Tensor

from minet_core import load_model, open_video
from minet_core.config import VIDEO

BEST = 10
NOISE = 0.002
"""Of each of an embedding's numbers; its length is 1."""


@dataclass(frozen=True, slots=True)
class Samples:
    """What the slot learns from one frame.

    Attributes:
        embeddings: (N, D) of all proposals.
        row: (1,) which is the slot's.
        positives: (P, D).
        weight: of each other proposal.
        grams: (D, D) of all proposals, in double and in single precision.
    """

    embeddings: Tensor
    row: Tensor
    positives: Tensor
    weight: float
    grams: dict[torch.dtype, Tensor]


@dataclass(slots=True)
class Sums:
    """AᵀA and Aᵀy of a slot as `RunningRidge` has them, of any type.

    Attributes:
        kind: of their numbers.
        solver: type of the numbers of the solve.
        seconds: CPU time of a frame: a share that comes, one that goes, and the solve.
    """

    kind: torch.dtype
    solver: torch.dtype
    dim: int
    gram: Tensor = field(init=False)
    moment: Tensor = field(init=False)
    seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gram = torch.zeros(self.dim, self.dim, dtype=self.kind)
        self.moment = torch.zeros(self.dim, dtype=self.kind)

    def add(self, samples: Samples, sign: float) -> None:
        """Add a frame, or take it off."""
        own, weight = len(samples.positives), samples.weight
        rows = torch.cat([samples.positives, samples.embeddings[samples.row]]).to(self.kind)
        weights = rows.new_full((len(rows), 1), -weight)
        weights[:own] = 1.0
        self.gram.add_(samples.grams[self.kind], alpha=sign * weight)
        self.gram.addmm_((weights * rows).mT, rows, alpha=sign)
        self.moment.add_(rows[:own].sum(dim=0), alpha=sign)

    def solve(self) -> NDArray[np.float64]:
        """(D,) γ."""
        lhs = self.gram.to(self.solver, copy=True).numpy()
        np.fill_diagonal(lhs, lhs.diagonal() + VIDEO.ridge)
        lapack = scipy.linalg.lapack
        solver = lapack.dposv if self.solver == torch.float64 else lapack.sposv
        _, found, failed = solver(lhs.T, self.moment.to(self.solver).numpy(), overwrite_a=True)
        if failed:
            raise ArithmeticError("not positive definite")
        return np.asarray(found, np.float64)


def main() -> None:
    """Run and tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video")
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--looks", type=int, default=100, help="frames of the video")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    looks = embeddings_of(arguments.video, arguments.looks)
    kinds = {
        "sums and solve in double": (torch.float64, torch.float64),
        "solve in single": (torch.float64, torch.float32),
        "sums and solve in single": (torch.float32, torch.float32),
    }
    sums = {name: Sums(*types, looks.shape[2]) for name, types in kinds.items()}
    drifts, orders = compare(sums, looks, arguments.frames)
    base = median(sums["sums and solve in double"].seconds)
    for name, one in sums.items():
        ms = 1000 * median(one.seconds)
        print(
            f"{name:26} largest difference of a·γ {max(drifts[name]):.1e}, in the last tenth "
            f"{max(drifts[name][-len(drifts[name]) // 10 :]):.1e}; other order of the {BEST} best "
            f"in {sum(orders[name])} of {len(orders[name])}; "
            f"{ms:.2f} ms a frame and slot, {ms / 1000 / base:.2f}"
        )


def embeddings_of(path: str, count: int) -> Tensor:
    """(count, 300, D) embeddings of the proposals of a video's first frames."""
    model, found = load_model(device="cpu"), []
    with open_video(path) as video:
        for frame in video:
            boxes = model.detect(frame.image, frame.index).proposals
            found.append(model.embedder.embed(model.embedder.features(frame.image), boxes))
            if len(found) == count:
                break
    least = min(map(len, found))
    return torch.stack([each[:least] for each in found])


def compare(
    sums: dict[str, Sums], looks: Tensor, frames: int
) -> tuple[dict[str, list[float]], dict[str, list[bool]]]:
    """How far each kind is from the direct solve, and whether it ranks otherwise, now and then."""
    random = torch.Generator().manual_seed(0)
    window: deque[Samples] = deque()
    drifts: dict[str, list[float]] = {name: [] for name in sums}
    orders: dict[str, list[bool]] = {name: [] for name in sums}
    for number in range(frames):
        new = samples_of(looks, random)
        window.append(new)
        gone = window.popleft() if len(window) > VIDEO.buffer else None
        found = {name: step(one, new, gone) for name, one in sums.items()}
        if number < VIDEO.buffer or number % 25:
            continue
        direct = Sums(torch.float64, torch.float64, looks.shape[2])
        for samples in window:
            direct.add(samples, 1.0)
        embeddings = new.embeddings.double().numpy()
        told = embeddings @ direct.solve()
        for name, identifier in found.items():
            other = embeddings @ identifier
            drifts[name].append(float(np.abs(other - told).max()))
            best, others = (np.argsort(-each)[:BEST] for each in (told, other))
            orders[name].append(not np.array_equal(best, others))
    return drifts, orders


def samples_of(looks: Tensor, random: torch.Generator) -> Samples:
    """A frame in which the object of the first look's best proposal is found again."""
    embeddings = looks[int(torch.randint(len(looks), (1,), generator=random))].clone()
    embeddings += NOISE * torch.randn(embeddings.shape, generator=random)
    row = (embeddings @ looks[0, 0]).argmax()[None]
    positives = embeddings[row].repeat(VIDEO.positives, 1)
    positives += NOISE * torch.randn(positives.shape, generator=random)
    weight = VIDEO.negatives / (len(embeddings) - 1)
    tables = {kind: embeddings.to(kind) for kind in (torch.float64, torch.float32)}
    grams = {kind: table.mT @ table for kind, table in tables.items()}
    return Samples(embeddings, row, positives, weight, grams)


def step(one: Sums, new: Samples, gone: Samples | None) -> NDArray[np.float64]:
    """Take a frame in, let one go, and solve."""
    began = process_time()
    one.add(new, 1.0)
    if gone is not None:
        one.add(gone, -1.0)
    identifier = one.solve()
    one.seconds.append(process_time() - began)
    return identifier


if __name__ == "__main__":
    main()
