"""MOT 1.1 as CVAT takes it: gt/gt.txt and gt/labels.txt.

    frame, id, left, top, width, height, 1, class, visibility

Frames count from 1, classes are lines of labels.txt, from 1. CVAT counts the frames of its task:
where frames were looked at in steps, that is one with the same step. Visibility is 0 where a box
is occluded, as CVAT understands it, and 1 elsewhere. Boxes of no track have id -1. Every box is a
keyframe after such an import; `cvat` is the format to prefer.

With pictures it is a sequence of a MOTChallenge dataset: img1/, seqinfo.ini; and pictures.csv where
they had names of their own.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from minet_core.errors import ConfigError
from minet_core.export_options import ExportOptions
from minet_core.files import one_line
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.dataset_view import classes_of, looked_at, write_picture_list
from minet_core.publishing import complete_text

GT = "gt/gt.txt"
LABELS = "gt/labels.txt"
SEQUENCE = "seqinfo.ini"

_NO_TRACK = -1

Row = tuple[int | float, ...]


def write_mot_gt(
    annotations: Sequence[VideoAnnotations], place: Path, options: ExportOptions
) -> list[Path]:
    """Write one video into a folder.

    Raises:
        ConfigError: a class has a name that no list can hold, or a box is in a frame that was not
            looked at.
        OutputError: it cannot be written.
    """
    (video,) = annotations
    names = classes_of(annotations)
    made = [place / GT, place / LABELS]
    with one_line(place):
        (place / "gt").mkdir(parents=True)
    with complete_text(made[0]) as file:
        csv.writer(file, lineterminator="\n").writerows(_rows(video, names, options))
    with complete_text(made[1]) as file:
        file.write("".join(f"{name}\n" for name in names))
    if options.frames is not None:
        made.append(place / SEQUENCE)
        with complete_text(made[2]) as file:
            file.write(_sequence(video, options.frames))
        own = {picture_path(video, f, options): video.pictures.get(f) for f in video.looked_at}
        made += write_picture_list(place, own)
    return made


def picture_path(video: VideoAnnotations, frame: int, options: ExportOptions) -> str:
    """Where a picture belongs."""
    return f"img1/{_number(video, frame, options):06d}.{options.frames or 'jpg'}"


def _rows(video: VideoAnnotations, names: Sequence[str], options: ExportOptions) -> Iterator[Row]:
    classes = {name: number for number, name in enumerate(names, 1)}
    for frame, boxes in looked_at(video):
        number = _number(video, frame, options)
        for box in boxes:
            x1, y1, x2, y2 = box.box
            sides = (round(side, 2) for side in (x1, y1, x2 - x1, y2 - y1))
            track = _NO_TRACK if box.track is None else box.track
            yield (number, track, *sides, 1, classes[box.label], int(not box.occluded))


def _number(video: VideoAnnotations, frame: int, options: ExportOptions) -> int:
    """Of a frame, from 1: in the video, or among those looked at where these are the sequence."""
    if video.step == 1 and options.frames is None:
        return frame + 1
    return video.looked_at.index(frame) + 1


def _sequence(video: VideoAnnotations, suffix: str) -> str:
    if video.frame_rate is None:
        raise ConfigError(f"{video.name}: its rate is not known; --video names the video")
    # Other readers take a whole number only.
    rate = max(1, round(video.frame_rate / video.step))
    return (
        f"[Sequence]\nname={video.name}\nimDir=img1\nframeRate={rate}\n"
        f"seqLength={len(video.looked_at)}\nimWidth={video.width}\nimHeight={video.height}\n"
        f"imExt=.{suffix}\n"
    )
