"""What `minet export` can read: results, data sets, and what annotation tools export."""

import json
from functools import partial
from pathlib import Path
from typing import Literal

from minet_core.datasets.yolo import is_yolo
from minet_core.errors import InputError
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.class_names import LabelMap
from minet_core.formats.coco.stills import read_coco
from minet_core.formats.cvat.reader import read_cvat
from minet_core.formats.cvat.zip_exports import ZipKind, kind_of_zip, read_zip
from minet_core.formats.edits import EditsFile
from minet_core.formats.label_studio.reader import FactsOf, nothing_known, read_label_studio
from minet_core.formats.minet.reader import from_result
from minet_core.formats.minet.result_json import SCHEMA
from minet_core.formats.mot.reader import read_mot
from minet_core.formats.yolo.reader import read_yolo
from minet_core.text import shown

Kind = Literal["result", "cvat", "label-studio", "coco-vid", "mot", "yolo"] | ZipKind

DRAWN: tuple[Kind, ...] = ("cvat", "cvat-zip", "label-studio")
"""Kinds in which a person may have chosen the keyframes."""

_BEGINNINGS: dict[bytes, Kind] = {
    b"<": "cvat",
    b"[": "label-studio",
    b"{": "coco-vid",
    **{str(digit).encode(): "mot" for digit in range(10)},
}

_COCO_KEYS = ("info", "licenses", "categories", "videos", "images")
"""One of them comes early in any file of COCO's kind."""

_IN_FOLDERS = ("result.json", "annotations/instances_*.json", "gt/gt.txt")


def file_of(folder: Path) -> Path | None:
    """What to read of a folder: a file in it, itself if it is one of YOLO, or nothing."""
    for pattern in _IN_FOLDERS:
        found = [path for path in folder.glob(pattern) if path.is_file()]
        if len(found) == 1:
            return found[0]
    return folder if is_yolo(folder) else None


def kind_of(path: Path) -> Kind:
    """What a file is, by its first characters; a folder, or a data.yaml, is one of YOLO.

    Raises:
        InputError: it cannot be read, or is none of these.
    """
    if path.is_dir() or path.suffix.lower() in (".yaml", ".yml"):
        return "yolo"
    try:
        with path.open("rb") as file:
            beginning = file.read(1000).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError as error:
        raise InputError(f"{shown(path)}: {error.strerror}".lower()) from None
    if not beginning and path.parts[-2:] == ("gt", "gt.txt"):
        return "mot"  # of a sequence without a box
    if beginning.startswith(b"{") and SCHEMA.encode() in beginning:
        return "result"
    if beginning.startswith(b"{") and _is_task(path, beginning):
        return "label-studio"
    if beginning.startswith(b"PK"):
        return kind_of_zip(path)
    for mark, kind in _BEGINNINGS.items():
        if beginning.startswith(mark):
            return kind
    raise InputError(
        f"{shown(path)}: neither a result.json of minet detect, nor annotations of CVAT (xml, zip) "
        "or Label Studio (json), nor CocoVID or COCO (json), MOT (txt) or YOLO (yaml)"
    )


def _is_task(path: Path, beginning: bytes) -> bool:
    """Whether a JSON object is a task of Label Studio, which may come first or last in it."""
    of_coco = any(f'"{key}"'.encode() in beginning for key in _COCO_KEYS)
    if of_coco and b'"data"' not in beginning:
        return False
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return "data" in content or "tasks" in content


def read_annotations(
    path: Path,
    facts_of: FactsOf = nothing_known,
    label_map: LabelMap | None = None,
    annotator: str | None = None,
    edits: EditsFile | None = None,
) -> list[VideoAnnotations]:
    """Read a file of any kind, told by its content; one can hold several videos.

    Args:
        path: of the file.
        facts_of: asked for videos of which a file does not tell the size.
        label_map: new names of classes; they vote for the class of a result's tracks.
        annotator: whose annotations to read of Label Studio's tasks, see `read_label_studio`.
        edits: what a person has mended in a result.

    Raises:
        InputError: it is of no known kind, incomplete or damaged, or made to do harm; or it is not
            what was edited.
        ConfigError: the map does not know a class.
    """
    kind = kind_of(path)
    if kind == "result":
        return [from_result(path, label_map, edits)]
    if edits is not None:
        raise InputError(f"{shown(path)}: edits belong to a result.json of minet detect")
    videos = _read_drawn(path, kind, facts_of, annotator)
    return videos if label_map is None else [label_map.applied(video) for video in videos]


def _read_drawn(
    path: Path, kind: Kind, facts_of: FactsOf, annotator: str | None
) -> list[VideoAnnotations]:
    name = shown(path)
    try:
        if kind.endswith("-zip"):
            return read_zip(path, partial(_size_of, facts_of))
        if kind == "coco-vid":
            return read_coco(path)
        if kind == "mot":
            return read_mot(path)
        if kind == "yolo":
            return read_yolo(path, partial(_size_of, facts_of))
        if kind == "label-studio":
            text = path.read_text(encoding="utf-8-sig")
            return read_label_studio(text, name, facts_of, annotator)
        with path.open("rb") as file:
            return read_cvat(file, name)
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}".lower()) from None
    except UnicodeDecodeError:
        raise InputError(f"{name}: not UTF-8") from None


def _size_of(facts_of: FactsOf, video: str) -> tuple[int, int] | None:
    info = facts_of(video)
    return None if info is None else (info.width, info.height)
