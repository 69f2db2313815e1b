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

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK
from minet_core.datasets.base import Dataset, FrameTruth, VideoTruth
from minet_core.datasets.checks import BoxChecker, Rows
from minet_core.datasets.pictures import PictureFiles
from minet_core.datasets.problems import Problems
from minet_core.errors import InputError
from minet_core.video.source import shown

Record = Mapping[str, Any]

_STILL_KEYS = ("categories", "images", "annotations")
_PICTURE_FOLDERS = ("", "images", "data", "Data/VID")


class _FaultError(Exception):
    """The file contradicts itself."""


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
    content = _load(path, _STILL_KEYS if stills else (*_STILL_KEYS, "videos"))
    try:
        return _dataset(path, _each_a_video(content) if stills else content, images)
    except _FaultError as error:
        raise InputError(f"{shown(path)}: {error}") from None
    except KeyError as error:
        raise InputError(f"{shown(path)}: no CocoVID file, a record has no {error}") from None
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(f"{shown(path)}: no CocoVID file ({error})") from None


def _each_a_video(content: dict[str, Any]) -> dict[str, Any]:
    images = [{**image, "video_id": image["id"], "frame_id": 0} for image in content["images"]]
    videos = [{"id": image["id"], "name": image["file_name"]} for image in images]
    return {**content, "images": images, "videos": videos}


def _load(path: Path, keys: tuple[str, ...]) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{shown(path)}: {error.strerror}".lower()) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{shown(path)}: not json ({error})") from None
    missing = [key for key in keys if not isinstance(content, dict) or key not in content]
    if missing:
        kind = "CocoVID" if "videos" in keys else "COCO"
        raise InputError(f"{shown(path)}: no {kind} file, it has no {', '.join(missing)}")
    found: dict[str, Any] = content
    return found


def _dataset(path: Path, content: dict[str, Any], images: Path | None) -> Dataset:
    categories = _by_id(content["categories"], "category")
    classes = tuple(str(category["name"]) for category in categories.values())
    if len(set(classes)) != len(classes):
        raise _FaultError("two categories have the same name")
    pictures = _by_id(content["images"], "image")
    folder = images or _picture_folder(path, pictures)
    truth = _Truth(path, content["annotations"], list(categories), list(pictures))
    frames = _frames_of_videos(_by_id(content["videos"], "video"), pictures)
    videos = tuple(
        _video(video, [pictures[image] for image in order], folder, truth)
        for video, order in frames
    )
    return Dataset(f"coco-vid {path.stem}", classes, videos, False, truth.problems)


def _by_id(records: Iterable[Record], kind: str) -> dict[int, Record]:
    table: dict[int, Record] = {}
    for record in records:
        if table.setdefault(record["id"], record) is not record:
            raise _FaultError(f"two records of a {kind} have id {record['id']}")
    return table


def _picture_folder(path: Path, pictures: Mapping[int, Record]) -> Path:
    first = next((str(record["file_name"]) for record in pictures.values()), "")
    places = [
        base / name for base in (path.parent, path.parent.parent) for name in _PICTURE_FOLDERS
    ]
    return next((place for place in places if (place / first).is_file()), path.parent)


def _frames_of_videos(
    videos: Mapping[int, Record], pictures: Mapping[int, Record]
) -> Iterator[tuple[Record, list[int]]]:
    """Each video with the ids of its images, in the order of its frames, without holes."""
    images: dict[int, dict[int, int]] = {video: {} for video in videos}
    for image, record in pictures.items():
        video, frame = record["video_id"], record["frame_id"]
        if video not in images:
            raise _FaultError(f"image {image} is of video {video}, which is not listed")
        if images[video].setdefault(frame, image) != image:
            raise _FaultError(f"images {images[video][frame]} and {image} have the same frame_id")
    for video, by_frame in images.items():
        hole = next((frame for frame in range(len(by_frame)) if frame not in by_frame), None)
        if hole is not None:
            raise _FaultError(
                f"frame_id must count from 0 without holes, but video {video} has no {hole} "
                f"among its {len(by_frame)} images (of a stride, number the frames anew)"
            )
        yield videos[video], [by_frame[frame] for frame in range(len(by_frame))]


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
            _check_references(record, place_of, label_of)
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
        rows = self._rows.take(slice(int(first), int(behind)))
        return self._check(
            index, rows, _size(image), lambda row: f"{self._path}, {self._name(int(first) + row)}"
        )

    def _name(self, row: int) -> str:
        return f"annotation {self._ids[row]}"


def _check_references(
    record: Record, images: Mapping[int, int], categories: Mapping[int, int]
) -> None:
    if record["image_id"] not in images:
        raise _FaultError(
            f"annotation {record['id']} is of image {record['image_id']}, which is not listed"
        )
    if record["category_id"] not in categories:
        raise _FaultError(
            f"annotation {record['id']} is of category {record['category_id']}, which is not listed"
        )
    if len(record["bbox"]) != 4:
        raise _FaultError(f"annotation {record['id']} has a bbox of {len(record['bbox'])} numbers")


def _rows(annotations: Sequence[Record], label_of: Mapping[int, int]) -> Rows:
    boxes = np.array([record["bbox"] for record in annotations], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    tracks = [record.get("instance_id", NO_TRACK) for record in annotations]
    return Rows(
        boxes=boxes,
        label_ids=np.array([label_of[record["category_id"]] for record in annotations], np.int64),
        track_ids=np.array(tracks, np.int64),
        ignore=_flags(annotations, "iscrowd"),
        occluded=_flags(annotations, "occluded"),
        generated=_flags(annotations, "generated"),
    )


def _flags(annotations: Sequence[Record], key: str) -> NDArray[np.bool_]:
    return np.array([bool(record.get(key, False)) for record in annotations], np.bool_)
