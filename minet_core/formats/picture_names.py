"""Which frame of which video a picture is, by its name."""

import re
from typing import NamedTuple

_FRAME = re.compile(r"(.*?)[-_. ]?(\d+)")
_ROBOFLOW = re.compile(r"(.+?)(?:_(?:jpg|jpeg|png|bmp|webp))?\.rf\.\w+")
_NAMELESS = ("", "frame")
"""What stands before the number where nothing tells the video: CVAT writes frame_000012."""


class FrameName(NamedTuple):
    """What a name tells.

    Attributes:
        video: name of the video.
        frame: number of the frame; 0 where the name has no number at its end.
    """

    video: str
    frame: int


def frame_name(stem: str, folder: str) -> FrameName:
    """Read a name.

    Args:
        stem: of the picture or its label file, without suffix.
        folder: what the video is called where the name has a number alone.

    >>> frame_name("street_000012", "data"), frame_name("frame_000003", "data")
    (FrameName(video='street', frame=12), FrameName(video='data', frame=3))
    """
    if (made := _ROBOFLOW.fullmatch(stem)) is not None:
        stem = made[1]
    match = _FRAME.fullmatch(stem)
    if match is None:
        return FrameName(stem, 0)
    return FrameName(folder if match[1] in _NAMELESS else match[1], int(match[2]))
