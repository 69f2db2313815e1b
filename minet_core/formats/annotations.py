"""Annotations of one video, as annotation formats know them: tracks, and boxes of no track.

This is what every exporter writes and every importer reads. Frames are 0-based decoded indices,
boxes xyxy in display-oriented pixels; each format's own counting and units stay in its module.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Track:
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
    """

    id: int
    label: str
    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    keyframes: NDArray[np.bool_]
    occluded: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True, slots=True, eq=False)
class LooseBoxes:
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

    def __len__(self) -> int:
        return len(self.frames)


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
