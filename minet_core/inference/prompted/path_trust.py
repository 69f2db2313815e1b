"""How much of a path that was found is to be believed, around a result that is there already.

What was learnt on seven annotated sequences: boxes on the line between two boxes of one object are
right (589 of 598), those beside it are not, unless a person drew the line (14 of 52); and where a
track ended, a search that does not begin with the object for certain goes wrong.
"""

from collections.abc import Sequence
from itertools import compress, pairwise
from typing import NamedTuple

import numpy as np

from minet_core.boxes import paired_iou
from minet_core.formats.interpolation import between
from minet_core.inference.prompted.anchors import Box

_ON = 0.75
"""Overlap with the line from which on a box is on it."""

_CLOSE, _KNOWN, _BESIDE = 5, 1.0, 0.3
"""A search that no box awaits ends after so many frames without a box; its first box has to be the
object's by appearance alone, by these log-odds; a box that another track overlaps by so much ends
it. A memory had lost the object there once."""


class Step(NamedTuple):
    """A box of a path, the step before it, and what appearance says for it."""

    place: int
    box: Box
    before: "Step | None"
    odds: float = 0.0


def unrolled(step: Step) -> list[Step]:
    """The steps that lead to one, the first box of the person left out."""
    steps = []
    while step.before is not None:
        steps.append(step)
        step = step.before
    return steps[::-1]


def plausible(start: Step, found: list[Step], end: Step, *, seen: bool) -> list[Step]:
    """Of a search between two boxes: boxes on the line between them; all, if nobody has `seen` it.

    Boxes off the line are mostly another object's, where a person has looked at a result and left
    the gap. Without a result, a path that fills half of the frames is the best there is.
    """
    if not seen and len(found) >= 2 and 2 * len(found) >= end.place - start.place - 1:
        return found
    places = np.array([step.place for step in found])
    corners = np.array([start.box, end.box])
    lines = between(places, np.array([start.place, end.place]), corners)
    near = paired_iou(lines, np.array([step.box for step in found]).reshape(-1, 4)) >= _ON
    return list(compress(found, near))


def recognised(start: Step, found: list[Step], others: Sequence[Sequence[Box]]) -> list[Step]:
    """Of a search that no box awaits: what follows closely, is known at once, and is free.

    Args:
        start: the box it began with.
        found: what it found.
        others: boxes of other tracks in the frame of each.
    """
    if not found or found[0].odds < _KNOWN:
        return []
    for place, (one, two) in enumerate(pairwise([start, *found])):
        boxes = np.array(others[place]).reshape(-1, 4)
        beside = paired_iou(np.broadcast_to(np.array(two.box), boxes.shape), boxes)
        if abs(two.place - one.place) > _CLOSE or (beside >= _BESIDE).any():
            return found[:place]
    return found
