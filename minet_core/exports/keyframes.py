"""Fewer keyframes for whoever corrects a track, with a bound on what that changes."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from minet_core.formats.annotations import Track
from minet_core.formats.attributes import after_changes
from minet_core.formats.interpolation import between

Floats = NDArray[np.float64]

PIXELS = 2.0
SHARE = 0.03
"""An edge of a box may move by `PIXELS`, or by this share of the box's side where that is more.

Detectors tremble by as much from frame to frame. Of the 3,075 boxes that the bundled model tracks
in the demo's clip, a street and a junction, this leaves 29 % as keyframes, a third of them at gaps
and ends, with a mean IoU of 0.96 with what was detected; 1 % would leave 36 %.
"""

_SMALL = 0.25
"""But not by more than this share, so that no small box turns inside out."""

_WINDOW = 16
"""Rows looked at in one step at first; it doubles while a line goes on to fit."""


def thin(
    track: Track, step: int, every: int | None = None, size: tuple[int, int] | None = None
) -> Track:
    """The track with few keyframes, and its boxes on straight lines between them.

    First and last box of every stretch without a gap are keyframes, and boxes where `occluded` or
    an attribute changes: tools hold it until the next keyframe.

    Args:
        track: only its keyframes are looked at; the other boxes follow from them.
        step: frames between two rows without a gap.
        every: keep every so many-th keyframe of a stretch as it is; None: draw lines that keep
            each edge of each keyframe within `tolerance` of where it was.
        size: width and height of the picture, which lines do not leave where no box does.
    """
    fixed = _fixed(track, step)
    known = np.flatnonzero(track.keyframes | fixed)
    frames, boxes, keep = track.frames[known], track.boxes[known].copy(), fixed[known]
    borders = np.flatnonzero(keep).tolist()
    room = _room(boxes, size)
    for side in room:
        side[np.isin(frames, list(track.drawn))] = 0
    starts = _starts(track, step)[known]
    for first, last in pairwise(borders):
        if every is not None:
            keep[first:last:every] = True
        elif not starts[last]:
            _draw(frames, boxes, room, keep, first, last)
    keyframes = np.zeros(len(track), np.bool_)
    keyframes[known[keep]] = True
    drawn = between(track.frames, frames[keep], boxes[keep])
    return replace(track, keyframes=keyframes, boxes=drawn)


def tolerance(boxes: Floats) -> Floats:
    """How far (N, 4) each edge of boxes (N, 4) may move, in pixels."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.tile(np.minimum(np.maximum(PIXELS, SHARE * sides), _SMALL * sides), 2)


def _room(boxes: Floats, size: tuple[int, int] | None) -> tuple[Floats, Floats]:
    """How far (N, 4) each edge may move to the left or up, and to the right or down."""
    most = tolerance(boxes)
    if size is None:
        return most, most.copy()
    border = np.array([*size, *size], np.float64)
    return np.minimum(most, boxes.clip(min=0)), np.minimum(most, (border - boxes).clip(min=0))


def _starts(track: Track, step: int) -> NDArray[np.bool_]:
    """Rows (N,) that come after a gap, and the first one."""
    return np.append(True, np.diff(track.frames) > step)


def _fixed(track: Track, step: int) -> NDArray[np.bool_]:
    starts = _starts(track, step)
    changes = np.append(False, track.occluded[1:] != track.occluded[:-1])
    changes |= after_changes(track.frames, track.attributes)
    return np.asarray(starts | np.append(starts[1:], True) | changes)


def _draw(
    frames: NDArray[np.int64],
    boxes: Floats,
    room: tuple[Floats, Floats],
    keep: NDArray[np.bool_],
    first: int,
    last: int,
) -> None:
    """Draw lines from row `first` to row `last`, and mark in `keep` where they meet.

    The box of `first` stays; where lines meet, `boxes` are put on them.
    """
    while first < last:
        end, slope = _line(frames, boxes, room, first, last)
        boxes[end] = boxes[first] + slope * (frames[end] - frames[first])
        keep[end] = True
        first = end


def _line(
    frames: NDArray[np.int64],
    boxes: Floats,
    room: tuple[Floats, Floats],
    first: int,
    last: int,
) -> tuple[int, Floats]:
    """The longest line from a row that passes every row on its way, up to `last`.

    Every row leaves slopes open that the line may have; where none is left for one edge, the line
    ends before.

    Returns:
        The row it leads to, and its slope (4,): of those open, the nearest to the least squares'.
    """
    window = _WINDOW
    while True:
        rows = slice(first + 1, min(first + window, last) + 1)
        time = (frames[rows] - frames[first])[:, None].astype(np.float64)
        rise = boxes[rows] - boxes[first]
        low = np.maximum.accumulate((rise - room[0][rows]) / time)
        high = np.minimum.accumulate((rise + room[1][rows]) / time)
        closed = np.flatnonzero((low > high).any(axis=1))
        if len(closed) or rows.stop > last:
            break
        window *= 2
    count = int(closed[0]) if len(closed) else len(time)
    best = (rise[:count] * time[:count]).sum(axis=0) / (time[:count] ** 2).sum()
    return first + count, best.clip(low[count - 1], high[count - 1])
