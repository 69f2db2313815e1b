"""Which frames of a video are asked for."""

import re
from typing import TypedDict

from minet_core.errors import ConfigError

Position = int | float
"""A place in a video: an int is a frame index, a float is seconds."""


class Part(TypedDict, total=False):
    """Which part of a video to read: the keyword arguments that every reader takes.

    Attributes:
        start: the first frame wanted.
        end: where to stop; the frame at `end` itself is not wanted.
        stride: keep every stride-th frame, beginning with the first one wanted.
        max_frames: keep at most so many.
        skip: frames with a lower index count as kept, but are not given: a run that goes on
            where an earlier one stopped has had them.
    """

    start: Position | None
    end: Position | None
    stride: int
    max_frames: int | None
    skip: int


_CLOCK = re.compile(r"(?:(\d+):)?([0-5]?\d):([0-5]?\d(?:\.\d+)?)")

# Timestamps are rounded to ticks, so the frame at 1.0 s may sit a hair before it.
_TOLERANCE = 1e-6


def parse_position(text: str) -> Position:
    """A place in a video from what a user typed.

    >>> parse_position("120"), parse_position("2.5s"), parse_position("01:02.5")
    (120, 2.5, 62.5)

    Raises:
        ConfigError: the text is none of `120` (a frame), `2.5s`, `MM:SS` or `HH:MM:SS.mmm`.
    """
    text = text.strip()
    if re.fullmatch(r"\d+", text, re.ASCII):
        return int(text)
    if match := re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*s", text, re.ASCII):
        return float(match[1])
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds = match.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
    raise ConfigError(
        f"{text!r} is not a position in a video: "
        "give a frame (120), seconds (2.5s) or a time (01:30 or 00:01:30.500)"
    )


class FramePicker:
    """Decides frame by frame what to keep of a `Part`; frames must come in order.

    Raises:
        ConfigError: the settings can select nothing.
    """

    def __init__(
        self,
        start: Position | None = None,
        end: Position | None = None,
        stride: int = 1,
        max_frames: int | None = None,
        skip: int = 0,
    ) -> None:
        _check(start, end, stride, max_frames)
        self._start: Position = 0 if start is None else start
        self._end = end
        self._stride = stride
        self._max_frames = max_frames
        self._skip = skip
        self._first: int | None = None
        self.taken = 0

    def is_past(self, index: int, time: float) -> bool:
        """Whether neither this frame nor any later one is wanted."""
        if self._max_frames is not None and self.taken >= self._max_frames:
            return True
        return self._end is not None and _reached(self._end, index, time)

    def takes(self, index: int, time: float) -> bool:
        """Whether this frame is wanted; a yes counts towards `max_frames`."""
        if self._first is None:
            if not _reached(self._start, index, time):
                return False
            self._first = index
        wanted = (index - self._first) % self._stride == 0
        self.taken += wanted
        return wanted and index >= self._skip


def _reached(position: Position, index: int, time: float) -> bool:
    if isinstance(position, int):
        return index >= position
    return time >= position - _TOLERANCE


def _check(
    start: Position | None, end: Position | None, stride: int, max_frames: int | None
) -> None:
    if stride < 1:
        raise ConfigError(f"the stride must be 1 or more, not {stride}")
    if max_frames is not None and max_frames < 1:
        raise ConfigError(f"the number of frames must be 1 or more, not {max_frames}")
    for name, value in (("start", start), ("end", end)):
        # Written so that NaN fails too.
        if value is not None and not value >= 0:
            raise ConfigError(f"the {name} must not be negative, but it is {value}")
    if start is not None and end is not None and type(start) is type(end) and end <= start:
        raise ConfigError(f"the end ({end}) must come after the start ({start})")
