"""Boxes between keyframes, on straight lines, as annotation tools draw them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minet_core.formats.annotations import MOST_FRAMES, Track


class Keyframes(NamedTuple):
    """What a tool keeps of a track, a row for each entry, by frame.

    Attributes:
        frames: (N,) int64, strictly increasing.
        boxes: (N, 4) float64.
        visible: (N,) bool: whether the object is seen from this entry on, up to the next.
        occluded: (N,) bool, from this entry on, up to the next.
        keyframes: (N,) bool: whether somebody decided it.
        scores: (N,) float64.
    """

    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]
    visible: NDArray[np.bool_]
    occluded: NDArray[np.bool_]
    keyframes: NDArray[np.bool_]
    scores: NDArray[np.float64]


def fill(number: int, label: str, entries: Keyframes, step: int, stop: int | None) -> Track | None:
    """The track with a row for each frame in which it is seen; None where there is none.

    Args:
        number: id of the track.
        label: of the track.
        entries: at least one.
        step: frames between two rows, counted from the first entry.
        stop: a last entry that is visible holds up to this frame; None: for its own frame only.

    Raises:
        ValueError: it goes on for more than `MOST_FRAMES`.
    """
    first, last = int(entries.frames[0]), int(entries.frames[-1])
    end = last + 1 if stop is None or not entries.visible[-1] else max(stop, last + 1)
    if end > MOST_FRAMES:
        raise ValueError(f"a track up to frame {end - 1}")
    frames = np.union1d(np.arange(first, end, step, dtype=np.int64), entries.frames)
    before = np.searchsorted(entries.frames, frames, side="right") - 1
    seen = entries.visible[before]
    frames, before = frames[seen], before[seen]
    if not len(frames):
        return None
    return Track(
        number,
        label,
        frames,
        boxes=between(frames, entries.frames, entries.boxes),
        scores=np.interp(frames, entries.frames, entries.scores),
        keyframes=entries.keyframes[before] & (entries.frames[before] == frames),
        occluded=entries.occluded[before],
    )


def between(
    frames: NDArray[np.int64], known: NDArray[np.int64], boxes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Boxes (M, 4) at frames (M,), on lines between boxes (N, 4) at known frames (N,)."""
    return np.stack([np.interp(frames, known, side) for side in boxes.T], axis=1)
