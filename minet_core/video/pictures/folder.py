"""A folder of pictures, read as a video."""

import glob
import re
from collections.abc import Generator, Iterable, Sequence
from fnmatch import fnmatch
from fractions import Fraction
from pathlib import Path
from typing import Unpack

from minet_core.errors import ConfigError, InputError, VideoOpenError
from minet_core.text import shown
from minet_core.video.frame_reader import FrameReader
from minet_core.video.info import Image, VideoFrame, VideoInfo
from minet_core.video.opening import StrPath, is_url
from minet_core.video.part import FramePicker, Part
from minet_core.video.pictures.picture import PictureError, load_picture
from minet_core.video.pictures.suffixes import PICTURES, VIDEOS

_FEW = 5
"""Names that stand in one line."""


class Names:
    """Counts files and knows the first of them, to be told in one line.

    Attributes:
        count: how many there are.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.count = 0
        self._first: list[str] = []
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Count one more."""
        self.count += 1
        if self.count <= _FEW:
            self._first.append(shown(name))

    def __str__(self) -> str:
        more = ", …" if self.count > _FEW else ""
        return f"{self.count} ({', '.join(self._first)}{more})"


class FolderReader(FrameReader):
    """Pictures as frames, in natural order (`9.jpg` before `10.jpg`), each in its own size.

    The frame index is the place in that order, so a picture that cannot be decoded leaves a gap:
    it is skipped and named.

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
        self._left_out = Names(others_in(path))
        self._broken, self._of_many, self._resized = Names(), Names(), Names()
        self._advice = ""
        self._info = self._facts(path, Fraction(frame_rate))

    @property
    def info(self) -> VideoInfo:
        """Facts known before reading; the size is the first picture's."""
        return self._info

    @property
    def corrupt_packets(self) -> int:
        """Pictures that could not be decoded and were skipped."""
        return self._broken.count

    @property
    def warnings(self) -> list[str]:
        """What went wrong up to now without stopping the reading, a line each."""
        size = f"{self._info.width}×{self._info.height}"
        named = {
            "files that are not pictures, left out": self._left_out,
            "pictures skipped that cannot be decoded": self._broken,
            "files of several pictures, of which the first is taken": self._of_many,
            f"pictures of other sizes than {size}, with boxes in their own": self._resized,
        }
        lines = [f"{what}: {names}" for what, names in named.items() if names.count]
        return [*lines, *([self._advice] if self._advice else [])]

    def _facts(self, path: StrPath, rate: Fraction) -> VideoInfo:
        for file in self._files:
            try:
                height, width = load_picture(file).image.shape[:2]
            except PictureError as error:
                self._advice = self._advice or str(error)
            else:
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
                    pictures=tuple(picture_names(path, self._files)),
                )
        raise VideoOpenError(
            f"{self._name}: none of its {len(self._files)} pictures can be decoded"
            f"{f' ({self._advice})' if self._advice else ''}"
        )

    def _read(self) -> Generator[VideoFrame, None, None]:
        for index, file in enumerate(self._files):
            time = float(index / self._info.frame_rate)
            if self._picker.is_past(index, time):
                break
            if self._picker.takes(index, time) and (image := self._picture(file)) is not None:
                yield VideoFrame(index, index, time, image)
        else:
            self._end = self._info.duration
        self._check_not_empty(len(self._files), self._info.duration or 0.0)

    def _picture(self, file: Path) -> Image | None:
        try:
            picture = load_picture(file)
        except PictureError as error:
            self._broken.add(file.name)
            self._advice = self._advice or str(error)
            return None
        if picture.of_many:
            self._of_many.add(file.name)
        if picture.image.shape[:2] != (self._info.height, self._info.width):
            self._resized.add(file.name)
        return picture.image


def is_pictures(source: StrPath) -> bool:
    """Whether this is a folder, or a pattern for pictures."""
    return is_picture_pattern(source) or (not is_url(source) and Path(source).is_dir())


def is_picture_pattern(path: StrPath) -> bool:
    """Whether this is a name with wildcards for pictures, such as `cam/*.jpg`, and no file's."""
    pattern = Path(path)
    if is_url(path) or not glob.has_magic(str(pattern)) or pattern.exists():
        return False
    suffix = pattern.suffix.lower()
    return _is_one_of(PICTURES, suffix) and not _is_one_of(VIDEOS, suffix)


def _is_one_of(suffixes: frozenset[str], pattern: str) -> bool:
    return any(fnmatch(suffix, pattern) for suffix in suffixes)


def matching(pattern: StrPath) -> list[Path]:
    """What a pattern matches, its suffix in upper and lower case: cameras write either."""
    stem, dot, suffix = str(pattern).rpartition(".")
    if suffix.isalnum() and suffix.isascii():
        suffix = "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else c for c in suffix)
    return [Path(name) for name in glob.glob(f"{stem}{dot}{suffix}", recursive=True)]  # noqa: PTH207


def pictures_of(path: StrPath) -> list[Path]:
    """The pictures of a folder, or of a pattern, in natural order.

    Raises:
        InputError: the folder cannot be listed, or there is no picture.
    """
    if is_picture_pattern(path):
        files, where = matching(path), "match this"
    else:
        files, where = _listed(Path(path)), "in this folder"
    pictures = [file for file in files if _is_picture(file)]
    if not pictures:
        kinds = " ".join(sorted(PICTURES))
        raise InputError(f"{shown(path)}: no pictures {where} ({kinds})")
    return sorted(pictures, key=natural_order)


def folder_of(path: StrPath) -> Path:
    """The folder that names of pictures are relative to; of a pattern, the part without signs."""
    if not is_picture_pattern(path):
        return Path(path)
    return next(above for above in Path(path).parents if not glob.has_magic(str(above)))


def picture_names(path: StrPath, files: Sequence[Path] | None = None) -> list[str]:
    """Names of the pictures of a folder, or of a pattern, relative to it, in natural order.

    Args:
        path: the folder or pattern.
        files: its pictures, where they are known.

    Raises:
        InputError: there is no picture.
    """
    files, folder = pictures_of(path) if files is None else files, folder_of(path)
    return [file.relative_to(folder).as_posix() for file in files]


def order_line(names: Sequence[str], *, by_name: bool = False) -> str:
    """Which order was taken, where natural order and that of names differ; else nothing.

    Args:
        names: in natural order.
        by_name: whether the order of names was taken.
    """
    other = sorted(names)
    if other == list(names):
        return ""
    first = ", ".join(map(shown, (other if by_name else names)[:3]))
    order = "the order of their names" if by_name else "natural order"
    return f"its pictures are counted in {order}: {first}, …"


def others_in(path: StrPath) -> list[str]:
    """Names of the files in a folder that are no pictures; none of a pattern.

    Raises:
        InputError: the folder cannot be listed.
    """
    if is_picture_pattern(path):
        return []
    files = sorted(_listed(Path(path)), key=natural_order)
    return [f.name for f in files if not (_is_picture(f) or _is_hidden(f)) and f.is_file()]


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in PICTURES and not _is_hidden(file)


def _is_hidden(file: Path) -> bool:
    """Whether it is one that the user does not see, such as macOS's `._1.jpg`."""
    return file.name.startswith(".")


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise InputError(f"{shown(folder)}: {error.strerror}".lower()) from None


def natural_order(file: Path) -> tuple[list[tuple[int, str]], str]:
    """Sort key that reads runs of digits as numbers; the name itself settles ties."""
    parts = re.findall(r"(\d+)|(\D+)", str(file).lower(), re.ASCII)
    return [(int(digits), "") if digits else (-1, text) for digits, text in parts], str(file)
