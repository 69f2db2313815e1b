"""List files of ImageNet VID: which snippets, and which of their frames, make a split.

Four kinds are in use, told apart by their columns:

    val/ILSVRC2015_val_00000000 1 0 464         snippet, id, first frame, length   (FGFA, val)
    val/ILSVRC2015_val_00000000 1 17 464        snippet, id, frame, length         (MEGA, val)
    train/…/ILSVRC2015_train_00000000 1 10 300  snippet, 1, frame, length          (15 frames each)
    val/ILSVRC2015_val_00000000/000017 18       frame, id                          (official)

Frames count from 0. A four-column list that names each snippet once, from frame 0, is of the
first kind, where a line stands for a whole video; in the others a line is one frame.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from minet_core.errors import InputError
from minet_core.text import shown

_SPLITS = ("train/", "val/", "test/")


@dataclass(frozen=True, slots=True, eq=False)
class Snippet:
    """A video of a list.

    Attributes:
        name: path of the snippet below Data/VID, with the split: `val/ILSVRC2015_val_00000000`.
        length: number of its frames, or None where the list does not tell.
        chosen: (M,) int64 0-based frames that the list names, sorted; None for all.
    """

    name: str
    length: int | None
    chosen: NDArray[np.int64] | None


def read_vid_list(path: Path, split: str) -> list[Snippet]:
    """Snippets of a list file, in the order of their first lines.

    Args:
        path: of the list.
        split: what to put before names that do not begin with one, as in the official lists.

    Raises:
        InputError: it cannot be read, is empty, or has a line that is none of the kinds.
    """
    lines: dict[str, list[int]] = {}
    lengths: dict[str, int | None] = {}
    columns = 0
    for number, parts in _lines(path):
        columns = columns or len(parts)
        if len(parts) != columns:
            _fail(path, number, f"it has {len(parts)} columns, the lines above have {columns}")
        try:
            name, frame, length = _row(parts)
        except ValueError:
            _fail(path, number, "neither `snippet id frame length` nor `snippet/frame id`")
        name = name if name.startswith(_SPLITS) else f"{split}/{name}"
        if lengths.setdefault(name, length) != length:
            _fail(path, number, f"it gives {name} another length than the lines above")
        lines.setdefault(name, []).append(frame)
    if not lines:
        raise InputError(f"{shown(path)}: the list is empty")
    return list(_snippets(lines, lengths))


def _snippets(lines: dict[str, list[int]], lengths: dict[str, int | None]) -> Iterator[Snippet]:
    whole = all(lengths.values()) and all(frames == [0] for frames in lines.values())
    for name, frames in lines.items():
        chosen = None if whole else np.unique(np.array(frames, np.int64))
        yield Snippet(name, lengths[name], chosen)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(1-based number, columns) of each line with something in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not a text file"
        raise InputError(f"{shown(path)}: {why}".lower()) from None
    numbered: Iterable[tuple[int, str]] = enumerate(text.splitlines(), 1)
    return ((number, line.split()) for number, line in numbered if line.strip())


def _row(parts: list[str]) -> tuple[str, int, int | None]:
    """(snippet, frame, length) of a line's columns; ValueError if it is no such line."""
    if len(parts) == 4:
        name, frame, length = parts[0], int(parts[2]), int(parts[3])
        if not 0 <= frame < length:
            raise ValueError
    elif len(parts) == 2:
        name, _, stem = parts[0].rpartition("/")
        frame, length = int(stem), None
    else:
        raise ValueError
    if frame < 0 or not name or ".." in Path(name).parts or Path(name).is_absolute():
        raise ValueError
    return name, frame, length


def _fail(path: Path, number: int, why: str) -> NoReturn:
    raise InputError(f"{shown(path)}, line {number}: {why}")
