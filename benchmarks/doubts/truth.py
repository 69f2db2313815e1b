"""Tracks of a run held against the truth: what is wrong, and which doubts are right to doubt it."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from benchmarks.identities.data import Sequence
from minet_core.boxes import NO_TRACK, box_iou
from minet_core.evaluation.frames import FoundBoxes
from minet_core.formats.doubts import Doubt, SeenTrack

NEAR = 10
"""Frames from a doubt to a wrong place that it is about."""
_WINDOW = 5
NOTHING, IGNORED = -1, -2


@dataclass
class Run:
    """Tracks of one run, and what they are by the truth.

    Attributes:
        name: of the sequence.
        tracks: id → rows.
        true: id → (N,) true id of each row, NOTHING or IGNORED.
        objects: true id → frames with the id of the track that has it.
        boxes: how many true boxes there are.
        size: width and height.
        last: frame.
    """

    name: str
    tracks: dict[int, SeenTrack]
    true: dict[int, NDArray[np.int64]]
    objects: dict[int, list[tuple[int, int]]]
    boxes: int
    size: tuple[int, int]
    last: int


def run_of(sequence: Sequence, found: list[FoundBoxes]) -> Run:
    """A run with each box told what it is, frame by frame, by overlap of 0.5 and more."""
    rows: dict[int, list[tuple[int, NDArray[np.float64], float, int, int]]] = defaultdict(list)
    objects: dict[int, list[tuple[int, int]]] = defaultdict(list)
    last: dict[int, int] = {}
    for frame, (boxes, truth) in enumerate(zip(found, sequence.truth, strict=True)):
        own = np.flatnonzero(boxes.track_ids != NO_TRACK)
        overlap = box_iou(boxes.boxes[own], truth.boxes)
        ids = np.full(len(own), NOTHING)
        covered = (overlap[:, truth.ignore] >= 0.5).any(axis=1)
        ids[covered] = IGNORED
        counted = np.flatnonzero(~truth.ignore)
        held = [
            [last.get(int(t)) == int(boxes.track_ids[i]) for t in truth.track_ids[counted]]
            for i in own
        ]
        # Who has an object keeps it while it covers it, as in MOTA.
        worth = overlap[:, counted] + np.array(held).reshape(len(own), len(counted))
        worth[overlap[:, counted] < 0.5] = 0
        for i, j in zip(*linear_sum_assignment(-worth), strict=True):
            if overlap[i, counted[j]] >= 0.5:
                ids[i] = truth.track_ids[counted[j]]
                last[int(ids[i])] = int(boxes.track_ids[own[i]])
                objects[int(ids[i])].append((frame, int(boxes.track_ids[own[i]])))
        for i, true in zip(own, ids, strict=True):
            row = frame, boxes.boxes[i], float(boxes.scores[i]), int(boxes.label_ids[i]), int(true)
            rows[int(boxes.track_ids[i])].append(row)
    tracks, true_ids = {}, {}
    for track, own_rows in rows.items():
        frames, all_boxes, scores, labels, true = zip(*own_rows, strict=True)
        tracks[track] = SeenTrack(
            np.array(frames), np.array(all_boxes), np.array(scores), np.array(labels)
        )
        true_ids[track] = np.array(true)
    height, width = sequence.images.shape[1:3]
    count = sum(int((~truth.ignore).sum()) for truth in sequence.truth)
    return Run(sequence.name, tracks, true_ids, objects, count, (width, height), len(found) - 1)


def around(run: Run, track: int, before: int, after: int) -> tuple[int, int]:
    """What a track mostly is up to a frame, and from another frame on, in a few rows."""
    frames, true = run.tracks[track].frames, run.true[track]
    early, late = true[frames <= before][-_WINDOW:], true[frames >= after][:_WINDOW]
    return _mostly(early), _mostly(late)


def _mostly(ids: NDArray[np.int64]) -> int:
    return Counter(ids.tolist()).most_common(1)[0][0] if len(ids) else NOTHING


def is_wrong(run: Run, doubt: Doubt) -> bool | None:
    """The answer of the truth; None where it has none."""
    ids = [around(run, track, doubt.before, doubt.frame) for track in doubt.tracks]
    if doubt.kind == "parted":
        one, two = ids[0][0], ids[1][1]
        return None if IGNORED in (one, two) else one == two != NOTHING
    if doubt.kind == "double":
        return is_double(run, doubt.tracks)
    if doubt.kind == "object":
        true = run.true[doubt.tracks[0]]
        return None if (true == IGNORED).mean() > 0.5 else bool((true == NOTHING).mean() > 0.5)
    if doubt.kind == "end":
        seen = [frame for frame, _ in run.objects.get(ids[0][0], ())]
        return None if ids[0][0] < 0 else any(frame > doubt.frame for frame in seen)
    known = [(one, two) for one, two in ids if one >= 0 and two >= 0]
    return any(one != two for one, two in known) if known else None


def is_double(run: Run, tracks: tuple[int, ...]) -> bool | None:
    """Whether two tracks are of one object: one has none of its own while both are there."""
    one, two = (run.tracks[track].frames for track in tracks)
    _, i, j = np.intersect1d(one, two, return_indices=True)
    own, other = _mostly(run.true[tracks[0]][i]), _mostly(run.true[tracks[1]][j])
    return None if IGNORED in (own, other) else NOTHING in (own, other) or own == other


Place = tuple[int, frozenset[int]]
"""Frame, and ids of the tracks."""


def wrong_places(run: Run) -> list[Place]:
    """Where the result is wrong in identity, each place once."""
    found: list[Place] = []
    for seen in run.objects.values():
        for (_, one), (frame, two) in pairwise(seen):
            if one != two:
                found.append((frame, frozenset((one, two))))
    for track, true in run.true.items():
        known = np.flatnonzero(true >= 0)
        changes = known[1:][np.diff(true[known]) != 0]
        found += [(int(run.tracks[track].frames[i]), frozenset((track,))) for i in changes]
        if (true == NOTHING).mean() > 0.5:
            found.append((int(run.tracks[track].frames[0]), frozenset((track,))))
    places: list[Place] = []
    for frame, tracks in sorted(found, key=lambda place: (place[0], sorted(place[1]))):
        if not any(frame - other <= NEAR and tracks & others for other, others in places):
            places.append((frame, tracks))
    return places


def finds(doubt: Doubt, place: Place) -> bool:
    """Whether a doubt is about a place."""
    frame, tracks = place
    near = doubt.before - NEAR <= frame <= doubt.frame + NEAR
    return near and not tracks.isdisjoint(doubt.tracks)
