"""Pictures with YOLO labels, each a video of one frame without track ids.

    DIR/images/**/street_000012.jpg    or everything in DIR itself
    DIR/labels/**/street_000012.txt    `class xc yc width height` a line, or another kind of line
    DIR/classes.txt                    or obj.names, or data.yaml: the names of classes 0, 1, …

A data.yaml tells where the pictures of each part are, and can be given in the folder's place. A
picture without a label file has no object of the classes.
"""

from pathlib import Path

import numpy as np

from minet_core.boxes import NO_TRACK
from minet_core.datasets.checks import BoxChecker, FileBoxes
from minet_core.datasets.dataset import Dataset, FrameTruth, VideoTruth, no_truth
from minet_core.datasets.pictures import PictureFiles
from minet_core.datasets.problems import Problem, Problems
from minet_core.datasets.yolo.label_files import IMAGES, pictures_of_part
from minet_core.datasets.yolo.labels import LabelError, interpret, pixels, read_rows
from minet_core.datasets.yolo.layout import YoloLayout, open_layout
from minet_core.text import shown


def open_yolo(root: Path, split: str = "train") -> Dataset:
    """Open a folder of pictures with labels.

    Args:
        root: the folder, or a data.yaml.
        split: the part of that name in data.yaml, or the folder of that name in `images`; where
            there is neither, all pictures are read.

    Raises:
        InputError: there are no pictures, no such part, or no names of classes.
    """
    layout = open_layout(root)
    reader = _Reader(layout)
    top = layout.root / IMAGES if (layout.root / IMAGES).is_dir() else layout.root
    stills = []
    for picture, labels in pictures_of_part(layout, split):
        if picture.is_file():
            stills.append(reader.still(_name(picture, top), picture, labels))
        else:
            reader.problems.add(Problem.NO_PICTURE, str(picture))
    name = root.stem if layout.named else root.resolve().name
    return Dataset(f"yolo {name}", layout.classes, tuple(stills), False, reader.problems)


def _name(picture: Path, top: Path) -> str:
    inside = picture.is_relative_to(top)
    return (picture.relative_to(top) if inside else picture).as_posix()


class _Reader:
    def __init__(self, layout: YoloLayout) -> None:
        self._classes, self._keypoints = layout.classes, layout.keypoints
        self.problems = Problems()
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
            lines = read_rows(path, self._keypoints)
            labels = interpret(lines, self._keypoints)
        except (OSError, ValueError) as error:
            what = error if isinstance(error, LabelError) else f"{shown(path)}: {error}"
            self.problems.add(Problem.BROKEN_ANNOTATION, str(what))
            return no_truth(0, annotated=False)
        known = (labels.classes >= 0) & (labels.classes < len(self._classes))
        for row in np.flatnonzero(~known):
            self.problems.add(Problem.UNKNOWN_CLASS, f"{path}, line {lines[row].line}")
        boxes = pixels(labels.boxes[known], size)
        rows = FileBoxes(boxes, labels.classes[known], np.full(len(boxes), NO_TRACK))
        return self._check(0, rows, size, lambda row: f"{path}, box {row + 1}")
