"""A folder of pictures, read as a video."""

import glob
import re
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path
from typing import Unpack

import av
from av.error import FFmpegError

from minet_core.errors import ConfigError, InputError, VideoOpenError
from minet_core.video.base import FrameReader
from minet_core.video.colours import RgbConverter
from minet_core.video.info import Image, VideoFrame, VideoInfo
from minet_core.video.positions import FramePicker, Part
from minet_core.video.source import StrPath, is_url, shown

_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


class FolderReader(FrameReader):
    """Pictures as frames, in natural order (`9.jpg` before `10.jpg`).

    The frame index is the place in that order, so a picture that cannot be decoded leaves a gap:
    it is skipped and counted. Pictures of another size than the first are scaled to it.

    Args:
        path: the folder, whose sub-folders are not looked into, or a pattern (`cam/*.jpg`).
        frame_rate: frames per second, which pictures cannot know.
        part: which frames to read, see `Part`.

    Raises:
        InputError: there is no picture.
        VideoOpenError: none of its pictures can be decoded.
        ConfigError: the settings can select nothing.
    """

    def __init__(
        self,
        path: StrPath,
        *,
        frame_rate: Fraction | int = 30,
        **part: Unpack[Part],
    ) -> None:
        super().__init__(path, FramePicker(**part))
        if not frame_rate > 0:
            raise ConfigError(f"the frame rate must be positive, not {frame_rate}")
        self._files = pictures_of(path)
        self._convert = RgbConverter()
        self._broken = 0
        self._first_broken = ""
        self._info = self._facts(path, Fraction(frame_rate))

    @property
    def info(self) -> VideoInfo:
        """Facts known before reading; the size is the first picture's."""
        return self._info

    @property
    def corrupt_packets(self) -> int:
        """Pictures that could not be decoded and were skipped."""
        return self._broken

    @property
    def warnings(self) -> list[str]:
        """What went wrong up to now without stopping the reading, a line each."""
        lines = []
        if self._broken:
            lines.append(
                f"pictures skipped that cannot be decoded: {self._broken} "
                f"(the first is {self._first_broken})"
            )
        if self._convert.resized:
            size = f"{self._info.width}×{self._info.height}"
            lines.append(f"pictures of other sizes scaled to {size}: {self._convert.resized}")
        return lines

    def _facts(self, path: StrPath, rate: Fraction) -> VideoInfo:
        for file in self._files:
            frame = _decode(file)
            if frame is not None:
                height, width = self._convert(frame).shape[:2]
                return VideoInfo(
                    path=str(path),
                    width=width,
                    height=height,
                    frame_rate=rate,
                    frames=len(self._files),
                    duration=float(len(self._files) / rate),
                    time_base=1 / rate,
                    rotation=0,
                    has_audio=False,
                    variable_frame_rate=False,
                    codec=file.suffix[1:].lower(),
                )
        raise VideoOpenError(
            f"{self._name}: none of its {len(self._files)} pictures can be decoded"
        )

    def _read(self) -> Generator[VideoFrame, None, None]:
        for index, file in enumerate(self._files):
            time = float(index / self._info.frame_rate)
            if self._picker.is_past(index, time):
                break
            if self._picker.takes(index, time) and (image := self._picture(file)) is not None:
                yield VideoFrame(index, index, time, image)
        self._check_not_empty(len(self._files), self._info.duration or 0.0)

    def _picture(self, file: Path) -> Image | None:
        frame = _decode(file)
        if frame is None:
            self._broken += 1
            self._first_broken = self._first_broken or shown(file.name)
            return None
        return self._convert(frame)


def is_picture_pattern(path: StrPath) -> bool:
    """Whether this is a name with wildcards for pictures, such as `cam/*.jpg`, and no file's."""
    pattern = Path(path)
    wild = glob.has_magic(str(pattern)) and pattern.suffix.lower() in _SUFFIXES
    return wild and not is_url(path) and not pattern.exists()


def pictures_of(path: StrPath) -> list[Path]:
    """The pictures of a folder, or of a pattern, in natural order.

    Raises:
        InputError: the folder cannot be listed, or there is no picture.
    """
    if is_picture_pattern(path):
        files, where = [Path(name) for name in glob.glob(str(path), recursive=True)], "match this"  # noqa: PTH207
    else:
        files, where = _listed(Path(path)), "in this folder"
    # A leading dot marks files the user does not see, such as macOS's `._1.jpg`.
    pictures = [f for f in files if f.suffix.lower() in _SUFFIXES and not f.name.startswith(".")]
    if not pictures:
        kinds = " ".join(sorted(_SUFFIXES))
        raise InputError(f"{shown(path)}: no pictures {where} ({kinds})")
    return sorted(pictures, key=natural_order)


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise InputError(f"{shown(folder)}: {error.strerror}".lower()) from None


def natural_order(file: Path) -> tuple[list[tuple[int, str]], str]:
    """Sort key that reads runs of digits as numbers; the name itself settles ties."""
    parts = re.findall(r"(\d+)|(\D+)", str(file).lower(), re.ASCII)
    return [(int(digits), "") if digits else (-1, text) for digits, text in parts], str(file)


def read_picture(file: Path) -> Image | None:
    """One picture of its own size, upright, in RGB; None when there is none to decode."""
    frame = _decode(file)
    return None if frame is None else RgbConverter()(frame)


def _decode(file: Path) -> av.VideoFrame | None:
    # FFmpeg gets an open file, not a name, in which it would read `%03d` as a pattern.
    try:
        with file.open("rb") as data, av.open(data, "r", metadata_errors="replace") as container:
            return next(container.decode(video=0), None)
    except (FFmpegError, OSError, ValueError, IndexError):
        return None
