"""When frames are shown: rates and timestamps, from containers that often get them wrong."""

from fractions import Fraction
from itertools import pairwise

import av
import av.container
from av.video.stream import VideoStream

_DEFAULT_RATE = Fraction(30)
_FASTEST_RATE = 10_000


def frame_rate(stream: VideoStream) -> Fraction:
    """Average frames per second; 30 when the container says nothing sensible."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= _FASTEST_RATE:
            return rate
    return _DEFAULT_RATE


def is_variable(stream: VideoStream) -> bool | None:
    """Whether frames are unevenly spaced, from the container's index; None without one."""
    index = stream.index_entries
    if len(index) < max(stream.frames, 3):
        return None
    # The index is in decoding order, whose steps are even exactly when the frame rate is.
    steps = [b.timestamp - a.timestamp for a, b in pairwise(index)]
    return max(steps) - min(steps) > 1  # one tick is rounding


class Clock:
    """Gives each frame its timestamp from the start and a time that only moves forward.

    A timestamp that is missing, repeats or goes backwards is replaced by the previous time plus
    one frame at the average rate.
    """

    def __init__(self, stream: VideoStream, container_format: str) -> None:
        # AVI stores no presentation times: FFmpeg's are decoding times, out of order at B-frames.
        self._use_dts = container_format == "avi"
        self._origin = None if self._use_dts else stream.start_time
        self._tick = stream.time_base or 1 / _DEFAULT_RATE
        self._step = float(1 / frame_rate(stream))
        self._previous: float | None = None

    def read(self, frame: av.VideoFrame) -> tuple[int | None, float]:
        """The frame's pts from the start in ticks, None if it has none, and its time in seconds."""
        stamp = frame.dts if self._use_dts else frame.pts
        if stamp is not None:
            self._origin = stamp if self._origin is None else self._origin
            stamp -= self._origin
        time = None if stamp is None else float(stamp * self._tick)
        if self._previous is None:
            self._previous = max(0.0, time or 0.0)
        elif time is None or time <= self._previous:
            self._previous += self._step
        else:
            self._previous = time
        return stamp, self._previous


def duration(container: av.container.InputContainer, stream: VideoStream) -> float | None:
    """Seconds of the stream as its container tells them; None when it does not."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    # The container's word covers its longest stream, and in Matroska it counts from time zero.
    if container.duration and not container.streams.audio:
        return (container.duration - max(container.start_time or 0, 0)) / av.time_base
    return None
