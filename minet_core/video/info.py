"""What a video is, and what one frame of it is, whatever it was read from."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""One picture: (height, width, 3), RGB, uint8, C-contiguous, display-oriented."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """Facts of a video that are known before it is read.

    Attributes:
        path: where it came from, as it was given.
        width: pixels of a frame after rotation.
        height: pixels of a frame after rotation.
        frame_rate: frames per second, on average.
        frames: what the container says or implies; an estimate, None when it gives no clue.
        duration: seconds, or None when unknown.
        time_base: seconds per tick of `VideoFrame.pts`.
        rotation: degrees counter-clockwise that were applied to make frames upright:
            0, 90, 180 or -90.
        mirrored: whether they were then mirrored left to right.
        pixel_aspect: width to height of an upright pixel as it is meant to be shown; a box is
            in pixels all the same, whatever their shape.
        start_time: seconds on a player's clock at which the first frame is shown; the times of
            frames count from there.
        delay: seconds by which the file's earliest stream, such as its sound, starts before the
            first frame.
        stream: number of the stream in its file, None of pictures.
        has_audio: whether there is sound beside the pictures.
        variable_frame_rate: whether frames are unevenly spaced; None when that shows only by
            reading the whole video.
        codec: FFmpeg's name of the video codec.
        pictures: names of the pictures of a folder, in order of frames; empty for a video.
    """

    path: str
    width: int
    height: int
    frame_rate: Fraction
    frames: int | None
    duration: float | None
    time_base: Fraction
    rotation: int
    has_audio: bool
    variable_frame_rate: bool | None
    codec: str
    mirrored: bool = False
    pixel_aspect: Fraction = Fraction(1)
    start_time: float = 0.0
    delay: float = 0.0
    stream: int | None = None
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One decoded frame.

    Attributes:
        index: 0-based count of decoded frames from the start of the source, whatever part of it
            is being read.
        pts: the source's timestamp in ticks of `VideoInfo.time_base`, counted from the start of
            the stream and otherwise as found; None when the container has none.
        time: seconds from the start; strictly increasing, even where pts are not.
        image: (height, width, 3) RGB.
    """

    index: int
    pts: int | None
    time: float
    image: Image
