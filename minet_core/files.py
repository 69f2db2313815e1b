"""Files on their way to the disk, and locks."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from minet_core.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows: runs are not kept apart there
    fcntl = None  # type: ignore[assignment]


class OutputFile:
    """A file that is being written; what the disk refuses becomes one clear line.

    Args:
        path: where to write.
        keep: bytes of what is there to keep and go on after; None begins anew.
        name: what errors call it, if not by its path.

    Raises:
        OutputError: on opening, writing or completing, it cannot be done.
    """

    def __init__(self, path: Path, *, keep: int | None = None, name: Path | None = None) -> None:
        self._name: Path = name or path
        with one_line(self._name):
            self._file = self._open(path, "w" if keep is None else "r+")
            if keep is not None:
                self._file.truncate(keep)
                self._file.seek(0, os.SEEK_END)

    def _open(self, path: Path, mode: str) -> IO[Any]:
        raise NotImplementedError

    def sync(self) -> int:
        """Bring everything to the disk; how many bytes that is since the file began."""
        with one_line(self._name):
            self._file.flush()
            os.fsync(self._file.fileno())
            return os.fstat(self._file.fileno()).st_size

    def complete(self) -> None:
        """Bring everything to the disk and close the file."""
        self.sync()
        with one_line(self._name):
            self._file.close()

    def close(self) -> None:
        """Let the file go, whatever became of it; harmless when done twice."""
        with suppress(OSError):
            self._file.close()


class TextFile(OutputFile):
    """UTF-8 text on its way to a file."""

    def _open(self, path: Path, mode: str) -> IO[str]:
        # A file name that is not UTF-8 gets through: in JSON as an escape that reads back.
        return path.open(mode, encoding="utf-8", errors="backslashreplace", newline="\n")

    def write(self, text: str) -> int:
        """Add text."""
        try:  # not one_line: called for each row of a table
            return self._file.write(text)
        except OSError as error:
            raise _refused(self._name, error) from None

    def lines(self) -> Iterator[str]:
        """What the file has up to now, a line each."""
        with one_line(self._name):
            self._file.flush()
            with open(self._file.name, encoding="utf-8", newline="\n") as written:  # noqa: PTH123
                yield from written


class BytesFile(OutputFile):
    """Bytes on their way to a file."""

    def _open(self, path: Path, mode: str) -> IO[bytes]:
        return path.open(mode + "b")

    def write(self, content: bytes) -> int:
        """Add bytes."""
        with one_line(self._name):
            return self._file.write(content)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that the system lets go of when this process ends, however it ends.

    Args:
        path: of the lock's file, in a folder that its owner may remove while holding the lock.

    Raises:
        OutputError: another process holds it, or the file cannot be made.
    """
    with one_line(path.parent):
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if fcntl is not None:
            _lock(file, path)
        yield
    finally:
        os.close(file)


def is_locked(path: Path) -> bool:
    """Whether another process holds the lock of that file, which exists."""
    try:
        with locked(path):
            return False
    except OutputError:
        return True


def _lock(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A lock on a file that its owner has just removed would keep nobody out.
        held = path.exists() and os.path.samestat(os.fstat(file), path.stat())
    except BlockingIOError:
        held = False
    except OSError:
        return  # a file system without locks
    if not held:
        raise OutputError(f"{path.parent.parent}: another minet is writing there")


@contextmanager
def one_line(path: Path) -> Iterator[None]:
    """Turn what the system refuses into one line.

    Raises:
        OutputError: in place of any OSError.
    """
    try:
        yield
    except OSError as error:
        raise _refused(path, error) from None


def _refused(path: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write {path}: {error.strerror or error}")


def numbered(name: str, taken: set[str]) -> str:
    """The name, with a number behind it where it is taken but for case; taken from now on."""
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{name}-{number}"
    taken.add(candidate.casefold())
    return candidate
