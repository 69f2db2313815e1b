"""COCO's json: of videos, or of pictures that are frames of videos, as CVAT exports them.

{"images": [{"id": 1, "file_name": "frame_000000.PNG", "width": 640, "height": 480}, …],
 "annotations": [{"image_id": 1, "bbox": […], "attributes": {"track_id": 3}, …}, …], …}
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from minet_core.datasets.coco.json_records import (
    Contents,
    FaultError,
    Record,
    load_coco,
    one_line_for_faults,
)
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.coco.reader import rows_of, videos_of
from minet_core.formats.gathering import gather
from minet_core.formats.picture_names import frame_name
from minet_core.formats.strides import steps_of

_KEYS = ("categories", "images", "annotations")

_READ = ("track_id", "occluded", "keyframe", "outside", "rotation", "is_crowd")
"""Attributes that CVAT and Datumaro write of their own."""

Frames = dict[int, Record]
"""Frame → image."""


def read_coco(path: Path, name: str | None = None) -> list[VideoAnnotations]:
    """Read a file of CocoVID; or of COCO, whose pictures are frames as their names tell.

    Pictures of several sizes that seem to be frames of one video are a video each.

    Args:
        path: of the file.
        name: of the video whose frames have numbers alone; None for the file's.

    Raises:
        InputError: it cannot be read, or contradicts itself.
    """
    content = load_coco(path, _KEYS)
    with one_line_for_faults(path):
        if "videos" in content:
            return videos_of(content)
        return _of_pictures(content, name or path.stem)


def _of_pictures(content: dict[str, Any], name: str) -> list[VideoAnnotations]:
    classes, label_of, images, boxes = Contents.of(content)
    boxes = {image: [_flat(record) for record in records] for image, records in boxes.items()}
    return [
        _video(video, frames, boxes, classes, label_of)
        for video, frames in _videos(images.values(), name)
    ]


def _flat(record: Record) -> Record:
    """A record with what CVAT says in `attributes`, where CocoVID has it."""
    told = record.get("attributes") or {}
    beside = {
        "track_id": told.get("track_id"),
        "occluded": told.get("occluded"),
        "generated": not told.get("keyframe", True),
    }
    return {**beside, **record}


def _videos(images: Sequence[Record] | Any, name: str) -> Iterator[tuple[str, Frames]]:
    groups: dict[str, Frames] = {}
    for image in images:
        video, frame = frame_name(PurePosixPath(image["file_name"]).stem, name)
        if groups.setdefault(video, {}).setdefault(frame, image) is not image:
            raise FaultError(f"{image['file_name']}: frame {frame} of {video} occurs twice")
    for video, frames in groups.items():
        if len({(image["width"], image["height"]) for image in frames.values()}) == 1:
            yield video, dict(sorted(frames.items()))
        else:
            yield from ((PurePosixPath(i["file_name"]).stem, {0: i}) for i in frames.values())


def _video(
    name: str,
    frames: Frames,
    boxes: Mapping[int, Sequence[Record]],
    classes: tuple[str, ...],
    label_of: Mapping[int, int],
) -> VideoAnnotations:
    records = [(frame, box) for frame, image in frames.items() for box in boxes[image["id"]]]
    single = [pair for pair in records if not pair[1].get("iscrowd")]
    gathered = gather(rows_of(single, label_of), classes)
    outlines = sum(bool(record.get("segmentation")) for _, record in single)
    told = Counter(
        key for _, box in single for key in box.get("attributes") or () if key not in _READ
    )
    counts = {
        "boxes of crowds, left out": len(records) - len(single),
        "outlines (polygons, masks), of which the boxes are read": outlines,
        **{f"attributes {name}, left out, of boxes": count for name, count in told.items()},
    }
    steps, first = steps_of(list(frames)), next(iter(frames.values()))
    return VideoAnnotations(
        name=name,
        source=None,
        width=int(first["width"]),
        height=int(first["height"]),
        frames=None,
        frame_rate=None,
        variable_rate=False,
        step=steps.step,
        classes=classes,
        tracks=gathered.tracks,
        loose=gathered.loose,
        start=steps.start,
        stop=steps.stop,
        pictures={frame: str(image["file_name"]) for frame, image in frames.items()},
        notes=(*gathered.notes, *(f"{what}: {count}" for what, count in counts.items() if count)),
        drawn_gaps=all(float(record.get("score", 1)) == 1 for _, record in single),
    )
