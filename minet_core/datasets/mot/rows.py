"""Rows of MOTChallenge text files: ground truth, public detections, results.

    frame, id, left, top, width, height [, conf [, class [, visibility]]]
    frame, id, left, top, width, height, conf, x, y, z

Frames count from 1 in the file and from 0 here. Columns may be parted by commas, semicolons, tabs
or spaces; the first line tells which.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import SHARES, VideoBoxes, are_shares
from minet_core.errors import InputError
from minet_core.text import read_text, shown

NO_CLASS = -1
"""In `MotRows.class_ids`: the file has no column of classes."""

_LEAST_COLUMNS = 6
_WITH_WORLD = 10
"""A file with so many columns has coordinates of the world after conf, not class and visibility."""

_MOST = 2**53
"""Integers beyond this are not exact as floats."""


@dataclass(frozen=True, slots=True, eq=False)
class MotRows(VideoBoxes):
    """All rows of a file, sorted by frame and otherwise in the file's order.

    Attributes:
        frames: (N,) int64, from 0.
        ids: (N,) int64; -1 where a row has no identity.
        boxes: (N, 4) float64 xyxy; x2 and y2 are the edge behind the box, left + width.
        conf: (N,) float64, score or flag; 1 where the file has no such column.
        class_ids: (N,) int64; NO_CLASS where the file has no such column.
        visibility: (N,) float64 share of the object that is visible; 1 where it is not told.
    """

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    conf: NDArray[np.float64]
    class_ids: NDArray[np.int64]
    visibility: NDArray[np.float64]


def read_mot_rows(path: Path) -> MotRows:
    """Read gt.txt, det.txt or results.

    Raises:
        InputError: it cannot be read, or a line is no such row, which the message names; or its
            boxes are shares of the picture.
    """
    table = _table(path)
    table = table[np.argsort(table[:, 0], kind="stable")]
    boxes = np.concatenate([table[:, 2:4], table[:, 2:4] + table[:, 4:6]], axis=1)
    if are_shares(boxes):
        raise InputError(f"{shown(path)}: {SHARES}")
    with_class = _LEAST_COLUMNS + 2 <= table.shape[1] != _WITH_WORLD
    return MotRows(
        frames=table[:, 0].astype(np.int64) - 1,
        ids=table[:, 1].astype(np.int64),
        boxes=boxes,
        conf=_column(table, 6, 1.0),
        class_ids=_column(table, 7 if with_class else None, NO_CLASS).astype(np.int64),
        visibility=_column(table, 8 if with_class else None, 1.0),
    )


def _column(table: NDArray[np.float64], number: int | None, missing: float) -> NDArray[np.float64]:
    if number is None or number >= table.shape[1]:
        return np.full(len(table), missing)
    return table[:, number]


def _table(path: Path) -> NDArray[np.float64]:
    lines = _lines(path)
    if not lines:
        return np.zeros((0, _LEAST_COLUMNS))
    text = list(lines.values())
    delimiter = next((mark for mark in ",;" if mark in text[0]), None)
    try:
        table = np.loadtxt(text, np.float64, delimiter=delimiter, ndmin=2, comments=None)
    except ValueError:
        table = np.zeros((1, 0))
    if table.shape[1] < _LEAST_COLUMNS or not _is_valid(table).all():
        _find_fault(path, lines, delimiter)
    return table


def _is_valid(table: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Of each row, whether its numbers are finite, and whole where they count something."""
    with_class = _LEAST_COLUMNS + 2 <= table.shape[1] != _WITH_WORLD
    whole = table[:, [0, 1, 7]] if with_class else table[:, :2]
    good: NDArray[np.bool_] = np.isfinite(table).all(axis=1) & (table[:, 0] >= 1)
    good &= ((np.abs(whole) < _MOST) & (whole == np.floor(whole))).all(axis=1)
    return good


def _find_fault(path: Path, lines: dict[int, str], delimiter: str | None) -> NoReturn:
    """Name the first line that cannot be read. Slow, as it need not be fast."""
    columns = 0
    for number, line in lines.items():
        place, parts = f"{shown(path)}, line {number}", line.split(delimiter)
        columns = columns or len(parts)
        if len(parts) < _LEAST_COLUMNS:
            raise InputError(
                f"{place}: {len(parts)} columns, but frame, id, left, top, width, height are needed"
            )
        if len(parts) != columns:
            raise InputError(f"{place}: {len(parts)} columns, the first line has {columns}")
        try:
            row = np.array([parts], np.float64)
        except ValueError:
            raise InputError(f"{place}: not all of it is numbers") from None
        if not _is_valid(row).all():
            raise InputError(f"{place}: numbers must be finite, frame (from 1), id and class whole")
    raise InputError(f"{shown(path)}: not a table of numbers")


def _lines(path: Path) -> dict[int, str]:
    """1-based number → line, of those with something in them."""
    try:
        text = read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not a text file"
        raise InputError(f"{shown(path)}: {why}".lower()) from None
    numbered = enumerate(text.splitlines(), 1)
    return {number: line.strip().rstrip(",;") for number, line in numbered if line.strip()}
