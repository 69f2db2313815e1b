"""What came out of a video: rows of detections and the tracklets they form.

Everything is columnar, boxes are xyxy in display-oriented pixels, frames are 0-based. Every file
format derives from `rows`, so that they all carry the same numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK, Boxes

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "frame",
    "pts",
    "time",
    "track_id",
    "label",
    "label_id",
    "score",
    "base_score",
    "x1",
    "y1",
    "x2",
    "y2",
    "interpolated",
)
"""Columns of a row, in order, in every format."""

INTERPOLATED = COLUMNS[-1]
"""The column that older files lack."""

State = dict[str, Any]
"""Plain values that JSON can hold, to resume from later."""

Row = tuple[
    int, int | None, float, int | None, str, int, float, float, float, float, float, float, int
]


@dataclass(frozen=True, slots=True, eq=False)
class FrameDetections(Boxes):
    """The detections of one frame, one row each.

    Attributes:
        frame: 0-based decoded index.
        pts: the source's timestamp, or None.
        time: seconds from the start.
        boxes: (N, 4) float64.
        scores: (N,) score of the label, re-weighted by memory.
        base_scores: (N,) the detector's own (calibrated) score of the same label.
        label_ids: (N,) index into `classes`.
        track_ids: (N,) slot ids; NO_TRACK where a box belongs to no slot.
        track_labels: (N,) index of the class the slot's memory votes for; the row's own label
            where it has no track.
        classes: names of all classes of the model.
        score_vectors: (N, C) score of every class, re-weighted by memory, before class-wise
            suppression; None unless it was asked for.
        interpolated: (N,) bool: not detected, but drawn between the boxes that its track has
            before and after; None where no row is.
    """

    frame: int
    pts: int | None
    time: float
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    base_scores: NDArray[np.float64]
    label_ids: NDArray[np.int64]
    track_ids: NDArray[np.int64]
    track_labels: NDArray[np.int64]
    classes: tuple[str, ...]
    score_vectors: NDArray[np.float64] | None = None
    interpolated: NDArray[np.bool_] | None = None

    @property
    def tracked(self) -> int:
        """How many rows belong to a tracklet."""
        return int((self.track_ids != NO_TRACK).sum())

    @property
    def labels(self) -> list[str]:
        """Class name of each row."""
        return [self.classes[i] for i in self.label_ids]

    def rows(self) -> Iterator[Row]:
        """Rows of `COLUMNS`: pixels to 2 decimals, scores and seconds to 6, no NaN."""
        drawn = np.zeros(len(self), bool) if self.interpolated is None else self.interpolated
        stamp = self.frame, self.pts, round(self.time, 6)
        columns = (  # one conversion a column: a crowd has many rows
            self.track_ids.tolist(),
            self.label_ids.tolist(),
            self.scores.round(6).tolist(),
            self.base_scores.round(6).tolist(),
            self.boxes.round(2).tolist(),
            drawn.astype(int).tolist(),
        )
        for track, label, score, base, box, mark in zip(*columns, strict=True):
            track_id = None if track == NO_TRACK else track
            yield (*stamp, track_id, self.classes[label], label, score, base, *box, mark)


@dataclass(slots=True)
class Tracklet:
    """One memory slot as it was seen.

    Attributes:
        id: the slot's id.
        label_id: class its memory score voted for when it was last seen.
        first_frame: 0-based frame of its first box.
        last_frame: 0-based frame of its last box.
        boxes: how many boxes it has.
        score: mean score of its boxes.
        gaps: (first, last) frames without a box, in order.
    """

    id: int
    label_id: int
    first_frame: int
    last_frame: int
    boxes: int
    score: float
    gaps: list[tuple[int, int]] = field(default_factory=list)


class TrackletTable:
    """Gathers tracklets frame by frame, in memory that grows with tracks and gaps alone.

    Frames that were skipped on purpose (a stride) make no gap.

    Attributes:
        last_frame: that was taken in; None before the first.
    """

    def __init__(self) -> None:
        self._tracklets: dict[int, Tracklet] = {}
        self.last_frame: int | None = None

    def add(self, detections: FrameDetections) -> None:
        """Take in the next frame, with or without boxes."""
        columns = detections.track_ids, detections.track_labels, detections.scores
        for track, label, score in zip(*(column.tolist() for column in columns), strict=True):
            if track != NO_TRACK:
                self._extend(track, label, score, detections.frame)
        self.last_frame = detections.frame

    def _extend(self, track: int, label: int, score: float, frame: int) -> None:
        known = self._tracklets.get(track)
        if known is None:
            self._tracklets[track] = Tracklet(track, label, frame, frame, 1, score)
            return
        if known.last_frame != self.last_frame:
            known.gaps.append((known.last_frame + 1, frame - 1))
        known.score += (score - known.score) / (known.boxes + 1)
        known.boxes += 1
        known.last_frame, known.label_id = frame, label

    def tracklets(self) -> list[Tracklet]:
        """All tracklets up to now, by id."""
        return [self._tracklets[track] for track in sorted(self._tracklets)]

    def save(self) -> State:
        """Everything it has gathered."""
        return {"previous": self.last_frame, "tracklets": [asdict(t) for t in self.tracklets()]}

    def restore(self, state: State) -> None:
        """Put a state of `save` in the place of what it has."""
        self.last_frame = state["previous"]
        tracklets = [Tracklet(**entry) for entry in state["tracklets"]]
        for tracklet in tracklets:
            tracklet.gaps = [(first, last) for first, last in tracklet.gaps]
        self._tracklets = {tracklet.id: tracklet for tracklet in tracklets}


class Totals:
    """What a run has found so far.

    Attributes:
        frames: looked at.
        rows: detections reported.
        rows_without_track: those that belong to no tracklet.
        rows_interpolated: those that were not detected.
        table: gathers the tracklets.
        sizes: frame → (width, height) of those that are not of the video's size.
        end: seconds at which the last frame of the source ends; None where it was not reached.
    """

    def __init__(self) -> None:
        self.sizes: dict[int, tuple[int, int]] = {}
        self.frames = self.rows = self.rows_without_track = self.rows_interpolated = 0
        self.end: float | None = None
        self.table = TrackletTable()

    def add(self, detections: FrameDetections) -> None:
        """Take in the next frame, with or without boxes."""
        self.frames += 1
        self.rows += len(detections)
        self.rows_without_track += len(detections) - detections.tracked
        if detections.interpolated is not None:
            self.rows_interpolated += int(detections.interpolated.sum())
        self.table.add(detections)

    @property
    def counts(self) -> dict[str, int]:
        """The numbers by name."""
        names = ("frames", "rows", "rows_without_track", "rows_interpolated")
        return {name: getattr(self, name) for name in names}

    def save(self) -> State:
        """Everything there is to know."""
        sizes = [[frame, *size] for frame, size in self.sizes.items()]
        return {"counts": self.counts, "table": self.table.save(), "sizes": sizes}

    def restore(self, state: State) -> None:
        """Put a state of `save` in the place of what it has."""
        for name, value in state["counts"].items():
            setattr(self, name, value)
        self.table.restore(state["table"])
        self.sizes = {frame: (width, height) for frame, width, height in state.get("sizes", ())}


@dataclass(slots=True)
class VideoResult:
    """A whole video's detections in memory, for programs; files are written frame by frame.

    Attributes:
        frames: detections of each frame that was looked at.
    """

    frames: list[FrameDetections] = field(default_factory=list)

    def tracklets(self) -> list[Tracklet]:
        """The tracklets of the video, by id."""
        table = TrackletTable()
        for frame in self.frames:
            table.add(frame)
        return table.tracklets()

    def boxes_of(self, track_id: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Frames (M,) and boxes (M, 4) of one tracklet."""
        rows = [
            (frame.frame, box)
            for frame in self.frames
            for box in frame.boxes[frame.track_ids == track_id]
        ]
        numbers = np.array([row[0] for row in rows], dtype=np.int64)
        return numbers, np.array([row[1] for row in rows], dtype=np.float64).reshape(-1, 4)

    def to_pandas(self) -> "pd.DataFrame":
        """A data frame of `COLUMNS`, one row a detection; missing ids and pts are <NA>."""
        return rows_to_pandas([row for frame in self.frames for row in frame.rows()])


def rows_to_pandas(
    rows: Sequence[tuple[Any, ...]], columns: Sequence[str] = COLUMNS
) -> "pd.DataFrame":
    """A data frame of `COLUMNS`, with nullable integers for `pts` and `track_id`.

    Args:
        rows: of `columns`.
        columns: those of a file, which may be of a minet that did not interpolate.
    """
    import pandas as pd  # takes longer to import than to find out that an input is missing

    table = pd.DataFrame.from_records(rows, columns=list(columns))
    if INTERPOLATED not in table:
        table[INTERPOLATED] = 0
    return table.astype({"pts": "Int64", "track_id": "Int64"})
