"""Buckets and servers, by fsspec: what they have, and which version of it.

An address that FFmpeg can read too (https) is one of a file only where the server tells how long it
is, and the library for it is there; all others FFmpeg reads as streams, once and from the front.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from minet_core.errors import InputError
from minet_core.text import shown
from minet_core.video.opening import StrPath, is_url
from minet_core.video.pictures.folder import natural_order
from minet_core.video.pictures.suffixes import VIDEOS

_WEB = {"http", "https"}
_STREAMS = {"ftp", "sftp", "smb", "file", "local", "data"}
"""Other protocols of fsspec that FFmpeg reads, or that are none of a store."""
_VERSIONS = (
    *("ETag", "etag", "md5Hash", "blob_id", "sha256", "LastModified", "last_modified"),
    *("mtime", "created", "Last-Modified"),
)
"""What stores call that by which a file differs from an earlier one, the surest first."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store says of a file.

    Attributes:
        bytes: of it.
        version: which is another one when the file is; empty where the store does not tell.
    """

    bytes: int
    version: str


_known: dict[str, Stored | None] = {}


def is_in_store(address: StrPath) -> bool:
    """Whether an address is of a store that fsspec reads, and FFmpeg does not."""
    if not is_url(address):
        return False
    from fsspec import available_protocols

    protocol = str(address).partition("://")[0].lower()
    return protocol in set(available_protocols()) - _WEB - _STREAMS


def file_system(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it.

    Raises:
        InputError: the library for it is missing, or it cannot be reached.
    """
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(address)
    except ImportError as error:
        raise InputError(f"{shown(address)}: {in_one_line(error)}") from None
    except Exception as error:
        raise InputError(f"{shown(address)}: cannot be read ({in_one_line(error)})") from None
    return system, path


def stored(source: StrPath) -> Stored | None:
    """What a store says of a file, asked once; None for what is read as it comes.

    Raises:
        InputError: there is no such file, or the store cannot be reached.
    """
    address = os.fspath(source)
    if not is_url(address):
        return None
    if address not in _known:
        _known[address] = _asked(address)
    return _known[address]


def _asked(address: str) -> Stored | None:
    web = address.partition("://")[0].lower() in _WEB
    is_file = Path(urlsplit(address).path).suffix.lower() in VIDEOS  # and no list of a stream
    if not (is_in_store(address) or (web and is_file)):
        return None
    try:
        system, path = file_system(address)
        info = system.info(path)
    except FileNotFoundError:
        raise InputError(f"{shown(address)}: no such file") from None
    except Exception as error:
        if web:  # FFmpeg may know better, and says what is wrong
            return None
        if isinstance(error, InputError):
            raise
        raise InputError(f"{shown(address)}: cannot be read ({in_one_line(error)})") from None
    if info.get("type") == "directory":
        raise InputError(f"{shown(address)}: a folder, not a file")
    return _told_by(info)


def _told_by(info: dict[str, Any]) -> Stored | None:
    if info.get("size") is None:
        return None
    version = next((str(info[name]) for name in _VERSIONS if info.get(name)), "")
    return Stored(int(info["size"]), version)


def videos_in(address: str) -> list[str]:
    """Videos that an address means: itself, those of a pattern, or those in a folder.

    Raises:
        InputError: there is none, or the store cannot be reached.
    """
    suffix = Path(address).suffix.lower()
    if "*" not in address and suffix in VIDEOS:
        return [address]
    system, path = file_system(address)
    try:
        if "*" in address:
            found = system.glob(path, detail=True)
        else:
            found = {info["name"]: info for info in system.ls(path, detail=True)}
    except FileNotFoundError:
        found = {}
    except Exception as error:
        raise InputError(f"{shown(address)}: cannot be read ({in_one_line(error)})") from None
    videos = {}
    for name, info in found.items():
        if info["type"] == "file" and Path(name).suffix.lower() in VIDEOS:
            videos[system.unstrip_protocol(name)] = _told_by(info)
    if not videos:
        raise InputError(f"{shown(address)}: no videos there")
    _known.update(videos)
    return sorted(videos, key=lambda name: natural_order(Path(name)))


def in_one_line(error: Exception) -> str:
    """What a library says of a failure, in one line."""
    text = " ".join(str(error).split())
    return text[:200] or type(error).__name__
