"""Boxes from a file in place of a detector's, for one video."""

from dataclasses import replace
from pathlib import Path

from minet_core.detections.reading import is_own_result, read_stored
from minet_core.models.zoo import Model
from minet_core.options import DetectOptions
from minet_core.text import shown
from minet_core.video.info import VideoInfo
from minet_core.video.pictures.folder import order_line


def with_boxes_of(path: Path, model: Model, wanted: tuple[str, ...]) -> Model:
    """The model with a file's boxes and scores in place of its detector; see `read_stored`."""
    return replace(model, stored=read_stored(path, None, wanted=wanted))


def remarks(model: Model, frames: int, options: DetectOptions) -> list[str]:
    """What to know of a file's boxes: a line for each of its notes, and one for boxes left over.

    Those lie behind the end of a video that was read from end to end: they tell of numbers that
    count from elsewhere, or of another video.
    """
    stored = model.stored
    if stored is None:
        return []
    notes = [f"{stored.source}: {note}" for note in stored.notes]
    part = options.start, options.end, options.stride, options.max_frames
    rows = stored.beyond(frames) if part == (None, None, 1, None) else 0
    if rows:
        notes.append(f"{stored.source}: boxes of frames after the last, left out: {rows}")
    return notes


def picture_order(info: VideoInfo, options: DetectOptions) -> list[str]:
    """A line where another program may have counted pictures in another order than ours."""
    given = Path(options.detections) if options.detections else None
    if given is None or is_own_result(given):
        return []
    line = order_line(info.pictures)
    return [f"{shown(given)}: {line}"] if line else []
