"""Boxes, labels and trails drawn on frames, legible from thumbnails to 8K."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minet_core.video.drawing.lettering import Lettering, load_opencv
from minet_core.video.drawing.palette import Colour, colour_of, text_colour_on
from minet_core.video.drawing.trails import Trails
from minet_core.video.info import Image


@dataclass(frozen=True, slots=True)
class _Mark:
    """One object as it will be drawn, in whole pixels inside the frame."""

    left: int
    top: int
    right: int
    bottom: int
    colour: Colour
    text: str
    track_id: int
    dashed: bool


class Overlay:
    """Draws what was found onto the frames of one video, in order.

    Colours follow the track id and never change. Line widths and letters follow the frame's size.

    Args:
        trails: of how many past frames to show each track's path; 0 for none.

    Raises:
        MinetError: on drawing, OpenCV cannot be loaded.
    """

    def __init__(self, trails: int = 0) -> None:
        self._trails = Trails(trails)
        self._lettering: Lettering | None = None

    def draw(
        self,
        image: Image,
        boxes: NDArray[np.floating],
        labels: Sequence[str],
        scores: Sequence[float] | NDArray[np.floating],
        track_ids: Sequence[int] | NDArray[np.integer],
        interpolated: Sequence[bool] | NDArray[np.bool_] | None = None,
    ) -> Image:
        """A copy of the frame with everything drawn on it.

        Args:
            image: (height, width, 3) RGB.
            boxes: (N, 4) xyxy in pixels of the frame. What lies outside the frame is cut off; a
                box that is not finite is left out.
            labels: N class names, in any script.
            scores: N scores; one that is not finite is not shown.
            track_ids: N ids; a negative one means no track: grey, without a number.
            interpolated: whether each of the N boxes was not detected: dashed. None: no one is.
        """
        canvas = np.array(image, order="C")
        size = min(canvas.shape[:2])
        thickness = max(2, round(size / 320))  # one pixel would not survive video compression
        dashed = [False] * len(boxes) if interpolated is None else interpolated
        marks = _marks(canvas.shape[:2], boxes, labels, scores, track_ids, dashed)
        feet = {m.track_id: ((m.left + m.right) // 2, m.bottom) for m in marks if m.track_id >= 0}
        self._trails.draw(canvas, feet, thickness)
        for m in marks:
            _draw_box(canvas, m, thickness)
        # All tags after all boxes, so that no line crosses a text.
        for m in marks:
            self._draw_tag(canvas, m, thickness)
        return canvas

    def save(self) -> list[Any]:
        """What it has to remember of past frames, in plain values that JSON can hold."""
        return self._trails.save()

    def restore(self, state: list[Any]) -> None:
        """Go on after the frames of a state of `save`."""
        self._trails.restore(state)

    def _draw_tag(self, canvas: Image, mark: _Mark, thickness: int) -> None:
        """The text on a filled strip: on the box, or inside it at the frame's upper edge."""
        lettering = self._lettering_for(canvas)
        height, width = lettering.height, lettering.width(mark.text) + lettering.height // 2
        left = mark.left - thickness // 2
        left = max(0, min(left, canvas.shape[1] - width))
        top = mark.top - thickness // 2 - height
        top = mark.top if top < 0 else top
        canvas[top : top + height, left : left + width] = mark.colour
        ink = text_colour_on(mark.colour)
        lettering.put(canvas, mark.text, left + height // 4, top + lettering.baseline, ink)

    def _lettering_for(self, canvas: Image) -> Lettering:
        size = round(6 + min(canvas.shape[:2]) / 57)
        if self._lettering is None or self._lettering.size != size:
            self._lettering = Lettering(size)
        return self._lettering


def _marks(
    shape: tuple[int, ...],
    boxes: NDArray[np.floating],
    labels: Sequence[str],
    scores: Sequence[float] | NDArray[np.floating],
    track_ids: Sequence[int] | NDArray[np.integer],
    dashed: Sequence[bool] | NDArray[np.bool_],
) -> list[_Mark]:
    """What can be drawn, far to near: objects that stand lower in the picture come last."""
    limit = np.array([shape[1], shape[0], shape[1], shape[0]]) - 1
    marks = []
    for i in np.argsort(np.asarray(boxes).reshape(-1, 4)[:, 3], kind="stable").tolist():
        if not np.isfinite(boxes[i]).all():
            continue
        left, top, right, bottom = np.clip(np.rint(boxes[i]), 0, limit).astype(int).tolist()
        track_id = int(track_ids[i])
        text = _text(labels[i], track_id, float(scores[i]))
        sides, colour = (left, top, right, bottom), colour_of(track_id)
        marks.append(_Mark(*sides, colour, text, track_id, bool(dashed[i])))
    return marks


def _draw_box(canvas: Image, mark: _Mark, thickness: int) -> None:
    opencv = load_opencv()
    left, top, right, bottom = mark.left, mark.top, mark.right, mark.bottom
    if not mark.dashed:
        opencv.rectangle(canvas, (left, top), (right, bottom), mark.colour, thickness)
        return
    dash = 4 * thickness
    for x in range(left, right + 1, 2 * dash):
        for y in (top, bottom):
            opencv.line(canvas, (x, y), (min(x + dash, right), y), mark.colour, thickness)
    for y in range(top, bottom + 1, 2 * dash):
        for x in (left, right):
            opencv.line(canvas, (x, y), (x, min(y + dash, bottom)), mark.colour, thickness)


def _text(label: str, track_id: int, score: float) -> str:
    parts = label.split()  # a line break would start a second line
    if track_id >= 0:
        parts.append(str(track_id))
    if isfinite(score):
        parts.append(f"{score:.2f}")
    return " ".join(parts)
