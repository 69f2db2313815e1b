"""From what was typed to the videos it means: folders, wildcards and lists of files."""

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from minet_core.errors import InputError
from minet_core.text import read_text, shown
from minet_core.video.opening import is_url
from minet_core.video.pictures.folder import (
    Names,
    is_picture_pattern,
    matching,
    natural_order,
    others_in,
    pictures_of,
)
from minet_core.video.pictures.suffixes import VIDEOS
from minet_core.video.remote.store import is_in_store, videos_in

Tell = Callable[[str], None]
"""Called with what the user should know, a line each."""


def expand(
    inputs: Sequence[str], list_file: Path | None = None, tell: Tell = lambda _: None
) -> list[str]:
    """Every video that is meant, once each, in the order given.

    A folder of pictures is one video; a folder of videos is each of them, in natural order,
    without looking into its sub-folders. A name with `*`, `?` or `[` that is no file's is a
    pattern (`**` goes into sub-folders), whose suffix stands for upper and lower case; one for
    pictures, as `cam/*.jpg`, is one video.

    Args:
        inputs: files, folders, patterns, URLs, `-`. What a store has (`s3://bucket/day1/`) is
            given likewise, but for pictures.
        list_file: a text file with one of these a line, after `inputs`.
        tell: told of files in folders of videos that are none. (Of pictures, the reader tells.)

    Raises:
        InputError: the list cannot be read, a file or folder is missing, a folder has neither
            pictures nor videos, or has both, or a pattern matches nothing.
    """
    given = [*inputs, *(_listed(list_file) if list_file else ())]
    found: dict[str, str] = {}
    for name in given:
        for source in _sources(name, tell):
            found.setdefault(_identity(source), source)
    return list(found.values())


def _listed(list_file: Path) -> Iterator[str]:
    """Lines that are neither empty nor comments; paths are relative to the list's own folder."""
    try:
        lines = read_text(list_file, errors="surrogateescape").splitlines()
    except OSError as error:
        raise InputError(f"{shown(list_file)}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{shown(list_file)}: not a text file") from None
    for line in map(str.strip, lines):
        if line and not line.startswith("#"):
            yield line if line == "-" or is_url(line) else str(list_file.parent / line)


def _sources(name: str, tell: Tell) -> Iterable[str]:
    if is_in_store(name):
        return videos_in(name)
    if name == "-" or is_url(name) or is_picture_pattern(name):
        return [name]
    if Path(name).is_dir():
        return _of_folder(Path(name), tell)
    if glob.has_magic(name) and not os.path.lexists(name):
        return _of_pattern(name, tell)
    if not Path(name).exists():
        raise InputError(f"{shown(name)}: no such file or folder")
    return [name]


def _of_folder(folder: Path, tell: Tell) -> list[str]:
    pictures, others = _pictures_of(folder), others_in(folder)
    videos = [name for name in others if Path(name).suffix.lower() in VIDEOS]
    if pictures and videos:
        raise InputError(
            f"{shown(folder)}: has both pictures and videos ({shown(pictures[0].name)}, "
            f"{shown(videos[0])}); name those that are meant, such as folder/*.mp4"
        )
    if pictures:
        return [str(folder)]
    rest = Names(name for name in others if name not in videos)
    if not videos:
        has = f"; files that are neither: {rest}" if rest.count else ""
        raise InputError(f"{shown(folder)}: no pictures in this folder, and no videos{has}")
    if rest.count:
        tell(f"{shown(folder)}: files left out that are no videos: {rest}")
    return [str(folder / name) for name in videos]


def _pictures_of(folder: Path) -> list[Path]:
    try:
        return pictures_of(folder)
    except InputError:
        return []


def _of_pattern(pattern: str, tell: Tell) -> list[str]:
    paths = matching(pattern)
    if not paths:
        raise InputError(f"{shown(pattern)}: nothing matches")
    files = [path for path in paths if path.is_file()]
    # A folder stands for what is in it only where no file matches: `*` should not repeat `**`.
    if files:
        return _in_order(files)
    return [source for folder in _in_order(paths) for source in _of_folder(Path(folder), tell)]


def _in_order(paths: Iterable[Path]) -> list[str]:
    return [str(path) for path in sorted(paths, key=natural_order)]


def _identity(source: str) -> str:
    """Equal for two spellings of one file."""
    return source if source == "-" or is_url(source) else os.path.realpath(source)
