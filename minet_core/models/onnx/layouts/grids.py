"""The cells of a detector's grids: how many there are, and where."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from minet_core.models.proposals import Floats

Strides = tuple[int, ...]

USUAL: tuple[Strides, ...] = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32), (16, 32))
"""Strides that detectors have."""


def cells(size: tuple[int, int], strides: Sequence[int]) -> int:
    """How many cells there are in a picture of that (width, height)."""
    return sum(math.prod(math.ceil(side / stride) for side in size) for stride in strides)


def strides_of(count: int, size: tuple[int, int]) -> Strides | None:
    """The usual strides that give so many cells."""
    return next((strides for strides in USUAL if cells(size, strides) == count), None)


@lru_cache(maxsize=8)
def places(size: tuple[int, int], strides: Strides) -> tuple[Floats, Floats]:
    """Column and row (A, 2) of each cell in its grid, and its stride (A, 1), in reading order."""
    corners, steps = [], []
    for stride in strides:
        columns, rows = (math.ceil(side / stride) for side in size)
        y, x = np.divmod(np.arange(rows * columns), columns)
        corners.append(np.stack((x, y), axis=1).astype(np.float32))
        steps.append(np.full((rows * columns, 1), stride, np.float32))
    return np.concatenate(corners), np.concatenate(steps)
