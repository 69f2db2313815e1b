"""H.264 videos that appear under their name only when they are complete."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.container
from av.codec.codec import UnknownCodecError
from av.error import FFmpegError
from av.video.stream import VideoStream

from minet_core.errors import InputError, OutputError
from minet_core.video.audio import CopiedSound, EncodedSound, Sound
from minet_core.video.colours import YuvConverter, tag_stream
from minet_core.video.info import Image
from minet_core.video.source import StrPath, ffmpeg_url, reason, shown

# Sharp enough to judge boxes by, at a fraction of the default preset's time.
_OPTIONS = {"libx264": {"crf": "21", "preset": "veryfast"}, "mpeg4": {"qmin": "2", "qmax": "5"}}

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
        self._file: _Mp4 | None = None

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
        with _one_line(self._path):
            if self._file is None:
                self._file = self._create(self._path, image, time)
            self._file.write(image, time)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._path is None or self._file is None:
            return
        file, self._file = self._file, None
        try:
            if exc is None:
                with _one_line(self._path):
                    file.finish()
                    file.path.replace(self._path)
        finally:
            file.discard()

    def _create(self, path: Path, image: Image, start: float) -> "_Mp4":
        part = path.with_name(f".{path.name}.part")
        if self._audio_from is not None:
            try:
                return self._with_sound(part, self._audio_from, image, start)
            except InputError as error:
                self.warnings.append(f"the sound is left out: {error}")
            except (FFmpegError, ValueError) as error:
                self.warnings.append(f"the sound is left out: it is damaged ({reason(error)})")
        return _Mp4(part, self._settings, image, start, None, self.warnings)

    def _with_sound(self, part: Path, source: StrPath, image: Image, start: float) -> "_Mp4":
        """The file with the source's sound: copied, or encoded again where it has to be."""
        copied = CopiedSound(source, start)
        try:
            return _Mp4(part, self._settings, image, start, copied, self.warnings)
        except (FFmpegError, ValueError):
            encoded = EncodedSound(source, start)
            file = _Mp4(part, self._settings, image, start, encoded, self.warnings)
        self.warnings.append(f"the sound is encoded again, as AAC: mp4 cannot hold {copied.codec}")
        return file


@dataclass(frozen=True, slots=True)
class _Settings:
    codec: str
    frame_rate: Fraction
    tick: Fraction
    pixel_aspect: Fraction


class _Mp4:
    """The file being written: pictures and, perhaps, sound."""

    def __init__(
        self,
        path: Path,
        settings: _Settings,
        image: Image,
        start: float,
        sound: Sound | None,
        warnings: list[str],
    ) -> None:
        self.path = path
        self._settings = settings
        self._start = start
        self._sound = sound
        self.warnings = warnings
        self._size = image.shape
        self._convert = YuvConverter()
        self._next_pts = 0
        # The index goes to the front, so that a browser can start before it has all.
        self._container = av.open(
            ffmpeg_url(path), "w", format="mp4", container_options={"movflags": "+faststart"}
        )
        try:
            self._stream = self._add_pictures()
            if sound is not None:
                sound.attach(self._container)
            self._container.start_encoding()
        except BaseException:
            self.discard()
            raise

    def write(self, image: Image, time: float) -> None:
        if image.shape != self._size:
            raise ValueError(f"a picture of shape {image.shape} in a video of {self._size}")
        frame = self._convert(image)
        tick = self._settings.tick
        frame.time_base = tick
        frame.pts = max(round((time - self._start) / tick), self._next_pts)
        frame.duration = round(1 / self._settings.frame_rate / tick)
        self._next_pts = frame.pts + 1
        self._container.mux(self._stream.encode(frame))
        self._mux_sound(time - self._start)

    def finish(self) -> None:
        """Write what the encoder holds, the last sound and the index."""
        self._container.mux(self._stream.encode(None))
        self._mux_sound(float(self._next_pts * self._settings.tick + 1 / self._settings.frame_rate))
        self._container.close()

    def discard(self) -> None:
        """Let everything go and remove the file if it is still under its temporary name."""
        if self._sound is not None:
            self._sound.close()
        with suppress(FFmpegError):
            self._container.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _add_pictures(self) -> VideoStream:
        settings = self._settings
        height, width = self._size[:2]
        stream = self._container.add_stream(
            settings.codec, rate=settings.frame_rate, options=dict(_OPTIONS.get(settings.codec, {}))
        )
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = settings.tick
        stream.codec_context.sample_aspect_ratio = settings.pixel_aspect
        tag_stream(stream)
        return stream

    def _mux_sound(self, until: float) -> None:
        if self._sound is None:
            return
        try:
            for packet in self._sound.packets(until):
                self._container.mux(packet)
        except ValueError as error:  # what FFmpeg says of the packet, not of the disk
            self.warnings.append(
                f"the sound ends before {until:.2f} s: it is damaged ({reason(error)})"
            )
            self._sound.close()
            self._sound = None


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


@contextmanager
def _one_line(path: Path) -> Iterator[None]:
    try:
        yield
    except (FFmpegError, OSError) as error:
        raise OutputError(f"{shown(path)}: cannot be written ({reason(error)})") from None
