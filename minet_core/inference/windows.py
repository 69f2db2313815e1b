"""Frames with their neighbours, for models that use several frames."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from minet_core.models.detector import Frame

T = TypeVar("T")


def windows(
    items: Iterable[T], image_of: Callable[[T], Frame | None], window: tuple[int, int]
) -> Iterator[tuple[T, list[Frame], list[Frame]]]:
    """Each item in order, with the pictures before and after it, each in order of time.

    An item is yielded once the items after it are known, so a whole window is in memory.

    Args:
        items: in order.
        image_of: picture of an item; None if it has none. Then it is no neighbour.
        window: maximum number before and after.
    """
    before, after = window
    held: deque[T] = deque()
    past: deque[Frame] = deque(maxlen=before)

    def first() -> tuple[T, list[Frame], list[Frame]]:
        item = held.popleft()
        ahead = [image for each in held if (image := image_of(each)) is not None]
        found = item, list(past), ahead
        if (own := image_of(item)) is not None:
            past.append(own)
        return found

    for item in items:
        held.append(item)
        if len(held) > after:
            yield first()
    while held:
        yield first()
