"""Frames of a video file, upright, in RGB, with times one can trust."""

import shlex
from collections.abc import Generator
from contextlib import ExitStack, closing
from fractions import Fraction
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Unpack

import av
from av.error import FFmpegError

from minet_core.errors import ConfigError, VideoOpenError
from minet_core.text import shown
from minet_core.video.frame_reader import FrameReader
from minet_core.video.info import Image, VideoFrame, VideoInfo
from minet_core.video.opening import StrPath, open_input, reason
from minet_core.video.part import FramePicker, Part
from minet_core.video.pictures.folder import FolderReader, is_pictures
from minet_core.video.pictures.picture import is_animated_webp
from minet_core.video.reading.colours import RgbConverter
from minet_core.video.reading.mark import Mark, digest
from minet_core.video.reading.orientation import orientation
from minet_core.video.reading.packets import PacketCounts, decode
from minet_core.video.reading.standard_input import open_standard_input
from minet_core.video.reading.streams import passed_over, video_stream
from minet_core.video.reading.timing import (
    ClockState,
    StreamClock,
    duration,
    frame_rate,
    is_variable,
    start_of,
)


def open_video(
    path: StrPath,
    *,
    folder_rate: Fraction | int = 30,
    stream: int | None = None,
    mark: Mark | None = None,
    **part: Unpack[Part],
) -> FrameReader:
    """Open a video file, a URL, `-` for standard input, or pictures.

    Args:
        path: what to read; pictures are given as a folder, or as a pattern such as `cam/*.jpg`.
        folder_rate: frames per second of pictures, which know none.
        stream: number of the video stream to read, of a file that has several.
        mark: a frame to begin with, of an earlier reading of the same file.
        part: which frames to read, see `Part`.

    Raises:
        InputError: it is missing or unreadable, or there is no picture.
        VideoOpenError: it is not a video, or has no such stream.
        ConfigError: the settings can select nothing.
    """
    if is_pictures(path):
        if stream is not None:
            raise ConfigError(f"{shown(path)}: pictures have no stream {stream}")
        return FolderReader(path, frame_rate=folder_rate, **part)
    reader = VideoReader(path, stream=stream, **part)
    if mark is None or reader.go_to(mark):
        return reader
    reader.close()
    return VideoReader(path, stream=stream, **part)


_EARLIER = (0.0, 10.0)
"""Seconds before a frame from which it is looked for: containers find keyframes well or badly."""

_REORDERED = 4
"""Frames by which the last packet of a file can be before or behind the last one shown."""


class VideoReader(FrameReader):
    """Frames of a file, a URL or `-` (standard input), decoded by FFmpeg.

    Frames are turned upright, and keep the size of the first one: where a stream changes its
    size, later frames are scaled, so that boxes mean the same pixels throughout. Damaged packets
    are skipped and counted. A part of a video is reached by decoding from the beginning, the only
    way in which a frame's index is certain unless it was read before; the frames left out are not
    converted to RGB.

    Args:
        path: what to read.
        stream: number of the stream to read; None: see `video_stream`.
        part: which frames to read, see `Part`.

    Raises:
        InputError: there is no such file, or it may not be read.
        VideoOpenError: it is not a video, or not one frame of it can be decoded.
        ConfigError: the settings can select nothing.
    """

    def __init__(
        self,
        path: StrPath,
        *,
        stream: int | None = None,
        **part: Unpack[Part],
    ) -> None:
        super().__init__(path, FramePicker(**part))
        self._path = path
        self._tally = PacketCounts()
        self._convert = RgbConverter()
        self._last_time = 0.0
        self._held = 0.0
        self._mark: Mark | None = None
        self._last: tuple[av.VideoFrame, ClockState] | None = None
        self._passed = 0
        self._decoded: Generator[av.VideoFrame, None, None]
        self._open(stream)

    @property
    def info(self) -> VideoInfo:
        """Facts known before reading."""
        return self._info

    @property
    def corrupt_packets(self) -> int:
        """Packets that could not be decoded and were skipped."""
        return self._tally.corrupt

    @property
    def warnings(self) -> list[str]:
        """What went wrong up to now without stopping the reading, a line each."""
        lines = [self._others] if self._others else []
        if self._tally.corrupt:
            lines.append(f"damaged packets skipped: {self._tally.corrupt}")
        if self._tally.gave_up:
            lines.append(f"reading stopped at {self._last_time:.2f} s: too much damage in a row")
        elif self._cut_short():
            lines.append(
                f"the last frame is at {self._last_time:.2f} s of {self._promised:.2f} s: "
                "the file seems to be cut short"
            )
        if self._convert.resized:
            size = f"{self._info.width}×{self._info.height}"
            lines.append(f"frames of other sizes scaled to {size}: {self._convert.resized}")
        return lines

    def mark(self, frame: VideoFrame) -> Mark | None:  # noqa: D102
        read, clock = self._last or (None, None)
        if read is None or clock is None or read.pts is None or self._path == "-":
            return None
        return Mark(frame.index, read.pts, clock, digest(frame.image))

    def go_to(self, mark: Mark) -> bool:
        """Begin with a frame of an earlier reading; whether it was found, else nothing is read.

        It is looked for by its timestamp, and its picture has to be the very same: then it was
        decoded from a keyframe as from the beginning.
        """
        self._mark = mark
        return any(self._sought(mark, seconds) for seconds in _EARLIER)

    def _sought(self, mark: Mark, seconds: float) -> bool:
        self._decoded.close()
        self._tally = PacketCounts()
        tick = self._stream.time_base or Fraction(1)
        try:
            self._container.seek(mark.stamp - int(seconds / tick), stream=self._stream)
        except FFmpegError:
            return False
        self._decoded = self._decode_all()
        for before, frame in enumerate(self._decoded):
            if frame.pts is None or frame.pts > mark.stamp:
                return False
            if frame.pts == mark.stamp and digest(self._picture(frame)) == mark.digest:
                self._first, self._passed = frame, mark.index - before
                return True
        return False

    def close(self) -> None:
        """Stop reading and let the file go; harmless when done twice."""
        super().close()
        self._decoded.close()
        self._files.close()

    def _read(self) -> Generator[VideoFrame, None, None]:
        clock = StreamClock(self._stream, self._container.format)
        if self._mark is not None:
            clock.restore(self._mark.clock)
        frames = chain([self._first], self._decoded, [None])
        last, begin = self._first, self._mark.index if self._mark else 0
        for index, (frame, following) in enumerate(pairwise(frames), begin):
            assert frame is not None
            last, self._last = frame, (frame, clock.save())
            pts, self._last_time = clock.read(frame, following)
            if self._picker.is_past(index, self._last_time):
                break
            if self._picker.takes(index, self._last_time):
                yield VideoFrame(index, pts, self._last_time, self._picture(frame))
        else:
            self._finish(last)
        self._check_not_empty(self._tally.frames, self._last_time)

    def _open(self, stream: int | None, dead: tuple[int, ...] = ()) -> None:
        """Open the file up to its first frame; where a stream has none, try the others."""
        with ExitStack() as files:
            data = None
            if self._path == "-":
                data = files.enter_context(closing(open_standard_input()))
            self._container = files.enter_context(open_input(self._path, data))
            self._stream = video_stream(self._container, self._name, stream, dead)
            self._others = ""
            if stream is None:
                self._others = passed_over(self._container, self._stream, dead)
            self._promised = duration(self._container, self._stream)
            self._decoded = self._decode_all()
            # Only a frame tells its rotation and true size, and whether this is a video at all.
            first = next(self._decoded, None)
            if first is not None:
                self._first, self._info = first, self._facts(first)
                self._files = files.pop_all()
                return
            self._decoded.close()
            dead = (*dead, self._stream.index)  # which is gone with the container
            others = {each.index for each in self._container.streams.video} - {*dead}
            if stream is not None or not others or not Path(self._path).is_file():
                raise VideoOpenError(f"{self._name}: {self._why_nothing()}")
        self._tally = PacketCounts()
        self._open(stream, dead)

    def _why_nothing(self) -> str:
        if self._path != "-" and is_animated_webp(Path(self._path)):
            names = self._path, Path(self._path).with_suffix(".gif")
            return (
                "FFmpeg does not decode animated WebP; make a GIF of it: python -c "
                '"import sys; from PIL import Image; '
                'Image.open(sys.argv[1]).save(sys.argv[2], save_all=True)" '
                + " ".join(shlex.quote(shown(name)) for name in names)
            )
        return "not a video (no frame of it can be decoded)"

    def _finish(self, last: av.VideoFrame) -> None:
        """See how long the last frame is shown: for seconds, where its packet says so."""
        step, tick = float(1 / self._info.frame_rate), self._info.time_base
        stamp = last.dts if last.pts is None else last.pts
        if stamp is not None and self._tally.end is not None:
            self._held = float((self._tally.end - stamp) * tick)
        self._end = self._last_time + step
        latest = self._last_time + self._held + _REORDERED * step
        if self._promised is not None and self._held > 2 * step and self._promised <= latest:
            self._end = max(self._end, self._promised)

    def _decode_all(self) -> Generator[av.VideoFrame, None, None]:
        """Every frame of the stream, the tail decoded again where decoder threads lost it."""
        yield from decode(self._container, self._stream, self._tally, "AUTO")
        if not self._tally.lost_tail or not Path(self._path).is_file():
            return
        seen, self._tally = self._passed + self._tally.frames, PacketCounts()
        with open_input(self._path) as again:
            stream = video_stream(again, self._name, self._stream.index)
            yield from islice(decode(again, stream, self._tally, "SLICE"), seen, None)

    def _picture(self, frame: av.VideoFrame) -> Image:
        try:
            return self._convert(frame)
        except FFmpegError as error:
            raise VideoOpenError(
                f"{self._name}: {frame.format.name} pixels cannot be shown ({reason(error)})"
            ) from None

    def _facts(self, first: av.VideoFrame) -> VideoInfo:
        height, width = self._picture(first).shape[:2]
        rate, stored = frame_rate(self._stream), orientation(first)
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        estimate = self._promised and round(self._promised * rate)
        start_time, delay = start_of(self._container, self._stream, first)
        return VideoInfo(
            path=str(self._path),
            width=width,
            height=height,
            frame_rate=rate,
            frames=self._stream.frames or estimate or None,
            duration=self._promised,
            time_base=self._stream.time_base or 1 / rate,
            rotation=stored.rotation,
            has_audio=bool(self._container.streams.audio),
            variable_frame_rate=is_variable(self._stream),
            codec=self._stream.codec_context.name,
            mirrored=stored.mirrored,
            pixel_aspect=1 / aspect if stored.swaps_sides else aspect,
            start_time=start_time,
            delay=delay,
            stream=self._stream.index,
        )

    def _cut_short(self) -> bool:
        """Whether the file ended well before the time its header promises."""
        if self._end is None or self._promised is None:
            return False
        missing = self._promised - self._last_time - max(self._held, 0)
        return missing > max(_REORDERED / float(self._info.frame_rate), 0.01 * self._promised)
