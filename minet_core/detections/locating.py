"""Where the file with one video's boxes is. Nothing here imports torch."""

from collections.abc import Collection, Sequence
from pathlib import Path

from minet_core.errors import InputError
from minet_core.text import shown

DETECTIONS = ("det/det.txt", "det.txt", "detections.csv", "result.json")
RESULTS = ("result.json", "detections.csv", "mot.txt")
"""Files looked for in a video's folder, the first that is there counts."""

_SUFFIXES = (".json", ".csv", ".txt")


def find_stored(place: Path, video: str, names: Sequence[str], *, single: bool) -> Path:
    """The file of one video.

    Args:
        place: the file itself, or a folder with a folder or file for each video.
        video: its name; of one with slashes, the last part will do.
        names: files looked for in the video's folder.
        single: whether the dataset has this video alone, so that a file or a folder without its
            name is meant for it.

    Raises:
        InputError: there is none.
    """
    if place.is_file():
        if single:
            return place
        raise InputError(f"{shown(place)}: one file, but the dataset has several videos")
    stems = dict.fromkeys((video, video.rpartition("/")[2]))
    candidates = [place / stem / name for stem in stems for name in names]
    candidates += [place / (stem + suffix) for stem in stems for suffix in _SUFFIXES]
    if single:
        candidates += [place / name for name in names]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    stem = list(stems)[-1]
    raise InputError(
        f"{shown(place)}: nothing for the video {video} (looked for {stem}/{names[0]}, "
        f"{stem}.txt and the like)"
    )


def named(
    path: Path, names: Sequence[str] | None, numbers: Collection[int], first: int = 1
) -> tuple[str, ...]:
    """Names of the classes that a file has, from the first on.

    Args:
        path: the file, for messages.
        names: of all classes; None for names that are the numbers.
        numbers: of classes in the file.
        first: number of the first class.

    Raises:
        InputError: a class has no name.
    """
    most = max(numbers, default=first)
    if names is None:
        names = [f"class {number}" for number in range(first, most + 1)]
    last = first + len(names) - 1
    if min(numbers, default=first) < first or most > last:
        raise InputError(f"{shown(path)}: classes must be from {first} to {last}")
    return tuple(names)
