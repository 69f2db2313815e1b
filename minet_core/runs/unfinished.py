"""What a run keeps while it is not complete, so that another one can resume it.

It is a hidden folder inside the output folder. `checkpoint.json` in it says how many frames are
done, and how long each file was then: what was written later does not count. A run that is killed
leaves it as it is, at whatever moment that happens. Nothing here imports torch.
"""

import json
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from minet_core._version import __version__
from minet_core.files import is_locked, locked, one_line
from minet_core.publishing import move_up, remove_empty, replace_bytes
from minet_core.runs.manifest import MANIFEST, POSSIBLE_FILES, Manifest, read_manifest

UNFINISHED = ".minet-unfinished"
SCENES = ".minet-scenes"
"""Hidden folder with the scenes of a video that are looked at apart; they go with its result."""
_CHECKPOINT = "checkpoint.json"
_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A place in a video where a run can go on.

    Attributes:
        manifest: what the run was made from, and with which settings.
        frames: how many have been looked at.
        last_frame: index of the last of them.
        outputs: state of what writes the files.
        lengths: bytes of each file that counts, by its path inside the folder.
        versions: of what must be the same for old and new to fit together.
    """

    manifest: Manifest
    frames: int
    last_frame: int
    outputs: dict[str, Any]
    lengths: dict[str, int]
    versions: dict[str, str]

    @property
    def memory_file(self) -> str:
        """Name of the file with the detector's state."""
        return f"memory-{self.frames}.pt"


def versions() -> dict[str, str]:
    """Versions that the results of one video do not mix."""
    return {"minet": __version__, "torch": version("torch"), "av": version("av")}


@contextmanager
def open_unfinished(folder: Path) -> Iterator[Path]:
    """The hidden folder inside `folder`, made if missing, and locked against other runs.

    On leaving, by an exception too, it goes unless it can be resumed, and with it the
    folders that were made for it.

    Raises:
        OutputError: the folder cannot be made, or another process works in it.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    place = folder / UNFINISHED
    try:
        with one_line(folder):
            place.mkdir(parents=True, exist_ok=True)
        with locked(place / _LOCK):
            try:
                yield place
            finally:
                if not any((place / name).exists() for name in (_CHECKPOINT, MANIFEST)):
                    shutil.rmtree(place, ignore_errors=True)
    finally:
        remove_empty(missing)


def is_going_on(place: Path) -> bool:
    """Whether another process works in a hidden folder, which exists."""
    return is_locked(place / _LOCK)


def read_checkpoint(place: Path) -> Checkpoint | None:
    """The checkpoint of a hidden folder; None without one that can be read."""
    try:
        entries = json.loads((place / _CHECKPOINT).read_text(encoding="utf-8"))
        return Checkpoint(manifest=Manifest.from_json(entries.pop("manifest")), **entries)
    except (OSError, AttributeError, KeyError, TypeError, ValueError):
        return None


def obstacle(place: Path, checkpoint: Checkpoint, wanted: Manifest) -> str:
    """Why a run cannot resume from a checkpoint, in a few words; empty when it can."""
    if not checkpoint.manifest.is_same(wanted):
        return checkpoint.manifest.difference(wanted)
    if checkpoint.versions != versions():
        return "another version of minet, torch or PyAV"
    lengths = checkpoint.lengths.items()
    whole = all(_length(place / name) >= length for name, length in lengths)
    return "" if whole else "its files are damaged"


def save_checkpoint(place: Path, checkpoint: Checkpoint, memory: bytes) -> None:
    """Make a checkpoint the one to resume from; until this is done, the one before stays.

    Args:
        place: the hidden folder.
        checkpoint: its `lengths` without the memory's file.
        memory: the detector's state.

    Raises:
        OutputError: it cannot be written.
    """
    replace_bytes(place / checkpoint.memory_file, memory)
    checkpoint.lengths[checkpoint.memory_file] = len(memory)
    entries = {name: getattr(checkpoint, name) for name in Checkpoint.__slots__}
    entries["manifest"] = json.loads(checkpoint.manifest.to_json())
    replace_bytes(place / _CHECKPOINT, json.dumps(entries).encode())
    for file in place.glob("memory-*.pt"):
        if file.name != checkpoint.memory_file:
            file.unlink(missing_ok=True)


def clear(place: Path, checkpoint: Checkpoint | None) -> None:
    """Remove what does not count: everything, or what is newer than a checkpoint to resume from.

    Raises:
        OutputError: something cannot be removed.
    """
    with one_line(place):
        if checkpoint is None:
            # First, so that no checkpoint ever speaks of files that are gone.
            (place / _CHECKPOINT).unlink(missing_ok=True)
        counted = () if checkpoint is None else (_CHECKPOINT, *checkpoint.lengths)
        _keep_only(place, counted)


def publish(place: Path, manifest: Manifest) -> None:
    """Move the files of a complete run out of the hidden folder, all together.

    Files of an earlier run that this one has not made go, so that the folder never mixes two.
    The manifest comes last, and where a run is killed in between, `finish_publishing` goes on.

    Raises:
        OutputError: a file cannot be moved.
    """
    replace_bytes(place / MANIFEST, manifest.to_json().encode())
    finish_publishing(place)


def finish_publishing(place: Path) -> None:
    """Complete a `publish` that was interrupted, if there was one.

    Raises:
        OutputError: a file cannot be moved.
    """
    manifest, folder = read_manifest(place), place.parent
    if manifest is None:
        return
    with one_line(folder):
        move_up(place, folder, manifest.files, POSSIBLE_FILES)
        _keep_only(place, (MANIFEST,))
        (place / MANIFEST).replace(folder / MANIFEST)
    shutil.rmtree(folder / SCENES, ignore_errors=True)


def _keep_only(place: Path, names: Collection[str]) -> None:
    for path in sorted(place.rglob("*"), reverse=True):  # what is in a folder before the folder
        if path.is_dir():
            with suppress(OSError):
                path.rmdir()
        elif path.relative_to(place).as_posix() not in {_LOCK, *names}:
            path.unlink(missing_ok=True)


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
