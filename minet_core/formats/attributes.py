"""What a tool says of an object beside its box: values that hold from one frame to the next."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Place = Literal["attribute", "box", "track"]
"""Where CVAT has it: as an attribute that a user defined, or as its own of a box or a track."""


class Attribute(NamedTuple):
    """One attribute of a track.

    Attributes:
        name: of it.
        place: where it belongs.
        frames: from which on each value holds, increasing.
        values: as text, one for each of the frames, and no two in a row the same.
    """

    name: str
    place: Place
    frames: tuple[int, ...]
    values: tuple[str, ...]

    def at(self, frame: int) -> str | None:
        """The value in a frame, None before the first."""
        place = bisect_right(self.frames, frame)
        return self.values[place - 1] if place else None

    def moved(self, frame_of: Callable[[int], int]) -> "Attribute":
        """The same where frames have other numbers, in the same order."""
        return attribute_of(
            self.name, self.place, zip(map(frame_of, self.frames), self.values, strict=True)
        )


def attribute_of(name: str, place: Place, rows: Iterable[tuple[int, str]]) -> Attribute:
    """An attribute by its value in each frame, in order; of two in one frame the later counts."""
    by_frame = dict(rows)
    frames: list[int] = []
    values: list[str] = []
    for frame, value in by_frame.items():
        if not values or value != values[-1]:
            frames.append(frame)
            values.append(value)
    return Attribute(name, place, tuple(frames), tuple(values))


def after_changes(frames: NDArray[np.int64], attributes: Iterable[Attribute]) -> NDArray[np.bool_]:
    """The rows (N,) of a track, by their frames, that are the first with a new value."""
    changes = [frame for attribute in attributes for frame in attribute.frames[1:]]
    rows = np.searchsorted(frames, np.array(changes, np.int64))
    marked = np.zeros(len(frames), np.bool_)
    marked[rows[rows < len(frames)]] = True
    return marked
