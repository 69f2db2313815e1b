"""The paths that tracks have taken, fading into the past."""

from collections import deque
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from minet_core.video.drawing.lettering import load_opencv
from minet_core.video.drawing.palette import Colour, colour_of
from minet_core.video.info import Image

Point = tuple[int, int]

_FADES = (0.25, 0.5, 0.8)  # opacity of the oldest, middle and newest third of a trail


class Trails:
    """Remembers where tracks were over the last frames, and draws it.

    Args:
        length: frames to look back; 0 draws nothing.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._frame = 0
        self._points: dict[int, deque[tuple[int, Point]]] = {}

    def draw(self, canvas: Image, now: Mapping[int, Point], thickness: int) -> None:
        """Add the points of this frame by track id, and draw the trails of these tracks."""
        if not self._length:
            return
        self._frame += 1
        for track_id, point in now.items():
            self._points.setdefault(track_id, deque()).append((self._frame, point))
        self._forget()
        for track_id in now:
            points = [point for _, point in self._points[track_id]]
            _draw_fading(canvas, points, colour_of(track_id), thickness)

    def save(self) -> list[Any]:
        """Everything remembered, in plain values that JSON can hold."""
        return [self._frame, [[track, list(points)] for track, points in self._points.items()]]

    def restore(self, state: list[Any]) -> None:
        """Put a state of `save` in the place of what is remembered."""
        self._frame, tracks = state
        self._points = {
            track: deque((frame, (x, y)) for frame, (x, y) in points) for track, points in tracks
        }

    def _forget(self) -> None:
        """Drop points too old to be drawn, and tracks without any left."""
        oldest = self._frame - self._length
        for points in self._points.values():
            while points and points[0][0] < oldest:
                points.popleft()
        self._points = {track_id: points for track_id, points in self._points.items() if points}


def _draw_fading(canvas: Image, points: list[Point], colour: Colour, thickness: int) -> None:
    """A line through the points, oldest first, in a few steps of growing opacity."""
    opencv = load_opencv()
    ends = [round(i * (len(points) - 1) / len(_FADES)) for i in range(len(_FADES) + 1)]
    for opacity, (start, end) in zip(_FADES, pairwise(ends), strict=True):
        if start == end:
            continue
        line = np.array(points[start : end + 1])
        x, y, width, height = opencv.boundingRect(line)
        left, top = max(0, x - 2 * thickness), max(0, y - 2 * thickness)
        # Blended only where the line is: a whole frame would cost more than all the rest.
        below = canvas[top : y + height + 2 * thickness, left : x + width + 2 * thickness]
        drawn = below.copy()
        opencv.polylines(drawn, [line - (left, top)], False, colour, thickness, opencv.LINE_AA)
        opencv.addWeighted(drawn, opacity, below, 1 - opacity, 0, dst=below)
