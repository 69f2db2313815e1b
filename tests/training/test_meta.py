"""The meta loss against its definition, written out."""

import pytest
import torch
from torch import Tensor

from minet_core.memory.identifier import closed_form
from minet_core.training.meta_loss import meta_loss

DIM = 4


def episode(seed: int, support: int = 9, query: int = 6) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(support, DIM, dtype=torch.float64, generator=generator),
        (torch.rand(support, generator=generator) < 0.4).double(),
        torch.randn(query, DIM, dtype=torch.float64, generator=generator),
        (torch.rand(query, generator=generator) < 0.4).double(),
    )


@pytest.mark.parametrize("seed", range(5))
def test_equation_3_sample_by_sample(seed: int) -> None:
    support, support_labels, query, query_labels = episode(seed)
    identifier = closed_form(support, support_labels, 0.1)

    total = 0.0
    for row, label in zip(query, query_labels, strict=True):
        distance = abs(float(label - identifier @ row))
        total += 0.5 * distance**2 if distance < 1 else distance - 0.5

    loss = meta_loss(support, support_labels, query, query_labels)
    assert float(loss) == pytest.approx(total / len(query))


def test_the_gradient_reaches_support_and_query_through_the_solve() -> None:
    support, support_labels, query, query_labels = episode(1)

    def loss(support: Tensor, query: Tensor) -> Tensor:
        return meta_loss(support, support_labels, query, query_labels)

    assert torch.autograd.gradcheck(loss, (support.requires_grad_(), query.requires_grad_()))


def test_episodes_in_a_batch_are_the_mean_of_each() -> None:
    episodes = [episode(seed) for seed in range(3)]
    together = meta_loss(*(torch.stack(parts) for parts in zip(*episodes, strict=True)))
    alone = torch.stack([meta_loss(*parts) for parts in episodes]).mean()
    torch.testing.assert_close(together, alone)


def test_autocast_does_not_touch_the_solve() -> None:
    support, support_labels, query, query_labels = episode(2)
    exact = meta_loss(support, support_labels, query, query_labels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert meta_loss(support, support_labels, query, query_labels) == exact
