"""Files that appear under their final name only when they are complete."""

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from minet_core.errors import OutputError


class TextFile:
    """Text on its way to a file; what the disk refuses becomes one clear line.

    Raises:
        OutputError: on opening, writing or completing, it cannot be done.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.part")
        with _one_line(path):
            # A file name that is not UTF-8 gets through: in JSON as an escape that reads back.
            self._file = self._part.open(
                "w", encoding="utf-8", errors="backslashreplace", newline="\n"
            )

    def write(self, text: str) -> int:
        """Add text."""
        with _one_line(self._path):
            return self._file.write(text)

    def complete(self) -> None:
        """Bring everything to the disk and the file to its name."""
        with _one_line(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.replace(self._path)

    def discard(self) -> None:
        """Let go of what was not completed."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)


@contextmanager
def complete_text(path: Path) -> Iterator[TextFile]:
    """Write UTF-8 text under a temporary name beside `path`; rename it on a clean exit.

    After an exception nothing is left, and a file that was there before stays as it was.

    Raises:
        OutputError: the file cannot be written.
    """
    file = TextFile(path)
    try:
        yield file
        file.complete()
    finally:
        file.discard()


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
        with _one_line(folder):
            folder.mkdir(parents=True, exist_ok=True)
            hidden = Path(tempfile.mkdtemp(prefix=".minet-", dir=folder))
        yield hidden
        # Looked at again: another run may have finished in the meantime.
        check_free(folder, names, replace=replace)
        with _one_line(folder):
            made = sorted(file.name for file in hidden.iterdir())
            for name in made:
                (hidden / name).replace(folder / name)
            for name in set(names) - set(made):
                (folder / name).unlink(missing_ok=True)
    finally:
        if hidden is not None:
            shutil.rmtree(hidden, ignore_errors=True)
        for path in missing:
            with suppress(OSError):
                path.rmdir()  # only an empty one can go


def check_free(folder: Path, names: Collection[str], *, replace: bool) -> None:
    """See that results can go into a folder.

    Raises:
        OutputError: it is not a folder, or it holds results and they may not be replaced.
    """
    there = [name for name in names if (folder / name).exists()]
    base = next(path for path in (folder, *folder.parents) if path.exists())
    if not base.is_dir():
        raise OutputError(f"cannot write {folder}: {base} is a file, not a folder")
    if not os.access(base, os.W_OK):
        raise OutputError(f"cannot write {folder}: permission denied")
    if any((folder / name).is_dir() for name in there):
        raise OutputError(f"{folder} has a folder where a result file belongs: {', '.join(there)}")
    if there and not replace:
        raise OutputError(
            f"{folder} already has results ({', '.join(there)}); --overwrite replaces them"
        )


@contextmanager
def _one_line(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
