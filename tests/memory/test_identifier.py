import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from minet_core.memory.identifier import (
    FrameSamples,
    RunningRidge,
    SupportSamples,
    closed_form,
    identifiers,
    update,
)

DIM, RIDGE = 12, 0.1


def gradient(gamma: Tensor, a: Tensor, y: Tensor, ridge: float) -> Tensor:
    """Gradient of Eq. 1's squared form at γ, written out sample by sample."""
    total = 2 * ridge * gamma
    for row, label in zip(a.double(), y.double(), strict=True):
        total = total - 2 * (label - row @ gamma) * row
    return total


@given(st.integers(0, 10_000), st.integers(1, 40), st.sampled_from([0.01, 0.1, 1.0, 10.0]))
@settings(deadline=None)
def test_closed_form_minimises_equation_1(seed: int, count: int, ridge: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    a = torch.randn(count, DIM, generator=generator)
    y = (torch.rand(count, generator=generator) < 0.3).float()

    gamma = closed_form(a, y, ridge)

    assert gradient(gamma, a, y, ridge).abs().max() < 1e-8


def test_closed_form_is_differentiable() -> None:
    a = torch.randn(7, 4, dtype=torch.float64, requires_grad=True)
    y = torch.tensor([1.0, 1, 0, 0, 0, 0, 0])
    assert torch.autograd.gradcheck(lambda x: closed_form(x, y, RIDGE), (a,))


def test_closed_form_ignores_autocast() -> None:
    a, y = torch.randn(30, DIM), torch.ones(30)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = closed_form(a, y, RIDGE)
    assert torch.equal(inside, closed_form(a, y, RIDGE))


def random_samples(generator: torch.Generator) -> SupportSamples:
    count = int(torch.randint(5, 30, (), generator=generator))
    frame = FrameSamples.of(torch.randn(count, DIM, generator=generator))
    excluded = (torch.rand(count, generator=generator) < 0.2).nonzero().flatten()
    positives = torch.randn(
        int(torch.randint(0, 6, (), generator=generator)), DIM, generator=generator
    )
    return SupportSamples(frame, excluded, positives, weight=0.3)


def direct(window: list[SupportSamples], ridge: float) -> Tensor:
    """Eq. 2 on the samples themselves; a weight w is a row and its label scaled by √w."""
    rows, labels = [], []
    for s in window:
        keep = torch.ones(len(s.frame.embeddings), dtype=torch.bool)
        keep[s.excluded] = False
        rows += [s.positives.double(), s.frame.embeddings[keep].double() * s.weight**0.5]
        labels += [torch.ones(len(s.positives)), torch.zeros(int(keep.sum()))]
    a, y = torch.cat(rows), torch.cat(labels).double()
    return torch.linalg.solve(a.T @ a + ridge * torch.eye(DIM, dtype=a.dtype), a.T @ y)


def test_running_sums_equal_the_direct_solution_after_a_thousand_updates() -> None:
    generator = torch.Generator().manual_seed(3)
    slots = [RunningRidge(DIM, capacity=30) for _ in range(3)]
    history: list[list[SupportSamples]] = [[], [], []]
    for step in range(1000):
        # slots miss frames, so that their windows drift apart
        writing = [k for k in range(3) if (step + k) % (k + 2) != 0]
        shared = random_samples(generator)
        samples = [
            SupportSamples(shared.frame, shared.excluded[k:], shared.positives[k:], 0.3)
            for k in writing
        ]
        update([slots[k] for k in writing], samples)
        for k, s in zip(writing, samples, strict=True):
            history[k].append(s)

    learnt = identifiers(slots, RIDGE)

    for k in range(3):
        expected = direct(history[k][-30:], RIDGE)
        torch.testing.assert_close(learnt[k], expected, rtol=1e-9, atol=1e-9)


def test_window_keeps_only_its_capacity() -> None:
    generator = torch.Generator().manual_seed(0)
    slot = RunningRidge(DIM, capacity=2)
    samples = [random_samples(generator) for _ in range(5)]
    for s in samples:
        update([slot], [s])
    assert list(slot.window) == samples[-2:]


@pytest.mark.parametrize("count", [0, 1])
def test_no_slots_or_one(count: int) -> None:
    generator = torch.Generator().manual_seed(0)
    slots = [RunningRidge(DIM, 30) for _ in range(count)]
    update(slots, [random_samples(generator) for _ in range(count)])
    assert all(torch.isfinite(slot.gram).all() for slot in slots)
