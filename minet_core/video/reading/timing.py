"""When frames are shown: rates and timestamps, from containers that often get them wrong."""

import math
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import av
import av.container
from av.format import ContainerFormat, Flags
from av.video.stream import VideoStream

_DEFAULT_RATE = Fraction(30)
_FASTEST_RATE = 10_000
_LONGEST_PAUSE = 10.0
_NEVER = 1e9
"""Seconds: no video lasts 30 years, but damaged timestamps say so."""


def frame_rate(stream: VideoStream) -> Fraction:
    """Average frames per second; 30 when the container says nothing sensible.

    A last frame that is held for long does not count: the others come no slower for it.
    """
    for rate in (_rate_of_steps(stream), *_told_rates(stream)):
        if rate and 0 < rate <= _FASTEST_RATE:
            return rate
    return _DEFAULT_RATE


def _told_rates(stream: VideoStream) -> tuple[Fraction | None, ...]:
    return stream.average_rate, stream.guessed_rate, stream.base_rate


def _rate_of_steps(stream: VideoStream) -> Fraction | None:
    """The rate between the first and the last frame, where the last one is held; else None."""
    stamps = _index(stream)
    if len(stamps) < 2 or not stream.duration or not stream.time_base:
        return None
    span, steps = max(stamps) - min(stamps), len(stamps) - 1
    held = span > 0 and stream.duration - span > 2 * span / steps
    return steps / (span * stream.time_base) if held else None


def _index(stream: VideoStream) -> list[int]:
    """The decoding time of each frame, in ticks; nothing where the container does not have all."""
    index = stream.index_entries
    whole = stream.frames > 0 and len(index) >= stream.frames
    return [entry.timestamp for entry in index] if whole else []


def start_of(
    container: av.container.InputContainer, stream: VideoStream, first: av.VideoFrame
) -> tuple[float, float]:
    """When the first frame is shown, as `VideoInfo` has it: `start_time` and `delay`.

    Browsers keep a stream's own timestamps where they begin above zero.

    Args:
        container: of the stream.
        stream: of the frames.
        first: the first frame in order of display.
    """
    ticks = first.pts if stream.start_time is None else stream.start_time
    start = float((ticks or 0) * (stream.time_base or 0))
    earliest = start if container.start_time is None else container.start_time / av.time_base
    return round(start, 6), max(0.0, round(start - earliest, 6))


def is_variable(stream: VideoStream) -> bool | None:
    """Whether frames are unevenly spaced, from the container's index; None without one."""
    stamps = _index(stream)
    if len(stamps) < 3:
        return None
    # The index is in decoding order, whose steps are even exactly when the frame rate is.
    steps = [after - before for before, after in pairwise(stamps)]
    return max(steps) - min(steps) > 1  # one tick is rounding


class ClockState(NamedTuple):
    """What a `StreamClock` knows of the frames that it has read.

    Attributes:
        origin: timestamp of the first one, in ticks; None while that is unknown.
        previous: seconds of the last one, None before the first.
        shift: seconds that were added where timestamps fell back.
    """

    origin: int | None
    previous: float | None
    shift: float


class StreamClock:
    """Gives each frame its timestamp from the start and a time that only moves forward.

    Containers lie in three ways. A timestamp that is missing, or at odds with both neighbours
    (it repeats, falls back or leaps ahead, and the next frame goes on as if nothing had been), is
    passed over: the frame is shown between its neighbours. Where timestamps fall back and stay
    there, as in files that were joined, time goes on, and so do their steps. A leap ahead that
    lasts is a recording that paused; in broadcast formats, whose clocks start anew, one of more
    than ten seconds is a splice, where time goes on as well.

    Args:
        stream: what the frames are decoded from.
        container_format: of its container.
    """

    def __init__(self, stream: VideoStream, container_format: ContainerFormat) -> None:
        # AVI stores no presentation times: FFmpeg's are decoding times, out of order at B-frames.
        self._use_dts = container_format.name == "avi"
        self._origin = None if self._use_dts else stream.start_time
        self._tick = stream.time_base or 1 / _DEFAULT_RATE
        self._step = float(1 / frame_rate(stream))
        splices = Flags.ts_discont in Flags(container_format.flags)
        self._longest = _LONGEST_PAUSE if splices else math.inf
        self._shift = 0.0
        self._previous: float | None = None

    def save(self) -> ClockState:
        """What it knows by now."""
        return ClockState(self._origin, self._previous, self._shift)

    def restore(self, state: ClockState) -> None:
        """Go on from a state of `save`."""
        self._origin, self._previous, self._shift = state

    def read(
        self, frame: av.VideoFrame, following: av.VideoFrame | None
    ) -> tuple[int | None, float]:
        """The frame's pts from the start in ticks, None if it has none, and its time in seconds.

        Args:
            frame: the next in order of display.
            following: the one after it, None at the end.
        """
        stamp = self._stamp(frame)
        now = self._seconds(stamp)
        then = self._seconds(self._stamp(following)) if following else None
        if self._previous is None:
            overtaken = then is not None and now is not None and 0 <= then < now
            self._previous = 0.0 if overtaken else max(0.0, now or 0.0)
        else:
            self._previous = self._advance(self._previous, now, then)
        return stamp, self._previous

    def _advance(self, previous: float, now: float | None, then: float | None) -> float:
        """The time after `previous` of a frame stamped `now`, whose next one is stamped `then`."""
        limit = previous + self._longest
        ahead = then if then is not None and previous < then <= limit else None
        if now is not None and previous < now <= (limit if ahead is None else ahead):
            return now
        if ahead is not None:
            return min(previous + self._step, (previous + ahead) / 2)
        if now is not None:
            self._shift += previous + self._step - now
        return previous + self._step

    def _stamp(self, frame: av.VideoFrame) -> int | None:
        stamp = frame.dts if self._use_dts else frame.pts
        if stamp is None:
            return None
        self._origin = stamp if self._origin is None else self._origin
        return stamp - self._origin

    def _seconds(self, stamp: int | None) -> float | None:
        """Where a timestamp puts a frame; None without one that can be meant."""
        seconds = None if stamp is None else float(stamp * self._tick)
        return None if seconds is None or abs(seconds) > _NEVER else seconds + self._shift


def duration(container: av.container.InputContainer, stream: VideoStream) -> float | None:
    """Seconds of the stream as its container tells them; None when it does not."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    # The container's word covers its longest stream, and in Matroska it counts from time zero.
    if container.duration and not container.streams.audio:
        return (container.duration - max(container.start_time or 0, 0)) / av.time_base
    return None
