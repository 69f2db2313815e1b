"""The input of every metric: one frame's true boxes and detections.

Boxes are xyxy edges in pixels: x2 - x1 is the width. Inclusive annotations, as in ImageNet VID and
Pascal VOC, go through `boxes.edges_of_inclusive` first. Plain overlap then equals the "+1" overlap
of those protocols.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minet_core.boxes import NO_TRACK, Boxes
from minet_core.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class TrueBoxes(Boxes):
    """The annotation of one frame.

    Attributes:
        boxes: (T, 4) xyxy, edges in pixels.
        label_ids: (T,) index into the evaluated classes.
        track_ids: (T,) identity within the video; negative without one.
        ignore: (T,) true if a detection on the box is neither right nor wrong.
    """

    boxes: Floats
    label_ids: Ints
    track_ids: Ints
    ignore: Bools

    @classmethod
    def of(
        cls,
        boxes: ArrayLike,
        label_ids: ArrayLike,
        track_ids: ArrayLike | None = None,
        ignore: ArrayLike | None = None,
    ) -> Self:
        """Arrays from anything array-like; by default no box has a track, and none is ignored."""
        labels = np.asarray(label_ids, dtype=np.int64)
        return cls(
            boxes=_boxes(boxes),
            label_ids=labels,
            track_ids=_tracks(track_ids, len(labels)),
            ignore=np.zeros(len(labels), bool) if ignore is None else np.asarray(ignore, bool),
        )


@dataclass(frozen=True, slots=True, eq=False)
class FoundBoxes(Boxes):
    """The detections of one frame: a row per (box, class) pair.

    Attributes:
        boxes: (D, 4) xyxy, edges in pixels.
        label_ids: (D,) index into the evaluated classes.
        scores: (D,) higher is more confident.
        track_ids: (D,) identity within the video; negative without one.
    """

    boxes: Floats
    label_ids: Ints
    scores: Floats
    track_ids: Ints

    @classmethod
    def of(
        cls,
        boxes: ArrayLike,
        label_ids: ArrayLike,
        scores: ArrayLike,
        track_ids: ArrayLike | None = None,
    ) -> Self:
        """Arrays from anything array-like; by default no detection has a track."""
        labels = np.asarray(label_ids, dtype=np.int64)
        return cls(
            boxes=_boxes(boxes),
            label_ids=labels,
            scores=np.asarray(scores, dtype=np.float64),
            track_ids=_tracks(track_ids, len(labels)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class EvalFrame:
    """One validated frame, ready to be scored.

    Attributes:
        video: name of the video, for keys and error messages.
        number: 0-based frame.
        truth: true boxes.
        found: detections.

    Raises:
        InputError: boxes that are not (N, 4), columns of another length, coordinates or scores
            that are not finite, inverted boxes, negative labels, or one identity twice in the
            frame; the message names video and frame.
    """

    video: str
    number: int
    truth: TrueBoxes
    found: FoundBoxes

    def __post_init__(self) -> None:
        truth, found = self.truth, self.found
        self._check("true", truth.boxes, truth.label_ids, truth.track_ids, truth.ignore)
        self._check("predicted", found.boxes, found.label_ids, found.track_ids, found.scores)
        self._refuse(~np.isfinite(found.scores), "predicted score {} is not a finite number")
        self._refuse(_repeated(truth.track_ids), "true box {} repeats a track id of the frame")
        # A result may carry several classes of one tracked box, each once.
        self._refuse(
            _repeated(found.track_ids, found.label_ids),
            "predicted box {} repeats a track id of the frame within its class",
        )

    @property
    def place(self) -> str:
        """Video and frame, for messages."""
        return f"{self.video}, frame {self.number}"

    def check_labels(self, classes: int) -> None:
        """Raise InputError if a label is not below the number of classes."""
        self._refuse(self.truth.label_ids >= classes, "the class of true box {} is unknown")
        self._refuse(self.found.label_ids >= classes, "the class of predicted box {} is unknown")

    @property
    def true_labels(self) -> list[int]:
        """Class ids of the true boxes, including ignored ones, ascending."""
        return sorted(set(self.truth.label_ids.tolist()))

    @property
    def labels(self) -> list[int]:
        """Class ids of true boxes and detections, ascending."""
        return sorted({*self.truth.label_ids.tolist(), *self.found.label_ids.tolist()})

    def _check(self, kind: str, boxes: Floats, labels: Ints, *columns: NDArray[np.generic]) -> None:
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise InputError(f"{self.place}: {kind} boxes are not rows of four numbers")
        if any(len(column) != len(boxes) for column in (labels, *columns)):
            raise InputError(
                f"{self.place}: {len(boxes)} {kind} boxes come with another number of "
                "labels, ids, scores or flags"
            )
        finite = np.asarray(np.isfinite(boxes).all(axis=1))
        self._refuse(~finite, kind + " box {} has a coordinate that is not a finite number")
        inverted = (boxes[:, 2] < boxes[:, 0]) | (boxes[:, 3] < boxes[:, 1])
        self._refuse(inverted, kind + " box {} is inverted: its right or lower edge comes first")
        self._refuse(labels < 0, "the class of " + kind + " box {} is negative")

    def _refuse(self, wrong: Bools, complaint: str) -> None:
        if wrong.any():
            raise InputError(f"{self.place}: {complaint.format(int(wrong.argmax()))}")


def _boxes(boxes: ArrayLike) -> Floats:
    array: Floats = np.asarray(boxes, dtype=np.float64)
    return array if array.size else array.reshape(0, 4)


def _tracks(track_ids: ArrayLike | None, rows: int) -> Ints:
    if track_ids is None:
        return np.full(rows, NO_TRACK, dtype=np.int64)
    return np.asarray(track_ids, dtype=np.int64)


def _repeated(track_ids: Ints, label_ids: Ints | None = None) -> Bools:
    """True at rows whose identity (within its class) is also in an earlier row."""
    columns = [track_ids] if label_ids is None else [track_ids, label_ids]
    order = np.lexsort(columns)
    same = np.logical_and.reduce([c[order[1:]] == c[order[:-1]] for c in columns])
    repeated = np.zeros(len(track_ids), dtype=bool)
    repeated[order[1:]] = same
    return repeated & (track_ids >= 0)
