"""Several frames share a run of a network."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from minet_core.models.detector import Batched, Embedder, FeatureMap, Frame

T = TypeVar("T")


def by_size(frames: Sequence[Frame], look: Callable[[list[Frame]], list[T]]) -> list[T]:
    """What `look` says of each frame, asked once about all frames of one size."""
    if len({frame.shape for frame in frames}) == 1:
        return look(list(frames))
    places: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for place, frame in enumerate(frames):
        places[frame.shape].append(place)
    found: dict[int, T] = {}
    for same in places.values():
        found.update(zip(same, look([frames[place] for place in same]), strict=True))
    return [found[place] for place in range(len(frames))]


def stacked(frames: Sequence[Frame]) -> Tensor:
    """(B, 3, H, W) bytes of B frames of one size, channels last; one frame is not copied."""
    if len(frames) == 1:  # PyTorch would mistake the layout of `frame[None]`
        pictures = torch.from_numpy(np.ascontiguousarray(frames[0]))[None]
    else:
        pictures = torch.from_numpy(np.stack(frames))
    return pictures.permute(0, 3, 1, 2)


def features_of(embedder: Embedder, frames: Sequence[Frame]) -> list[FeatureMap]:
    """The feature map of each frame, in one call where the embedder takes several."""
    if isinstance(embedder, Batched):
        return embedder.features_of(frames)
    return [embedder.features(frame) for frame in frames]
