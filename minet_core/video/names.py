"""Names of videos in paths and addresses, as any system or tool has written them."""

import re
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import parse_qs, unquote, urlsplit

from minet_core.video.opening import is_url

_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_UPLOAD = re.compile(r"(?:.*/)?upload/(?:\d+/)?[0-9a-f]{8}-([^/]+)")
"""Where Label Studio keeps a file that was uploaded: its name behind eight digits."""

_LOCAL_FILES = "/data/local-files/"
"""Where Label Studio serves files of its disk, their path in the query."""


def parts_of(source: str) -> tuple[str, ...]:
    """Folders and name of a video, the name last; empty where there is none.

    Windows paths are paths on any system. Of an address the path counts, and what Label Studio
    puts before the name of an uploaded file is no part of it.

    >>> parts_of("cam1/GH01.mp4"), parts_of("D:\\\\cam1\\\\GH01.mp4")[1:]
    (('cam1', 'GH01.mp4'), ('cam1', 'GH01.mp4'))
    >>> parts_of("/data/upload/1/5f3c2a1b-GH01.mp4")
    ('GH01.mp4',)
    """
    if _DRIVE.match(source) or ("\\" in source and "/" not in source):
        return PureWindowsPath(source).parts
    path = _path_in(source) if is_url(source) else source
    if upload := _UPLOAD.fullmatch(path):
        return (upload[1],)
    return PurePosixPath(path).parts


def stem_of(source: str) -> str:
    """The name of a video without folders and suffix."""
    parts = parts_of(source)
    return PurePosixPath(parts[-1]).stem if parts else ""


def likeness(named: str, source: str) -> tuple[bool, int] | None:
    """How much of their path two videos have in common, from the end; None if not even a name.

    Args:
        named: path or address of a video that is there.
        source: path, address or bare name of the one that is looked for.

    Returns:
        Whether suffixes are the same too, and how many folders. More is better.
    """
    ours, theirs = parts_of(named), parts_of(source)
    if not (ours and theirs):
        return None
    name, wanted = ours[-1], theirs[-1]
    same = wanted in (name, _as_uploaded(name))
    if not same and wanted != stem_of(named) and stem_of(wanted) != stem_of(named):
        return None
    folders = 0
    for one, other in zip(reversed(ours[:-1]), reversed(theirs[:-1]), strict=False):
        if one != other:
            break
        folders += 1
    return same, folders


def _path_in(address: str) -> str:
    parts = urlsplit(address)
    served = parse_qs(parts.query).get("d") if parts.path.endswith(_LOCAL_FILES) else None
    return served[0] if served else unquote(parts.path)


def _as_uploaded(name: str) -> str:
    """A file's name as Label Studio's server stores it: without most signs, `_` for blanks."""
    return re.sub(r"[^-\w.]", "", name.strip().replace(" ", "_"))
