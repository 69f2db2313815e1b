"""Changes of a picture together with its boxes."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as colours

from minet_core.training.data.pairs import View
from minet_core.training.data.random_counter import choice, uniform

_LEAST_VISIBLE = 0.4
"""An object of which a crop shows less of its box is no longer annotated, unless the box fills so
much of the crop."""

_LEAST_SIDE = 2.0
"""Nor one with fewer pixels on a side."""

_CHANGES: tuple[Callable[[Tensor, float], Tensor], ...] = (
    colours.adjust_brightness,
    colours.adjust_contrast,
    colours.adjust_saturation,
)


def mirrored(view: View) -> View:
    """The view, left and right exchanged."""
    width = view.image.shape[1]
    boxes = view.boxes.copy()
    boxes[:, [0, 2]] = width - view.boxes[:, [2, 0]]
    return replace(view, image=np.ascontiguousarray(view.image[:, ::-1]), boxes=boxes)


def cropped(view: View, least: float, generator: torch.Generator) -> View:
    """A random part of the view with at least that share of either side.

    Boxes are cut at its border; an object that is mostly outside is no longer there.
    """
    height, width = view.image.shape[:2]
    x1, x2 = _span(width, least, generator)
    y1, y2 = _span(height, least, generator)
    low, high = np.array([x1, y1, x1, y1], np.float32), np.array([x2, y2, x2, y2], np.float32)
    boxes = view.boxes.clip(low, high)
    sides = boxes[:, 2:] - boxes[:, :2]
    whole = (view.boxes[:, 2:] - view.boxes[:, :2]).prod(axis=1).clip(max=(x2 - x1) * (y2 - y1))
    visible = (sides >= _LEAST_SIDE).all(axis=1) & (sides.prod(axis=1) >= _LEAST_VISIBLE * whole)
    image = np.ascontiguousarray(view.image[y1:y2, x1:x2])
    return View(image, boxes[visible] - low, view.label_ids[visible], view.track_ids[visible])


def recoloured(image: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """A (3, h, w) uint8 picture, brightness, contrast and saturation each changed by a factor."""
    for change in _CHANGES:
        image = change(image, 1 + strength * (2 * uniform(generator) - 1))
    return image


def _span(length: int, least: float, generator: torch.Generator) -> tuple[int, int]:
    side = max(1, round(length * (least + (1 - least) * uniform(generator))))
    first = choice(length - side + 1, generator)
    return first, first + side
