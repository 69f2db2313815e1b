import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops import box_iou

from minet_core.memory.support import own_proposals, perturb, positive_boxes, shift_grid

sides = st.floats(2, 500)
places = st.floats(-100, 1000)


@given(places, places, sides, sides)
def test_positives_are_the_best_32_of_the_81_shifts(x: float, y: float, w: float, h: float) -> None:
    box = torch.tensor([[x, y, x + w, y + h]], dtype=torch.float64)
    steps = torch.arange(-4, 5, dtype=torch.float64) / 12
    dx, dy = torch.meshgrid(steps * w, steps * h, indexing="ij")
    shift = torch.stack([dx, dy, dx, dy], dim=-1).view(81, 4)
    best = box_iou(box, box + shift)[0].sort(descending=True).values[:32]

    chosen = positive_boxes(box, 32)[0]

    torch.testing.assert_close(box_iou(box, chosen)[0], best, rtol=1e-4, atol=1e-4)
    assert torch.equal(chosen[0], box[0])


def test_the_grid_has_the_counts_of_the_paper_s_candidates() -> None:
    unit = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    overlap = box_iou(unit, positive_boxes(unit, 81)[0])[0]
    assert len(shift_grid(81)) == 41
    assert int((overlap > 0.7).sum()) == 13
    assert overlap.min() > 0.5 - 1e-6


def test_own_proposals_are_no_negatives_but_other_objects_are() -> None:
    own = torch.tensor([[0.0, 0, 10, 10]])
    proposals = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [0, 0, 10, 4]])
    assert own_proposals(own, proposals).tolist() == [[True, True, False, False]]


def test_perturbed_boxes_meet_both_thresholds_and_both_counts() -> None:
    box = torch.tensor([100.0, 50, 180, 300])
    boxes, labels = perturb(box, 32, 96, torch.Generator().manual_seed(1))
    overlap = box_iou(box[None], boxes)[0]
    assert labels.tolist() == [1.0] * 32 + [0.0] * 96
    assert bool((overlap[:32] > 0.7).all())
    assert bool((overlap[32:] < 0.5).all())
    assert bool((boxes[:, 2:] > boxes[:, :2]).all())


def test_perturbation_is_reproducible_by_seed() -> None:
    box = torch.tensor([0.0, 0, 40, 40])
    first = perturb(box, 4, 12, torch.Generator().manual_seed(5))[0]
    again = perturb(box, 4, 12, torch.Generator().manual_seed(5))[0]
    other = perturb(box, 4, 12, torch.Generator().manual_seed(6))[0]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_box_without_area_cannot_be_perturbed() -> None:
    with pytest.raises(ValueError, match="without area"):
        perturb(torch.tensor([5.0, 5, 5, 9]), 1, 1, torch.Generator())
