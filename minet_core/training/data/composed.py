"""Composed pairs: objects cut from annotated pictures, put together anew over a background.

Footage with many identities is rare, pictures with boxes are not. Each pair shows the same few
objects twice over one real background: moved, scaled, lit and blurred otherwise, partly hidden by
one another. All of them are annotated, and each is a hard negative of the others.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from minet_core.errors import InputError
from minet_core.models.detector import Frame
from minet_core.training.data.pairs import Pair, PairSource, View

Floats = NDArray[np.float32]

_SMALLEST = 8  # pixels of a side under which an object is no object
_OPAQUE = 0.9  # share of its box that an object covers


@dataclass(frozen=True, slots=True)
class Composition:
    """How pairs are composed. Lengths are shares of the background's shorter side.

    Attributes:
        objects: fewest and most in a pair.
        height: minimum and maximum height of an object.
        scale: most that an object grows or shrinks between the views, as a factor.
        shift: most that it moves between the views, along each axis.
        light: most that brightness and contrast differ, as a share.
        blur: largest deviation of the blur, in pixels.
        visible: an object of which less is to be seen is not annotated.
    """

    objects: tuple[int, int] = (3, 9)
    height: tuple[float, float] = (0.12, 0.45)
    scale: float = 1.25
    shift: float = 0.35
    light: float = 0.3
    blur: float = 1.2
    visible: float = 0.4


class _Cutout(NamedTuple):
    """An object: (h, w, 3) pixels, its class, and its place (cx, cy, height) in both views."""

    pixels: Frame
    label_id: int
    places: tuple[Floats, Floats]


class ComposedPairs:
    """A source of composed pairs.

    Args:
        source: whose pictures give the objects and the backgrounds.
        rules: how to compose.
    """

    def __init__(self, source: PairSource, rules: Composition | None = None) -> None:
        self._source = source
        self._rules = rules or Composition()

    @property
    def name(self) -> str:
        """What it was opened as."""
        return f"composed:{self._source.name}"

    @property
    def notes(self) -> list[str]:
        """What its source left out, a line a kind."""
        return self._source.notes

    def draw(self, generator: torch.Generator) -> Pair:
        """A pair of views of the same objects.

        Raises:
            InputError: the source gives none, or none of its objects is to be seen in both views.
        """
        drawn = self._source.draw(generator)
        background = drawn.support.image
        cutouts = self._cut(generator, background.shape)
        support, query = (self._paint(background, cutouts, i, generator) for i in range(2))
        pair = Pair(support, query, f"composed over {drawn.name}", complete=False)
        if not len(pair.shared()):
            raise InputError(f"{pair.name}: no object is to be seen in both views")
        return pair

    def _cut(self, generator: torch.Generator, shape: tuple[int, ...]) -> list[_Cutout]:
        """Objects of further pictures, each with its places."""
        wanted = int(torch.randint(*self._rules.objects, (1,), generator=generator))
        cutouts: list[_Cutout] = []
        for _ in range(wanted):  # several from one picture: they share light and class
            view = self._source.draw(generator).query
            for row in torch.randperm(len(view.boxes), generator=generator)[:3].tolist():
                pixels = _cut_out(view.image, view.boxes[row])
                if pixels is not None and len(cutouts) < wanted:
                    places = self._places(generator, shape)
                    cutouts.append(_Cutout(pixels, int(view.label_ids[row]), places))
        return cutouts

    def _places(self, generator: torch.Generator, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
        """(cx, cy, height) in pixels in each view."""
        rules, side = self._rules, min(shape[:2])
        size, turn = torch.rand(2, generator=generator).tolist()
        low, high = rules.height
        height = side * low * (high / low) ** size
        grown = height * rules.scale ** (2 * turn - 1)
        room = torch.tensor([shape[1], shape[0]])
        centre = torch.rand(2, generator=generator) * room
        shift = (2 * torch.rand(2, generator=generator) - 1) * rules.shift * side
        moved = (centre + shift).clamp(torch.zeros(2), room)
        first = np.array([*centre.tolist(), height], dtype=np.float32)
        return first, np.array([*moved.tolist(), grown], dtype=np.float32)

    def _paint(
        self, background: Frame, cutouts: list[_Cutout], view: int, generator: torch.Generator
    ) -> View:
        """One view: the objects from the back to the front, then its light and blur."""
        picture = background.astype(np.float32)
        front = np.full(picture.shape[:2], -1)
        boxes = [_paint_one(picture, front, cutout, i, view) for i, cutout in enumerate(cutouts)]
        seen = [
            i
            for i, box in enumerate(boxes)
            if np.count_nonzero(front == i) >= self._rules.visible * _OPAQUE * _area(box)
        ]
        extent = np.array([boxes[i] for i in seen], dtype=np.float32).reshape(-1, 4)
        right_bottom = np.array(picture.shape[1::-1] * 2, dtype=np.float32)
        return View(
            self._lit(picture, generator),
            extent.clip(0, right_bottom),
            np.array([cutouts[i].label_id for i in seen], dtype=np.int64),
            np.array([i + 1 for i in seen], dtype=np.int64),
        )

    def _lit(self, picture: Floats, generator: torch.Generator) -> Frame:
        """The picture in another light, and more or less sharp."""
        import cv2

        gain, offset, blur = torch.rand(3, generator=generator).tolist()
        light = self._rules.light
        lit = picture * (1 + light * (2 * gain - 1)) + 128 * light * (2 * offset - 1)
        if blur > 0.5:
            lit = cv2.GaussianBlur(lit, (0, 0), max(0.1, self._rules.blur * (2 * blur - 1)))
        bounded: Frame = lit.clip(0, 255).astype(np.uint8)
        return bounded


def _cut_out(image: Frame, box: Floats) -> Frame | None:
    """The pixels inside a box, None where that is too small to tell anything."""
    left, top = (max(0, int(v)) for v in box[:2])
    right, bottom = (int(v) for v in box[2:])
    pixels = image[top:bottom, left:right]
    return pixels if min(pixels.shape[:2]) >= _SMALLEST else None


def _paint_one(
    picture: Floats, front: NDArray[np.int64], cutout: _Cutout, index: int, view: int
) -> tuple[float, float, float, float]:
    """Blend an object into a picture, note where it is in front; its box, in the picture or not.

    It is cut along an ellipse with a soft edge, so that no straight edge of its old background
    tells it apart.
    """
    import cv2

    cx, cy, height = (float(v) for v in cutout.places[view])
    h = max(_SMALLEST, round(height))
    w = max(_SMALLEST, round(height * cutout.pixels.shape[1] / cutout.pixels.shape[0]))
    left, top = round(cx - w / 2), round(cy - h / 2)
    shrinks = h < cutout.pixels.shape[0]
    pixels = cv2.resize(
        cutout.pixels, (w, h), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    rows = slice(max(0, top), max(0, min(top + h, picture.shape[0])))
    columns = slice(max(0, left), max(0, min(left + w, picture.shape[1])))
    part = np.s_[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    alpha = _ellipse(w, h)[part][..., None]
    picture[rows, columns] += alpha * (pixels[part] - picture[rows, columns])
    front[rows, columns][alpha[..., 0] > 0.5] = index
    return left, top, left + w, top + h


def _ellipse(width: int, height: int) -> Floats:
    """(height, width) opacity: 1 within an ellipse that all but fills the box, 0 at its corners."""
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    distance = (x**4 + y**4) ** 0.25  # between an ellipse and the box
    opacity: Floats = ((1.03 - distance) / 0.12).clip(0, 1)
    return opacity


def _area(box: tuple[float, float, float, float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
