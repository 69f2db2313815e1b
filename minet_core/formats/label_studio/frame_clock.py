"""How Label Studio numbers the frames of a video: by a player's clock and a constant rate.

It knows no frames of its own. Its frame n is what the browser shows at (n - 1) / rate seconds,
where the rate is that of the labelling config, whatever the video's own is, and the clock is the
file's: where the pictures begin later than its 0, so do their numbers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

_ROUNDING = Fraction(1, 1000)
"""Of a frame: times in files are rounded."""

_NTSC = Fraction(1000, 1001)
_USUAL = (*map(Fraction, (24, 25, 30, 50, 60)), *(rate * _NTSC for rate in (24, 30, 60)))
"""Rates that a project is likely to have, 24 first: it is what Label Studio takes for none."""

Value = Mapping[str, Any]
"""A region's `value`: its `sequence` of entries, and `framesCount` and `duration` of the video."""


@dataclass(frozen=True, slots=True)
class PlayerFrames:
    """Numbers, from 1, of a video's frames, whose indices are from 0.

    Attributes:
        rate: frames a second that Label Studio counts.
        frame_rate: frames a second that the video has.
        start_time: seconds on the player's clock at which the first of them is shown.
    """

    rate: Fraction
    frame_rate: Fraction
    start_time: float

    def first(self, index: int) -> int:
        """The first number under which a frame is shown."""
        due = Fraction(self.start_time) + (index - _ROUNDING) / self.frame_rate
        return math.ceil(due * self.rate) + 1

    def last(self, index: int) -> int:
        """The last number under which it is."""
        return max(self.first(index + 1) - 1, self.first(index))

    def index(self, number: int) -> int:
        """The frame that is shown under a number; before the first of them that is the first."""
        time = (number - 1) / self.rate - Fraction(self.start_time)
        return max(0, math.floor(time * self.frame_rate + _ROUNDING))


def playable(frame_rate: Fraction) -> Fraction:
    """The rate to count a video's frames at: its own, or a multiple of it that is 1 or more.

    Label Studio takes a rate below 1 for the seconds that a frame lasts.
    """
    return frame_rate * max(1, math.ceil(1 / frame_rate))


def counted_rate(values: Sequence[Value], expected: Sequence[Fraction]) -> Fraction | None:
    """The rate at which a task was counted, as its regions tell it.

    Args:
        values: of the regions.
        expected: rates that are likely, the first of them where the regions tell nothing.

    Returns:
        None where nothing is expected, and nothing told.
    """
    rate = _by_times(values, expected) or _by_length(values, expected)
    return rate or next(iter(expected), None)


def _by_times(values: Sequence[Value], expected: Sequence[Fraction]) -> Fraction | None:
    """By the entries' `time`, which is number / rate, of the two that are farthest apart."""
    entries = [entry for value in values for entry in value["sequence"]]
    known = [(int(e["frame"]), float(e["time"])) for e in entries if e.get("time") is not None]
    if not known:
        return None
    (first, begin), (last, end) = min(known), max(known)
    if first == last:
        first, begin = 0, 0.0
    if not 0 < end - begin < math.inf:
        return None
    told = (last - first) / Fraction(end - begin)
    rate = told.limit_denominator(1001)
    if abs(told - rate) < told / 10**9 and (rate * 1000 % 1 == 0 or rate * 1001 % 1 == 0):
        return rate
    # Somebody has rounded the times.
    nearest = min((*expected, *_USUAL), key=lambda each: abs(each - told))
    unit = 10.0 ** -max(_decimals(begin), _decimals(end))
    return nearest if abs(nearest - told) <= told * Fraction(unit / (end - begin)) else rate


def _decimals(number: float) -> int:
    return len(repr(number).partition(".")[2])


def _by_length(values: Sequence[Value], expected: Sequence[Fraction]) -> Fraction | None:
    """By `framesCount`, which is `duration` times rate: rounded, or once rounded up."""
    for value in values:
        count, duration = value.get("framesCount"), value.get("duration")
        if not (count and duration and 0 < duration < math.inf):
            continue
        for rate in (*expected, *_USUAL):
            if -0.5 <= count - float(rate) * duration < 1:
                return rate
        return Fraction(count / duration).limit_denominator(1001)
    return None
