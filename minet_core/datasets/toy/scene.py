"""One toy video: objects that move, turn, grow and hide, seen by a poor camera.

Single frames are ambiguous on purpose: in some the camera is out of focus, in fog or in the dark,
fast objects smear, and bars and other objects stand in front.
"""

from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from minet_core.datasets.toy.actors import Actor, Bgr, ground, new_actor, new_bar, swing
from minet_core.datasets.toy.poor_camera import Camera
from minet_core.datasets.toy.shapes import Floats

_SHUTTER = 0.5
"""Share of a frame's time in which the shutter is open: an object smears over that much."""

_SOLID = 102
"""From this opacity (of 255) on, a pixel belongs to the object that is drawn there."""

_LEAST_VISIBLE = 0.2
"""An object of which less can be seen is not annotated."""

_LEAST_SIDE = 5
"""Nor one whose box has fewer pixels on a side."""

_OCCLUDED = 0.75
"""An object of which less can be seen is annotated as occluded."""


@dataclass(frozen=True, slots=True)
class ToyObject:
    """What can be seen of an object in one frame.

    Attributes:
        shape: its class.
        track_id: from 0, unique in the video.
        box: xmin, ymin, xmax, ymax of the visible pixels; the maxima lie inside.
        occluded: whether a good part of it is hidden or out of the frame.
    """

    shape: str
    track_id: int
    box: tuple[int, int, int, int]
    occluded: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """An object as drawn: its window in the frame, and the pixels of its whole outline."""

    rows: slice
    columns: slice
    pixels: int


class Scene:
    """A video that is drawn frame by frame, in any order.

    Args:
        cv2: OpenCV.
        rng: all that is random comes from here, now.
        shapes: classes to choose from, of `OUTLINES`.
        frames: length of the video.
        width: of a frame in pixels.
        height: of a frame in pixels.

    Attributes:
        actors: the objects, the one in front last.
        bars: what stands in front of them all.
    """

    def __init__(
        self,
        cv2: ModuleType,
        rng: np.random.Generator,
        shapes: tuple[str, ...],
        frames: int,
        width: int,
        height: int,
    ) -> None:
        self._cv2 = cv2
        self._size = width, height
        self._margin = margin = width // 8
        self._ground = ground(cv2, rng, width + 2 * margin, height + 2 * margin)
        self._pan = swing(rng, margin, margin, 300), swing(rng, margin, margin, 300)
        self.actors = [
            new_actor(cv2, rng, shapes, width, height) for _ in range(int(rng.integers(4, 8)))
        ]
        self.bars = [new_bar(cv2, rng, width, height) for _ in range(int(rng.integers(1, 4)))]
        self._camera = Camera(cv2, rng, frames, width, height)

    def frame(self, index: int) -> tuple[Bgr, list[ToyObject]]:
        """The picture, (height, width, 3) BGR, and what can be seen in it."""
        width, height = self._size
        right, down = (round(swing(index)) for swing in self._pan)
        picture = self._ground[down : down + height, right : right + width].copy()
        # Which object each pixel shows: 0 is none, k + 1 is object k.
        owner = np.zeros((height, width), np.uint8)
        drawn = [self._draw(index, k, actor, picture, owner) for k, actor in enumerate(self.actors)]
        for bar in self.bars:
            part = bar.part(index, width, height)
            picture[part] = bar.texture[part]
            owner[part] = 0
        seen = (self._seen(k, window, owner) for k, window in enumerate(drawn) if window)
        return self._camera.take(index, picture), [item for item in seen if item]

    def _draw(
        self, index: int, number: int, actor: Actor, picture: Bgr, owner: NDArray[np.uint8]
    ) -> _Drawn | None:
        """Draw an object over what is there; None if it is out of the frame."""
        patch, left, top = self._patch(index, actor)
        height, width = owner.shape
        x1, y1 = max(left, 0), max(top, 0)
        x2, y2 = min(left + patch.shape[1], width), min(top + patch.shape[0], height)
        if x1 >= x2 or y1 >= y2:
            return None
        rows, columns = slice(y1, y2), slice(x1, x2)
        part = patch[y1 - top : y2 - top, x1 - left : x2 - left]
        opacity = part[..., 3:]
        below = picture[rows, columns] * (1 - opacity / 255)
        picture[rows, columns] = np.minimum(below + part[..., :3], 255)
        owner[rows, columns][opacity[..., 0] >= _SOLID] = number + 1
        return _Drawn(rows, columns, int((patch[..., 3] >= _SOLID).sum()))

    def _patch(self, index: int, actor: Actor) -> tuple[Floats, int, int]:
        """The object turned, sized and smeared, (s, s, 4), and its left top corner in the frame."""
        cv2 = self._cv2
        radius, (x, y) = float(np.exp(actor.log_radius(index))), actor.place(index)
        smear = _SHUTTER * (actor.place(index + 1) - (x, y))
        side = int(np.ceil(2 * radius + np.abs(smear).max())) + 3
        left, top = int(np.floor(x - side / 2)), int(np.floor(y - side / 2))
        image = _nearest_size(actor.sprites, 2 * radius)
        matrix = _turn(
            actor.turn * index, 2 * radius / len(image), len(image) / 2, x - left, y - top
        )
        patch: Floats = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR)
        if np.hypot(*smear) >= 2:
            patch = cv2.filter2D(patch, -1, _line(cv2, smear))
        return patch, left, top

    def _seen(self, number: int, drawn: _Drawn, owner: NDArray[np.uint8]) -> ToyObject | None:
        visible = (owner[drawn.rows, drawn.columns] == number + 1).astype(np.uint8)
        pixels = self._cv2.countNonZero(visible)
        left, top, width, height = self._cv2.boundingRect(visible)
        if pixels < _LEAST_VISIBLE * drawn.pixels or min(width, height) < _LEAST_SIDE:
            return None
        x, y = drawn.columns.start + left, drawn.rows.start + top
        box = x, y, x + width - 1, y + height - 1
        shape = self.actors[number].shape
        return ToyObject(shape, number, box, pixels < _OCCLUDED * drawn.pixels)


def _nearest_size(sprites: list[Floats], side: float) -> Floats:
    """The smallest sprite that is not smaller than wanted."""
    return next((image for image in reversed(sprites) if len(image) >= side), sprites[0])


def _turn(angle: float, scale: float, centre: float, x: float, y: float) -> NDArray[np.float64]:
    """(2, 3) matrix that turns and scales about (centre, centre) and moves that to (x, y)."""
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    # Pixels are counted by their centres, places by their corners: half a pixel apart.
    c = centre - 0.5
    return np.array([[cos, -sin, x - 0.5 - c * (cos - sin)], [sin, cos, y - 0.5 - c * (sin + cos)]])


def _line(cv2: ModuleType, smear: NDArray[np.float64]) -> Floats:
    """Kernel of a movement by `smear`, (2,) x and y in pixels."""
    side = 2 * int(np.ceil(np.abs(smear).max() / 2)) + 1
    kernel = np.zeros((side, side), np.float32)
    first, last = ((side // 2 + sign * smear / 2).round().astype(int) for sign in (-1, 1))
    cv2.line(kernel, first.tolist(), last.tolist(), 1.0)
    line: Floats = kernel / kernel.sum()
    return line
