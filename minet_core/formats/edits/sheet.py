"""A result as edits see it: the rows of each track, in the page's own coordinates."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import Boxes

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class TrackRows(Boxes):
    """Boxes of one track, a row each, by frame; no two are in one frame.

    Attributes:
        frames: (N,) 0-based, strictly increasing.
        boxes: (N, 4) xyxy in pixels of the video.
        scores: (N,) from 0 to 1; 1 where a person drew the box.
        labels: (N,) index in `Sheet.classes`.
        keyframes: (N,) detected or drawn, as against interpolated.
        occluded: (N,) whether something hides a part of the object.
        drawn: (N,) whether a person put the box there.
    """

    frames: Whole
    boxes: Floats
    scores: Floats
    labels: Whole
    keyframes: Flags
    occluded: Flags
    drawn: Flags

    def joined(self, other: Self) -> Self:
        """Rows of both by frame; where both have one, its own."""
        both = super(TrackRows, self).joined(other[~np.isin(other.frames, self.frames)])
        return both[np.argsort(both.frames)]

    def of_class(self, label: int) -> "TrackRows":
        """The same rows of one class."""
        return replace(self, labels=np.full(len(self), label, np.int64))

    def place_of(self, frame: int) -> int | None:
        """Number of the row of a frame, None where there is none."""
        place = int(np.searchsorted(self.frames, frame))
        return place if place < len(self) and self.frames[place] == frame else None


@dataclass(slots=True)
class Sheet:
    """What edits change.

    Attributes:
        width: of the video in pixels.
        height: likewise.
        looked_at: frames in which there can be boxes.
        classes: names; edits may add some.
        tracks: id → its rows, at least one.
        texts: id → what a person wrote of the track.
        hidden: id → frames in which a person said that it is not to be seen.
        touched: ids of tracks that an edit has changed or made.
    """

    width: int
    height: int
    looked_at: range
    classes: list[str]
    tracks: dict[int, TrackRows]
    texts: dict[int, str] = field(default_factory=dict)
    hidden: dict[int, frozenset[int]] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)

    def put(self, track: int, rows: TrackRows | None) -> None:
        """Give a track other rows; without any it is gone."""
        self.touched.add(track)
        if rows is None or not len(rows):
            for known in (self.tracks, self.texts, self.hidden):
                known.pop(track, None)
            return
        self.tracks[track] = rows
        if track in self.hidden:
            self.hidden[track] -= set(rows.frames.tolist())

    def number_of(self, label: str) -> int:
        """Index of a class, which is added if it is new."""
        if label not in self.classes:
            self.classes.append(label)
        return self.classes.index(label)
