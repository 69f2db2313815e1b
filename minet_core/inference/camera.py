"""The camera's motion since the frame before, for predicting positions."""

from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from minet_core.errors import MinetError
from minet_core.models.detector import Frame
from minet_core.video.drawing.lettering import load_opencv

_SIDE = 320
"""Longer side of the compared pictures, in pixels."""

_CORNERS, _QUALITY, _APART = 200, 0.01, 8
"""Maximum number of corners, minimum quality relative to the best, minimum pixels between two."""

_FEWEST = 12
"""Minimum number of corners found again."""

_NEAR = (0.25, 0.5, 1.5)
"""Distances in pixels up to which corners agree, tried in order. A wide one alone takes people who
walk slowly for background, and a camera that stands still seems to follow them."""

_AGREEING = 0.3
"""Minimum share of the corners that agree."""

_ZOOM = 1.4
"""Maximum change of scale between two frames."""

Grey = NDArray[np.uint8]


class CameraMotion:
    """Follows corners of a small grey picture from frame to frame, by sparse optical flow.

    Attributes:
        grey: the last frame's picture, None before the first: the whole state.
        warnings: a line if OpenCV does not load; then the motion is always unknown.
    """

    def __init__(self) -> None:
        self.grey: Grey | None = None
        self.warnings: list[str] = []
        self._cv2: ModuleType | None = None
        try:
            self._cv2 = load_opencv()
        except MinetError:
            self.warnings.append("OpenCV does not load, so the camera's motion is not followed")

    def update(self, image: Frame) -> Tensor | None:
        """(2, 3) affine map from pixels of the frame before to pixels of this frame.

        None if it is unknown: in the first frame, across a cut, without texture.
        """
        if self._cv2 is None:
            return None
        scale = min(1.0, _SIDE / max(image.shape[:2]))
        before, self.grey = self.grey, _grey(self._cv2, image, scale)
        if before is None or before.shape != self.grey.shape:
            return None
        affine = _between(self._cv2, before, self.grey)
        if affine is None:
            return None
        affine[:, 2] /= scale
        return torch.from_numpy(affine)


def _grey(cv2: ModuleType, image: Frame, scale: float) -> Grey:
    size = [max(1, round(side * scale)) for side in (image.shape[1], image.shape[0])]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _between(cv2: ModuleType, before: Grey, now: Grey) -> NDArray[np.float64] | None:
    corners = cv2.goodFeaturesToTrack(before, _CORNERS, _QUALITY, _APART)
    if corners is None or len(corners) < _FEWEST:
        return None
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        before, now, corners, np.empty_like(corners), winSize=(15, 15), maxLevel=3
    )
    kept = found[:, 0] > 0
    if kept.sum() < _FEWEST:
        return None
    for near in _NEAR:
        affine, agreeing = cv2.estimateAffinePartial2D(
            corners[kept], moved[kept], method=cv2.RANSAC, ransacReprojThreshold=near
        )
        if affine is not None and agreeing.sum() >= _AGREEING * len(corners):
            break
    else:
        return None
    zoom = float(np.hypot(affine[0, 0], affine[1, 0]))
    if not 1 / _ZOOM < zoom < _ZOOM:
        return None
    return np.asarray(affine, dtype=np.float64)
