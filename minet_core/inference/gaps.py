"""Fill short gaps of tracks with boxes on straight lines.

In a short gap the object is mostly visible, and the detector missed it. In a longer gap it is
mostly hidden, and a box would be wrong.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK
from minet_core.formats.interpolation import between
from minet_core.memory.clock import Clock
from minet_core.results import FrameDetections

Size = tuple[int, int]


class _Row(NamedTuple):
    """A box of a track."""

    track: int
    label: int
    box: NDArray[np.float64]
    score: float


class _LastRow(NamedTuple):
    """The last box of a track so far, and the position of its frame."""

    place: int
    row: _Row


@dataclass(slots=True)
class _Waiting:
    """A frame that may still get boxes."""

    size: Size
    found: FrameDetections
    now: float
    scene: int
    added: list[_Row] = field(default_factory=list)


def filled(
    frames: Iterable[tuple[Size, FrameDetections]], longest: int, cuts: Sequence[int]
) -> Iterator[tuple[Size, FrameDetections]]:
    """The frames, with interpolated boxes in the short gaps of their tracks.

    Time is counted in frames, as in the memory: a pause counts as its number of missing frames.
    Boxes are not interpolated across a cut, or between pictures of different sizes.

    Args:
        frames: (height, width) and detections of each processed frame, in order.
        longest: maximum gap to fill, in frames. Boxes of so many frames are in memory.
        cuts: positions, from 0 and in order, of the frames that begin a new scene.
    """
    waiting: deque[_Waiting] = deque()
    ends: dict[int, _LastRow] = {}
    clock, scene = Clock(), 0
    for place, (size, found) in enumerate(frames):
        clock = clock.at(found.time)
        scene += scene < len(cuts) and cuts[scene] == place
        waiting.append(_Waiting(size, found, clock.frames, scene))
        first = place - len(waiting) + 1
        for row in _rows(found):
            end = ends.get(row.track)
            if end is not None and first <= end.place < place - 1:
                _fill(list(waiting)[end.place - first :], end.row, row, longest)
            ends[row.track] = _LastRow(place, row)
        while len(waiting) > longest + 1:
            yield _complete(waiting.popleft())
        ends = {track: end for track, end in ends.items() if end.place >= place - longest}
    yield from map(_complete, waiting)


def _rows(found: FrameDetections) -> Iterator[_Row]:
    for row in np.flatnonzero(found.track_ids != NO_TRACK):
        track, label = int(found.track_ids[row]), int(found.track_labels[row])
        yield _Row(track, label, found.boxes[row], float(found.scores[row]))


def _fill(frames: list[_Waiting], before: _Row, after: _Row, longest: int) -> None:
    """Interpolate boxes between the first and the last frame, if the gap is short and unbroken."""
    start, end = frames[0], frames[-1]
    is_short = end.now - start.now - 1 <= longest
    if not is_short or start.scene != end.scene or any(one.size != end.size for one in frames):
        return
    known, missing = np.array([start.now, end.now]), np.array([one.now for one in frames[1:-1]])
    boxes = between(missing, known, np.stack([before.box, after.box]))
    scores = np.interp(missing, known, [before.score, after.score])
    for one, box, score in zip(frames[1:-1], boxes, scores, strict=True):
        one.added.append(_Row(after.track, after.label, box, float(score)))


def _complete(waiting: _Waiting) -> tuple[Size, FrameDetections]:
    found, added = waiting.found, waiting.added
    if not added:
        return waiting.size, found
    tracks, labels, boxes, scores = (list(column) for column in zip(*added, strict=True))
    whole = FrameDetections(
        *(found.frame, found.pts, found.time),
        boxes=np.concatenate([found.boxes, boxes]),
        scores=np.concatenate([found.scores, scores]),
        base_scores=np.concatenate([found.base_scores, np.zeros(len(added))]),
        label_ids=np.concatenate([found.label_ids, labels]),
        track_ids=np.concatenate([found.track_ids, tracks]),
        track_labels=np.concatenate([found.track_labels, labels]),
        classes=found.classes,
        score_vectors=_vectors(found.score_vectors, labels, scores),
        interpolated=np.arange(len(found) + len(added)) >= len(found),
    )
    return waiting.size, whole[np.argsort(-whole.scores, kind="stable")]


def _vectors(
    known: NDArray[np.float64] | None, labels: list[int], scores: list[float]
) -> NDArray[np.float64] | None:
    """Score vectors with rows for the added boxes: zero except for their own class."""
    if known is None:
        return None
    added = np.zeros((len(labels), known.shape[1]))
    added[np.arange(len(labels)), labels] = scores
    return np.concatenate([known, added])
