"""YouTube-VIS json (YTVIS, OVIS): all videos in one file, a record a track.

    annotations/instances_train.json
    images/street_000012.jpg               with --frames

A track has a list of boxes as long as its video has frames, with null where it is not seen; what a
stride left out is not counted. `track_id` is the id in the video. A box of no track becomes a
track of one frame, without `track_id`. There are no masks.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from minet_core.errors import ConfigError
from minet_core.export_options import ExportOptions
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.coco.records import Record, write_records
from minet_core.formats.coco.writer import annotation_path, area, bbox, categories, picture_path
from minet_core.formats.dataset_view import check_looked_at, check_sizes, classes_of, picture_name

__all__ = ["picture_path", "write_ytvis"]


def write_ytvis(
    annotations: Sequence[VideoAnnotations], place: Path, options: ExportOptions
) -> list[Path]:
    """Write all videos into one file.

    Raises:
        ConfigError: a name, a frame or a size does not fit, see `sampled`, or a video has
            several sizes.
        OutputError: it cannot be written.
    """
    check_sizes(annotations)
    names = classes_of(annotations)
    for video in annotations:
        check_looked_at(video)
        if video.sizes:
            raise ConfigError(
                f"{video.name}: its pictures are of several sizes, and a video of YouTube-VIS "
                "has one; coco-vid can hold them"
            )
    parts = {
        "categories": categories(names),
        "videos": (_video(number, video, options) for number, video in enumerate(annotations, 1)),
        "annotations": _tracks(annotations, names),
    }
    path = place / annotation_path(options)
    write_records(path, parts)
    return [path]


def _video(number: int, video: VideoAnnotations, options: ExportOptions) -> Record:
    return {
        "id": number,
        "name": video.name,
        "width": video.width,
        "height": video.height,
        "length": len(video.looked_at),
        "file_names": [picture_name(video, frame, options) for frame in video.looked_at],
    }


def _tracks(annotations: Sequence[VideoAnnotations], names: Sequence[str]) -> Iterator[Record]:
    numbers, ids = {name: number for number, name in enumerate(names, 1)}, count(1)
    for number, video in enumerate(annotations, 1):
        for track in video.tracks:
            seen = track.frames.tolist(), track.boxes.tolist()
            about = {"id": next(ids), "video_id": number, "track_id": track.id}
            score = round(float(track.scores.mean()), 6)
            yield {**about, **_record(video, numbers[track.label], score, *seen)}
        loose = video.loose
        columns = loose.frames.tolist(), loose.boxes.tolist(), loose.scores.tolist()
        for label, frame, box, score in zip(loose.labels, *columns, strict=True):
            about = {"id": next(ids), "video_id": number}
            yield {**about, **_record(video, numbers[label], round(score, 6), [frame], [box])}


def _record(
    video: VideoAnnotations,
    category: int,
    score: float,
    frames: Sequence[int],
    boxes: Sequence[Sequence[float]],
) -> Record:
    sides: list[list[float] | None] = [None] * len(video.looked_at)
    for frame, box in zip(frames, boxes, strict=True):
        sides[video.looked_at.index(frame)] = bbox(box)
    return {
        "category_id": category,
        "bboxes": sides,
        "areas": [side and area(side) for side in sides],
        "iscrowd": 0,
        "score": score,
        "width": video.width,
        "height": video.height,
    }
