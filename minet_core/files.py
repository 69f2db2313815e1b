"""Files that appear under their final name only when they are complete, and locks."""

import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator
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


class BytesFile(OutputFile):
    """Bytes on their way to a file."""

    def _open(self, path: Path, mode: str) -> IO[bytes]:
        return path.open(mode + "b")

    def write(self, content: bytes) -> int:
        """Add bytes."""
        with one_line(self._name):
            return self._file.write(content)


@contextmanager
def complete_text(path: Path) -> Iterator[TextFile]:
    """Write UTF-8 text under a temporary name beside `path`; rename it on a clean exit.

    After an exception nothing is left, and a file that was there before stays as it was.

    Raises:
        OutputError: the file cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    file = TextFile(part, name=path)
    try:
        yield file
        file.complete()
        with one_line(path):
            part.replace(path)
    finally:
        file.close()
        with suppress(OSError):
            part.unlink(missing_ok=True)


def replace_bytes(path: Path, content: bytes) -> None:
    """Write a small file so that at any moment it has either its old content or the new one.

    Raises:
        OutputError: it cannot be written; what was there stays.
    """
    part = path.with_name(f".{path.name}.part")
    with one_line(path):
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def complete_together(folder: Path, names: Collection[str], *, replace: bool) -> Iterator[Path]:
    """A hidden folder inside `folder` to write in: on a clean exit its files move up, all together.

    After an exception nothing is left: no file, and no folder that was made for it. Files that
    were there before stay as they were.

    Args:
        folder: made if missing.
        names: files that belong together. Those of an earlier run go when the new ones come, so
            that the folder never mixes two runs.
        replace: whether there may be such.

    Raises:
        OutputError: the folder cannot be written to, or holds files that may not be replaced.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    hidden = None
    try:
        with one_line(folder):
            folder.mkdir(parents=True, exist_ok=True)
            hidden = Path(tempfile.mkdtemp(prefix=".minet-", dir=folder))
        yield hidden
        # Looked at again: another run may have finished in the meantime.
        check_free(folder, names, replace=replace)
        with one_line(folder):
            made = sorted(file.name for file in hidden.iterdir())
            for name in made:
                (hidden / name).replace(folder / name)
            for name in set(names) - set(made):
                (folder / name).unlink(missing_ok=True)
    finally:
        if hidden is not None:
            shutil.rmtree(hidden, ignore_errors=True)
        remove_empty(missing)


def check_free(folder: Path, names: Collection[str], *, replace: bool) -> None:
    """See that results can go into a folder.

    Raises:
        OutputError: it is not a folder, or it holds results and they may not be replaced.
    """
    check_place(folder, names)
    there = [name for name in names if (folder / name).exists()]
    if there and not replace:
        raise OutputError(
            f"{folder} already has results ({', '.join(there)}); --overwrite replaces them"
        )


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove those of the folders that are empty, the innermost first; the others stay."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def check_place(folder: Path, names: Collection[str]) -> None:
    """See that files of these names could be made in a folder, which need not be there yet.

    Raises:
        OutputError: it is a file or may not be written to, or a folder has one of the names.
    """
    base = next(path for path in (folder, *folder.parents) if path.exists())
    if not base.is_dir():
        raise OutputError(f"cannot write {folder}: {base} is a file, not a folder")
    if not os.access(base, os.W_OK):
        raise OutputError(f"cannot write {folder}: permission denied")
    taken = [name for name in names if (folder / name).is_dir()]
    if taken:
        raise OutputError(f"{folder} has a folder where a result file belongs: {', '.join(taken)}")


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
