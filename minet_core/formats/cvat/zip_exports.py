"""What a zip is, and the annotations in it."""

from pathlib import Path, PurePosixPath
from typing import Literal

from minet_core.datasets.zips import MOST_BYTES, opened, unpacked
from minet_core.errors import InputError
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.coco.stills import read_coco
from minet_core.formats.cvat.reader import read_cvat
from minet_core.formats.mot.reader import read_mot
from minet_core.formats.yolo.reader import SizeOf, read_yolo
from minet_core.text import shown

ZipKind = Literal["cvat-zip", "mot-zip", "coco-zip", "yolo-zip"]

_YOLO = ("obj.names", "obj.data", "data.yaml", "data.yml", "classes.txt")


def kind_of_zip(path: Path) -> ZipKind:
    """What is in a zip, by the names of its entries.

    Raises:
        InputError: it cannot be read, or is none that is known.
    """
    with opened(path) as archive:
        entries = [PurePosixPath(entry) for entry in archive.namelist()]
    if any(entry.suffix == ".xml" for entry in entries):
        return "cvat-zip"
    if any(entry.parts[-2:] == ("gt", "gt.txt") for entry in entries):
        return "mot-zip"
    if any(entry.suffix == ".json" for entry in entries):
        return "coco-zip"
    if any(entry.name in _YOLO for entry in entries):
        return "yolo-zip"
    raise InputError(
        f"{shown(path)}: has no annotations.xml of CVAT for video, and is no zip of MOT "
        "(gt/gt.txt), COCO (annotations/*.json) or YOLO (obj.names, data.yaml)"
    )


def read_zip(path: Path, size_of: SizeOf) -> list[VideoAnnotations]:
    """The videos of a zip; of a MOT, COCO or YOLO one in its layout, as if it were unpacked.

    Args:
        path: of the zip.
        size_of: asked for the size of a video of which there is no picture.

    Raises:
        InputError: it cannot be read, or what is in it cannot.
    """
    kind = kind_of_zip(path)
    if kind == "cvat-zip":
        return _read_xmls(path)
    with unpacked(path) as folder:
        try:
            if kind == "mot-zip":
                files = sorted(folder.rglob("gt/gt.txt"))
                return [video for file in files for video in read_mot(file)]
            if kind == "coco-zip":
                files = sorted(folder.rglob("*.json"))
                return [video for file in files for video in read_coco(file, path.stem)]
            return read_yolo(folder, size_of)
        except InputError as error:
            raise InputError(str(error).replace(shown(folder), shown(path))) from None


def _read_xmls(path: Path) -> list[VideoAnnotations]:
    """Every xml of a zip, read where it lies: nothing of it is unpacked to the disk."""
    name = shown(path)
    with opened(path) as archive:
        entries = [info for info in archive.infolist() if info.filename.endswith(".xml")]
        if any(info.file_size > MOST_BYTES for info in entries):
            raise InputError(f"{name}: has an xml of more than 4 GB")
        videos = []
        for info in entries:
            with archive.open(info) as file:
                videos += read_cvat(file, f"{name}/{info.filename}")
        return videos
