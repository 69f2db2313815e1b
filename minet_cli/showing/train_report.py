"""Output of `minet train`: a bar on a terminal, otherwise a line now and then."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from minet_core.training.settings import TrainConfig
    from minet_core.training.train import TrainingSummary
    from minet_core.training.validation import Measured

_RECENT = 20
"""Number of steps in the shown means."""

_LEAST_SECONDS = 10.0
_MOST_SECONDS = 60.0
_ASIDE = {"lr", "loss", "grad_norm", "data_seconds", "step_seconds", "val"}


class TrainReporter:
    """Shows the progress of a training.

    Args:
        quiet: whether to show nothing.
        clock: seconds.
    """

    def __init__(self, *, quiet: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True, quiet=quiet)
        self._recent: deque[Mapping[str, float]] = deque(maxlen=_RECENT)
        self._bar: Progress | None = None
        self._clock = clock
        self._shown_at = clock()
        self._shown = self._steps = 0

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Show the progress while the training runs."""
        if not self._console.is_terminal or self._console.is_dumb_terminal:
            yield
            return
        with Progress(
            MofNCompleteColumn(),
            BarColumn(bar_width=None),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            expand=True,
        ) as self._bar:
            yield

    def note(self, line: str) -> None:
        """Show a line."""
        self._console.print(line, markup=False)

    def begins(self, done: int, config: "TrainConfig") -> None:
        """Steps begin, after `done` steps of an earlier run."""
        self._steps, self._shown = config.steps, done
        self._shown_at = self._clock()
        if done:
            self.note(f"resuming after step {done}")
        if self._bar is not None:
            self._bar.add_task("", total=config.steps, completed=done)

    def step(self, done: int, numbers: Mapping[str, float]) -> None:
        """A step is done."""
        self._recent.append(numbers)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, description=self._text())
            return
        waited = self._clock() - self._shown_at
        tenth = done - self._shown >= self._steps / 10
        if done == self._steps or waited >= _MOST_SECONDS or (waited >= _LEAST_SECONDS and tenth):
            left = (self._steps - done) * waited / max(1, done - self._shown)
            self.note(f"step {done} of {self._steps}: {self._text()}, {left:.0f} s left")
            self._shown, self._shown_at = done, self._clock()

    def measured(self, done: int, found: "Measured", *, best: bool) -> None:
        """The weights were measured."""
        mark = ", the best up to now" if best else ""
        self.note(f"step {done}: {found.name} {found.value:.4f}{mark}")

    def summary(self, output: Path, summary: "TrainingSummary") -> None:
        """Show how the training ended."""
        for note in summary.notes:
            self.note(note)
        if summary.stopped is None:
            self.note(f"{output}: {summary.steps} steps done")

    def _text(self) -> str:
        last = self._recent[-1]
        losses = " ".join(f"{name} {self._mean(name):.3f}" for name in last if name not in _ASIDE)
        data, step = self._mean("data_seconds"), self._mean("step_seconds")
        return (
            f"loss {self._mean('loss'):.3f} ({losses}), lr {last['lr']:.2g}, "
            f"{step:.2f} s a step, {data:.3f} s waiting for data"
        )

    def _mean(self, name: str) -> float:
        return sum(numbers[name] for numbers in self._recent) / len(self._recent)
