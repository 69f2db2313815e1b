"""The steps of a training one after the other, with what is measured and kept on the way."""

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch

from minet_core.errors import OutputError
from minet_core.training.checkpoint import (
    CHECKPOINT,
    Identity,
    Progress,
    read_checkpoint,
    write_checkpoint,
)
from minet_core.training.compute_threads import computing_threads
from minet_core.training.data.sampling import Draws
from minet_core.training.distributed import ProcessGroup
from minet_core.training.interruption import StopRequest
from minet_core.training.loop import Loop, places
from minet_core.training.networks import AnyTask, architecture, save_network, with_weights
from minet_core.training.output_folder import BEST, LAST, save_config
from minet_core.training.settings import TrainConfig
from minet_core.training.step_log import Metrics
from minet_core.training.validation import Measured, Validation


class Watcher(Protocol):
    """Who is told how a training goes, by its first process."""

    def note(self, line: str) -> None:
        """Something to know."""
        ...

    def begins(self, done: int, config: TrainConfig) -> None:
        """Steps begin, after so many of an earlier run."""
        ...

    def step(self, done: int, numbers: Mapping[str, float]) -> None:
        """A step is done; its numbers are those of metrics.csv."""
        ...

    def measured(self, done: int, found: Measured, *, best: bool) -> None:
        """The weights were measured."""
        ...


class Unwatched:
    """Tells nobody."""

    def note(self, line: str) -> None:
        """See `Watcher`."""

    def begins(self, done: int, config: TrainConfig) -> None:
        """See `Watcher`."""

    def step(self, done: int, numbers: Mapping[str, float]) -> None:
        """See `Watcher`."""

    def measured(self, done: int, found: Measured, *, best: bool) -> None:
        """See `Watcher`."""


@dataclass(slots=True)
class TrainingRun:
    """A training under way.

    Attributes:
        config: its settings.
        classes: of its data.
        task: what is trained.
        out: folder for the results, which is there.
        processes: that share the work; the first one writes and measures.
        watcher: told how it goes.
        validation: what to measure on, None to measure nothing.
        progress: how far it is.
    """

    config: TrainConfig
    classes: tuple[str, ...]
    task: AnyTask
    out: Path
    processes: ProcessGroup
    watcher: Watcher
    validation: Validation | None
    progress: Progress = field(default_factory=Progress)

    def go(self, draws: Draws, *, resume: bool) -> int | None:
        """Take all steps that are left.

        Returns:
            The number of the signal that stopped it; None at the end.

        Raises:
            MinetError: the checkpoint is not of this training, a loss is not finite, nothing can
                be drawn, or the results cannot be written.
        """
        loop = Loop(self.task, self.config, self.processes)
        if resume and (self.out / CHECKPOINT).exists():
            self.progress, state = read_checkpoint(self.out / CHECKPOINT, self._identity())
            loop.restore(state)
        on_cpu = self.processes.device.type == "cpu"
        before = self.progress.threads if on_cpu else None
        with computing_threads(self.config.threads, before, self.watcher.note):
            return self._go(loop, draws)

    def _go(self, loop: Loop, draws: Draws) -> int | None:
        if self.processes.first:
            save_config(self.out, self.config)
        if not self.processes.first:
            with StopRequest() as stop:
                return self._steps(loop, draws, stop, None)
        columns = ("lr", "loss", *self.task.losses_of, "grad_norm", *_TIMES, _VAL)
        keep, board = self.progress.metrics_bytes, self.config.tensorboard
        with Metrics(self.out, columns, keep=keep, tensorboard=board) as metrics:
            self.watcher.begins(self.progress.step, self.config)
            with StopRequest() as stop:
                return self._steps(loop, draws, stop, metrics)

    def _steps(
        self, loop: Loop, draws: Draws, stop: StopRequest, metrics: Metrics | None
    ) -> int | None:
        numbers = range(self.progress.step, self.config.steps)
        share = self.processes.share(self.config.batch)
        began = time.perf_counter()
        with closing(draws.batches(numbers, share)) as batches:
            for number, samples in zip(numbers, batches, strict=False):
                ready = time.perf_counter()
                found = loop.step(number, places(samples, share))
                times = (ready - began, time.perf_counter() - ready)
                stopped = self.processes.first_signal(stop.received)
                if metrics is not None:
                    found |= dict(zip(_TIMES, times, strict=True))
                    self._after(number + 1, loop, found, metrics, last=stopped is not None)
                if stopped is not None:
                    return stopped
                began = time.perf_counter()
        return None

    def _after(
        self, done: int, loop: Loop, found: dict[str, float], metrics: Metrics, *, last: bool
    ) -> None:
        """Measure, write and save after a step, what is due."""
        config = self.config
        last |= done == config.steps
        due = done % config.eval_every == 0 or done == config.steps
        best = self.progress.best
        if self.validation is not None and due:
            best = self._measure(self.validation, done, loop, found)
        metrics.add(done, found)
        self.watcher.step(done, found)
        if due or last or done % config.save_every == 0:
            threads = torch.get_num_threads()
            self._save(Progress(done, best, metrics.sync(), threads), loop)

    def _measure(
        self, validation: Validation, done: int, loop: Loop, found: dict[str, float]
    ) -> float | None:
        """The highest measurement with this one, which `found` gets."""
        network = with_weights(self.task, loop.weights())
        measured = validation.measure(network)
        found[_VAL] = measured.value
        before = self.progress.best
        # So that NaN, which is what nothing to be found gives, is never the best.
        best = measured.value > (-1.0 if before is None else before)
        self.watcher.measured(done, measured, best=best)
        if not best:
            return before
        save_network(self.out / BEST, network, done)
        return measured.value

    def _save(self, progress: Progress, loop: Loop) -> None:
        try:
            write_checkpoint(self.out / CHECKPOINT, self._identity(), progress, loop.save())
            save_network(self.out / LAST, with_weights(self.task, loop.weights()), progress.step)
        except OutputError as error:
            where = f"--resume continues after step {self.progress.step}"
            raise OutputError(f"{error}; {where}" if self.progress.step else str(error)) from None
        self.progress = progress

    def _identity(self) -> Identity:
        return Identity(architecture(self.task), self.classes, self.config)


_TIMES = ("data_seconds", "step_seconds")
_VAL = "val"
