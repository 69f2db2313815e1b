"""CocoVID json, as mmtracking and others have it: COCO with videos and instance ids.

    categories   id, name
    videos       id, name, fps?, width?, height?
    images       id, video_id, frame_id (0, 1, … n-1 in each video), file_name, width?, height?
    annotations  image_id, category_id, bbox [left, top, width, height], instance_id?, iscrowd?,
                 occluded?, generated?

Boxes are `left + width` wide at the right edge (`Dataset.inclusive` is False); files that were
converted from ImageNet VID by others often lost a pixel there. `iscrowd` boxes are ignored.
A file that contradicts itself is refused, as nobody can tell which half is right.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK
from minet_core.datasets.checks import BoxChecker, FileBoxes
from minet_core.datasets.coco.json_records import (
    Record,
    by_id,
    check_references,
    class_names,
    frames_of_videos,
    load_coco,
    one_line_for_faults,
)
from minet_core.datasets.dataset import Dataset, FrameTruth, VideoTruth
from minet_core.datasets.pictures import PictureFiles
from minet_core.datasets.problems import Problems

_KEYS = ("categories", "videos", "images", "annotations")
_PICTURE_FOLDERS = ("", "images", "data", "Data/VID")


def open_coco_vid(path: Path, images: Path | None = None, *, stills: bool = False) -> Dataset:
    """Open a CocoVID file.

    Args:
        path: the json.
        images: folder that `file_name`s begin at; if not given, the first of the usual places
            that has the first picture: the folder of the json, the one above, and `images`,
            `data` or `Data/VID` in either.
        stills: whether it is a COCO file, without videos: each image is a video of one frame.

    Raises:
        InputError: it cannot be read, or contradicts itself; the message names the record.
    """
    content = load_coco(path, [key for key in _KEYS if not (stills and key == "videos")])
    with one_line_for_faults(path):
        return _dataset(path, _each_a_video(content) if stills else content, images)


def _each_a_video(content: dict[str, Any]) -> dict[str, Any]:
    images = [{**image, "video_id": image["id"], "frame_id": 0} for image in content["images"]]
    videos = [{"id": image["id"], "name": image["file_name"]} for image in images]
    return {**content, "images": images, "videos": videos}


def _dataset(path: Path, content: dict[str, Any], images: Path | None) -> Dataset:
    categories = by_id(content["categories"], "category")
    classes = class_names(categories)
    pictures = by_id(content["images"], "image")
    folder = images or _picture_folder(path, pictures)
    truth = _Truth(path, content["annotations"], list(categories), list(pictures))
    frames = frames_of_videos(by_id(content["videos"], "video"), pictures)
    videos = tuple(
        _video(video, [pictures[image] for image in order], folder, truth)
        for video, order in frames
    )
    return Dataset(f"coco-vid {path.stem}", classes, videos, False, truth.problems)


def _picture_folder(path: Path, pictures: Mapping[int, Record]) -> Path:
    first = next((str(record["file_name"]) for record in pictures.values()), "")
    places = [
        base / name for base in (path.parent, path.parent.parent) for name in _PICTURE_FOLDERS
    ]
    return next((place for place in places if (place / first).is_file()), path.parent)


def _video(video: Record, frames: Sequence[Record], folder: Path, truth: "_Truth") -> VideoTruth:
    size = next((stated for record in (*frames[:1], video) if (stated := _size(record))), None)
    return VideoTruth(
        str(video["name"]),
        PictureFiles(len(frames), lambda index: folder / str(frames[index]["file_name"])),
        lambda index: truth(index, frames[index]),
        size=lambda: size,
        problems=truth.problems,
        frame_rate=Fraction(video.get("fps") or 30).limit_denominator(1001),
    )


def _size(record: Record) -> tuple[int, int] | None:
    width, height = record.get("width"), record.get("height")
    return (int(width), int(height)) if width and height else None


class _Truth:
    """All annotations of the file as columns, sorted by image."""

    def __init__(
        self, path: Path, annotations: Sequence[Record], categories: list[int], images: list[int]
    ) -> None:
        self.problems = Problems()
        self._check = BoxChecker(self.problems, inclusive=False)
        self._path = path
        place_of = {image: place for place, image in enumerate(images)}
        label_of = {category: label for label, category in enumerate(categories)}
        for record in annotations:
            check_references(record, place_of, label_of)
        places = np.array([place_of[record["image_id"]] for record in annotations], np.int64)
        order = np.argsort(places, kind="stable")
        self._place_of = place_of
        self._places = places[order]
        self._ids = [annotations[row]["id"] for row in order]
        self._rows = _rows([annotations[row] for row in order], label_of)

    def __call__(self, index: int, image: Record) -> FrameTruth:
        """What is annotated in an image, which is frame `index` of its video."""
        place = self._place_of[image["id"]]
        first, behind = np.searchsorted(self._places, (place, place + 1))
        rows = self._rows[int(first) : int(behind)]
        return self._check(
            index, rows, _size(image), lambda row: f"{self._path}, {self._name(int(first) + row)}"
        )

    def _name(self, row: int) -> str:
        return f"annotation {self._ids[row]}"


def _rows(annotations: Sequence[Record], label_of: Mapping[int, int]) -> FileBoxes:
    boxes = np.array([record["bbox"] for record in annotations], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    tracks = [record.get("instance_id", NO_TRACK) for record in annotations]
    return FileBoxes(
        boxes=boxes,
        label_ids=np.array([label_of[record["category_id"]] for record in annotations], np.int64),
        track_ids=np.array(tracks, np.int64),
        ignore=_flags(annotations, "iscrowd"),
        occluded=_flags(annotations, "occluded"),
        generated=_flags(annotations, "generated"),
    )


def _flags(annotations: Sequence[Record], key: str) -> NDArray[np.bool_]:
    return np.array([bool(record.get(key, False)) for record in annotations], np.bool_)
