"""The memory's time, in frames."""

from statistics import median
from typing import NamedTuple

_REMEMBERED = 31
"""Intervals whose median is the usual interval."""


class Clock(NamedTuple):
    """Counts frames; a pause counts as its number of missing frames.

    Seconds do not suit: timestamps may run at any pace, a time-lapse has a frame a minute, and what
    matters is how often an object could have been seen.

    Attributes:
        frames: current count.
        time: seconds of the last frame, None before the first.
        intervals: seconds between the last frames.
    """

    frames: float = 0.0
    time: float | None = None
    intervals: tuple[float, ...] = ()

    def at(self, time: float) -> "Clock":
        """The clock at the next frame, at `time` seconds."""
        if self.time is None:
            return Clock(self.frames, time)
        interval = time - self.time
        intervals = (*self.intervals, interval)[-_REMEMBERED:]
        usual = median(intervals)
        passed = max(1.0, interval / usual) if usual > 0 else 1.0
        return Clock(self.frames + passed, time, intervals)
