"""Write hidden, then publish: a file gets its name when it is complete, and not before."""

import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from minet_core.errors import OutputError
from minet_core.files import TextFile, one_line


@contextmanager
def complete_text(path: Path) -> Iterator[TextFile]:
    """Write UTF-8 text under a temporary name beside `path`; rename it on a clean exit.

    After an exception nothing is left, and a file that was there before stays as it was.

    Raises:
        OutputError: the file cannot be written.
    """
    part = _part(path)
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


def replace_bytes(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Write a small file so that at any moment it has either its old content or the new one.

    Args:
        path: of the file.
        content: all of it.
        sync: whether it is on the disk when this returns, a power cut or not.

    Raises:
        OutputError: it cannot be written; what was there stays.
    """
    part = _part(path)
    with one_line(path):
        try:
            with part.open("wb") as file:
                file.write(content)
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def hidden_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder inside `folder`, which is made if missing.

    On leaving, it goes with all that is still in it, and so do the folders that were made for it
    and are empty.

    Raises:
        OutputError: the folder cannot be written to.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    hidden = None
    try:
        with one_line(folder):
            folder.mkdir(parents=True, exist_ok=True)
            hidden = Path(tempfile.mkdtemp(prefix=".minet-", dir=folder))
        yield hidden
    finally:
        if hidden is not None:
            shutil.rmtree(hidden, ignore_errors=True)
        remove_empty(missing)


@contextmanager
def complete_folder(path: Path) -> Iterator[Path]:
    """A hidden folder that becomes `path`, which is not there yet, on a clean exit.

    Raises:
        OutputError: it cannot be written.
    """
    with hidden_folder(path.parent) as hidden:
        made = hidden / path.name
        made.mkdir()
        yield made
        with one_line(path):
            made.replace(path)


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
    with hidden_folder(folder) as hidden:
        yield hidden
        # Looked at again: another run may have finished in the meantime.
        check_free(folder, names, replace=replace)
        move_up(hidden, folder, sorted(file.name for file in hidden.iterdir()), names)


def move_up(hidden: Path, folder: Path, made: Collection[str], names: Collection[str]) -> None:
    """Move files out of a hidden folder; what an earlier run made of the same names goes.

    Where this is stopped midway, to call it again completes it.

    Args:
        hidden: has the files, or those that were not moved before.
        folder: where they belong.
        made: names of all files of this run.
        names: of all that a run can make.

    Raises:
        OutputError: a file cannot be moved.
    """
    with one_line(folder):
        for name in made:
            if (hidden / name).exists():
                (hidden / name).replace(folder / name)
        for name in set(names) - set(made):
            (folder / name).unlink(missing_ok=True)


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


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove those of the folders that are empty, the innermost first; the others stay."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")
