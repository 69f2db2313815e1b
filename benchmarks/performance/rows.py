"""What every row is, and how two costs are compared."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        name: what is held against what.
        value: measured.
        aim: the most it should be; None where it is only stated.
        unit: behind the value; empty for a ratio.
    """

    name: str
    value: float
    aim: float | None = None
    unit: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the aim is reached; None without one."""
        return None if self.aim is None else self.value <= self.aim


def cpu(work: Work) -> float:
    """CPU seconds of all threads."""
    started = process_time()
    work()
    return process_time() - started


def wall(work: Work) -> float:
    """Seconds on the clock."""
    started = perf_counter()
    work()
    return perf_counter() - started


def ratio(of: Work, to: Work, repeats: int, cost: Callable[[Work], float] = cpu) -> float:
    """Median cost of one work over that of another, measured in turn after a first go of each."""
    of(), to()
    pairs = []
    gc.disable()  # what one left behind is not the other's cost
    try:
        for _ in range(repeats):
            pairs.append((cost(of), cost(to)))
            gc.collect()
    finally:
        gc.enable()
    return median(first for first, _ in pairs) / median(second for _, second in pairs)
