"""What is wrong with a dataset without making it useless: counted, and told with a place."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Problem(StrEnum):
    """A kind of problem; its text says what becomes of it."""

    NO_SNIPPET = "videos in the list but not on the disk, left out"
    NO_ANNOTATION = "annotations missing, their frames not scored"
    BROKEN_ANNOTATION = "annotations that cannot be read, their frames not scored"
    NO_PICTURE = "pictures missing or broken, nothing can be detected there"
    OTHER_SIZE = "pictures scaled to the size that their annotation states"
    NO_AREA = "boxes inverted or without area, left out"
    OUTSIDE = "boxes wholly outside the frame, ignored"
    REACHES_OUT = "boxes that reach out of the frame, kept as they are"
    SAME_ID = "boxes with a track id that another box of the frame has, kept without it"
    UNKNOWN_CLASS = "boxes of classes that are not the dataset's, left out"
    NO_FRAME = "boxes of frames that the video does not have, left out"


class Problems:
    """Counts places by kind of problem; a place that is met again is not counted again."""

    def __init__(self) -> None:
        self._places: dict[Problem, dict[str, None]] = {}

    def add(self, problem: Problem, place: str) -> None:
        """Take note of a problem at a place: a file, if need be with a line or a box in it."""
        self._places.setdefault(problem, {})[place] = None

    @property
    def counts(self) -> Mapping[Problem, int]:
        """How many places each kind of problem has, of those met up to now."""
        return MappingProxyType({kind: len(places) for kind, places in self._places.items()})

    def places(self, problem: Problem) -> list[str]:
        """Where a kind of problem was met, in order."""
        return list(self._places.get(problem, ()))

    def lines(self) -> list[str]:
        """A line for each kind: what, how many, and the first place."""
        lines = []
        for kind, places in self._places.items():
            first = next(iter(places))
            where = first if len(places) == 1 else f"the first is {first}"
            lines.append(f"{kind}: {len(places)} ({where})")
        return lines
