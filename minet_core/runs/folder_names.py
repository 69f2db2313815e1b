"""What the folder of a video's results is called."""

import os
from collections import Counter
from collections.abc import Sequence
from glob import has_magic
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from minet_core.files import numbered
from minet_core.video.opening import StrPath, is_url
from minet_core.video.pictures.folder import is_picture_pattern

_MOST_BYTES = 245
"""Of a folder's name; disks take 255."""


def folder_names(sources: Sequence[StrPath]) -> list[str]:
    """A folder name for each source: its name without suffix, whatever it takes to tell them apart.

    Sources of one name get their parent's in front; what is still equal is numbered. Case is
    looked through, as some disks do.

    >>> folder_names(["street.mp4", "a/cam.mp4", "b/cam.mp4", "b/cam.avi"])
    ['street', 'a-cam', 'b-cam', 'b-cam-2']
    """
    stems = [stem_of(source) for source in sources]
    bearers = Counter(stem.casefold() for stem in stems)
    names = [
        stem if bearers[stem.casefold()] == 1 else f"{_parent(source)}{stem}"
        for source, stem in zip(sources, stems, strict=True)
    ]
    taken: set[str] = set()
    return [numbered(_fitting(name), taken) for name in names]


def _fitting(name: str) -> str:
    """A name as long as disks take it, where a number may come behind it."""
    while len(os.fsencode(name)) > _MOST_BYTES:
        name = name[:-1]
    return name


def stem_of(source: StrPath) -> str:
    """A source's name without suffix, fit for a folder."""
    path = _path(source)
    name = path.name if not is_stream(source) and path.is_dir() else path.stem
    return name if name.strip(".") else "video"  # "..." of "....mp4" is no name for a folder


def _parent(source: StrPath) -> str:
    parent = _path(source).parent.name
    return f"{parent}-" if parent else ""


def _path(source: StrPath) -> Path:
    """The source as a path with a name, even where it was given as `.` or with a query."""
    if source == "-":
        return Path("stdin")
    if is_url(source):
        return Path(PurePath(urlsplit(str(source)).path))
    if is_picture_pattern(source):
        # The folder of the pictures, or the nearest above it that has no wildcard in its name.
        return next(path for path in Path(source).absolute().parents if not has_magic(path.name))
    return Path(source).resolve()


def is_stream(source: StrPath) -> bool:
    """Whether it is read once: standard input, or an address."""
    return source == "-" or is_url(source)
