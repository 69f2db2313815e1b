"""Suppression that stops when it has enough, by ONNX Runtime and without it."""

import numpy as np
import pytest
import torch

from minet_core.box_tensors import nms
from minet_core.models import suppression
from minet_core.models.proposals import Floats
from minet_core.models.suppression import best_apart


@pytest.fixture(params=["with ONNX Runtime", "without"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        monkeypatch.setattr(suppression, "_session", lambda: None)
    else:
        assert suppression._session() is not None


def crowd(count: int, seed: int) -> tuple[Floats, Floats]:
    """Boxes with many near-copies, and scores of which many are equal."""
    random = torch.Generator().manual_seed(seed)
    corners = torch.randint(0, 40, (count, 2), generator=random).float()
    sides = torch.randint(8, 14, (count, 2), generator=random).float()
    scores = torch.randint(-9, 9, (count,), generator=random).float()
    return torch.cat([corners, corners + sides], dim=1).numpy(), scores.numpy()


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("count", [0, 1, 40, 700])
def test_rows_are_the_first_of_those_that_greedy_suppression_leaves(count: int) -> None:
    boxes, scores = crowd(count, count)
    every = nms(torch.from_numpy(boxes), torch.from_numpy(scores), 0.7)
    assert best_apart(boxes, scores, 0.7, 1000).tolist() == every.tolist()
    assert best_apart(boxes, scores, 0.7, 20).tolist() == every[:20].tolist()


@pytest.mark.usefixtures("engine")
def test_overlap_decides_what_goes() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 8], [0, 0, 10, 6]], np.float32)
    scores = np.array([0.5, 0.9, 0.7], np.float32)
    assert best_apart(boxes, scores, 0.7, 9).tolist() == [1]
    assert best_apart(boxes, scores, 0.78, 9).tolist() == [1, 2]
    assert best_apart(boxes, scores, 0.9, 9).tolist() == [1, 2, 0]
