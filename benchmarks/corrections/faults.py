"""What is wrong with a result, and the one edit that mends each of it."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.corrections.truth import IGNORED, NOTHING, Truth, mostly
from minet_core.formats.edits import Edit, Sheet
from minet_core.formats.edits.entry import LARGEST_ID

_SHORT = 2
"""Rows that cover another object for a moment only are no change of identity."""


class Fault(NamedTuple):
    """Something wrong.

    Attributes:
        size: boxes concerned.
        frame: where a person comes upon it.
        edit: that mends it.
    """

    size: int
    frame: int
    edit: Edit


def faults(
    sheet: Sheet, ids: dict[int, NDArray[np.int64]], truth: Truth, label: str, new: int
) -> list[Fault]:
    """All there are, of which mending one may make another.

    Args:
        sheet: the result.
        ids: of `truth.whose`.
        truth: of the video.
        label: class of a new object.
        new: an id that no track has or had.
    """
    whose = {track: _owner(sheet, track, own) for track, own in ids.items()}
    found = list(_of_tracks(sheet, ids, new))
    found += _beside(sheet, ids, whose, truth)
    found += _parted(sheet, ids, whose)
    found += _missing(sheet, ids, whose, truth, label, new)
    return found


def _of_tracks(sheet: Sheet, ids: dict[int, NDArray[np.int64]], new: int) -> Iterator[Fault]:
    for track, own in ids.items():
        frames = sheet.tracks[track].frames
        # Nobody deletes what they have drawn because lines between two boxes miss the object.
        if mostly(own) == NOTHING and not is_drawn(sheet, track).any():
            yield Fault(len(own), int(frames[0]), Edit("delete", (track,)))
            continue
        runs = _stretches(own)
        for one, two in pairwise(runs):
            if own[one[0]] != own[two[0]]:
                at = int(frames[two[0]])
                size = min(two[0], len(own) - two[0])
                yield Fault(
                    int(size), at, Edit("split", (track,), frame=at, new=min(new, LARGEST_ID))
                )
                break  # the others are looked at when this one is mended


def _beside(
    sheet: Sheet, ids: dict[int, NDArray[np.int64]], whose: dict[int, int], truth: Truth
) -> Iterator[Fault]:
    """Stretches of a track that cover nothing; lines alone bend to a box that is drawn."""
    for track, own in ids.items():
        rows, boxes = sheet.tracks[track], truth.objects.get(whose[track], {})
        nothing = np.flatnonzero(own == NOTHING)
        for run in np.split(nothing, np.flatnonzero(np.diff(nothing) > 1) + 1):
            frames = rows.frames[run].tolist()
            if rows.keyframes[run].any() or (frames and boxes.keys().isdisjoint(frames)):
                edit = Edit("delete", (track,), first=frames[0], last=frames[-1])
                yield Fault(len(run), frames[0], edit)


def _stretches(own: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Rows of a track that cover one object after the other, without short moments."""
    known = np.flatnonzero(own >= 0)
    runs = np.split(known, np.flatnonzero(np.diff(own[known])) + 1)
    return [run for run in runs if len(run) > _SHORT]


def _owner(sheet: Sheet, track: int, own: NDArray[np.int64]) -> int:
    """Whose a track is: lines between boxes may lie beside the object."""
    solid = own[sheet.tracks[track].keyframes]
    return mostly(solid if len(solid) else own)


def is_drawn(sheet: Sheet, track: int) -> NDArray[np.bool_]:
    """(N,) rows of a track that were drawn, now or before it was gone on from: their score is 1."""
    return np.asarray(sheet.tracks[track].scores == 1)


def _parted(
    sheet: Sheet, ids: dict[int, NDArray[np.int64]], whose: dict[int, int]
) -> Iterator[Fault]:
    """Tracks of one object: the later ones are merged into the first, unless they begin wrong."""
    by_object: dict[int, list[int]] = {}
    for track, number in whose.items():
        if number >= 0:
            by_object.setdefault(number, []).append(track)
    for tracks in by_object.values():
        first, *others = sorted(tracks, key=lambda track: int(sheet.tracks[track].frames[0]))
        label = sheet.classes[int(sheet.tracks[first].labels[0])]
        for other in others:
            rows, stretches = sheet.tracks[other], _stretches(ids[other])
            if stretches and ids[other][stretches[0][0]] != whose[other]:
                continue  # it has to be split first
            size = min(len(rows), len(sheet.tracks[first]))
            yield Fault(size, int(rows.frames[0]), Edit("merge", (other,), into=first, label=label))


def _missing(
    sheet: Sheet,
    ids: dict[int, NDArray[np.int64]],
    whose: dict[int, int],
    truth: Truth,
    label: str,
    new: int,
) -> Iterator[Fault]:
    """Boxes of objects that no row covers: drawn, with lines to the nearest ones."""
    covered: dict[int, set[int]] = {}
    for track, own in ids.items():
        for frame, number in zip(sheet.tracks[track].frames.tolist(), own.tolist(), strict=True):
            covered.setdefault(number, set()).add(frame)
    for number, boxes in truth.objects.items():
        missing = [f for f in sorted(boxes) if f not in covered.get(number, ())]
        owned = [track for track, own in whose.items() if own == number]
        track = owned[0] if owned else new
        for run in _runs(missing, sorted(boxes)):
            # Between two rows the middle says most, at an end the end does.
            rows = sheet.tracks[track].frames if owned else np.zeros(0, np.int64)
            before, after = (rows < run[0]).any(), (rows > run[-1]).any()
            at = run[len(run) // 2] if before and after else (run[-1] if before else run[0])
            edit = Edit("box", (track,), frame=at, box=boxes[at], label=label, fill=True)
            yield Fault(len(run), run[0], edit)


def _runs(missing: list[int], known: list[int]) -> Iterator[list[int]]:
    """Stretches of missing frames without a break in which the object is to be seen."""
    place = {frame: i for i, frame in enumerate(known)}
    run: list[int] = []
    for frame in missing:
        if run and place[frame] != place[run[-1]] + 1:
            yield run
            run = []
        run.append(frame)
    if run:
        yield run


def is_ignored(own: NDArray[np.int64]) -> bool:
    """Whether nobody cares about a track."""
    return bool((own == IGNORED).all())
