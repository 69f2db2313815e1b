"""YOLO labels, read as boxes of videos whose frames they are: of tracks where rows have ids.

A name such as street_000012.txt is of frame 12 of the video `street`; one of digits alone, of the
video that the folder is called after; one without digits at its end is a video of one frame. Where
numbers have no zeros in front and there are no pictures, they are those that Ultralytics gives the
frames of a video, and count from 1. Boxes are shares of a frame, so its size has to be known: from
a picture beside the labels, or from whoever asks. Pictures of several sizes are a video each.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minet_core.datasets.yolo import (
    LabelError,
    LabelRow,
    Labels,
    YoloLayout,
    interpret,
    label_files,
    open_layout,
    picture_beside,
    pixels,
    read_rows,
)
from minet_core.errors import InputError
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.gathering import BoxRows, gather
from minet_core.formats.picture_names import frame_name
from minet_core.formats.picture_sizes import are_of_one_size
from minet_core.formats.strides import Steps, steps_of
from minet_core.text import shown
from minet_core.video.pictures.picture import read_picture

SizeOf = Callable[[str], tuple[int, int] | None]
"""(width, height) of a video by its name, None where it is not known."""

_PLAYED = re.compile(r".+_[1-9]\d*")

_FEW = 100_000
"""A frame below this has a zero in front, where minet itself writes its number."""


class _Video(NamedTuple):
    """The label files of a video.

    Attributes:
        name: of the video.
        files: by the number in their names.
        rows: of each of these files.
        from_1: whether the first frame has number 1.
    """

    name: str
    files: Mapping[int, Path]
    rows: Mapping[int, Sequence[LabelRow]]
    from_1: bool


def read_yolo(place: Path, size_of: SizeOf) -> list[VideoAnnotations]:
    """Read a folder with labels, or what a data.yaml names.

    Args:
        place: the folder, with classes.txt, obj.names or data.yaml; or a data.yaml.
        size_of: asked for the size of a video of which there is no picture.

    Raises:
        InputError: there are no labels, no names of classes, a line that is none, or nothing that
            tells the size of a video.
    """
    layout = open_layout(place)
    videos = list(_videos(layout))
    # One program wrote all of it, so that each row helps to tell what the others are.
    rows = [row for video in videos for row in chain.from_iterable(video.rows.values())]
    try:
        labels = interpret(rows, layout.keypoints)
    except LabelError as error:
        raise InputError(str(error)) from None
    unknown = ~np.isin(labels.classes, np.arange(len(layout.classes)))
    if unknown.any():
        row = rows[int(unknown.argmax())]
        raise InputError(
            f"{shown(row.place)}, line {row.line}: class {row.values[0]:g}, "
            f"but there are names of {len(layout.classes)} only"
        )
    ends = np.cumsum([0, *(sum(map(len, video.rows.values())) for video in videos)]).tolist()
    return [
        _annotations(video, labels[first:end], layout, size_of)
        for video, first, end in zip(videos, ends[:-1], ends[1:], strict=True)
    ]


def _videos(layout: YoloLayout) -> Iterator[_Video]:
    for name, files in _files(layout).items():
        rows = {frame: _rows(path, layout.keypoints) for frame, path in files.items()}
        pictures = [path for path in map(_picture_of, files.values()) if path is not None]
        if are_of_one_size(pictures):
            yield _Video(name, files, rows, not pictures and _counts_from_1(files))
        else:  # no frames of a video, whatever their names
            yield from (_Video(p.stem, {0: p}, {0: rows[i]}, False) for i, p in files.items())


def _picture_of(label: Path) -> Path | None:
    return next((path for path in picture_beside(label) if path.is_file()), None)


def _files(layout: YoloLayout) -> dict[str, dict[int, Path]]:
    """Video → number in the name → file, in order."""
    found: dict[str, dict[int, Path]] = {}
    for path in label_files(layout):
        name, frame = frame_name(path.stem, layout.root.resolve().name)
        if found.setdefault(name, {}).setdefault(frame, path) != path:
            copied = "; export from Roboflow without augmentation" if ".rf." in path.stem else ""
            raise InputError(f"{shown(path)}: frame {frame} of {name} occurs twice{copied}")
    return {name: dict(sorted(frames.items())) for name, frames in found.items()}


def _counts_from_1(files: Mapping[int, Path]) -> bool:
    """Whether the names are those that Ultralytics makes of a video's: street_1, street_2, …."""
    return all(_PLAYED.fullmatch(path.stem) for path in files.values()) and min(files) < _FEW


def _rows(path: Path, keypoints: int) -> list[LabelRow]:
    try:
        return read_rows(path, keypoints)
    except LabelError as error:
        raise InputError(str(error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{shown(path)}: no YOLO labels ({error})") from None


def _size(layout: YoloLayout, video: _Video, size_of: SizeOf) -> tuple[int, int]:
    for path in chain.from_iterable(map(picture_beside, video.files.values())):
        picture = read_picture(path)
        if picture is not None:
            return picture.shape[1], picture.shape[0]
    if (size := size_of(video.name)) is not None:
        return size
    raise InputError(
        f"{shown(layout.root)}: the size of the frames of {video.name} is unknown: "
        "there are no pictures, and the video is not known"
    )


def _annotations(
    video: _Video, labels: Labels, layout: YoloLayout, size_of: SizeOf
) -> VideoAnnotations:
    size = _size(layout, video, size_of)
    frames = np.array(list(video.files), np.int64) - video.from_1
    counts = [len(rows) for rows in video.rows.values()]
    always = np.ones(len(labels.classes), np.bool_)
    boxes = BoxRows(
        frames=np.repeat(frames, counts),
        tracks=labels.tracks,
        labels=labels.classes,
        boxes=pixels(labels.boxes, size),
        scores=labels.scores,
        keyframes=always,
        occluded=~always,
    )
    gathered = gather(boxes, layout.classes)
    # Ultralytics writes no file where there is no box, so that files do not tell the steps.
    steps = Steps(0, int(frames[-1]) + 1, 1) if video.from_1 else steps_of(frames.tolist())
    return VideoAnnotations(
        name=video.name,
        source=None,
        width=size[0],
        height=size[1],
        frames=None,
        frame_rate=None,
        variable_rate=False,
        step=steps.step,
        classes=layout.classes,
        tracks=gathered.tracks,
        loose=gathered.loose,
        start=steps.start,
        stop=steps.stop,
        notes=(*_notes(video, labels, layout.keypoints), *gathered.notes),
        drawn_gaps=not video.from_1 and bool((labels.scores == 1).all()),
        pictures={
            frame - video.from_1: (_picture_of(path) or path.with_suffix("")).name
            for frame, path in video.files.items()
        },
    )


def _notes(video: _Video, labels: Labels, keypoints: int) -> Iterator[str]:
    if video.from_1:
        number, path = next(iter(video.files.items()))
        yield f"its files count from 1, as Ultralytics does: {path.name} is frame {number - 1}"
    lengths = {len(row.values) for rows in video.rows.values() for row in rows}
    if 6 in lengths and 7 not in lengths:
        kind = "a track's id" if labels.sixth == "id" else "a confidence"
        yield f"the sixth column of its rows is read as {kind}"
    if outlines := int(labels.outlines.sum()):
        yield f"outlines (polygons, turned boxes), read as the boxes around them: {outlines}"
    if keypoints and len(labels.classes):
        yield f"keypoints are left out, of boxes: {len(labels.classes)}"
