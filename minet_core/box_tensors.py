"""Boxes on tensors: what `torchvision.ops` does too, whose import loads PyTorch's compiler.

That import takes as long as PyTorch's own. So torchvision's compiled operators are loaded without
its modules, and the few lines around them are here. Boxes are xyxy, in the order of `boxes.py`.
"""

from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_LIBRARIES = ("_C_stable", "_C")
"""What torchvision has called the library of its operators."""
_MANY = 1000
"""Boxes from which on suppression takes less time group by group."""


def nms(boxes: Tensor, scores: Tensor, iou: float) -> Tensor:
    """Rows that greedy suppression leaves, best first.

    Args:
        boxes: (N, 4).
        scores: (N,), in the boxes' type.
        iou: overlap above which the lower of two goes.
    """
    kept: Tensor = operators().nms(boxes, scores, iou)
    return kept


def batched_nms(boxes: Tensor, scores: Tensor, groups: Tensor, iou: float) -> Tensor:
    """Rows that suppression within each group leaves, best first.

    Args:
        boxes: (N, 4) float64: those of a group are moved apart from all others.
        scores: (N,), in the boxes' type.
        groups: (N,) int64, 0 or more.
        iou: overlap above which the lower of two goes.
    """
    if not len(boxes):
        return groups.new_zeros(0)
    if len(boxes) > _MANY:
        owns = ((groups == group).nonzero().flatten() for group in set(groups.tolist()))
        kept = torch.cat([own[nms(boxes[own], scores[own], iou)] for own in owns])
        return kept[scores[kept].argsort(descending=True, stable=True)]
    apart = groups.to(boxes) * (boxes.max() + 1)
    return nms(boxes + apart[:, None], scores, iou)


def box_iou(a: Tensor, b: Tensor) -> Tensor:
    """Overlap (N, M) of every box of a (N, 4) with every one of b (M, 4)."""
    low, high = torch.maximum(a[:, None, :2], b[:, :2]), torch.minimum(a[:, None, 2:], b[:, 2:])
    sides = (high - low).clamp_(min=0)
    shared = sides[..., 0] * sides[..., 1]
    return shared / (_area(a)[:, None] + _area(b) - shared)


def to_centres(boxes: Tensor) -> Tensor:
    """(..., 4) centre x, centre y, width, height of (..., 4) xyxy."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], dim=-1)


def from_centres(boxes: Tensor) -> Tensor:
    """(..., 4) xyxy of (..., 4) centre x, centre y, width, height."""
    centres, halves = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([centres - halves, centres + halves], dim=-1)


def clipped(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """(..., 4) boxes within a picture of that height and width."""
    height, width = size
    return boxes.clamp(min=0).minimum(boxes.new_tensor([width, height, width, height]))


def _area(boxes: Tensor) -> Tensor:
    sides = boxes[..., 2:] - boxes[..., :2]
    return sides[..., 0] * sides[..., 1]


@cache
def operators() -> Any:
    """torchvision's compiled operators, without gradients: `torch.ops.torchvision`."""
    spec = find_spec("torchvision")
    for folder in (spec and spec.submodule_search_locations) or ():
        for name in _LIBRARIES:
            for suffix in EXTENSION_SUFFIXES:
                if (path := Path(folder) / f"{name}{suffix}").is_file():
                    _load(path)
    if not hasattr(torch.ops.torchvision, "nms"):  # a layout that is not known here
        import torchvision.ops  # noqa: F401
    return torch.ops.torchvision


def _load(path: Path) -> None:
    try:
        torch.ops.load_library(path)  # type: ignore[no-untyped-call]
    except OSError:  # such as on Windows, where torchvision first says where libraries lie
        return
