"""YOLO: a text file a frame, `class xc yc width height` from 0 to 1.

    data.yaml                            names of classes, where the pictures are
    classes.txt                          the same names, a line each
    images/train/street_000012.jpg       with --frames
    labels/train/street_000012.txt       an empty one where a frame has no box

Digits at the end of a name are the frame in the source, from 0. Classes are numbered from 0. There
are five columns and never more, as other programs refuse a sixth; so neither ids nor scores are in
this format. Of a box that reaches out of the frame, the part inside is written.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from minet_core.export_options import ExportOptions
from minet_core.files import one_line
from minet_core.formats.annotations import FrameBox, VideoAnnotations
from minet_core.formats.dataset_view import (
    check_sizes,
    classes_of,
    clipped,
    frame_stem,
    looked_at,
    picture_name,
)

DATA = "data.yaml"
CLASSES = "classes.txt"
LABELS = "labels"
IMAGES = "images"

_NOT_YAML = re.compile("[\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")

DIGITS = 7
"""A hundredth of a pixel in a frame 100,000 wide."""


def write_yolo(
    annotations: Sequence[VideoAnnotations], place: Path, options: ExportOptions
) -> list[Path]:
    """Write all videos into one folder.

    Raises:
        ConfigError: a name, a frame or a size does not fit, see `sampled`.
        OutputError: it cannot be written.
    """
    check_sizes(annotations)
    names = classes_of(annotations)
    folder = place / LABELS / options.split
    with one_line(place):
        folder.mkdir(parents=True)
        (place / DATA).write_text(_data(names, options.split), encoding="utf-8")
        (place / CLASSES).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        for video in annotations:
            for frame, boxes in looked_at(video):
                text = _lines(boxes, names, video.size_of(frame))
                (folder / f"{frame_stem(video, frame)}.txt").write_text(text, encoding="ascii")
    return [place / DATA, place / CLASSES]


def picture_path(video: VideoAnnotations, frame: int, options: ExportOptions) -> str:
    """Where a picture belongs: trainers look for labels where it is, with another folder name."""
    return f"{IMAGES}/{options.split}/{picture_name(video, frame, options)}"


def _data(names: Sequence[str], split: str) -> str:
    """The yaml."""
    pictures = f"{IMAGES}/{split}"
    lines = [
        "# Trainers want both; put pictures of yours in place of the same ones twice.",
        f"train: {pictures}",
        f"val: {pictures}",
        f"nc: {len(names)}",
        "names:",
        *(f"  {number}: {_quoted(name)}" for number, name in enumerate(names)),
    ]
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    """A string of yaml: one of JSON, but for signs that JSON escapes in halves, or not at all."""
    text = json.dumps(name, ensure_ascii=False)
    return _NOT_YAML.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


def _lines(boxes: Iterable[FrameBox], names: Sequence[str], size: tuple[int, int]) -> str:
    number = {name: place for place, name in enumerate(names)}
    inside = ((box.label, clipped(box.box, *size)) for box in boxes)
    return "".join(
        f"{number[label]} {_relative(sides, *size)}\n"
        for label, sides in inside
        if sides is not None
    )


def _relative(sides: Sequence[float], width: int, height: int) -> str:
    x1, y1, x2, y2 = sides
    values = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
    return " ".join(f"{value:.{DIGITS}f}" for value in values)
