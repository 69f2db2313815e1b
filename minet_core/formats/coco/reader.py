"""CocoVID json, read back: minet's own files with scores and source frames, and anybody else's."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from minet_core.boxes import NO_TRACK
from minet_core.datasets.coco.json_records import (
    Contents,
    FaultError,
    Record,
    by_id,
    frames_of_videos,
    load_coco,
    one_line_for_faults,
)
from minet_core.formats.annotations import Sizes, VideoAnnotations
from minet_core.formats.gathering import BoxRows, gather
from minet_core.formats.strides import Steps, steps_of

_KEYS = ("categories", "videos", "images", "annotations")


def read_coco_vid(path: Path) -> list[VideoAnnotations]:
    """Read a file, which tells of any number of videos.

    Where a record has no `source_frame`, frames are those of the file. Ids are `track_id`, and
    `instance_id` where there is none; `iscrowd` boxes stand for many objects and are left out.

    Raises:
        InputError: it cannot be read, or contradicts itself.
    """
    content = load_coco(path, _KEYS)
    with one_line_for_faults(path):
        return videos_of(content)


def videos_of(content: dict[str, Any]) -> list[VideoAnnotations]:
    """The videos of a file's content.

    Raises:
        FaultError: it contradicts itself; KeyError and the like where a record lacks something.
    """
    classes, label_of, images, boxes = Contents.of(content)
    return [
        _video(video, [(images[image], boxes[image]) for image in order], classes, label_of)
        for video, order in frames_of_videos(by_id(content["videos"], "video"), images)
    ]


def _video(
    video: Record,
    frames: Sequence[tuple[Record, Sequence[Record]]],
    classes: tuple[str, ...],
    label_of: Mapping[int, int],
) -> VideoAnnotations:
    sources = [int(image.get("source_frame", image["frame_id"])) for image, _ in frames]
    if any(later <= frame for frame, later in pairwise(sources)):
        raise FaultError(f"the source frames of video {video['id']} do not increase")
    steps = steps_of(sources)
    records = [
        (frame, record)
        for frame, (_, boxes) in zip(sources, frames, strict=True)
        for record in boxes
    ]
    single = [pair for pair in records if not pair[1].get("iscrowd")]
    gathered = gather(rows_of(single, label_of), classes)
    crowds = len(records) - len(single)
    width, height = _size(video) or (_size(frames[0][0]) if frames else None) or (0, 0)
    return VideoAnnotations(
        name=str(video["name"]),
        source=video.get("source"),
        width=width,
        height=height,
        frames=_count(video, steps),
        frame_rate=_rate(video, steps.step),
        variable_rate=False,
        step=steps.step,
        classes=classes,
        tracks=gathered.tracks,
        loose=gathered.loose,
        start=steps.start,
        stop=steps.stop,
        pictures=_pictures(sources, frames),
        sizes=_sizes(sources, frames, (width, height)),
        notes=(*gathered.notes, *([f"boxes of crowds, left out: {crowds}"] if crowds else [])),
        drawn_gaps=all(float(record.get("score", 1)) == 1 for _, record in single),
    )


def _pictures(
    sources: Sequence[int], frames: Sequence[tuple[Record, Sequence[Record]]]
) -> dict[int, str]:
    names = (str(image.get("file_name") or "") for image, _ in frames)
    return {frame: name for frame, name in zip(sources, names, strict=True) if name}


def _size(record: Record) -> tuple[int, int] | None:
    """(width, height) of a video or an image, where it tells both."""
    width, height = int(record.get("width") or 0), int(record.get("height") or 0)
    return (width, height) if width and height else None


def _sizes(
    sources: Sequence[int],
    frames: Sequence[tuple[Record, Sequence[Record]]],
    whole: tuple[int, int],
) -> Sizes | None:
    """Those of images that have another size than the video; None where one does not tell its."""
    told = {frame: _size(image) for frame, (image, _) in zip(sources, frames, strict=True)}
    known = {frame: size for frame, size in told.items() if size is not None}
    others = {frame: size for frame, size in known.items() if size != whole}
    return others if len(known) == len(told) else None


def _count(video: Record, steps: Steps) -> int | None:
    """Frames of the source; without a word of it, those of the file are all there are."""
    if "source" in video or "source_frames" in video:
        known = video.get("source_frames")
        return None if known is None else int(known)
    return steps.stop


def _rate(video: Record, step: int) -> Fraction | None:
    """Of the source."""
    if exact := video.get("source_fps"):
        return Fraction(exact)
    rate = video.get("fps")
    return Fraction(rate).limit_denominator(1001) * step if rate else None


def rows_of(records: Sequence[tuple[int, Record]], label_of: Mapping[int, int]) -> BoxRows:
    """Records of annotations, each with its frame, as rows.

    Raises:
        FaultError: a box is none.
    """
    boxes = np.array([record["bbox"] for _, record in records], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    if not np.isfinite(boxes).all():
        raise FaultError("a bbox has a value that is not a number")
    ids = [record.get("track_id", record.get("instance_id")) for _, record in records]
    return BoxRows(
        frames=np.array([frame for frame, _ in records], np.int64),
        tracks=np.array([NO_TRACK if number is None else number for number in ids], np.int64),
        labels=np.array([label_of[record["category_id"]] for _, record in records], np.int64),
        boxes=boxes,
        scores=np.array([record.get("score", 1.0) for _, record in records], np.float64),
        keyframes=np.array([not record.get("generated") for _, record in records], np.bool_),
        occluded=np.array([bool(record.get("occluded")) for _, record in records], np.bool_),
    )
