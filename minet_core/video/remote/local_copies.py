"""Copies of files that lie elsewhere, in a bounded folder that all processes of a machine share."""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from minet_core.errors import InputError
from minet_core.files import one_line
from minet_core.text import shown
from minet_core.video.opening import COPIES, StrPath
from minet_core.video.remote.store import file_system, in_one_line, stored

try:
    import fcntl
except ImportError:  # Windows: runs there must not share the folder
    fcntl = None  # type: ignore[assignment]

CACHE = "MINET_CACHE"
"""Environment variable: the folder, if not the user's own of all programs."""
_WAIT = 0.2
"""Seconds from one look for room, or for a file in use, to the next."""


def cache_folder() -> Path:
    """Where copies of files that lie elsewhere are kept."""
    if own := os.environ.get(CACHE):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "minet"


@contextmanager
def fetched(source: StrPath, most: int) -> Iterator[None]:
    """Have a file that lies elsewhere on this machine, as `copy_of` tells, while this lasts.

    Copies stay for a next time until others need their room.

    Args:
        source: an address; of anything else nothing is fetched.
        most: bytes that all copies may take. Where others are in use, this waits for them.

    Raises:
        InputError: it cannot be fetched, or is larger than that.
        OutputError: the folder of copies cannot be written to.
    """
    facts, address = stored(source), os.fspath(source)
    if facts is None or address in COPIES:
        yield
        return
    if facts.bytes > most:
        raise InputError(
            f"{shown(address)}: has {facts.bytes / 1e9:.1f} GB, and --cache is {most / 1e9:.1f}"
        )
    key = hashlib.sha256(f"{address}\n{facts}".encode()).hexdigest()[:32]
    with _held(cache_folder() / "videos" / key) as place:
        file = place / Path(address).name
        if not (file.exists() and file.stat().st_size == facts.bytes):
            _make_room(place, facts.bytes, most)
            _fetch(address, file, facts.bytes)
        os.utime(place)
        COPIES[address] = file
        try:
            yield
        finally:
            del COPIES[address]


def _fetch(address: str, file: Path, size: int) -> None:
    part = file.with_name(f"{file.name}.part")
    system, path = file_system(address)
    try:
        system.get_file(path, str(part))
    except Exception as error:
        raise InputError(f"{shown(address)}: cannot be read ({in_one_line(error)})") from None
    if part.stat().st_size != size:
        raise InputError(
            f"{shown(address)}: {part.stat().st_size} bytes came of {size}; was it replaced?"
        )
    part.replace(file)


def _make_room(place: Path, size: int, most: int) -> None:
    """Claim room for a copy; the oldest that nobody uses go for it."""
    claim = place / "bytes"
    while True:
        with _held(place.parent / "room"):
            others = sorted(place.parent.glob("*/bytes"), key=lambda each: _changed(each.parent))
            claims = {each.parent: _number(each) for each in others if each != claim}
            taken = sum(claims.values())
            for other, bytes_ in claims.items():
                if taken + size > most and _removed(other):
                    taken -= bytes_
            if taken + size <= most:
                claim.write_text(str(size))
                return
        time.sleep(_WAIT)


def _removed(place: Path) -> bool:
    """Remove a copy unless it is in use."""
    with suppress(OSError):
        file = (place / "lock").open("w")
        with file:
            if not _lock(file, wait=False):
                return False
            shutil.rmtree(place, ignore_errors=True)
    return not place.exists()


def _changed(place: Path) -> float:
    with suppress(OSError):
        return place.stat().st_mtime
    return 0.0


def _number(file: Path) -> int:
    with suppress(OSError, ValueError):
        return int(file.read_text())
    return 0


@contextmanager
def _held(place: Path) -> Iterator[Path]:
    """A folder that this process alone works in; others wait.

    Raises:
        OutputError: it cannot be made.
    """
    while True:
        with one_line(place):
            place.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError), one_line_but_gone(place):
            file = (place / "lock").open("w")
            if _lock(file, wait=True):
                break
            file.close()
    with file:
        yield place


@contextmanager
def one_line_but_gone(place: Path) -> Iterator[None]:
    """As `one_line`; that a folder has just been removed is let through.

    Raises:
        OutputError: in place of any other OSError.
        FileNotFoundError: as it is.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        with one_line(place):
            raise error


def _lock(file: IO[str], *, wait: bool) -> bool:
    """Whether the lock is held, of a file that has not been removed in the meantime."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return os.path.samestat(os.fstat(file.fileno()), Path(file.name).stat())
    except (BlockingIOError, FileNotFoundError):
        return False
    except OSError:
        return True  # a file system without locks
