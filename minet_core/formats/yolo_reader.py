"""YOLO labels, read as loose boxes of videos whose frames they are.

A name such as street_000012.txt is of frame 12 of the video `street`; one of digits alone, of the
video that the folder is called after; one without digits at its end is a video of one frame. Boxes
are shares of a frame, so its size has to be known: from a picture beside the labels, or from
whoever asks.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minet_core.datasets.yolo import class_names, edges, read_labels
from minet_core.errors import InputError
from minet_core.formats.annotations import LooseBoxes, VideoAnnotations
from minet_core.formats.steps import steps_of
from minet_core.video.folder import read_picture
from minet_core.video.source import shown

SizeOf = Callable[[str], tuple[int, int] | None]
"""(width, height) of a video by its name, None where it is not known."""

_FRAME = re.compile(r"(.*?)[-_. ]?(\d+)")
_PICTURES = (".jpg", ".jpeg", ".png", ".JPEG", ".bmp", ".webp")


def read_yolo(folder: Path, size_of: SizeOf) -> list[VideoAnnotations]:
    """Read a folder with labels, in `labels` or in itself.

    Args:
        folder: with classes.txt.
        size_of: asked for the size of a video of which there is no picture.

    Raises:
        InputError: there are no labels, no names of classes, a line that is none, or nothing that
            tells the size of a video.
    """
    classes = class_names(folder)
    return [
        _video(name, frames, classes, _size(folder, name, frames, size_of))
        for name, frames in _files(folder).items()
    ]


def _files(folder: Path) -> dict[str, dict[int, Path]]:
    """Video → frame → file."""
    labels = folder / "labels" if (folder / "labels").is_dir() else folder
    found: dict[str, dict[int, Path]] = {}
    for path in sorted(labels.rglob("*.txt")):
        if path.name in ("classes.txt", "train.txt", "val.txt", "test.txt"):
            continue
        match = _FRAME.fullmatch(path.stem)
        name = (match[1] or folder.resolve().name) if match else path.stem
        frame = int(match[2]) if match else 0
        if found.setdefault(name, {}).setdefault(frame, path) != path:
            raise InputError(f"{shown(path)}: frame {frame} of {name} is there already")
    if not found:
        raise InputError(f"{shown(labels)}: no labels in it")
    return {name: dict(sorted(frames.items())) for name, frames in found.items()}


def _size(folder: Path, name: str, frames: Mapping[int, Path], size_of: SizeOf) -> tuple[int, int]:
    for file in frames.values():
        parts = ["images" if part == "labels" else part for part in file.relative_to(folder).parts]
        for suffix in _PICTURES:
            picture = read_picture(folder.joinpath(*parts).with_suffix(suffix))
            if picture is not None:
                return picture.shape[1], picture.shape[0]
    if (size := size_of(name)) is not None:
        return size
    raise InputError(
        f"{shown(folder)}: nothing tells how large the frames of {name} are: "
        "there are no pictures, and the video is not known"
    )


def _video(
    name: str, frames: Mapping[int, Path], classes: tuple[str, ...], size: tuple[int, int]
) -> VideoAnnotations:
    labels = {frame: _labels(path, len(classes)) for frame, path in frames.items()}
    table = np.concatenate(list(labels.values()))
    steps = steps_of(list(frames))
    return VideoAnnotations(
        name=name,
        source=None,
        width=size[0],
        height=size[1],
        frames=None,
        frame_rate=None,
        variable_rate=False,
        step=steps.step,
        classes=classes,
        tracks=(),
        loose=LooseBoxes(
            frames=np.repeat(list(labels), [len(rows) for rows in labels.values()]),
            labels=tuple(classes[int(label)] for label in table[:, 0]),
            boxes=edges(table, size),
            scores=np.ones(len(table)),
        ),
        start=steps.start,
        stop=steps.stop,
    )


def _labels(path: Path, classes: int) -> NDArray[np.float64]:
    try:
        labels = read_labels(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{shown(path)}: no YOLO labels ({error})") from None
    if not np.isfinite(labels).all():
        raise InputError(f"{shown(path)}: a value is no number")
    if not np.isin(labels[:, 0], np.arange(classes)).all():
        raise InputError(f"{shown(path)}: a class that classes.txt does not have")
    return labels
