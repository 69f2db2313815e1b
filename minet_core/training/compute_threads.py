"""How many threads of the processor compute: sums depend on it in their last digits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch


@contextmanager
def computing_threads(
    wanted: int | None, before: int | None, tell: Callable[[str], None]
) -> Iterator[None]:
    """Compute with so many threads, and afterwards with as many as until now.

    Args:
        wanted: as the settings have it; None for as many as before, at first as torch takes.
        before: those of the run that this one resumes, None without.
        tell: gets a line where the number is not what one would expect.
    """
    usual = torch.get_num_threads()
    now = wanted or before or usual
    if before is not None and now != before:
        tell(
            f"{_count(now)}, {before} until now: what follows equals a run that was left alone "
            "up to rounding, not to the bit"
        )
    elif wanted is None and now != usual:
        tell(
            f"{_count(now)}, as until now, so that all equals a run that was left alone; "
            f"--set threads={usual} for as many as usual here"
        )
    torch.set_num_threads(now)
    try:
        yield
    finally:
        torch.set_num_threads(usual)


def _count(threads: int) -> str:
    return f"computing with {threads} thread{'s' if threads > 1 else ''}"
