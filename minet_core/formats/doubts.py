"""Places of a result that are worth a look, and how likely each is wrong.

What is doubted follows from rows alone. The chance is a logistic function of two or three numbers
for each kind, with coefficients that `python -m benchmarks.doubts` fitted to annotated sequences; a
class that changes is the exception: those sequences have one class each.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import Boxes, box_iou, paired_iou

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

WEIGHTS: Mapping[str, tuple[float, ...]] = {
    "return": (-1.53, -0.29, -0.41, -0.12),
    "parted": (-1.47, -0.38, -1.23, -0.21),
    "meeting": (-2.91, -0.01, 0.36, -0.32),
    "leap": (-1.44, -0.03, 0.13),
    "object": (4.42, -1.19, -1.98),
    "double": (2.63, 0.36, 0.35, -0.79),
    "end": (-1.94, 0.23, -0.02),
    "class": (-1.0,),
}
"""Kind → coefficients: a constant, then one for each of the kind's numbers."""

PAIRS = frozenset({"parted", "meeting", "double"})
"""Kinds that are about two tracks; the others are about one."""

LEAST = 0.05
"""Chance below which nobody is asked."""

MOST = 1000
"""Doubts that a result carries, however long its video is."""

_LONGEST_PARTED = 120
"""Frames between the end of one track and the beginning of another that may be the same."""
_MEETING = 0.2
"""Overlap from which two tracks meet."""
_APART = 5
"""Frames without a meeting, after which the next one is another."""
_DOUBLE = 0.5
"""Share of the shorter track's frames in which two tracks have to meet to be doubles."""
_LEAP = 0.5
"""Overlap of two boxes in a row below which it is a leap."""
_CANDIDATES = 3
"""Tracks that begin later, for each that has ended; the nearest ones."""
_HANDOVER = 10
"""Frames for which two tracks of one object may be there both."""
_BORDER = 0.02
"""Share of the picture's sides within which a box is at its border."""


class Doubt(NamedTuple):
    """A place that may be wrong.

    Attributes:
        kind: of `WEIGHTS`.
        frame: where to look: the first frame after what is doubted.
        before: the last frame before it.
        tracks: ids it is about.
        chance: that it is wrong, from 0 to 1.
        numbers: what the chance follows from; a result does not carry them.
    """

    kind: str
    frame: int
    before: int
    tracks: tuple[int, ...]
    chance: float
    numbers: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SeenTrack(Boxes):
    """Rows of one track.

    Attributes:
        frames: (N,) strictly increasing.
        boxes: (N, 4) xyxy in pixels.
        scores: (N,).
        labels: (N,) index of the class.
    """

    frames: Whole
    boxes: Floats
    scores: Floats
    labels: Whole


def doubts_of(
    tracks: Mapping[int, SeenTrack], size: tuple[int, int], last: int, step: int = 1
) -> list[Doubt]:
    """All doubts of a result, the likeliest to be wrong first; `worth_asking` leaves most out.

    Args:
        tracks: id → its rows.
        size: width and height of the video in pixels.
        last: the last frame that was looked at.
        step: frames between two that were looked at.
    """
    found: list[Doubt] = []
    for track, seen in tracks.items():
        found += _along(track, seen, step)
    found += _ends(tracks, size, last, step)
    found += _meetings(tracks)
    return sorted(found, key=lambda doubt: (-doubt.chance, doubt.frame, doubt.tracks))


def worth_asking(doubts: Sequence[Doubt]) -> list[Doubt]:
    """Those that a result carries and a page asks about, of all in their order."""
    return [doubt for doubt in doubts if doubt.chance >= LEAST][:MOST]


def _doubt(kind: str, frame: int, before: int, tracks: tuple[int, ...], *numbers: float) -> Doubt:
    constant, *rest = WEIGHTS[kind]
    sum_ = constant + sum(w * x for w, x in zip(rest, numbers, strict=True))
    chance = 1 / (1 + exp(-max(-30.0, min(30.0, sum_))))
    return Doubt(kind, int(frame), int(before), tracks, chance, tuple(map(float, numbers)))


def _along(track: int, seen: SeenTrack, step: int) -> Iterator[Doubt]:
    """Gaps, leaps and changes of class of one track, and whether it is one at all."""
    frames, boxes = seen.frames, seen.boxes
    overlap = paired_iou(boxes[1:], boxes[:-1])
    for i in np.flatnonzero(np.diff(frames) > step).tolist():
        after, before = int(frames[i + 1]), int(frames[i])
        numbers = (
            log(after - before),
            float(_ways(boxes[i], boxes[i + 1 : i + 2])[0]),
            _growth(boxes[i : i + 2]),
        )
        yield _doubt("return", after, before, (track,), *numbers)
    for i in np.flatnonzero((np.diff(frames) == step) & (overlap < _LEAP)).tolist():
        numbers_of_leap = (float(overlap[i]), _growth(boxes[i : i + 2]))
        yield _doubt("leap", frames[i + 1], frames[i], (track,), *numbers_of_leap)
    for i in np.flatnonzero(np.diff(seen.labels)).tolist():
        yield _doubt("class", frames[i + 1], frames[i], (track,))
    score = float(seen.scores.mean())
    yield _doubt("object", frames[0], frames[0], (track,), log(len(frames)), score)


def _ends(
    tracks: Mapping[int, SeenTrack], size: tuple[int, int], last: int, step: int
) -> Iterator[Doubt]:
    """Tracks that begin where another one has ended, and those that end inside the picture."""
    ids = list(tracks)
    first = np.array([seen.frames[0] for seen in tracks.values()])
    until = np.array([seen.frames[-1] for seen in tracks.values()])
    boxes = np.array([seen.boxes[0] for seen in tracks.values()]).reshape(-1, 4)
    labels = np.array([seen.labels[0] for seen in tracks.values()])
    for track, seen in tracks.items():
        frame, box = int(seen.frames[-1]), seen.boxes[-1]
        if frame + step > last:
            continue
        later = (first >= frame - _HANDOVER) & (first <= frame + _LONGEST_PARTED)
        later &= (first > seen.frames[0]) & (until > frame) & (labels == seen.labels[-1])
        after = np.flatnonzero(later)
        ways = _ways(box, boxes[after])
        for place in np.argsort(ways, kind="stable")[:_CANDIDATES].tolist():
            number, begin = ids[after[place]], int(first[after[place]])
            growth = _growth(np.stack([box, boxes[after[place]]]))
            numbers = log(max(begin - frame, 1)), float(ways[place]), growth
            yield _doubt("parted", begin, frame, (track, number), *numbers)
        if not len(after) and not _at_border(box, size):
            score = float(seen.scores[-5:].mean())
            yield _doubt("end", frame, frame, (track,), score, log(len(seen.frames)))


def _meetings(tracks: Mapping[int, SeenTrack]) -> Iterator[Doubt]:
    """Pairs of tracks that cover each other: for a while, so that they may have swapped, or long.

    Those that do so most of the shorter one's time may be of one object.
    """
    if not tracks:
        return
    ordered = sorted(
        tracks.items(), key=lambda item: (item[1].frames[0], item[1].frames[-1], item[0])
    )
    begins = np.array([seen.frames[0] for _, seen in ordered])
    rooms = np.array(
        [[*seen.boxes[:, :2].min(axis=0), *seen.boxes[:, 2:].max(axis=0)] for _, seen in ordered]
    )
    for place, (one, seen) in enumerate(ordered):
        after = slice(place + 1, int(np.searchsorted(begins, seen.frames[-1], side="right")))
        for other in np.flatnonzero(box_iou(rooms[[place]], rooms[after])[0] > 0).tolist():
            two = ordered[place + 1 + other][0]
            yield from _meeting(tracks, min(one, two), max(one, two))


def _meeting(tracks: Mapping[int, SeenTrack], one: int, two: int) -> Iterator[Doubt]:
    a, b = tracks[one], tracks[two]
    frames, i, j = np.intersect1d(a.frames, b.frames, return_indices=True)
    overlap = paired_iou(a.boxes[i], b.boxes[j])
    near = np.flatnonzero(overlap >= _MEETING)
    if not len(near):
        return
    share = len(near) / min(len(a.frames), len(b.frames))
    if share > _DOUBLE:
        first = int(frames[near[0]])
        numbers = float(overlap[near].mean()), share, log(len(near))
        # The longer one comes first: the other is merged into it.
        pair = (two, one) if len(b.frames) > len(a.frames) else (one, two)
        yield _doubt("double", first, first, pair, *numbers)
        return
    for part in np.split(near, np.flatnonzero(np.diff(near) > _APART) + 1):
        first, after = part[0], part[-1] + 1
        if first > 0 and after < len(frames):
            growth = _growth(np.stack([a.boxes[i[first]], b.boxes[j[first]]]))
            numbers = float(overlap[part].max()), log(len(part)), growth
            yield _doubt("meeting", frames[after], frames[first - 1], (one, two), *numbers)


def _ways(box: Floats, others: Floats) -> Floats:
    """How far the centres of boxes (N, 4) are from a box's, in mean sides of both."""
    centres = (others[:, :2] + others[:, 2:] - box[:2] - box[2:]) / 2
    sides = (others[:, 2:] - others[:, :2] + box[2:] - box[:2]).mean(axis=1) / 2
    return np.asarray(np.hypot(*centres.T) / np.maximum(sides, 1.0))


def _growth(boxes: Floats) -> float:
    """How much two boxes (2, 4) differ in size: the logarithm of the ratio of their areas."""
    areas = np.maximum(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), 1.0)
    return float(abs(np.log(areas[1] / areas[0])))


def _at_border(box: Floats, size: tuple[int, int]) -> bool:
    margin = _BORDER * np.array(size)
    return bool((box[:2] <= margin).any() or (box[2:] >= np.array(size) - margin).any())
