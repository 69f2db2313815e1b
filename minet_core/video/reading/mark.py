"""A frame of a video file that reading can begin with, as if all before it had been read."""

import hashlib
from dataclasses import dataclass

from minet_core.video.info import Image
from minet_core.video.reading.timing import ClockState


@dataclass(frozen=True, slots=True)
class Mark:
    """A frame that was read once, from the beginning of its file.

    Attributes:
        index: of the frame.
        stamp: its timestamp, in ticks of its stream.
        clock: what gives times to frames, before this one.
        digest: of its picture, by which it is known again.
    """

    index: int
    stamp: int
    clock: ClockState
    digest: str


def digest(image: Image) -> str:
    """SHA-256 of a picture's pixels."""
    return hashlib.sha256(image.tobytes()).hexdigest()
