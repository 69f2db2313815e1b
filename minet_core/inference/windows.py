"""Frames with their neighbours, for models that look at more than one."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from minet_core.models.detector import Frame

T = TypeVar("T")


def windows(
    items: Iterable[T], image_of: Callable[[T], Frame | None], window: tuple[int, int]
) -> Iterator[tuple[T, list[Frame], list[Frame]]]:
    """Each item in order, with the pictures before it and after it, the nearest in the middle.

    An item comes when those after it are known, so as many are held as the window is long.

    Args:
        items: in order.
        image_of: the picture of an item; None where there is none, which is nobody's neighbour.
        window: how many before and after, at most.
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
