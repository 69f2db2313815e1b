"""CocoVID json, as mmtracking and others read it: all videos in one file.

    annotations/instances_train.json
    images/street_000012.jpg               with --frames

Frames count from 0 without holes, those that a stride left out not counted; `source_frame` is the
index in the source. Boxes are left, top, width, height in pixels. `instance_id` is unique in the
file, `track_id` the id in the video; a box of no track has neither. Every frame that was looked at
is an image, so that one without boxes counts as empty. `segmentation` is empty, for readers of COCO
who want it there.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, count
from pathlib import Path

from minet_core.export_options import ExportOptions
from minet_core.formats.annotations import FrameBox, VideoAnnotations
from minet_core.formats.coco.records import Record, write_records
from minet_core.formats.dataset_view import check_sizes, classes_of, looked_at, picture_name

IMAGES = "images"

_DIGITS = 2
"""Of pixels, as everywhere."""


def write_coco_vid(
    annotations: Sequence[VideoAnnotations], place: Path, options: ExportOptions
) -> list[Path]:
    """Write all videos into one file.

    Raises:
        ConfigError: a name, a frame or a size does not fit, see `sampled`.
        OutputError: it cannot be written.
    """
    check_sizes(annotations)
    names = classes_of(annotations)
    parts = {
        "categories": categories(names),
        "videos": (_video(number, video) for number, video in enumerate(annotations, 1)),
        "images": _images(annotations, options),
        "annotations": _boxes(annotations, names),
    }
    path = place / annotation_path(options)
    write_records(path, parts)
    return [path]


def annotation_path(options: ExportOptions) -> str:
    """Where the json belongs, as readers of COCO look for it."""
    return f"annotations/instances_{options.split}.json"


def picture_path(video: VideoAnnotations, frame: int, options: ExportOptions) -> str:
    """Where a picture belongs, so that `file_name` is its place in the folder of pictures."""
    return f"{IMAGES}/{picture_name(video, frame, options)}"


def categories(names: Sequence[str]) -> Iterator[Record]:
    """Records of the classes, from 1."""
    return ({"id": number, "name": name} for number, name in enumerate(names, 1))


def bbox(box: Sequence[float]) -> list[float]:
    """left, top, width, height of a box by its edges."""
    x1, y1, x2, y2 = (round(side, _DIGITS) for side in box)
    return [x1, y1, round(x2 - x1, _DIGITS), round(y2 - y1, _DIGITS)]


def area(sides: Sequence[float]) -> float:
    """Of a bbox."""
    return round(sides[2] * sides[3], _DIGITS)


def _video(number: int, video: VideoAnnotations) -> Record:
    rate = video.frame_rate
    return {
        "id": number,
        "name": video.name,
        "width": video.width,
        "height": video.height,
        "fps": None if rate is None else round(float(rate / video.step), 6),
        "source": video.source,
        "source_frames": video.frames,
        "source_fps": None if rate is None else str(rate),
    }


def _images(annotations: Sequence[VideoAnnotations], options: ExportOptions) -> Iterator[Record]:
    ids = count(1)
    for number, video in enumerate(annotations, 1):
        for place, frame in enumerate(video.looked_at):
            width, height = video.size_of(frame)
            yield {
                "id": next(ids),
                "video_id": number,
                "frame_id": place,
                "source_frame": frame,
                "file_name": picture_name(video, frame, options),
                "width": width,
                "height": height,
            }


def _boxes(annotations: Sequence[VideoAnnotations], names: Sequence[str]) -> Iterator[Record]:
    categories = {name: number for number, name in enumerate(names, 1)}
    highest = (max((track.id for track in video.tracks), default=0) for video in annotations)
    ids, images = count(1), count(1)
    for number, (video, used) in enumerate(
        zip(annotations, accumulate(highest, initial=0), strict=False), 1
    ):
        for _, boxes in looked_at(video):
            image = next(images)
            for box in boxes:
                about = {"id": next(ids), "video_id": number, "image_id": image}
                yield {**about, "category_id": categories[box.label], **_of_box(box, used)}


def _of_box(box: FrameBox, used: int) -> Record:
    """The rest of a box's record; ids up to `used` belong to other videos' tracks."""
    sides = bbox(box.box)
    ids = {} if box.track is None else {"instance_id": used + box.track, "track_id": box.track}
    return {
        **ids,
        "bbox": sides,
        "area": area(sides),
        "iscrowd": 0,
        "segmentation": [],
        "occluded": int(box.occluded),
        "generated": int(not box.keyframe),
        "score": round(box.score, 6),
    }
