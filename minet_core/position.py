"""A prior by position: where a remembered object can be by now.

The paper links by appearance alone. On footage with many look-alikes the place of a box says as
much as its looks, the more so the less time has passed since the slot was matched:

    association = (1 − ρ) · a·γ + ρ · IoU(box, predicted box),   ρ = ρ₀ · exp(−Δt / τ)

and a box that the object cannot have reached has no association at all.
"""

import torch
from torch import Tensor
from torchvision.ops import box_iou

from minet_core.config import PositionPrior

UNREACHABLE = -1.0
"""Association of a box that is too far away; low enough that Eq. 5 gives it no weight."""

_LONGEST_PREDICTION = 0.5
"""Seconds after which a slot is expected to have stopped: velocities are good for no longer."""


def with_position(
    association: Tensor,
    boxes: Tensor,
    last_boxes: Tensor,
    velocities: Tensor,
    elapsed: Tensor,
    prior: PositionPrior,
) -> Tensor:
    """Blend the prior into (N, K) associations of N boxes with K slots.

    Args:
        association: (N, K) a · γ.
        boxes: (N, 4) of the present frame.
        last_boxes: (K, 4) where each slot was matched last.
        velocities: (K, 2) pixels a second of their centres.
        elapsed: (K,) seconds since then.
        prior: its settings.
    """
    travel = velocities * elapsed.clamp_max(_LONGEST_PREDICTION)[:, None]
    expected = last_boxes + travel.repeat(1, 2)
    rho = prior.weight * torch.exp(-elapsed / prior.fade)
    blended = (1 - rho) * association + rho * box_iou(boxes, expected)
    size = (last_boxes[:, 2:] - last_boxes[:, :2]).prod(dim=1).sqrt()
    distance = torch.cdist(_centres(boxes), _centres(expected)) / size
    reach = prior.reach + prior.speed * elapsed
    return torch.where(distance <= reach, blended, UNREACHABLE)


def _centres(boxes: Tensor) -> Tensor:
    return (boxes[:, :2] + boxes[:, 2:]) / 2
