"""Pictures of several sizes in one coordinate system: whole, centred, with bars beside them."""

from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from minet_core.video.info import Image
from minet_core.video.reading.colours import scaled


class _Array(Protocol):
    def __mul__(self, other: float, /) -> Any: ...

    def __add__(self, other: float, /) -> Any: ...


Boxes = TypeVar("Boxes", bound=_Array)
"""(…, 4) xyxy, of NumPy or torch."""


class Placement(NamedTuple):
    """How a picture lies in a frame of another size.

    Attributes:
        scale: pixels of the frame for one of the picture.
        left: pixels of the frame left of the picture.
        top: pixels of the frame above the picture.
    """

    scale: float
    left: float
    top: float

    def inside(self, boxes: Boxes) -> Boxes:
        """Boxes of the picture in pixels of the frame."""
        placed: Any = boxes * self.scale
        placed[..., 0::2] += self.left
        placed[..., 1::2] += self.top
        return placed  # type: ignore[no-any-return]

    def back(self, boxes: Boxes) -> Boxes:
        """Boxes of the frame in pixels of the picture."""
        moved: Any = boxes + 0.0
        moved[..., 0::2] -= self.left
        moved[..., 1::2] -= self.top
        return moved * (1 / self.scale)  # type: ignore[no-any-return]


def placed_in(size: tuple[int, int], frame: tuple[int, int]) -> Placement | None:
    """Where a picture of that (width, height) lies in a frame; None if it has the very size."""
    if size == frame:
        return None
    scale = min(frame[0] / size[0], frame[1] / size[1])
    return Placement(scale, (frame[0] - size[0] * scale) / 2, (frame[1] - size[1] * scale) / 2)


def letterboxed(picture: Image, frame: tuple[int, int]) -> Image:
    """A picture in a frame of (width, height), with black bars where it has another shape."""
    place = placed_in((picture.shape[1], picture.shape[0]), frame)
    if place is None:
        return picture
    width, height = (max(1, round(side * place.scale)) for side in picture.shape[1::-1])
    left, top = (frame[0] - width) // 2, (frame[1] - height) // 2
    canvas = np.zeros((frame[1], frame[0], 3), np.uint8)
    canvas[top : top + height, left : left + width] = scaled(picture, width, height)
    return canvas
