"""Boxes on NumPy arrays: overlap, which torchvision.ops has for tensors only, and no identity.

Beside them, what tells shares of a picture from pixels.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NO_TRACK = -1
"""Track id of a box that belongs to no track, here, in truth and in results."""

SHARES = (
    "all boxes lie between 0 and 1, so they are shares of the picture; pixels are needed, "
    "which is its width and height times as much"
)
"""What to say of boxes that `are_shares`."""

_MOST_OF_A_PICTURE = 1.5
"""A share is 1 at most, but for boxes that reach out of the picture."""


def are_shares(boxes: Floats) -> bool:
    """Whether boxes (N, 4) xyxy can only be shares of a picture: as pixels all were within one."""
    inside = bool((np.abs(boxes) <= _MOST_OF_A_PICTURE).all())
    return inside and bool((boxes != np.floor(boxes)).any())


def box_iou(a: Floats, b: Floats) -> Floats:
    """Overlap (N, M) of every box of a (N, 4) with every one of b (M, 4), xyxy by edges."""
    return paired_iou(a[:, None], b[None])


def paired_iou(a: Floats, b: Floats) -> Floats:
    """Overlap (…) of boxes (…, 4) one by one, with broadcasting; 0 where neither has an area."""
    shared = _area(np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:]))
    union = _area(a[..., :2], a[..., 2:]) + _area(b[..., :2], b[..., 2:]) - shared
    iou: Floats = np.divide(shared, union, out=np.zeros_like(union), where=union > 0)
    return iou


def _area(upper_left: Floats, lower_right: Floats) -> Floats:
    """Area (…) between corners (…, 2); 0 where they are the wrong way round."""
    sides = (lower_right - upper_left).clip(min=0)
    return np.asarray(sides[..., 0] * sides[..., 1])
