"""MOTChallenge: folders with pictures or a video, gt/gt.txt and seqinfo.ini.

    ROOT/img1/000001.jpg  or  ROOT/<name>.mp4
    ROOT/gt/gt.txt            frame, id, left, top, width, height, flag, class, visibility
    ROOT/seqinfo.ini
    ROOT/gt/labels.txt        names of classes 1, 2, …, a line each; or classes.txt

Without names of classes the rules are the benchmark's: class 1 (or none) is a pedestrian; the
static, the riding, the reflected and the distractors (2, 7, 8, 12) are pedestrians to ignore; the
other classes of the benchmark are no pedestrians and left out. Rows whose flag is 0 are ignored.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minet_core.datasets.checks import BoxChecker, FileBoxes
from minet_core.datasets.dataset import Dataset, FrameTruth, VideoTruth, no_truth
from minet_core.datasets.mot.rows import NO_CLASS, MotRows, read_mot_rows
from minet_core.datasets.mot.sequence import (
    class_names,
    find_sequences,
    read_seqinfo,
    sequence_pictures,
)
from minet_core.datasets.problems import Problem, Problems
from minet_core.errors import InputError
from minet_core.text import shown

_GT = "gt/gt.txt"

PEDESTRIAN = "pedestrian"
_PEDESTRIAN_IDS = (NO_CLASS, 1)
_ALIKE_IDS = (2, 7, 8, 12)
_OTHER_IDS = (3, 4, 5, 6, 9, 10, 11, 13)

_HALF = 0.5
"""A box counts as occluded where less than this share of the object is visible."""


def open_mot(root: Path, split: str = "val") -> Dataset:
    """Open one sequence, all sequences of a folder, or those of its sub-folder `split`.

    Raises:
        InputError: there is none, none is annotated, or a file of one is malformed.
    """
    folders = find_sequences(root, split)
    annotated = [folder for folder in folders if (folder / _GT).exists()]
    if not annotated:
        raise InputError(f"{shown(root)}: no {_GT} in it or in any sequence of it")
    names = {folder: class_names(folder, root) for folder in folders}
    lists = (names[folder] or (PEDESTRIAN,) for folder in annotated)
    classes = tuple(dict.fromkeys(name for each in lists for name in each))
    problems = Problems()
    videos = tuple(_open_sequence(folder, names[folder], classes, problems) for folder in folders)
    return Dataset(f"mot {root.resolve().name}", classes, videos, False, problems)


def _open_sequence(
    folder: Path, names: Sequence[str] | None, classes: Sequence[str], problems: Problems
) -> VideoTruth:
    info = read_seqinfo(folder / "seqinfo.ini")
    path = folder / _GT
    rows = read_mot_rows(path) if path.exists() else None
    last = int(rows.frames[-1]) + 1 if rows is not None and len(rows) else 0
    pictures, rate = sequence_pictures(folder, info, last)
    truth: Callable[[int], FrameTruth] = _unknown
    if rows is None:
        problems.add(Problem.NO_ANNOTATION, str(path))
    else:
        _count_rows_behind(rows, len(pictures), path, problems)
        columns = _classified(rows, names, classes, path, problems)
        truth = _Truth(path, *columns, info.size, problems)
    return VideoTruth(
        folder.resolve().name,
        pictures,
        truth,
        size=lambda: info.size,
        problems=problems,
        frame_rate=info.frame_rate or rate,
    )


def _unknown(index: int) -> FrameTruth:
    return no_truth(index, annotated=False)


def _count_rows_behind(rows: MotRows, length: int, path: Path, problems: Problems) -> None:
    for row in np.flatnonzero(rows.frames >= length):
        problems.add(Problem.NO_FRAME, _place(path, rows, int(row)))


def _classified(
    rows: MotRows,
    names: Sequence[str] | None,
    classes: Sequence[str],
    path: Path,
    problems: Problems,
) -> tuple[MotRows, NDArray[np.int64], NDArray[np.bool_]]:
    """The rows that belong to a class, their label ids, and which of them to ignore."""
    ids, ignore = rows.class_ids, rows.conf == 0
    if names is None:
        _check_benchmark(rows, path)
        keep = ~np.isin(ids, _OTHER_IDS)
        ignore |= np.isin(ids, _ALIKE_IDS)
        labels = np.full(len(rows), classes.index(PEDESTRIAN), np.int64)
    else:
        # One class needs no column.
        ids = np.where(ids == NO_CLASS, 1, ids) if len(names) == 1 else ids
        keep = (ids >= 1) & (ids <= len(names))
        for row in np.flatnonzero(~keep):
            problems.add(Problem.UNKNOWN_CLASS, _place(path, rows, int(row)))
        table = np.array([classes.index(name) for name in names], np.int64)
        labels = table[np.where(keep, ids - 1, 0)]
    return rows[keep], labels[keep], ignore[keep]


def _check_benchmark(rows: MotRows, path: Path) -> None:
    """See that a file without names of classes keeps to the classes of the benchmark."""
    own = (rows.conf != 0) & ~np.isin(rows.class_ids, _PEDESTRIAN_IDS + _ALIKE_IDS)
    strange = own | ~np.isin(rows.class_ids, _PEDESTRIAN_IDS + _ALIKE_IDS + _OTHER_IDS)
    if strange.any():
        row = int(np.flatnonzero(strange)[0])
        raise InputError(
            f"{_place(path, rows, row)}: class {rows.class_ids[row]} has no name; "
            f"list the names of classes 1, 2, … in {shown(path.with_name('labels.txt'))}"
        )


def _place(path: Path, rows: MotRows, row: int) -> str:
    return f"{path}, frame {rows.frames[row] + 1}, id {rows.ids[row]}"


class _Truth:
    """The truth of one sequence, by frame."""

    def __init__(
        self,
        path: Path,
        rows: MotRows,
        label_ids: NDArray[np.int64],
        ignore: NDArray[np.bool_],
        size: tuple[int, int] | None,
        problems: Problems,
    ) -> None:
        self._path = path
        self._rows = rows
        self._label_ids = label_ids
        self._ignore = ignore
        self._size = size
        self._check = BoxChecker(problems, inclusive=False)

    def __call__(self, index: int) -> FrameTruth:
        """What is annotated in a 0-based frame."""
        span = self._rows.span(index)
        rows = FileBoxes(
            boxes=self._rows.boxes[span],
            label_ids=self._label_ids[span],
            track_ids=self._rows.ids[span],
            ignore=self._ignore[span],
            occluded=self._rows.visibility[span] < _HALF,
        )
        return self._check(
            index, rows, self._size, lambda row: _place(self._path, self._rows, span.start + row)
        )
