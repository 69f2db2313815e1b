"""What a person has drawn or confirmed: boxes with an identity, at any frames of a video.

Nothing here imports torch.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Box = tuple[float, float, float, float]

FIRST = -1
"""In the place of a frame: the first that is looked at, whichever that is."""


class Anchor(NamedTuple):
    """One box of a person.

    Attributes:
        id: of the object, the person's own.
        box: x1, y1, x2, y2 in pixels of the frame as it is displayed.
    """

    id: int
    box: Box


@dataclass(frozen=True, slots=True)
class Anchors:
    """All that a person has said of one video.

    Attributes:
        boxes: frame → boxes there, each object once.
        labels: id → class, of those whose class a person has named.
        gone: frame → boxes in which there is no object.
        hidden: frame → ids of objects that are not to be seen there.
        notes: what was left out, a line each.
    """

    boxes: Mapping[int, tuple[Anchor, ...]]
    labels: Mapping[int, str] = field(default_factory=dict)
    gone: Mapping[int, tuple[Box, ...]] = field(default_factory=dict)
    hidden: Mapping[int, frozenset[int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def ids(self) -> frozenset[int]:
        """Of all objects that have a box."""
        return frozenset(anchor.id for row in self.boxes.values() for anchor in row)

    @property
    def only_first(self) -> bool:
        """Whether all boxes are of the first frame, so that tracks are found in one pass."""
        return self.boxes.keys() <= {FIRST}

    def of(self, number: int) -> Iterator[tuple[int, Box]]:
        """Frames and boxes of one object, in order."""
        for frame in sorted(self.boxes):
            yield from ((frame, anchor.box) for anchor in self.boxes[frame] if anchor.id == number)


NOTHING = Anchors({})
"""Nobody has said anything."""
