"""Pictures with YOLO labels, each a video of one frame without track ids.

    DIR/images/**/street_000012.jpg    or everything in DIR itself
    DIR/labels/**/street_000012.txt    `class xc yc width height` a line, from 0 to 1
    DIR/classes.txt                    or obj.names: the names of classes 0, 1, …, a line each

A picture without a label file has no object of the classes.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK
from minet_core.datasets.base import Dataset, FrameTruth, VideoTruth, no_truth
from minet_core.datasets.checks import BoxChecker, Rows
from minet_core.datasets.pictures import PictureFiles
from minet_core.datasets.problems import Problem, Problems
from minet_core.errors import InputError
from minet_core.video.folder import pictures_of
from minet_core.video.source import shown

_NAME_FILES = ("classes.txt", "obj.names", "labels/classes.txt")
_COLUMNS = 5


def open_yolo(root: Path, split: str = "train") -> Dataset:
    """Open a folder of pictures with labels.

    Args:
        root: the folder.
        split: the folder of that name in `images` is read alone, where there is one.

    Raises:
        InputError: there are no pictures, or no names of classes.
    """
    images = root / "images" if (root / "images").is_dir() else root
    labels = root / "labels" if (root / "labels").is_dir() else root
    top = images / split if (images / split).is_dir() else images
    folders = sorted({path.parent for path in top.rglob("*") if path.is_file()} or {top})
    pictures = [path for folder in folders for path in _pictures(folder)]
    if not pictures:
        raise InputError(f"{shown(root)}: no pictures in it")
    reader = _Reader(class_names(root))
    stills = tuple(
        reader.still(name.as_posix(), images / name, (labels / name).with_suffix(".txt"))
        for name in (path.relative_to(images) for path in pictures)
    )
    return Dataset(f"yolo {root.resolve().name}", reader.classes, stills, False, reader.problems)


def _pictures(folder: Path) -> list[Path]:
    try:
        return pictures_of(folder)
    except InputError:
        return []


def class_names(root: Path) -> tuple[str, ...]:
    """Names of the classes of a folder.

    Raises:
        InputError: no file tells them, or two are the same.
    """
    path = next((root / name for name in _NAME_FILES if (root / name).is_file()), None)
    if path is None:
        raise InputError(f"{shown(root)}: it has no classes.txt with the names of its classes")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{shown(path)}: cannot be read") from None
    names = tuple(line.strip() for line in lines if line.strip())
    if not names or len(set(names)) != len(names):
        raise InputError(f"{shown(path)}: the names of classes are missing or not unique")
    return names


class _Reader:
    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes, self.problems = classes, Problems()
        self._check = BoxChecker(self.problems, inclusive=False)

    def still(self, name: str, picture: Path, labels: Path) -> VideoTruth:
        """One picture with its labels; boxes are shares of its size, which it alone tells."""

        def truth(_: int) -> FrameTruth:
            return self._truth(labels, video.size)

        video = VideoTruth(
            name,
            PictureFiles(1, lambda _: picture),
            truth,
            size=lambda: None,
            problems=self.problems,
        )
        return video

    def _truth(self, path: Path, size: tuple[int, int]) -> FrameTruth:
        if not path.exists():
            return no_truth(0, annotated=True)
        try:
            numbers = read_labels(path)
        except (OSError, ValueError) as error:
            self.problems.add(Problem.BROKEN_ANNOTATION, f"{path}: {error}")
            return no_truth(0, annotated=False)
        known = (numbers[:, 0] >= 0) & (numbers[:, 0] < len(self.classes))
        for row in np.flatnonzero(~known):
            self.problems.add(Problem.UNKNOWN_CLASS, f"{path}, line {row + 1}")
        numbers = numbers[known]
        boxes = edges(numbers, size)
        tracks = np.full(len(boxes), NO_TRACK)
        rows = Rows(boxes, numbers[:, 0].astype(np.int64), tracks)
        return self._check(0, rows, size, lambda row: f"{path}, box {row + 1}")


def read_labels(path: Path) -> NDArray[np.float64]:
    """(N, 5) class and box of each line; further columns, such as a score, do not count.

    Raises:
        OSError: the file cannot be read.
        ValueError: a line has fewer columns, or no numbers.
    """
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    values = [[float(word) for word in line[:_COLUMNS]] for line in lines if line]
    if any(len(row) != _COLUMNS for row in values):
        raise ValueError("a line has fewer than 5 columns")
    return np.array(values, np.float64).reshape(-1, _COLUMNS)


def edges(labels: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """(N, 4) xyxy pixels of labels (N, 5) in a picture of that (width, height)."""
    centres, halves = labels[:, 1:3], labels[:, 3:5] / 2
    boxes: NDArray[np.float64] = np.concatenate([centres - halves, centres + halves], axis=1)
    return boxes * (size * 2)
