"""Opening files with FFmpeg, with every refusal as one line the user can act on.

FFmpeg's own messages stay off the terminal: PyAV installs a silent log callback when it is
imported, and nothing replaces it while decoders run (a Python callback can deadlock with theirs).
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import av.container
import av.error

from minet_core.errors import InputError, VideoOpenError
from minet_core.text import shown

StrPath = str | os.PathLike[str]

# FFmpeg takes any text with one of these endings for ASCII art.
_TEXT_FORMATS = {"tty"}


COPIES: dict[str, Path] = {}
"""Address → the file that has been fetched from there, while this process uses it."""


def copy_of(path: StrPath) -> StrPath:
    """The file to read for an address that has been fetched; any other name as it is."""
    return COPIES.get(os.fspath(path), path)


def is_url(path: StrPath) -> bool:
    """Whether FFmpeg should fetch it by a protocol rather than from the disk."""
    return isinstance(path, str) and "://" in path


def ffmpeg_url(path: StrPath) -> str:
    """The name by which FFmpeg opens a file or a URL.

    A local path gets an explicit protocol: FFmpeg would read one from a name such as `a:b.mp4`.
    """
    return os.fspath(path) if is_url(path) else f"file:{os.fspath(path)}"


def open_input(path: StrPath, data: Any = None) -> av.container.InputContainer:
    """Open a media file for reading.

    Args:
        path: a file, or a URL.
        data: what to read instead, if the path is but a name for it; the caller closes it.

    Raises:
        InputError: there is no such file, or it may not be read.
        VideoOpenError: FFmpeg does not know what it is.
    """
    name, path = shown(path), copy_of(path)
    if data is None and not is_url(path) and not Path(path).exists():
        raise InputError(f"{name}: no such file")
    try:
        # Tags in other encodings than UTF-8 are common in old files, and of no interest here.
        container = av.open(data or ffmpeg_url(path), metadata_errors="replace")
    except av.error.PermissionError:
        raise InputError(f"{name}: permission denied") from None
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoOpenError(f"{name}: {_refusal(path, error)}") from None
    if container.format.name in _TEXT_FORMATS:
        container.close()
        raise VideoOpenError(f"{name}: not a video (plain text)")
    return container


def _refusal(path: StrPath, error: Exception) -> str:
    """Why a file or an address cannot be opened."""
    if is_url(path):
        return f"cannot be read ({reason(error)})"
    if isinstance(error, av.error.InvalidDataError) and Path(path).is_file():
        with suppress(OSError), Path(path).open("rb") as file:
            if file.read(8)[4:] == b"ftyp":  # so all of them begin; the index is often at the end
                return "an mp4 or mov without its index: cut off, or never completed"
    return f"not a video ({reason(error)})"


def reason(error: Exception) -> str:
    """What FFmpeg or the system says of a failure, without error numbers and paths."""
    strerror: Any = getattr(error, "strerror", None)
    return str(strerror or error or type(error).__name__).lower()
