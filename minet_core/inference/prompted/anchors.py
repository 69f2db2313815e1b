"""A person's annotations: boxes with an identity, in any frames of a video.

Nothing here imports torch.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Box = tuple[float, float, float, float]

FIRST = -1
"""Stands for the first processed frame, whatever its index."""


class Anchor(NamedTuple):
    """One box of a person.

    Attributes:
        id: of the object, as the person numbered it.
        box: x1, y1, x2, y2 in pixels of the displayed frame.
    """

    id: int
    box: Box


@dataclass(frozen=True, slots=True)
class Anchors:
    """All annotations of one video by a person.

    Attributes:
        boxes: frame → boxes there, each object once.
        labels: id → class, for objects whose class a person has set.
        gone: frame → boxes without an object.
        hidden: frame → ids of objects that have no box there: hidden, or deleted.
        notes: what was left out, a line each.
    """

    boxes: Mapping[int, tuple[Anchor, ...]]
    labels: Mapping[int, str] = field(default_factory=dict)
    gone: Mapping[int, tuple[Box, ...]] = field(default_factory=dict)
    hidden: Mapping[int, frozenset[int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def ids(self) -> frozenset[int]:
        """Ids of all objects with a box."""
        return frozenset(anchor.id for row in self.boxes.values() for anchor in row)

    @property
    def only_first(self) -> bool:
        """Whether all boxes are in the first frame, so that one pass finds the tracks."""
        return self.boxes.keys() <= {FIRST}

    def of(self, number: int) -> Iterator[tuple[int, Box]]:
        """Frames and boxes of one object, in order of frames."""
        for frame in sorted(self.boxes):
            yield from ((frame, anchor.box) for anchor in self.boxes[frame] if anchor.id == number)


NOTHING = Anchors({})
"""No annotations."""
