"""Frames of one size share a run of a network."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from minet_core.models.detector import BaseDetections, Frame


def by_size(
    frames: Sequence[Frame], detect: Callable[[list[Frame]], list[BaseDetections]]
) -> list[BaseDetections]:
    """What `detect` says of each frame, asked once about all frames of one size."""
    places: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for place, frame in enumerate(frames):
        places[frame.shape].append(place)
    found: dict[int, BaseDetections] = {}
    for same in places.values():
        found.update(zip(same, detect([frames[place] for place in same]), strict=True))
    return [found[place] for place in range(len(frames))]


def stacked(frames: Sequence[Frame]) -> Tensor:
    """(B, 3, H, W) bytes of B frames of one size, channels last; one frame is not copied."""
    if len(frames) == 1:  # PyTorch would mistake the layout of `frame[None]`
        pictures = torch.from_numpy(np.ascontiguousarray(frames[0]))[None]
    else:
        pictures = torch.from_numpy(np.stack(frames))
    return pictures.permute(0, 3, 1, 2)
