"""ImageNet VID in its official layout; the toy dataset has the same with other classes.

    ROOT/Data/VID/val/ILSVRC2015_val_00000000/000000.JPEG
    ROOT/Annotations/VID/val/ILSVRC2015_val_00000000/000000.xml
    ROOT/ImageSets/VID_val_videos.txt
    ROOT/classes.txt           of other classes than the 30: their names, a line each

Boxes are 0-based integers with xmax and ymax inside (`Dataset.inclusive`). Classes are named by
WordNet ids in the annotations; those of classes.txt, by what stands there. A frame without an
annotation, or with a broken one, is counted and not scored; one without a picture is counted and
scored, with nothing found in it.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from minet_core.boxes import NO_TRACK
from minet_core.datasets.checks import BoxChecker, FileBoxes
from minet_core.datasets.dataset import Dataset, FrameTruth, VideoTruth, no_truth
from minet_core.datasets.imagenet.annotation_xml import (
    BrokenXmlError,
    VidAnnotation,
    VidObject,
    read_vid_xml,
)
from minet_core.datasets.imagenet.classes import VID_WNIDS
from minet_core.datasets.imagenet.lists import Snippet, read_vid_list
from minet_core.datasets.pictures import PictureFiles
from minet_core.datasets.problems import Problem, Problems
from minet_core.errors import InputError
from minet_core.text import read_text, shown

CLASSES = "classes.txt"
"""In ROOT: names of the classes where they are not the 30 of ImageNet VID."""

_LIST_FOLDERS = ("ImageSets", "Lists", "ImageSets/VID")
_LISTS = {
    "train": ("VID_train_15frames.txt", "VID_train_frames.txt"),
    "val": ("VID_val_videos.txt", "VID_val_frames.txt", "val.txt"),
    "test": ("VID_test_videos.txt", "VID_test_frames.txt", "test.txt"),
}


_NO_TRAIN_LIST = (
    "there is no ImageSets/VID_train_15frames.txt, so every frame is equally likely, and long "
    "videos count most; the code of FGFA and of MEGA includes the list, 15 frames of each video"
)


def open_imagenet_vid(
    root: Path,
    split: str = "val",
    *,
    list_file: Path | None = None,
    wnids: Mapping[str, str] | None = None,
    name: str = "imagenet-vid",
) -> Dataset:
    """Open a split.

    Its videos are those of the list file, if none is given of the one in ROOT/ImageSets or
    ROOT/Lists, and if there is none either, of all folders of the split.

    Args:
        root: the folder with Data/ and Annotations/ (ILSVRC2015).
        split: train, val or test.
        list_file: of either kind, see `vid_lists`.
        wnids: name in the annotations → class name, in the order of label ids; by default the
            names of ROOT/classes.txt, and the 30 of ImageNet VID where there is no such file.
        name: of the dataset.

    Raises:
        InputError: there is no such layout, a list is malformed, or nothing of it is there.
    """
    annotations = root / "Annotations" / "VID"
    if not annotations.is_dir():
        raise InputError(f"{shown(root)}: no ImageNet VID, it has no Annotations/VID")
    list_file = list_file or _find_list(root, split)
    snippets = read_vid_list(list_file, split) if list_file else _all_snippets(root, split)
    wnids, problems = wnids or _own_classes(root / CLASSES) or VID_WNIDS, Problems()
    reader = _Reader(root, wnids, problems)
    there = [snippet for snippet in snippets if reader.has(snippet)]
    if not snippets:
        raise InputError(f"{shown(root)}: it has no split {split!r}")
    if not there:
        source = shown(list_file or root)
        raise InputError(f"{source}: none of its {len(snippets)} videos is in {shown(annotations)}")
    videos = tuple(reader.video(snippet) for snippet in there)
    notes = (_NO_TRAIN_LIST,) if split == "train" and list_file is None else ()
    return Dataset(f"{name} {split}", tuple(wnids.values()), videos, True, problems, notes)


def _own_classes(path: Path) -> dict[str, str]:
    """Names of a classes.txt, each for itself; none where there is no such file."""
    if not path.exists():
        return {}
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{shown(path)}: cannot be read") from None
    names = [line.strip() for line in lines if line.strip()]
    if not names or len(set(names)) != len(names):
        raise InputError(f"{shown(path)}: the names of classes are missing or not unique")
    return {name: name for name in names}


class _Reader:
    def __init__(self, root: Path, wnids: Mapping[str, str], problems: Problems) -> None:
        self._pictures = root / "Data" / "VID"
        self._annotations = root / "Annotations" / "VID"
        self._label_ids = {wnid: label for label, wnid in enumerate(wnids)}
        self._problems = problems
        self._check = BoxChecker(problems, inclusive=True)

    def has(self, snippet: Snippet) -> bool:
        """Whether the snippet has an annotation folder; counted if not."""
        folder = self._annotations / snippet.name
        if not folder.is_dir():
            self._problems.add(Problem.NO_SNIPPET, str(folder))
            return False
        return True

    def video(self, snippet: Snippet) -> VideoTruth:
        count = snippet.length or self._length(snippet)
        pictures, annotations = self._pictures / snippet.name, self._annotations / snippet.name
        return VideoTruth(
            snippet.name,
            PictureFiles(count, lambda index: pictures / f"{index:06d}.JPEG"),
            lambda index: self._truth(index, annotations / f"{index:06d}.xml"),
            size=lambda: self._size(annotations, count),
            problems=self._problems,
            chosen=snippet.chosen,
        )

    def _length(self, snippet: Snippet) -> int:
        """Frames of a snippet whose list does not tell: up to the last annotated or named one."""
        stems = (file.stem for file in (self._annotations / snippet.name).glob("*.xml"))
        named = [] if snippet.chosen is None else [int(snippet.chosen[-1])]
        return max([int(stem) for stem in stems if stem.isdecimal()] + named, default=-1) + 1

    def _size(self, folder: Path, count: int) -> tuple[int, int] | None:
        """What the first readable annotation of a snippet states."""
        for index in range(count):
            annotation = self._read(folder / f"{index:06d}.xml")
            if annotation is not None and annotation.size is not None:
                return annotation.size
        return None

    def _truth(self, index: int, path: Path) -> FrameTruth:
        annotation = self._read(path)
        if annotation is None:
            return no_truth(index, annotated=False)
        objects = [item for item in annotation.objects if self._knows(item, path)]
        return self._check(
            index, self._rows(objects), annotation.size, lambda row: _place(path, objects[row])
        )

    def _read(self, path: Path) -> VidAnnotation | None:
        try:
            return read_vid_xml(path)
        except FileNotFoundError:
            self._problems.add(Problem.NO_ANNOTATION, str(path))
        except BrokenXmlError as error:
            self._problems.add(Problem.BROKEN_ANNOTATION, f"{path}: {error}")
        return None

    def _knows(self, item: VidObject, path: Path) -> bool:
        if item.name in self._label_ids:
            return True
        self._problems.add(Problem.UNKNOWN_CLASS, _place(path, item))
        return False

    def _rows(self, objects: list[VidObject]) -> FileBoxes:
        tracks = [NO_TRACK if item.track_id is None else item.track_id for item in objects]
        return FileBoxes(
            boxes=np.array([item.box for item in objects], np.float64).reshape(-1, 4),
            label_ids=np.array([self._label_ids[item.name] for item in objects], np.int64),
            track_ids=np.array(tracks, np.int64),
            occluded=np.array([item.occluded for item in objects], np.bool_),
            generated=np.array([item.generated for item in objects], np.bool_),
        )


def _place(path: Path, item: VidObject) -> str:
    box = ", ".join(f"{side:g}" for side in item.box)
    return f"{path}, {item.name} at {box}"


def _find_list(root: Path, split: str) -> Path | None:
    names = _LISTS.get(split, ())
    files = (root / folder / name for name in names for folder in _LIST_FOLDERS)
    return next((file for file in files if file.is_file()), None)


def _all_snippets(root: Path, split: str) -> list[Snippet]:
    base = root / "Annotations" / "VID"
    folders = sorted({file.parent for file in (base / split).rglob("*.xml")})
    return [Snippet(folder.relative_to(base).as_posix(), None, None) for folder in folders]
