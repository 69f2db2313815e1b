"""Where things are in the first picture of a scene, however the camera has moved since."""

import math

import numpy as np
from numpy.typing import NDArray

_MOST_ZOOM = 1e3
"""Scale, or its inverse, from which on the map begins anew: its errors have grown as much."""


class Ground:
    """The map from pixels of the current frame to pixels of the scene's first frame.

    Attributes:
        affine: (2, 3), the whole state.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Take the current frame as the first of a scene."""
        self.affine: NDArray[np.float64] = np.eye(2, 3)

    def follow(self, camera: NDArray[np.float64] | None) -> None:
        """Go on to the next frame.

        Args:
            camera: (2, 3) affine map from pixels of the frame before to this frame; None if it is
                unknown, which counts as no motion.
        """
        if camera is None:
            return
        linear = self.affine[:, :2] @ np.linalg.inv(camera[:, :2])
        self.affine = np.column_stack([linear, self.affine[:, 2] - linear @ camera[:, 2]])
        if not 1 / _MOST_ZOOM < self._zoom < _MOST_ZOOM:
            self.begin()

    def place(self, box: NDArray[np.float64]) -> tuple[float, float, float]:
        """Centre and √area of a (4,) xyxy box of the current frame, in the first frame's pixels."""
        centre, (width, height) = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
        x, y = self.affine[:, :2] @ centre + self.affine[:, 2]
        return float(x), float(y), self._zoom * math.sqrt(max(float(width * height), 1.0))

    @property
    def _zoom(self) -> float:
        return math.sqrt(abs(float(np.linalg.det(self.affine[:, :2]))))
