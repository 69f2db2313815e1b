"""Outputs that appear when they are complete, and replace no file but those of earlier exports."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from minet_core.errors import OutputError
from minet_core.files import one_line
from minet_core.publishing import check_place, hidden_folder, remove_empty, replace_bytes
from minet_core.text import shown

LISTING = ".minet-export.json"
"""In an output folder: which files each output has made, so that a later one can take them away."""


class ThereAlreadyError(OutputError):
    """Files are there that may not be replaced."""


Files = Mapping[str, list[str]]
"""Output → paths of its files, relative to the output folder, with slashes."""


@contextmanager
def published(folder: Path, *, replace: bool) -> Iterator[Path]:
    """A hidden folder inside `folder`, with a folder for each output to be made in it by the user.

    What is in `hidden/OUTPUT/` at a clean exit moves to `folder`. After an exception nothing is
    left, neither a file nor a folder that was made for it, and what was there stays as it was.

    Args:
        folder: made if missing.
        replace: whether files that are there may be replaced. Those that an earlier run listed
            under the same outputs go, so that two runs do not mix; others stay.

    Raises:
        OutputError: the folder cannot be written to, or has files that may not be replaced.
    """
    check_place(folder, ())
    with hidden_folder(folder) as hidden:
        yield hidden
        made = outputs_in(hidden)
        check_free(folder, made, replace=replace)
        with one_line(folder):
            _move(hidden, folder, made)


def outputs_in(hidden: Path) -> dict[str, list[str]]:
    """The files of each output in a hidden folder."""
    made = {}
    for output in sorted(hidden.iterdir()):
        files = sorted(path for path in output.rglob("*") if path.is_file())
        made[output.name] = [path.relative_to(output).as_posix() for path in files]
    return made


def check_free(folder: Path, outputs: Files, *, replace: bool) -> None:
    """See that files can go into a folder.

    Raises:
        ThereAlreadyError: there are some already, and they may not be replaced.
        OutputError: there are folders in their place.
    """
    for path in (folder / file for files in outputs.values() for file in files):
        if path.is_dir():
            raise OutputError(f"{shown(path)}: a folder is where a file belongs")
        if path.exists() and not replace:
            raise ThereAlreadyError(f"{shown(path)} exists already; --overwrite replaces it")
        blocked = next((above for above in path.parents if above.is_file()), None)
        if blocked is not None:
            raise OutputError(f"{shown(blocked)}: a file is where a folder belongs")


def _move(hidden: Path, folder: Path, outputs: Files) -> None:
    listed = _read_listing(folder)
    for output, files in outputs.items():
        for file in set(listed.get(output, ())) - set(files):
            with suppress(OSError):
                (folder / file).unlink()
                remove_empty(path for path in (folder / file).parents if folder in path.parents)
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (hidden / output / file).replace(folder / file)
    replace_bytes(folder / LISTING, json.dumps({**listed, **outputs}, indent=1).encode())


def _read_listing(folder: Path) -> dict[str, list[str]]:
    """What earlier exports have listed; a listing of something else, or none, lists nothing."""
    try:
        listed = json.loads((folder / LISTING).read_text(encoding="utf-8"))
        entries = {str(output): [str(file) for file in files] for output, files in listed.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
    inside = folder.resolve()
    return {
        output: [file for file in files if inside in (folder / file).resolve().parents]
        for output, files in entries.items()
    }
