"""One producer thread behind a bounded queue."""

import queue
import threading
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from typing import TypeVar

T = TypeVar("T")

_CHECK_SECONDS = 0.1
"""How long a producer waits for room before it looks whether anybody still wants its items."""


class _End:
    """Put last: the producer has finished, perhaps by an error."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetch(
    items: Generator[T, None, None], depth: int, meanwhile: Callable[[], object] | None = None
) -> Generator[T, None, None]:
    """Yield `items` while a thread makes the next ones, at most `depth` ahead.

    An error of the producer is raised here, in its place among the items. When the consumer stops
    early the producer is stopped and closed before this returns.

    Args:
        items: made in the thread.
        depth: how many may wait.
        meanwhile: called once in the consumer's thread, which else only waits for the first item.
    """
    ready: queue.Queue[T | _End] = queue.Queue(maxsize=depth)
    unwanted = threading.Event()

    def put(item: T | _End) -> None:
        while not unwanted.is_set():
            with suppress(queue.Full):
                ready.put(item, timeout=_CHECK_SECONDS)
                return

    def produce() -> None:
        error = None
        try:
            with closing(items):
                for item in items:
                    put(item)
                    if unwanted.is_set():
                        return
        except BaseException as caught:  # carried over to the consumer's thread
            error = caught
        put(_End(error))

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    try:
        if meanwhile is not None:
            meanwhile()
        while not isinstance(item := ready.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        unwanted.set()
        thread.join()
