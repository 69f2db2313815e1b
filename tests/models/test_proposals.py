"""Which rows of a detector are looked at, and what is left of near-copies."""

import pytest
import torch

from minet_core.models.proposals import FEW_DECODED, suppressed, with_copies, worth


@pytest.mark.parametrize(
    ("calibration", "expected"), [(None, 450), ((1.0, 2.0), 500), ((2.0, 0.0), FEW_DECODED)]
)
def test_weak_rows_are_looked_at_only_where_there_are_few(calibration, expected):
    best = torch.cat([torch.full((450,), 0.03), torch.full((50,), 0.001)])
    assert worth(best, calibration) == expected


def test_few_rows_are_all_looked_at():
    assert worth(torch.full((FEW_DECODED,), 1e-6), None) == FEW_DECODED


def test_logits_of_near_copies_count_too():
    boxes = torch.tensor([[0.0, 0, 10, 10], [30, 0, 40, 10], [0, 0, 10, 9]])
    logits = torch.tensor([[2.0, -9], [1, -9], [-5, -2]])
    kept = suppressed(boxes, logits.amax(dim=1))
    assert kept.tolist() == [0, 1]
    assert with_copies(boxes, logits, kept).tolist() == [[2, -2], [1, -9]]
