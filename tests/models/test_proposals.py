"""Which rows of a detector are looked at, and what is left of near-copies."""

import numpy as np
import pytest

from minet_core.models.proposals import FEW_DECODED, suppressed, with_copies, worth


@pytest.mark.parametrize(
    ("calibration", "expected"), [(None, 450), ((1.0, 2.0), 500), ((2.0, 0.0), FEW_DECODED)]
)
def test_weak_rows_are_looked_at_only_where_there_are_few(calibration, expected):
    best = np.repeat(np.array([0.03, 0.001], np.float32), [450, 50])
    assert worth(best, calibration) == expected


def test_few_rows_are_all_looked_at():
    assert worth(np.full(FEW_DECODED, 1e-6, np.float32), None) == FEW_DECODED


@pytest.mark.parametrize("order", ["C", "F"])
def test_logits_of_near_copies_count_too(order):
    boxes = np.array([[0, 0, 10, 10], [30, 0, 40, 10], [0, 0, 10, 9]], np.float32)
    logits = np.array([[2, -9], [1, -9], [-5, -2]], np.float32, order=order)
    kept = suppressed(boxes, logits.max(axis=1))
    assert kept.tolist() == [0, 1]
    assert with_copies(boxes, logits, kept).tolist() == [[2, -2], [1, -9]]
