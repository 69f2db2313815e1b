"""Boxes on tensors, held against torchvision's."""

import pytest
import torch
import torchvision.ops as reference
from torch import Tensor

from minet_core.box_tensors import (
    batched_nms,
    box_iou,
    clipped,
    from_centres,
    nms,
    to_centres,
)


def boxes(count: int, kind: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    corners = torch.rand(count, 2, generator=generator, dtype=kind) * 300
    sides = torch.rand(count, 2, generator=generator, dtype=kind) * 80 + 1
    return torch.cat([corners, corners + sides], dim=1)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", [0, 1, 200])
def test_overlap_suppression_and_shapes_are_torchvisions(count: int, kind: torch.dtype) -> None:
    made = boxes(count, kind)
    scores = torch.rand(count, generator=torch.Generator().manual_seed(0), dtype=kind)
    assert torch.equal(nms(made, scores, 0.5), reference.nms(made, scores, 0.5))
    assert torch.equal(box_iou(made, made[:9]), reference.box_iou(made, made[:9]))
    assert torch.equal(to_centres(made), reference.box_convert(made, "xyxy", "cxcywh"))
    assert torch.equal(from_centres(made), reference.box_convert(made, "cxcywh", "xyxy"))
    moved = made - 40
    assert torch.equal(clipped(moved, (200, 250)), reference.clip_boxes_to_image(moved, (200, 250)))


@pytest.mark.parametrize("count", [0, 300, 1500])  # one pass over all, or one a group
def test_suppression_within_groups_is_torchvisions(count: int) -> None:
    made = boxes(count)
    generator = torch.Generator().manual_seed(1)
    scores = torch.rand(count, generator=generator, dtype=torch.float64)
    groups = torch.randint(0, 7, (count,), generator=generator)
    expected = reference.batched_nms(made, scores, groups, 0.45)
    assert torch.equal(batched_nms(made, scores, groups, 0.45), expected)
