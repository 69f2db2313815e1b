"""Which entry of a task's data is the video: its name is the project's own choice."""

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from minet_core.errors import InputError

_VIDEOS = frozenset(
    f".{name}"
    for name in (
        *("3gp", "avi", "flv", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "ogg"),
        *("ogv", "ts", "webm", "wmv"),
    )
)


def video_key(data: dict[str, Any], name: str) -> str:
    """The key of the video: the one address of a video, else of a file, else of anything.

    Args:
        data: of a task.
        name: what errors call the file.

    Raises:
        InputError: there is none, or several could be it.
    """
    suffixes = {
        key: _suffix(value)
        for key, value in data.items()
        if isinstance(value, str) and "/" in value
    }
    files = [key for key, suffix in suffixes.items() if suffix]
    found = [key for key in files if suffixes[key] in _VIDEOS] or files or list(suffixes)
    if len(found) != 1:
        several = f"could be {' or '.join(found)}" if found else "is none of them"
        raise InputError(
            f"{name}: the data of a task has {', '.join(map(str, data)) or 'nothing'}, and the "
            f"video {several}; rename its key to video"
        )
    return found[0]


def _suffix(address: str) -> str:
    parts = urlsplit(address)
    served = parse_qs(parts.query).get("d", [unquote(parts.path)])
    return PurePosixPath(served[0]).suffix.lower()
