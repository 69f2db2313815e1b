"""Annotations of one video, as annotation formats know them: tracks, and boxes of no track.

This is what every exporter writes and every importer reads. Frames are 0-based decoded indices,
boxes xyxy in display-oriented pixels; each format's own counting and units stay in its module.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import Boxes, Which
from minet_core.formats.attributes import Attribute
from minet_core.formats.cvat.extras import NOTHING, Kept
from minet_core.formats.minet.edited_scores import ScoreVectors


@dataclass(frozen=True, slots=True, eq=False)
class Track(Boxes):
    """One object through a video: a row for each frame in which it is seen.

    A frame between two rows in which it has none is a gap: the object is outside the picture or
    hidden there. With a `VideoAnnotations.step` of n, only every n-th frame can have a row.

    Attributes:
        id: unique in the video, 1 or more.
        label: name of its class.
        frames: (N,) int64, strictly increasing, N ≥ 1.
        boxes: (N, 4) float64.
        scores: (N,) float64, from 0 to 1; 1 where a person drew the box.
        keyframes: (N,) bool: drawn or decided, as against interpolated between its neighbours.
        occluded: (N,) bool.
        attributes: what an annotation tool says of it beside boxes.
        drawn: frames whose boxes a person has put there in a result, which no line may move.
        hidden: frames in which, says a person, it is not to be seen, so that nothing fills them.
    """

    id: int
    label: str
    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    keyframes: NDArray[np.bool_]
    occluded: NDArray[np.bool_]
    attributes: tuple[Attribute, ...] = ()
    drawn: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()

    @property
    def is_turned(self) -> bool:
        """Whether an annotation tool has a box of it turned."""
        return any(one.name == "rotation" and one.place == "box" for one in self.attributes)


@dataclass(frozen=True, slots=True, eq=False)
class LooseBoxes(Boxes):
    """Boxes that belong to no track, a row each, by frame.

    Attributes:
        frames: (N,) int64, not decreasing.
        labels: N class names.
        boxes: (N, 4) float64.
        scores: (N,) float64.
    """

    frames: NDArray[np.int64]
    labels: tuple[str, ...]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]

    def __getitem__(self, rows: Which) -> Self:
        """Some of the rows."""
        labels = tuple(self.labels[i] for i in np.arange(len(self))[rows])
        return replace(super(LooseBoxes, self).__getitem__(rows), labels=labels)


NO_LOOSE_BOXES = LooseBoxes(np.zeros(0, np.int64), (), np.zeros((0, 4)), np.zeros(0))


MOST_FRAMES = 10_000_000
"""Of a video: four days of it. A file that counts farther is damaged, or made to do harm."""


class FrameBox(NamedTuple):
    """One box of one frame.

    Attributes:
        label: name of its class.
        track: id of its track, None for a loose box.
        box: x1, y1, x2, y2.
        score: from 0 to 1.
        occluded: whether something hides a part of it.
        keyframe: whether it was drawn or decided; loose boxes are.
    """

    label: str
    track: int | None
    box: tuple[float, float, float, float]
    score: float
    occluded: bool
    keyframe: bool


Sizes = Mapping[int, tuple[int, int]]
"""Frame → (width, height) of pictures that have another size than the video."""


def limits(
    frames: NDArray[np.int64], whole: tuple[int, int], sizes: Sizes | None
) -> NDArray[np.int64]:
    """(N, 4) highest x1, y1, x2, y2 of boxes in N frames of a video of that size."""
    rows = [(sizes or {}).get(frame, whole) * 2 for frame in frames.tolist()]
    return np.array(rows, np.int64).reshape(-1, 4)


@dataclass(frozen=True, slots=True, eq=False)
class VideoAnnotations:
    """What is annotated in one video.

    Attributes:
        name: of the video, without folders and suffix; output files are named after it.
        source: path or URL of the video as it was given, None where it is not known.
        width: of a frame, in pixels.
        height: of a frame, in pixels.
        frames: how many frames the video has, None where it is not known.
        frame_rate: frames per second, None where it is not known.
        variable_rate: whether frames are unevenly apart in time.
        step: frames were looked at from the first in steps of so many.
        classes: names of the classes that can occur, in the order of their ids.
        tracks: by id.
        loose: boxes of no track.
        start: the first frame that was looked at.
        stop: the frame before which looking ended; None: with the last frame of the video.
        times: (M,) float64, seconds from the start of frames 0 to M-1; None where nothing but
            the frame rate tells.
        notes: what could not be read as it was meant, a line each, for the user.
        vectors: the scores of every class, where the result kept them.
        drawn_gaps: whether a person has said where each object is not to be seen, so that a gap
            is no failure of a detector.
        kept: what an annotation tool's file has beside tracks of boxes.
        start_time: seconds on a player's clock at which frame 0 is shown; None where it is not
            known, and most probably 0.
        delay: seconds by which the file's earliest stream starts before frame 0.
        end: seconds from the start at which the last frame ends, None where it is not known.
        stream: number of the stream in the source, None for the one that is read unasked.
        sizes: of pictures of another size; their boxes are in their own pixels. None: not known.
        pictures: frame → name of its picture in a folder, with or without suffix, as far as known.
        of_pictures: whether the video is a folder of pictures.
        stems: frame → name without suffix under which its picture is written, where it has one of
            its own.
        by_name: whether frames are pictures in the order of their names, as CVAT has them.
    """

    name: str
    source: str | None
    width: int
    height: int
    frames: int | None
    frame_rate: Fraction | None
    variable_rate: bool
    step: int
    classes: tuple[str, ...]
    tracks: tuple[Track, ...]
    loose: LooseBoxes
    start: int = 0
    stop: int | None = None
    times: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()
    vectors: ScoreVectors | None = None
    drawn_gaps: bool = False
    kept: Kept = NOTHING
    start_time: float | None = None
    delay: float = 0.0
    end: float | None = None
    stream: int | None = None
    sizes: Sizes | None = None
    pictures: Mapping[int, str] = field(default_factory=dict)
    of_pictures: bool = False
    stems: Mapping[int, str] = field(default_factory=dict)
    by_name: bool = False

    @property
    def boxes(self) -> int:
        """How many boxes there are in all."""
        return sum(map(len, self.tracks)) + len(self.loose)

    @property
    def looked_at(self) -> range:
        """Every frame that was looked at, with or without boxes.

        Where nothing tells where looking ended, it is at the last box.
        """
        last = [int(track.frames[-1]) + 1 for track in self.tracks]
        last += [int(frame) + 1 for frame in self.loose.frames[-1:]]
        stop = self.stop if self.stop is not None else self.frames
        return range(self.start, max(last, default=0) if stop is None else stop, self.step)

    def size_of(self, frame: int) -> tuple[int, int]:
        """(width, height) of a frame."""
        return (self.sizes or {}).get(frame, (self.width, self.height))

    def time_of(self, frame: int) -> float | None:
        """Seconds from the start at which a frame is shown, None where nothing tells."""
        if self.times is not None and frame < len(self.times):
            return float(self.times[frame])
        return None if self.frame_rate is None else float(frame / self.frame_rate)

    def by_frame(self) -> Iterator[tuple[int, list[FrameBox]]]:
        """Every frame that has boxes, in order, with its boxes: tracks by id, then loose ones."""
        rows: dict[int, list[FrameBox]] = {}
        for track in self.tracks:
            for frame, row in _rows_of(track):
                rows.setdefault(frame, []).append(row)
        loose = self.loose
        columns = loose.frames.tolist(), loose.labels, loose.boxes.tolist(), loose.scores.tolist()
        for frame, label, box, score in zip(*columns, strict=True):
            row = FrameBox(label, None, tuple(box), score, False, True)
            rows.setdefault(frame, []).append(row)
        yield from sorted(rows.items())


def _rows_of(track: Track) -> Iterator[tuple[int, FrameBox]]:
    columns = (track.frames, track.boxes, track.scores, track.occluded, track.keyframes)
    for frame, box, score, *flags in zip(*(column.tolist() for column in columns), strict=True):
        yield frame, FrameBox(track.label, track.id, tuple(box), score, *flags)
