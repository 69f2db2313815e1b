"""Boxes that a person drew, with class and identity, read from whatever file has them.

[{"frame": …, "id": …, "x1": …, …}]   a list of boxes, as for --first-boxes
*.txt                                 MOTChallenge
result.json, detections.csv           of minet; interpolated boxes are nobody's word
CVAT, Label Studio, CocoVID, YOLO     keyframes
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from minet_core.detections.reading import read_stored
from minet_core.errors import InputError
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.label_studio.reader import FactsOf, nothing_known
from minet_core.formats.readers import kind_of, read_annotations
from minet_core.inference.prompted.anchors import FIRST, Anchor, Anchors, Box
from minet_core.inference.prompted.prompts import checked_boxes
from minet_core.text import read_text, shown

_SIDES = ("x1", "y1", "x2", "y2")


def read_prompts(path: Path, facts_of: FactsOf = nothing_known) -> Anchors:
    """Read them; of one video.

    Args:
        path: of the file.
        facts_of: what is known of the video, where the file does not tell.

    Raises:
        InputError: it cannot be read, has no box with an identity, or an object twice in a frame.
    """
    if (entries := _own_list(path)) is not None:
        return _from_list(entries, shown(path))
    if path.suffix.lower() == ".csv":
        return _from_csv(path)
    video = one_video(path, facts_of)
    rows = [
        (frame, track.id, box, track.label)
        for track in video.tracks
        for frame, box, key in zip(
            track.frames.tolist(), track.boxes.tolist(), track.keyframes.tolist(), strict=True
        )
        if key
    ]
    return gathered(rows, path, has_classes=kind_of(path) != "mot")


def one_video(path: Path, facts_of: FactsOf) -> VideoAnnotations:
    """The annotations of a file that is of one video.

    Raises:
        InputError: it cannot be read, or has several.
    """
    videos = read_annotations(path, facts_of)
    if len(videos) != 1:
        raise InputError(f"{shown(path)}: has {len(videos)} videos, and boxes of one are asked for")
    return videos[0]


def gathered(
    rows: Iterable[tuple[int, int, Iterable[float], str]], path: Path, *, has_classes: bool = True
) -> Anchors:
    """Boxes from rows of frame, id, box and class.

    Raises:
        InputError: there is none, or an object has two in one frame.
    """
    boxes: dict[int, dict[int, Anchor]] = {}
    labels: dict[int, str] = {}
    for frame, number, box, label in rows:
        x1, y1, x2, y2 = box
        known = boxes.setdefault(frame, {})
        if number in known:
            raise InputError(f"{shown(path)}: object {number} is twice in frame {frame}")
        known[number] = Anchor(number, (x1, y1, x2, y2))
        if has_classes:
            labels.setdefault(number, label)
    if not boxes:
        raise InputError(f"{shown(path)}: there is no box with an identity in it")
    return Anchors({frame: tuple(known.values()) for frame, known in boxes.items()}, labels)


def _own_list(path: Path) -> list[dict[str, Any]] | None:
    """The entries of a list of boxes; None where it is another file."""
    if path.is_dir() or path.suffix.lower() != ".json":
        return None
    try:
        entries = json.loads(read_text(path))
    except (OSError, ValueError, RecursionError):
        return None  # told by who reads all the others
    is_list = isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
    return entries if is_list and any("x1" in entry for entry in entries) else None


def _from_list(entries: list[dict[str, Any]], name: str) -> Anchors:
    sides = checked_boxes([[entry.get(side) for side in _SIDES] for entry in entries], name)
    boxes: dict[int, dict[int, Anchor]] = {}
    labels: dict[int, str] = {}
    for place, (entry, box) in enumerate(zip(entries, sides, strict=True), 1):
        frame, number = entry.get("frame", FIRST), entry.get("id", place)
        if type(frame) is not int or frame < FIRST or type(number) is not int or number < 1:
            raise InputError(f"{name}: box {place} has a frame or an id that is none")
        if number in boxes.setdefault(frame, {}):
            raise InputError(f"{name}: object {number} is twice in frame {frame}")
        boxes[frame][number] = Anchor(number, box)
        label = entry.get("label")
        if not isinstance(label, str | None):
            raise InputError(f"{name}: the label of box {place} is not a text")
        if label is not None:
            labels.setdefault(number, label)
    return Anchors({frame: tuple(known.values()) for frame, known in boxes.items()}, labels)


def _from_csv(path: Path) -> Anchors:
    stored = read_stored(path, None)
    columns = stored.frames, stored.track_ids, stored.boxes, stored.label_ids
    rows: list[tuple[int, int, Box, str]] = [
        (frame, track, tuple(box), stored.classes[label])
        for frame, track, box, label in zip(*(c.tolist() for c in columns), strict=True)
        if track > 0
    ]
    return gathered(rows, path)
