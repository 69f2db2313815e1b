"""COCO results: boxes of all videos in one json, by the image ids of a CocoVID file.

    [{"image_id": 7, "category_id": 1, "bbox": [left, top, width, height], "score": 0.9}, …]

A `track_id` may stand beside, and a run-length mask, `segmentation`, in the place of the box.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from minet_core.boxes import NO_TRACK
from minet_core.detections.locating import named
from minet_core.detections.masks import box_of_rle
from minet_core.errors import InputError
from minet_core.models.stored_detections import StoredBoxes
from minet_core.text import shown


def is_coco_results(path: Path) -> bool:
    """Whether a file is a json list, as results are; everything else of ours is an object."""
    if path.suffix.lower() != ".json":
        return False
    with path.open("rb") as file:
        return file.read(1000).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def read_coco_results(path: Path, dataset: Path) -> dict[str, StoredBoxes]:
    """The boxes of every video of a CocoVID file, by its name.

    Args:
        path: of the results.
        dataset: the CocoVID file, which was opened as a dataset before and is sound.

    Raises:
        InputError: the results cannot be read, or name an image or a category that is not there.
    """
    truth, records = _load(dataset), _load(path)
    names = tuple(str(category["name"]) for category in truth["categories"])
    label_of = {category["id"]: i for i, category in enumerate(truth["categories"])}
    video_of = {video["id"]: str(video["name"]) for video in truth["videos"]}
    image_of = {image["id"]: image for image in truth["images"]}
    rows: dict[str, list[tuple[float, ...]]] = {name: [] for name in video_of.values()}
    for number, record in enumerate(records, 1):
        place = f"{shown(path)}, result {number}"
        try:
            image = image_of[record["image_id"]]
            label = label_of[record["category_id"]]
            row = _row(record, image["frame_id"], label)
        except KeyError as error:
            raise InputError(f"{place}: no image, category or column {error}") from None
        except (TypeError, ValueError) as error:
            raise InputError(f"{place}: it does not read ({error})") from None
        rows[video_of[image["video_id"]]].append(row)
    return {video: _stored(f"{shown(path)}, {video}", rows[video], names) for video in rows}


def read_frame_results(path: Path, names: Sequence[str] | None) -> StoredBoxes:
    """The boxes of one video, whose images are its frames: `image_id` counts them from 0.

    Categories count from 1, as COCO's do; from 0 where there is a category 0, as many detectors
    count.

    Args:
        path: of the results.
        names: of the categories in order; None for their numbers.

    Raises:
        InputError: the results cannot be read, or have a category without a name.
    """
    records, place = _load(path), shown(path)
    rows = []
    for number, record in enumerate(records, 1):
        try:
            frame, category = int(record["image_id"]), int(record["category_id"])
            rows.append(_row(record, frame, category))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{place}, result {number}: it does not read ({error!r})") from None
    found = {int(row[1]) for row in rows}
    first = 0 if 0 in found else 1
    stored = _stored(place, rows, named(path, names, found, first))
    notes = () if first else ("it has a category 0, so its categories are counted from 0",)
    return replace(stored, label_ids=stored.label_ids - first, notes=notes)


def _row(record: Mapping[str, Any], frame: int, label: int) -> tuple[float, ...]:
    """(frame, label, track, score, x1, y1, x2, y2)."""
    track = record.get("track_id")
    track = NO_TRACK if track is None else int(track)
    if "bbox" not in record and isinstance(mask := record.get("segmentation"), dict):
        box = box_of_rle(mask)
        if box is None:
            raise ValueError("a mask of nothing")
    else:
        left, top, width, height = map(float, record["bbox"])
        box = left, top, left + width, top + height
    return (frame, label, track, float(record["score"]), *box)


def _stored(source: str, rows: list[tuple[float, ...]], classes: tuple[str, ...]) -> StoredBoxes:
    table = np.array(rows, dtype=np.float64).reshape(-1, 8)
    table = table[np.argsort(table[:, 0], kind="stable")]
    return StoredBoxes(
        source=source,
        classes=classes,
        frames=table[:, 0].astype(np.int64),
        boxes=table[:, 4:],
        label_ids=table[:, 1].astype(np.int64),
        scores=table[:, 3],
        base_scores=table[:, 3],
        track_ids=table[:, 2].astype(np.int64),
        covered=frozenset(range(len(classes))),
    )


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{shown(path)}: {error.strerror}".lower()) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{shown(path)}: not json ({error})") from None
