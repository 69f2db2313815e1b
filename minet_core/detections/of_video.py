"""Boxes from a file in place of a detector's, for one video."""

from dataclasses import replace
from pathlib import Path

from minet_core.datasets.mot.rows import NO_CLASS, read_mot_rows
from minet_core.datasets.mot.sequence import class_names
from minet_core.detections.coco_results import is_coco_results, read_frame_results
from minet_core.detections.locating import named
from minet_core.detections.reading import read_stored
from minet_core.models.stored_detections import StoredBoxes
from minet_core.models.zoo import Model
from minet_core.options import DetectOptions
from minet_core.video.info import VideoInfo
from minet_core.video.opening import shown
from minet_core.video.pictures.folder import order_line

NAMELESS = "object"
"""Class of the boxes of a file that knows no classes."""


def with_boxes_of(path: Path, model: Model, wanted: tuple[str, ...]) -> Model:
    """The model with a file's boxes and scores in place of its detector; see `read_given`."""
    return replace(model, stored=read_given(path, wanted))


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
    if given is None or (given.suffix.lower() in {".json", ".csv"} and not is_coco_results(given)):
        return []
    line = order_line(info.pictures)
    return [f"{shown(given)}: {line}"] if line else []


def read_given(path: Path, wanted: tuple[str, ...] = ()) -> StoredBoxes:
    """Read the boxes of one video: a result of `minet detect`, MOTChallenge text, COCO results.

    Args:
        path: the file. Names of numbered classes are those of classes.txt beside it, or of the
            MOTChallenge sequence it lies in.
        wanted: classes that the user asks for; a single one is the class of all boxes where the
            file knows none.

    Raises:
        InputError: it cannot be read, or its boxes are not sound.
    """
    if path.suffix.lower() in {".json", ".csv"} and not is_coco_results(path):
        return read_stored(path, None)
    folder = path.parent.parent if path.parent.name == "det" else path.parent
    names = class_names(folder, path.parent)
    if is_coco_results(path):
        return read_frame_results(path, names)
    numbers = set(read_mot_rows(path).class_ids.tolist())
    if not numbers <= {NO_CLASS}:
        return read_stored(path, named(path, names, numbers))
    only = next((given for given in (wanted, names or ()) if len(given) == 1), (NAMELESS,))
    return read_stored(path, only)
