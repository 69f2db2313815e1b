"""H.264 videos that appear under their name only when they are complete."""

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.codec.codec import UnknownCodecError
from av.container import OutputContainer
from av.video.stream import VideoStream

from minet_core.video.info import Image
from minet_core.video.opening import StrPath
from minet_core.video.reading.colours import YuvConverter, tag_stream
from minet_core.video.writing.mp4 import Mp4File, open_mp4, writing_errors

_OPTIONS = {
    "libx264": {
        # Sharp enough to judge boxes by, at a fraction of the default preset's time.
        "crf": "21",
        "preset": "veryfast",
        # The same pictures must give the same packets on every machine, so that a resumed run
        # equals one that was left alone. Left to itself, x264 cuts a picture into as many slices
        # as there are cores.
        "threads": "4",
        "thread_type": "frame",
        # And it spreads costs over neighbouring blocks by SIMD code that rounds as the processor
        # does. With AVX-512 that code takes blocks beyond the end of a row into account, unless
        # the width is a multiple of 128 pixels: what it adds is what memory held before.
        "x264-params": "cpu-independent=1",
    },
    "mpeg4": {"qmin": "2", "qmax": "5", "threads": "1"},
}

_DEFAULT_TICK = Fraction(1, 90_000)
# MPEG-4 part 2 counts the ticks of a second in 16 bits.
_MPEG4_TICK = Fraction(1, 60_000)


class VideoWriter:
    """Writes RGB pictures as an mp4 (H.264, yuv420p, BT.709), each with its own time.

    A context manager that does nothing when its path is None. The file is made at the first
    picture, under a temporary name beside the final one, and renamed on a clean exit; after an
    exception, or without a picture, nothing is left. A file of that name is replaced.

    Args:
        path: the mp4 to write, or None.
        frame_rate: frames per second, on average; it decides how long the last one is shown.
        time_base: the source's, so that its timestamps are kept exactly.
        audio_from: a file whose sound goes with the pictures, in step with their times. What mp4
            cannot hold is encoded again.
        pixel_aspect: width to height of a pixel as it is to be shown.
        codec: an encoder of FFmpeg; MPEG-4 part 2 takes its place where it is missing.

    Attributes:
        warnings: what could not be done as asked, a line each.

    Raises:
        OutputError: on exit, the file cannot be completed.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        frame_rate: Fraction,
        time_base: Fraction = _DEFAULT_TICK,
        audio_from: StrPath | None = None,
        pixel_aspect: Fraction = Fraction(1),
        codec: str = "libx264",
    ) -> None:
        self._path = path
        self._codec, self.warnings = _available(codec)
        self._settings = _Settings(
            self._codec, frame_rate, _fine(time_base, self._codec), pixel_aspect
        )
        self._audio_from = audio_from
        self._file: Mp4File | None = None
        self._encoder: _Encoder | None = None

    def write(self, image: Image, time: float) -> None:
        """Add a picture.

        Args:
            image: (height, width, 3) RGB, of the first picture's size; where a side is odd, its
                last line is doubled.
            time: seconds at which it is shown, later than the picture before. The first one is
                shown at once whatever its time, so that a part of a video starts right away.

        Raises:
            OutputError: the file cannot be written.
            ValueError: the picture is of another size than the first.
        """
        if self._path is None:
            return
        with writing_errors(self._path):
            if self._file is None or self._encoder is None:
                self._encoder = _Encoder(self._settings, image, time)
                self._file = open_mp4(
                    self._path,
                    self._encoder.add_stream,
                    self.warnings,
                    audio_from=self._audio_from,
                    start=time,
                )
            self._encoder.write(self._file, image, time)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._path is None or self._file is None or self._encoder is None:
            return
        file, self._file = self._file, None
        try:
            if exc is None:
                with writing_errors(self._path):
                    self._encoder.finish(file)
                    file.complete(self._path)
        finally:
            file.discard()


@dataclass(frozen=True, slots=True)
class _Settings:
    codec: str
    frame_rate: Fraction
    tick: Fraction
    pixel_aspect: Fraction


class _Encoder:
    """Pictures on their way into the stream of one file."""

    def __init__(self, settings: _Settings, image: Image, start: float) -> None:
        self._settings = settings
        self._size = image.shape
        self._start = start
        self._convert = YuvConverter()
        self._next_pts = 0

    def add_stream(self, container: OutputContainer) -> VideoStream:
        settings = self._settings
        height, width = self._size[:2]
        stream = container.add_stream(
            settings.codec, rate=settings.frame_rate, options=dict(_OPTIONS.get(settings.codec, {}))
        )
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = settings.tick
        stream.codec_context.sample_aspect_ratio = settings.pixel_aspect
        tag_stream(stream)
        return stream

    def write(self, file: Mp4File, image: Image, time: float) -> None:
        if image.shape != self._size:
            raise ValueError(f"a picture of shape {image.shape} in a video of {self._size}")
        frame = self._convert(image)
        tick = self._settings.tick
        frame.time_base = tick
        frame.pts = max(round((time - self._start) / tick), self._next_pts)
        frame.duration = round(1 / self._settings.frame_rate / tick)
        self._next_pts = frame.pts + 1
        file.mux(file.stream.encode(frame), until=time - self._start)

    def finish(self, file: Mp4File) -> None:
        """Write what the encoder holds, and the sound to the end of the last picture."""
        end = float(self._next_pts * self._settings.tick + 1 / self._settings.frame_rate)
        file.mux(file.stream.encode(None), until=end)


def _available(codec: str) -> tuple[str, list[str]]:
    """An encoder that this FFmpeg has, and a line about it if it is not the one asked for."""
    try:
        av.Codec(codec, "w")
    except UnknownCodecError:
        return "mpeg4", [f"this FFmpeg has no {codec}: the video is written as MPEG-4 part 2"]
    return codec, []


def _fine(time_base: Fraction, codec: str) -> Fraction:
    """Ticks of at most 0.1 ms that divide those of `time_base`, within what mp4 can count."""
    if codec == "mpeg4":
        return _MPEG4_TICK
    per_second = time_base.denominator
    if per_second > 1_000_000:
        return _DEFAULT_TICK
    return Fraction(1, per_second * math.ceil(10_000 / per_second))
