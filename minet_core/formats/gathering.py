"""Rows that a file has in any order, gathered into tracks and loose boxes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK, Boxes
from minet_core.formats.annotations import LooseBoxes, Track


@dataclass(frozen=True, slots=True, eq=False)
class BoxRows(Boxes):
    """Boxes of one video, a row each, in any order.

    Attributes:
        frames: (N,) int64.
        tracks: (N,) int64 ids; below 0, as NO_TRACK is, where a box belongs to none.
        labels: (N,) int64 index into the names of the classes.
        boxes: (N, 4) float64 xyxy.
        scores: (N,) float64.
        keyframes: (N,) bool.
        occluded: (N,) bool.
    """

    frames: NDArray[np.int64]
    tracks: NDArray[np.int64]
    labels: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    keyframes: NDArray[np.bool_]
    occluded: NDArray[np.bool_]


class Gathered(NamedTuple):
    """What the rows of a video are.

    Attributes:
        tracks: by id.
        loose: boxes of no track.
        notes: what was not as it should be, a line each.
    """

    tracks: tuple[Track, ...]
    loose: LooseBoxes
    notes: tuple[str, ...]


def gather(rows: BoxRows, classes: tuple[str, ...]) -> Gathered:
    """Sort rows into tracks.

    A track has the class that most of its boxes have. Of two boxes that a track has in one frame,
    the second is one of no track. Ids that count from 0 become one more.
    """
    from_zero = int((rows.tracks == 0).any())
    rows = replace(rows, tracks=np.where(rows.tracks < 0, NO_TRACK, rows.tracks + from_zero))
    rows = rows[np.lexsort((rows.frames, rows.tracks))]
    same = (np.diff(rows.frames) == 0) & (np.diff(rows.tracks) == 0) & (rows.tracks[1:] != NO_TRACK)
    twice = np.append(False, same)[: len(rows.frames)]
    loose = (rows.tracks == NO_TRACK) | twice
    parts = list(_parts(rows[~loose]))
    tracks = tuple(_track(part, classes) for part in parts)
    changed = sum(
        int((part.labels != classes.index(track.label)).sum())
        for part, track in zip(parts, tracks, strict=True)
    )
    notes = {
        "second boxes of a track in a frame, read without track": int(twice.sum()),
        "boxes with another class than their track, changed to it": changed,
    }
    lines = tuple(f"{what}: {count}" for what, count in notes.items() if count)
    return Gathered(tracks, _loose(rows[loose], classes), lines)


def _parts(rows: BoxRows) -> Iterator[BoxRows]:
    """The rows of each track; they are sorted by track."""
    _, starts = np.unique(rows.tracks, return_index=True)
    for part in np.split(np.arange(len(rows.frames)), starts[1:]):
        if len(part):
            yield rows[part]


def _track(rows: BoxRows, classes: tuple[str, ...]) -> Track:
    (label, _), *_ = Counter(rows.labels.tolist()).most_common(1)
    return Track(
        id=int(rows.tracks[0]),
        label=classes[label],
        frames=rows.frames,
        boxes=rows.boxes,
        scores=rows.scores,
        keyframes=rows.keyframes,
        occluded=rows.occluded,
    )


def _loose(rows: BoxRows, classes: tuple[str, ...]) -> LooseBoxes:
    rows = rows[np.argsort(rows.frames, kind="stable")]
    labels = tuple(classes[label] for label in rows.labels)
    return LooseBoxes(rows.frames, labels, rows.boxes, rows.scores)
