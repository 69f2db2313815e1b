"""From frames that a data set has to the stride by which they were taken."""

import math
from collections.abc import Sequence
from typing import NamedTuple


class Steps(NamedTuple):
    """Frames at even distances.

    Attributes:
        start: the first.
        stop: the one behind the last.
        step: from one to the next.
    """

    start: int
    stop: int
    step: int


def steps_of(frames: Sequence[int]) -> Steps:
    """The widest steps from the first frame on that meet every one of them.

    Args:
        frames: strictly increasing.

    >>> steps_of([3, 5, 9])
    Steps(start=3, stop=10, step=2)
    """
    if not frames:
        return Steps(0, 0, 1)
    distances = (frame - frames[0] for frame in frames)
    return Steps(frames[0], frames[-1] + 1, math.gcd(*distances) or 1)
