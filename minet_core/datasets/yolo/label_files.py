"""Pictures and label files of a YOLO folder, and which belongs to which.

The labels of images/train/a.jpg are in labels/train/a.txt, whatever folder comes before `images`;
where there is no such folder, as darknet has it, they lie beside the picture.
"""

from collections.abc import Iterator
from pathlib import Path

from minet_core.datasets.yolo.layout import YoloLayout, swapped
from minet_core.errors import InputError
from minet_core.text import read_text, shown
from minet_core.video.pictures.folder import pictures_of

IMAGES, LABELS = "images", "labels"

_NO_LABELS = ("classes", "train", "val", "valid", "test", "backup")
"""Stems of text files that are lists; Roboflow's begin with README."""

_PICTURES = (".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG", ".bmp", ".webp")


def pictures_of_part(layout: YoloLayout, part: str) -> list[tuple[Path, Path]]:
    """Each picture of a part with its label file, which need not exist, in order of their names.

    Where no file tells the parts, they are folders in `images`, or all pictures are one. A picture
    of a list may be missing, but not all of them.

    Raises:
        InputError: there is no such part, or no picture in it.
    """
    if layout.parts:
        found = [path for place in layout.places(part) for path in _pictures_in(place, layout)]
        pairs = [(path, label_of(path)) for path in found]
    else:
        pairs = list(_by_folders(layout.root, part))
    if not any(picture.is_file() for picture, _ in pairs):
        raise InputError(f"{shown(layout.root)}: no pictures in it")
    return pairs


def _by_folders(root: Path, part: str) -> Iterator[tuple[Path, Path]]:
    images = root / IMAGES if (root / IMAGES).is_dir() else root
    labels = root / LABELS if (root / LABELS).is_dir() else root
    top = images / part if (images / part).is_dir() else images
    for path in _pictures_below(top):
        yield path, (labels / path.relative_to(images)).with_suffix(".txt")


def _pictures_in(place: Path, layout: YoloLayout) -> list[Path]:
    if place.suffix == ".txt":
        return [_listed(place, layout.root, line) for line in _lines(place)]
    return _pictures_below(place)


def _pictures_below(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    folders = sorted({path.parent for path in folder.rglob("*") if path.is_file()} or {folder})
    return [path for each in folders for path in _pictures(each)]


def _pictures(folder: Path) -> list[Path]:
    try:
        return pictures_of(folder)
    except InputError:
        return []


def _lines(path: Path) -> list[str]:
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{shown(path)}: cannot be read") from None
    return [line.strip() for line in lines if line.strip()]


def _listed(place: Path, root: Path, line: str) -> Path:
    """A picture of a list: relative to the list or to the folder, with darknet's data/ or not."""
    choices = [
        base / relative
        for base in (place.parent, root)
        for relative in (line, line.removeprefix("data/"))
    ]
    return next((path for path in choices if _is_there(path)), choices[0])


def _is_there(picture: Path) -> bool:
    return picture.is_file() or label_of(picture).is_file()


def label_of(picture: Path) -> Path:
    """The label file of a picture, whether it is there or not."""
    beside = picture.with_suffix(".txt")
    other = swapped(beside, IMAGES, LABELS)
    return beside if other is None or (beside.is_file() and not other.is_file()) else other


def picture_beside(label: Path) -> Iterator[Path]:
    """Where the picture of a label file may be."""
    for path in (swapped(label, LABELS, IMAGES), label):
        if path is not None:
            yield from (path.with_suffix(suffix) for suffix in _PICTURES)


def label_files(layout: YoloLayout) -> list[Path]:
    """All label files of a folder; of a data.yaml that was named itself, those of its parts.

    Raises:
        InputError: there is none, or a part that the file names is not there.
    """
    if layout.named:
        found = [path for part in layout.parts for path in _labels_of(part, layout)]
    else:
        found = [path for folder in _label_folders(layout.root) for path in _labels_in(folder)]
        # What is not below the folder itself may be where data.yaml says.
        found = found or [path for part in layout.parts for path in _labels_of(part, layout)]
    if not found:
        where = layout.root / LABELS if (layout.root / LABELS).is_dir() else layout.root
        raise InputError(f"{shown(where)}: no labels in it")
    return list(dict.fromkeys(found))


def _label_folders(root: Path) -> list[Path]:
    if (root / LABELS).is_dir():
        return [root / LABELS]
    return sorted(path for path in root.rglob(LABELS) if path.is_dir()) or [root]


def _labels_in(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*.txt"))
        if path.stem not in _NO_LABELS and not path.name.startswith("README")
    ]


def _labels_of(part: str, layout: YoloLayout) -> list[Path]:
    found: list[Path] = []
    for place in layout.places(part):
        if place.suffix == ".txt":
            labels = (label_of(_listed(place, layout.root, line)) for line in _lines(place))
            found += [path for path in labels if path.is_file()]
        else:
            folder = swapped(place, IMAGES, LABELS)
            found += _labels_in(place if folder is None or not folder.is_dir() else folder)
    return found
