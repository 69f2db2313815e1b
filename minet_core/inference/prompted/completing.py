"""Final steps for tracks that were found around a person's annotations."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from minet_core.boxes import NO_TRACK, box_iou
from minet_core.formats.annotations import Track
from minet_core.formats.interpolation import between
from minet_core.inference.prompted.anchors import Box
from minet_core.results import FrameDetections

Size = tuple[int, int]
Frames = Iterable[tuple[Size, FrameDetections]]

_SAME = 0.5
"""Overlap from which on a box that was found anew is of an object that has one already."""


class LeftRow(NamedTuple):
    """A box of a track as it was left, or as it was found for a track that was looked for."""

    track: int
    label: str
    box: Box
    score: float
    solid: bool


def left_rows(
    tracks: Mapping[int, Track], paths: Mapping[int, Mapping[int, Box]]
) -> dict[int, list[LeftRow]]:
    """Frame → boxes that the result has for certain.

    Lines between two boxes bend to what was found between them.

    Args:
        tracks: id → track, as a person has left it.
        paths: frame → id → box that was found to be the object's.
    """
    rows: dict[int, list[LeftRow]] = {}
    for number, track in tracks.items():
        own = track.keyframes
        known = dict(zip(track.frames[own].tolist(), track.boxes[own], strict=True))
        found = {f: row[number] for f, row in paths.items() if number in row and f not in known}
        whole = known | {frame: np.array(box) for frame, box in found.items()}
        places, boxes = sorted(whole), track.boxes.copy()
        if found:
            lines = ~own & (track.frames > places[0]) & (track.frames < places[-1])
            corners = np.stack([whole[frame] for frame in places])
            boxes[lines] = between(track.frames[lines], np.array(places), corners)
        table = zip(track.frames.tolist(), boxes.tolist(), track.scores.tolist(), own, strict=True)
        for frame, (a, b, c, d), score, solid in table:
            # What is found on a line stays part of it, and goes when a box is drawn there.
            box = found.pop(frame, (a, b, c, d))
            row = LeftRow(number, track.label, box, score, bool(solid))
            rows.setdefault(frame, []).append(row)
        for frame, box in found.items():
            rows.setdefault(frame, []).append(LeftRow(number, track.label, box, 0.0, solid=True))
    return rows


def with_left(
    frames: Frames, left: Mapping[int, Sequence[LeftRow]], known: Collection[int], *, more: bool
) -> Iterator[tuple[Size, FrameDetections]]:
    """The frames with what was left as it was, and of what was found anew only what is beside it.

    Args:
        frames: as they were found anew.
        left: of `left_rows`.
        known: ids of all tracks that were left.
        more: whether tracks that were not there before are wanted.
    """
    for size, found in frames:
        rows = left.get(found.frame, ())
        own = np.array([row.box for row in rows]).reshape(-1, 4)
        ids = found.track_ids
        wanted = ids == NO_TRACK if not more else ~np.isin(ids, list(known))
        covered = (box_iou(found.boxes, own) >= _SAME).any(axis=1)
        rest = found[wanted & ~covered]
        yield size, _joined(rest, _detections(rows, found)) if rows else rest


def _detections(rows: Sequence[LeftRow], found: FrameDetections) -> FrameDetections:
    """Rows that were left, each with what the new run says of its box beside."""
    place = {int(track): i for i, track in enumerate(found.track_ids) if track != NO_TRACK}
    known = {label: number for number, label in enumerate(found.classes)}
    same = [place.get(row.track, -1) if row.solid else -1 for row in rows]
    voted = [int(found.track_labels[i]) if i >= 0 else 0 for i in same]
    labels = [known.get(row.label, vote) for row, vote in zip(rows, voted, strict=True)]
    base = [found.base_scores[i] if i >= 0 else 0.0 for i in same]
    again = [found.scores[i] if i >= 0 else 0.0 for i in same]
    scores = [row.score or float(score) for row, score in zip(rows, again, strict=True)]
    vectors = found.score_vectors
    if vectors is not None:
        vectors = np.where(np.array(same)[:, None] >= 0, vectors[same], 0.0)
        vectors[np.arange(len(rows)), labels] = scores
    return replace(
        found,
        boxes=np.array([row.box for row in rows]),
        scores=np.array(scores),
        base_scores=np.array(base),
        label_ids=np.array(labels, np.int64),
        track_ids=np.array([row.track for row in rows], np.int64),
        track_labels=np.array(labels, np.int64),
        score_vectors=vectors,
        interpolated=~np.array([row.solid for row in rows]),
    )


def _joined(found: FrameDetections, rows: FrameDetections) -> FrameDetections:
    """Both, best first."""
    none = np.zeros(len(found), np.bool_)
    marked = replace(found, interpolated=none if found.interpolated is None else found.interpolated)
    both = marked.joined(rows)
    return both[np.argsort(-both.scores, kind="stable")]


def without_hidden(
    frames: Frames, hidden: Mapping[int, frozenset[int]]
) -> Iterator[tuple[Size, FrameDetections]]:
    """The frames without boxes of objects that a person has marked as hidden there."""
    for size, found in frames:
        gone = hidden.get(found.frame)
        if gone:
            found = found[~np.isin(found.track_ids, list(gone))]
        yield size, found
