"""The time of a run, by stage."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

STAGES = ("decode", "detector", "identify", "memory", "draw", "encode", "write")
"""The work on a frame, in order."""


class StageClock:
    """Adds up busy seconds per stage; safe to use from several threads."""

    def __init__(self) -> None:
        self._seconds = dict.fromkeys(STAGES, 0.0)
        self._lock = threading.Lock()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of the block towards one of `STAGES`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self._seconds[name] += time.perf_counter() - start

    def seconds(self, name: str) -> float:
        """Busy time of one of `STAGES` so far."""
        return self._seconds[name]

    def save(self) -> dict[str, float]:
        """Busy seconds of each of `STAGES`."""
        return {**self._seconds}

    def add(self, seconds: dict[str, float]) -> None:
        """Count what another clock has saved."""
        with self._lock:
            for name, more in seconds.items():
                self._seconds[name] += more

    def shares(self) -> dict[str, float]:
        """Stage → share of the busy time of all stages, 0..1; stages without work are left out."""
        total = sum(self._seconds.values())
        return {name: seconds / total for name, seconds in self._seconds.items() if seconds}
