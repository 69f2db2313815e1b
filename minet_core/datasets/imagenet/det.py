"""ImageNet DET: annotated stills, each a video of one frame without track ids.

    ROOT/Data/DET/train/ILSVRC2013_train/n02691156/n02691156_10001.JPEG
    ROOT/Annotations/DET/train/ILSVRC2013_train/n02691156/n02691156_10001.xml
    ROOT/ImageSets/DET_train_30classes.txt    if there is such a list: which of them

Objects that are none of the 30 classes of ImageNet VID are left out.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from minet_core.boxes import NO_TRACK
from minet_core.datasets.checks import BoxChecker, FileBoxes
from minet_core.datasets.dataset import Dataset, FrameTruth, VideoTruth, no_truth
from minet_core.datasets.imagenet.annotation_xml import BrokenXmlError, VidAnnotation, read_vid_xml
from minet_core.datasets.imagenet.classes import VID_WNIDS
from minet_core.datasets.pictures import PictureFiles
from minet_core.datasets.problems import Problem, Problems
from minet_core.errors import InputError
from minet_core.text import shown

_LISTS = ("DET_{}_30classes.txt", "DET_{}.txt")


def open_imagenet_det(
    root: Path, split: str = "train", *, wnids: Mapping[str, str] = VID_WNIDS
) -> Dataset:
    """Open the stills of ImageNet DET.

    Args:
        root: the folder with Data/DET and Annotations/DET.
        split: train or val.
        wnids: name in the annotations → class name, in the order of label ids.

    Raises:
        InputError: there is no such layout, or nothing of it is there.
    """
    annotations, pictures = root / "Annotations" / "DET", root / "Data" / "DET"
    if not annotations.is_dir():
        raise InputError(f"{shown(root)}: no ImageNet DET, it has no Annotations/DET")
    reader = _Reader(wnids)
    stills = tuple(
        reader.still(name, pictures / f"{name}.JPEG", annotations / f"{name}.xml")
        for name in _names(root, annotations, split)
    )
    if not stills:
        raise InputError(f"{shown(root)}: it has no split {split!r}")
    notes = (_NO_LIST,) if split == "train" and _list_of(root, split) is None else ()
    classes = tuple(wnids.values())
    return Dataset(f"imagenet-det {split}", classes, stills, True, reader.problems, notes)


_NO_LIST = (
    "there is no ImageSets/DET_train_30classes.txt, so all stills are used, although most "
    "show none of the 30 classes; the code of FGFA and of MEGA includes the list"
)


def _list_of(root: Path, split: str) -> Path | None:
    files = (root / "ImageSets" / name.format(split) for name in _LISTS)
    return next((file for file in files if file.is_file()), None)


def _names(root: Path, annotations: Path, split: str) -> list[str]:
    found = _list_of(root, split)
    if found is None:
        paths = sorted((annotations / split).rglob("*.xml"))
        return [path.relative_to(annotations).with_suffix("").as_posix() for path in paths]
    lines = found.read_text(encoding="utf-8").splitlines()
    names = [line.split()[0] for line in lines if line.strip()]
    return [name if name.startswith(f"{split}/") else f"{split}/{name}" for name in names]


class _Reader:
    def __init__(self, wnids: Mapping[str, str]) -> None:
        self._label_ids = {wnid: label for label, wnid in enumerate(wnids)}
        self.problems = Problems()
        self._check = BoxChecker(self.problems, inclusive=True)

    def still(self, name: str, picture: Path, annotation: Path) -> VideoTruth:
        """One picture with its annotation, neither of which need exist."""

        def size() -> tuple[int, int] | None:
            content = self._read(annotation)
            return content.size if content else None

        return VideoTruth(
            name,
            PictureFiles(1, lambda _: picture),
            lambda _: self._truth(annotation),
            size=size,
            problems=self.problems,
        )

    def _truth(self, path: Path) -> FrameTruth:
        content = self._read(path)
        if content is None:
            return no_truth(0, annotated=False)
        objects = [item for item in content.objects if item.name in self._label_ids]
        rows = FileBoxes(
            boxes=np.array([item.box for item in objects], np.float64).reshape(-1, 4),
            label_ids=np.array([self._label_ids[item.name] for item in objects], np.int64),
            track_ids=np.full(len(objects), NO_TRACK),
        )
        return self._check(0, rows, content.size, lambda row: f"{path}, box {row + 1}")

    def _read(self, path: Path) -> VidAnnotation | None:
        try:
            return read_vid_xml(path)
        except FileNotFoundError:
            self.problems.add(Problem.NO_ANNOTATION, str(path))
        except BrokenXmlError as error:
            self.problems.add(Problem.BROKEN_ANNOTATION, f"{path}: {error}")
        return None
