"""One MOTChallenge sequence on the disk: its pictures, seqinfo.ini and names of classes."""

import re
from configparser import ConfigParser
from configparser import Error as IniError
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from minet_core.datasets.pictures import PictureFiles, Pictures, PictureVideo
from minet_core.errors import InputError
from minet_core.text import read_text, shown
from minet_core.video.pictures.folder import pictures_of
from minet_core.video.reading.video_reader import VideoReader

_VIDEO_SUFFIXES = {".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg"}


@dataclass(frozen=True, slots=True)
class SequenceInfo:
    """What seqinfo.ini says; None where it does not.

    Attributes:
        pictures: folder of the pictures, below the sequence.
        frame_rate: frames per second.
        length: number of frames.
        size: (width, height) in pixels.
    """

    pictures: str = "img1"
    frame_rate: Fraction | None = None
    length: int | None = None
    size: tuple[int, int] | None = None


def find_sequences(root: Path, split: str = "val") -> list[Path]:
    """Folders of the sequences, sorted by name.

    Raises:
        InputError: there is none.
    """
    if _is_sequence(root):
        return [root]
    for folder in (root, root / split):
        if folder.is_dir():
            found = sorted(path for path in folder.iterdir() if _is_sequence(path))
            if found:
                return found
    raise InputError(
        f"{shown(root)}: no MOTChallenge sequence here (a folder with img1/, gt/ or seqinfo.ini)"
    )


def read_seqinfo(path: Path) -> SequenceInfo:
    """Read seqinfo.ini; all unknown where there is none.

    Raises:
        InputError: it is malformed.
    """
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(path, encoding="utf-8-sig")
        section = parser["Sequence"] if parser.has_section("Sequence") else {}
        rate, length = section.get("frameRate"), section.get("seqLength")
        width, height = section.get("imWidth"), section.get("imHeight")
        return SequenceInfo(
            pictures=section.get("imDir") or "img1",
            frame_rate=_positive(Fraction(rate)) if rate else None,
            length=int(_positive(Fraction(length))) if length else None,
            size=(int(width), int(height)) if width and height else None,
        )
    except (IniError, ValueError, ZeroDivisionError) as error:
        raise InputError(f"{shown(path)}: {' '.join(str(error).split())}") from None


def class_names(folder: Path, root: Path) -> tuple[str, ...] | None:
    """Names of classes 1, 2, … of a sequence; None where no file tells.

    Raises:
        InputError: the file cannot be read, or a name appears twice.
    """
    candidates = (folder / "gt/labels.txt", folder / "classes.txt", root / "classes.txt")
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        return None
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{shown(path)}: cannot be read") from None
    # Lists with numbers (`3 car`) are common; a name may well begin with another number.
    names = tuple(
        re.sub(rf"^{number}[\s:,.]+", "", line.strip()) for number, line in enumerate(lines, 1)
    )
    if not names or len(set(names)) != len(names):
        raise InputError(f"{shown(path)}: the names of classes are missing or not unique")
    return names


def sequence_pictures(folder: Path, info: SequenceInfo, last: int) -> tuple[Pictures, Fraction]:
    """The pictures of a sequence, and the frame rate where seqinfo.ini knows none.

    Args:
        folder: of the sequence.
        info: what its seqinfo.ini says.
        last: number of frames where nothing else tells it.

    Raises:
        InputError: there is a video that cannot be read, or a folder of other files than pictures.
    """
    rate, pictures = Fraction(30), folder / info.pictures
    # Datumaro makes the folder even where it writes no pictures.
    if pictures.is_dir() and any(pictures.iterdir()):
        return _numbered(pictures_of(pictures), info.length), rate
    videos = sorted(p for p in folder.iterdir() if p.suffix.lower() in _VIDEO_SUFFIXES)
    if videos:
        with VideoReader(videos[0]) as reader:
            facts = reader.info
        return PictureVideo(videos[0], info.length or facts.frames or last), facts.frame_rate
    # Results can be scored without pictures.
    count = info.length or last
    return PictureFiles(count, lambda index: pictures / f"{index + 1:06d}.jpg"), rate


def _numbered(files: list[Path], length: int | None) -> PictureFiles:
    """Pictures by the number in their name, so that one that is missing shifts no other.

    Names count from 1, or from 0 where there is a 0. Where names are no numbers, the natural
    order counts.
    """
    if not all(file.stem.isdecimal() for file in files):
        return PictureFiles(length or len(files), lambda index: _nth(files, index))
    base = 0 if int(files[0].stem) == 0 else 1
    by_number = {int(file.stem) - base: file for file in files}
    first = files[0]
    return PictureFiles(
        length or max(by_number) + 1,
        lambda index: by_number.get(index, first.with_stem(f"{index + base:0{len(first.stem)}d}")),
    )


def _nth(files: list[Path], index: int) -> Path:
    return files[index] if index < len(files) else files[-1].with_stem(f"picture {index + 1}")


def _is_sequence(folder: Path) -> bool:
    parts = ("seqinfo.ini", "img1", "gt/gt.txt")
    return folder.is_dir() and any((folder / part).exists() for part in parts)


def _positive(value: Fraction) -> Fraction:
    if value <= 0:
        raise ValueError(f"{value} is not positive")
    return value
