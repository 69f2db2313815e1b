"""Which way up a frame is to be shown: display matrices of files, EXIF orientations of photos."""

import math
import struct
from typing import Any, NamedTuple

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer

from minet_core.video.info import Image

_SIDE_DATA: Any = SideDataContainer  # PyAV's types do not say that it is made of a frame


class Orientation(NamedTuple):
    """How a stored picture becomes upright.

    Attributes:
        rotation: degrees counter-clockwise to turn it by: 0, 90, 180 or -90.
        mirrored: whether it is then mirrored left to right, as some selfie cameras want.
    """

    rotation: int
    mirrored: bool

    @property
    def swaps_sides(self) -> bool:
        """Whether width and height change places."""
        return self.rotation in (90, -90)


EXIF_ORIENTATIONS = {
    1: Orientation(0, False),
    2: Orientation(0, True),
    3: Orientation(180, False),
    4: Orientation(180, True),
    5: Orientation(-90, True),
    6: Orientation(-90, False),
    7: Orientation(90, True),
    8: Orientation(90, False),
}
"""EXIF's numbers for the ways in which a photo is stored."""


def orientation(frame: av.VideoFrame) -> Orientation:
    """What the frame's display matrix says, to the nearest quarter turn."""
    a, b, c, d = _matrix(frame)
    mirrored = a * d - b * c < 0
    turn = math.degrees(math.atan2(-b, -a if mirrored else a))
    return Orientation((0, 90, 180, -90)[round(turn / 90) % 4], mirrored)


def _matrix(frame: av.VideoFrame) -> tuple[float, float, float, float]:
    """(a, b, c, d), of any scale: a stored pixel (x, y) is shown at (ax + cy, bx + dy)."""
    try:
        # Not frame.side_data: the frame keeps that, and would wait for the garbage collector.
        data: Any = _SIDE_DATA(frame).get("DISPLAYMATRIX")
    except ValueError:
        # Beside it is something that PyAV does not know, such as a photo's EXIF. It still tells
        # the angle, which is all there is to a matrix unless it mirrors.
        angle = math.radians(frame.rotation)
        return math.cos(angle), -math.sin(angle), math.sin(angle), math.cos(angle)
    if data is None:
        return 1, 0, 0, 1
    a, b, _, c, d, *_ = struct.unpack("9i", bytes(data))
    return a, b, c, d


def upright(picture: Image, stored: Orientation) -> Image:
    """A view of a (height, width, 3) picture that is the right way up."""
    turned = np.rot90(picture, k=stored.rotation // 90)
    return turned[:, ::-1] if stored.mirrored else turned
