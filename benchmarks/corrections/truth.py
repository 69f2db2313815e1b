"""A result held against the truth: whose each row is, which boxes are right, what is wrong."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from minet_core.boxes import box_iou
from minet_core.evaluation.frames import TrueBoxes
from minet_core.formats.edits import Sheet

NOTHING, IGNORED = -1, -2
LEAST = 0.5
"""Overlap from which on a box is an object's."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Truth:
    """Of one video.

    Attributes:
        objects: id → frame → box.
        frames: of `evaluation`, with boxes to ignore.
    """

    objects: dict[int, dict[int, Box]]
    frames: list[TrueBoxes]

    @classmethod
    def of(cls, frames: list[TrueBoxes], size: tuple[int, int]) -> "Truth":
        """From the boxes of each frame, as far as they are in the picture, of width and height."""
        limits = np.array([*size, *size], np.float64)
        frames = [replace(frame, boxes=frame.boxes.clip(0, limits)) for frame in frames]
        objects: dict[int, dict[int, Box]] = {}
        for number, frame in enumerate(frames):
            for i in np.flatnonzero(~frame.ignore):
                a, b, c, d = frame.boxes[i].tolist()
                if c - a < 1 or d - b < 1:
                    continue  # nothing of it can be drawn
                objects.setdefault(int(frame.track_ids[i]), {})[number] = (a, b, c, d)
        return cls(objects, frames)

    @property
    def boxes(self) -> int:
        """How many count."""
        return sum(map(len, self.objects.values()))


def whose(sheet: Sheet, truth: Truth) -> dict[int, NDArray[np.int64]]:
    """Track → (N,) id of the object that each of its rows covers, NOTHING or IGNORED.

    Frame by frame one to one; who had an object keeps it while it covers it, as in MOTA.
    """
    ids = {track: np.full(len(rows), NOTHING) for track, rows in sheet.tracks.items()}
    by_frame: dict[int, list[tuple[int, int]]] = {}
    for track, rows in sheet.tracks.items():
        for place, frame in enumerate(rows.frames.tolist()):
            by_frame.setdefault(frame, []).append((track, place))
    last: dict[int, int] = {}
    for frame, own in sorted(by_frame.items()):
        true = truth.frames[frame]
        boxes = np.stack([sheet.tracks[track].boxes[place] for track, place in own])
        overlap = box_iou(boxes, true.boxes)
        counted = np.flatnonzero(~true.ignore)
        ignored = (overlap[:, true.ignore] >= LEAST).any(axis=1)
        held = [[last.get(int(true.track_ids[j])) == track for j in counted] for track, _ in own]
        worth = overlap[:, counted] + np.array(held, float).reshape(len(own), len(counted))
        worth[overlap[:, counted] < LEAST] = 0
        for i in np.flatnonzero(ignored):
            ids[own[i][0]][own[i][1]] = IGNORED
        for i, j in zip(*linear_sum_assignment(-worth), strict=True):
            if overlap[i, counted[j]] >= LEAST:
                number = int(true.track_ids[counted[j]])
                last[number] = own[i][0]
                ids[own[i][0]][own[i][1]] = number
    return ids


def right(ids: dict[int, NDArray[np.int64]], truth: Truth) -> float:
    """Share of boxes that are right: IDF1, of each object one track, and of each track one."""
    tracks = [own[own != IGNORED] for own in ids.values()]
    objects = sorted(truth.objects)
    counts = np.array([[(own == o).sum() for o in objects] for own in tracks])
    counts = counts.reshape(len(tracks), len(objects))
    matched = counts[linear_sum_assignment(-counts)].sum()
    return float(2 * matched / max(truth.boxes + sum(map(len, tracks)), 1))


def mostly(ids: NDArray[np.int64]) -> int:
    """The object that most rows are of; NOTHING where most are of none."""
    known = ids[ids != IGNORED]
    return Counter(known.tolist()).most_common(1)[0][0] if len(known) else IGNORED
