"""Boxes that a user draws in the first frame, for the memory to track (§IV-E.2, Fig. 5).

Nothing here imports torch, so errors in a file are reported at once.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minet_core.boxes import SHARES, are_shares
from minet_core.config import Existence, MemoryConfig
from minet_core.errors import InputError
from minet_core.inference.prompted.anchors import FIRST, Anchor, Anchors, Box
from minet_core.text import read_text, shown

_SIDES = ("x1", "y1", "x2", "y2")


@dataclass(frozen=True, slots=True)
class FirstBoxes:
    """Objects of the first frame, in the order of their track ids 1, 2, …

    Attributes:
        boxes: xyxy in pixels of the displayed frame.
        labels: class of each, None if the file does not give it.
    """

    boxes: tuple[Box, ...]
    labels: tuple[str | None, ...]

    @property
    def anchors(self) -> Anchors:
        """The same boxes, as annotations of the first processed frame."""
        boxes = tuple(Anchor(number, box) for number, box in enumerate(self.boxes, 1))
        labels = {i: label for i, label in enumerate(self.labels, 1) if label is not None}
        return Anchors({FIRST: boxes}, labels)


def following(config: MemoryConfig) -> MemoryConfig:
    """The settings with which a memory keeps its first objects, and opens no other slots."""
    rule = config.existence and Existence(
        sightings=1, threshold=0.0, patience=math.inf, first_patience=math.inf
    )
    return replace(config, open_threshold=math.inf, tentative=False, max_slots=None, existence=rule)


def read_first_boxes(path: str | Path) -> FirstBoxes:
    """Read a user's boxes.

    The file is a JSON list of objects `{"x1": …, "y1": …, "x2": …, "y2": …, "label": …}` with an
    optional label, or rows of MOTChallenge (`frame, id, left, top, width, height, …`); only rows of
    the earliest frame count.

    Raises:
        InputError: the file cannot be read, or a box is invalid.
    """
    name = shown(path)
    try:
        text = read_text(Path(path)).strip()
    except OSError as error:
        raise InputError(f"{name}: {str(error.strerror).lower()}") from None
    except UnicodeDecodeError:
        raise InputError(f"{name}: not a text file") from None
    found = _from_json(text, name) if text.startswith(("[", "{")) else _from_mot(text, name)
    if not found.boxes:
        raise InputError(f"{name}: there is no box in it")
    return found


def _from_json(text: str, name: str) -> FirstBoxes:
    try:
        entries = json.loads(text)
    except ValueError as error:
        raise InputError(f"{name}: not valid JSON ({error})") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f"{name}: not a list of boxes")
    labels = [entry.get("label") for entry in entries]
    for number, label in enumerate(labels, start=1):
        if not isinstance(label, str | None):
            raise InputError(f"{name}: the label of box {number} is not a text")
    sides = [[entry.get(side) for side in _SIDES] for entry in entries]
    return FirstBoxes(checked_boxes(sides, name), tuple(labels))


def _from_mot(text: str, name: str) -> FirstBoxes:
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            frame, _, *sides = (float(value) for value in line.split(",")[:6])
            left, top, width, height = sides
        except ValueError:
            raise InputError(
                f"{name}: line {number} is not `frame, id, left, top, width, height`"
            ) from None
        rows.append((frame, [left, top, left + width, top + height]))
    first = min((frame for frame, _ in rows), default=0.0)
    boxes = checked_boxes([sides for frame, sides in rows if frame == first], name)
    return FirstBoxes(boxes, (None,) * len(boxes))


def checked_boxes(boxes: Sequence[Sequence[Any]], name: str) -> tuple[Box, ...]:
    """Boxes of four numbers each; an error names the first invalid box."""
    for number, sides in enumerate(boxes, start=1):
        if not all(type(side) in (int, float) and math.isfinite(side) for side in sides):
            raise InputError(f"{name}: box {number} lacks a number for one of {', '.join(_SIDES)}")
        if sides[0] >= sides[2] or sides[1] >= sides[3]:
            raise InputError(f"{name}: box {number} has no area: x2 > x1 and y2 > y1 are needed")
    if are_shares(np.array(boxes, np.float64)):
        raise InputError(f"{name}: {SHARES}")
    return tuple((float(x1), float(y1), float(x2), float(y2)) for x1, y1, x2, y2 in boxes)
