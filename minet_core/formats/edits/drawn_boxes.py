"""Boxes that a person draws, and those on straight lines between them."""

from itertools import pairwise

import numpy as np

from minet_core.formats.edits.sheet import Floats, TrackRows, Whole
from minet_core.formats.interpolation import between


def with_keyframe(
    rows: TrackRows | None, frame: int, box: Floats, label: int | None, step: int | None
) -> TrackRows:
    """The rows with a box that a person drew.

    Interpolated boxes between it and the nearest keyframes follow it, as in CVAT.

    Args:
        rows: of the track; None: it is new.
        frame: of the box, which may have a row.
        box: (4,) xyxy.
        label: class of a new track; one that is there keeps what the row before has, or the next.
        step: frames between two rows, to draw boxes where none are on the way to the nearest
            keyframes; None: frames without a box stay so.
    """
    if rows is None:
        return _drawn(frame, box, label or 0, occluded=False)
    place = rows.place_of(frame)
    near = max(int(np.searchsorted(rows.frames, frame, side="right")) - 1, 0)
    occluded = place is not None and bool(rows.occluded[place])
    one = _drawn(frame, box, int(rows.labels[near]), occluded=occluded)
    rows = one.joined(rows)
    keys = rows.frames[rows.keyframes].tolist()
    here = keys.index(frame)
    for first, last in pairwise(keys[max(here - 1, 0) : here + 2]):
        rows = _between(rows, first, last, step)
    return rows


def filled(rows: TrackRows, first: int, last: int, step: int) -> TrackRows:
    """The rows with boxes on lines in every frame between two rows that has none.

    Args:
        rows: of the track.
        first: a frame with a row.
        last: a later one.
        step: frames between two rows.
    """
    known = rows.frames[(rows.frames >= first) & (rows.frames <= last)]
    missing = np.setdiff1d(np.arange(first, last, step), known)
    return rows.joined(_on_lines(rows, missing, known)) if len(missing) else rows


def _between(rows: TrackRows, first: int, last: int, step: int | None) -> TrackRows:
    """The rows with those between two keyframes on the line between them."""
    own = rows.frames[(rows.frames > first) & (rows.frames < last)]
    frames = own if step is None else np.union1d(own, np.arange(first + step, last, step))
    if not len(frames):
        return rows
    line = _on_lines(rows, frames, np.array([first, last]))
    line.occluded[np.isin(frames, own)] = rows.occluded[np.isin(rows.frames, own)]
    return line.joined(rows)


def _on_lines(rows: TrackRows, frames: Whole, known: Whole) -> TrackRows:
    """Interpolated rows at frames (M,), on lines between the rows of known frames (N,)."""
    ends = rows[np.isin(rows.frames, known)]
    before = np.searchsorted(ends.frames, frames, side="right") - 1
    no = np.zeros(len(frames), np.bool_)
    return TrackRows(
        frames=frames,
        boxes=between(frames, ends.frames, ends.boxes),
        scores=np.interp(frames, ends.frames, ends.scores),
        labels=ends.labels[before],
        keyframes=no,
        occluded=no.copy(),
        drawn=no.copy(),
    )


def _drawn(frame: int, box: Floats, label: int, *, occluded: bool) -> TrackRows:
    yes = np.ones(1, np.bool_)
    return TrackRows(
        np.array([frame], np.int64),
        box.reshape(1, 4),
        np.ones(1),
        np.array([label], np.int64),
        keyframes=yes,
        occluded=np.array([occluded]),
        drawn=yes.copy(),
    )
