"""Lines of YOLO's label files, of all kinds that programs write; numbers are shares of the picture.

    class xc yc width height              a box
    class xc yc width height conf         a detector's; or, from CVAT and some trackers, an id
    class xc yc width height conf id      a tracker's
    class x1 y1 x2 y2 x3 y3 …             an outline: a polygon, or the corners of a turned box
    class xc yc width height x1 y1 v1 …   keypoints, where data.yaml tells how many

An outline is read as the box around it. Lines alone do not always tell which kind they are of, so
all lines of a folder are looked at together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK, Boxes
from minet_core.text import shown

_BOX, _ONE_MORE, _TWO_MORE = 5, 6, 7
_LEAST, _MOST = -0.5, 1.5
"""Shares are from 0 to 1, but for what reaches out of the picture."""


class LabelError(ValueError):
    """A line is none of a label file; the message names both."""


class LabelRow(NamedTuple):
    """A line of a label file.

    Attributes:
        place: of the file, the same for all its rows.
        line: its number, from 1.
        values: its numbers, of which the first is the class.
    """

    place: Path
    line: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Labels(Boxes):
    """What rows say, one for each row.

    Attributes:
        classes: (N,) int64, from 0.
        boxes: (N, 4) float64 xyxy, as shares of the picture.
        scores: (N,) float64; 1 where a row has none.
        tracks: (N,) int64; NO_TRACK where a row has no id.
        outlines: (N,) bool: whether the box is the one around an outline.
        sixth: what the sixth column of rows with six was taken for, `conf` or `id`; empty where
            there is no such row.
    """

    classes: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    tracks: NDArray[np.int64]
    outlines: NDArray[np.bool_]
    sixth: str


def read_rows(path: Path, keypoints: int = 0) -> list[LabelRow]:
    """The rows of a file, checked one by one.

    Args:
        path: of the file.
        keypoints: columns that follow a box, see `Layout`.

    Raises:
        OSError: the file cannot be read.
        LabelError: a line is no row.
        UnicodeDecodeError: the file is no text.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = LabelRow(path, number, tuple(map(float, line.split())))
        except ValueError:
            raise LabelError(f"{shown(path)}, line {number}: not all of it is numbers") from None
        if row.values:
            _check(row, keypoints)
            rows.append(row)
    return rows


def _check(row: LabelRow, keypoints: int) -> None:
    count = len(row.values)
    if keypoints and count != _BOX + keypoints:
        raise _error(row, f"{count} columns, but class, box and keypoints are {_BOX + keypoints}")
    if not keypoints and count not in (_BOX, _ONE_MORE) and (count < _TWO_MORE or count % 2 == 0):
        raise _error(
            row,
            f"{count} columns, but a box has 5, up to 7 with a confidence and an id, "
            "and an outline has a class and pairs of x and y",
        )
    if not np.isfinite(row.values).all():
        raise _error(row, "a value is not a number")
    if row.values[0] != int(row.values[0]):
        raise _error(row, f"the class {row.values[0]:g} is not whole")


def _error(row: LabelRow, what: str) -> LabelError:
    return LabelError(f"{shown(row.place)}, line {row.line}: {what}")


def interpret(rows: Sequence[LabelRow], keypoints: int = 0) -> Labels:
    """What rows of one folder, or of one file, say.

    Seven columns are a tracker's where the last is whole in each such row and no row is longer;
    otherwise they are triangles. Six columns end in an id where each is whole, no row has seven,
    and they are not all 0 or 1 with one twice in a file; otherwise in a confidence.

    Args:
        rows: of any files.
        keypoints: columns that follow a box, which are left out.

    Raises:
        LabelError: a coordinate or a confidence is none.
    """
    lengths = np.array([_BOX if keypoints else len(row.values) for row in rows], np.int64)
    tracked = _is_tracked(rows, lengths)
    outlines = (lengths > _TWO_MORE) | ((lengths == _TWO_MORE) & (not tracked))
    sixth = _sixth(rows, lengths, tracked)
    boxes = [_box(row, outline=outline) for row, outline in zip(rows, outlines, strict=True)]
    both, one = (lengths == _TWO_MORE) & tracked, lengths == _ONE_MORE
    scored = both if sixth == "id" else both | one
    named = both | one if sixth == "id" else both
    scores = [_score(row) if has else 1.0 for row, has in zip(rows, scored, strict=True)]
    ids = [row.values[-1] if has else NO_TRACK for row, has in zip(rows, named, strict=True)]
    return Labels(
        classes=np.array([row.values[0] for row in rows], np.int64),
        boxes=np.array(boxes, np.float64).reshape(-1, 4),
        scores=np.array(scores, np.float64),
        tracks=np.array(ids, np.int64),
        outlines=outlines,
        sixth=sixth,
    )


def pixels(shares: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """Boxes (N, 4) in pixels of a picture of that (width, height)."""
    return np.asarray(shares * (size * 2))


def _is_tracked(rows: Sequence[LabelRow], lengths: NDArray[np.int64]) -> bool:
    last = [row.values[-1] for row, count in zip(rows, lengths, strict=True) if count == _TWO_MORE]
    whole = all(value >= 0 and value == int(value) for value in last)
    return bool(last) and whole and not (lengths > _TWO_MORE).any()


def _sixth(rows: Sequence[LabelRow], lengths: NDArray[np.int64], tracked: bool) -> str:
    six = [row for row, count in zip(rows, lengths, strict=True) if count == _ONE_MORE]
    if not six:
        return ""
    values = [row.values[-1] for row in six]
    if tracked or any(value < 0 or value != int(value) for value in values):
        return "conf"
    keys = {(row.place, row.values[-1]) for row in six}
    return "id" if max(values) > 1 or len(keys) == len(six) else "conf"


def _box(row: LabelRow, *, outline: bool) -> tuple[float, float, float, float]:
    shares = row.values[1:] if outline else row.values[1:_BOX]
    stray = next((share for share in shares if not _LEAST <= share <= _MOST), None)
    if stray is not None:
        raise _error(row, f"{stray:g} is no share of the picture, from 0 to 1")
    if outline:
        xs, ys = shares[::2], shares[1::2]
        return min(xs), min(ys), max(xs), max(ys)
    x, y, width, height = shares
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _score(row: LabelRow) -> float:
    score = row.values[_BOX]
    if not 0 <= score <= 1:
        raise _error(row, f"{score:g} is no confidence, from 0 to 1")
    return score
