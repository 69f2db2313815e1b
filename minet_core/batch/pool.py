"""Processes that do one task after the other, and whose death costs no more than their task.

A process that ends without an answer, as one does that the system kills for want of memory, takes
only its own task along: that is tried once more in a fresh process, and fails if that one dies
too. The pools of the standard library give up as a whole when that happens.
"""

import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any, Generic, TypeVar

from minet_core.batch.process import Dead, Process, Work
from minet_core.errors import MinetError

T = TypeVar("T")
"""A task."""
R = TypeVar("R")
"""What comes of it."""

_PATIENCE = 30.0
"""Seconds that processes get to leave their folders in order, before they are killed."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A process can begin; `facts` is what `Work.make` had to say."""

    facts: Any


@dataclass(frozen=True, slots=True)
class Began(Generic[T]):
    """A task was given to a process."""

    task: T


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """A task has said how far it is."""

    task: T
    what: Any


@dataclass(frozen=True, slots=True)
class Done(Generic[T, R]):
    """A task has come to its end."""

    task: T
    result: R


@dataclass(frozen=True, slots=True)
class Failed(Generic[T]):
    """A task has raised, or its process has died more often than it may."""

    task: T
    error: Exception


@dataclass(frozen=True, slots=True)
class Again(Generic[T]):
    """The process of a task has died, in words, and it will be tried once more."""

    task: T
    how: str


Event = Ready | Began[T] | Told[T] | Done[T, R] | Failed[T] | Again[T]


@dataclass(slots=True)
class Attempt(Generic[T]):
    """A task, how often its worker may still die, and whether it was told that it began."""

    task: T
    lives: int
    began: bool = False


class Pool(Generic[T, R]):
    """Up to `count` processes; each is started when there is a task for it.

    Args:
        work: what they do.
        count: how many there may be.
        threads: with which each computes.
        again: the task as it is tried once more.
        retries: how often that is done.
        pause: seconds after which tasks are asked for again where none was ready.
    """

    def __init__(
        self,
        work: Work,
        count: int,
        *,
        threads: int = 1,
        again: Callable[[T], T] = lambda task: task,
        retries: int = 1,
        pause: float = 1.0,
    ) -> None:
        self._work, self._count, self._threads = work, count, threads
        self._again, self._retries, self._pause = again, retries, pause
        self._processes: dict[int, Process] = {}
        self._given: dict[int, Attempt[T]] = {}
        self._returned: deque[Attempt[T]] = deque()
        self._more = True

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the processes that are at work on a task."""
        return tuple(self._processes[number].pid for number in self._given)

    def run(self, tasks: Iterator[T | None]) -> Generator[Event[T, R], None, None]:
        """Do tasks, and tell what happens in the order in which it does.

        However this is left, no process stays behind: those at work get SIGTERM.

        Args:
            tasks: asked for the next one when a process is free for it; None where there is none
                yet.

        Raises:
            MinetError: a process could not make ready for work.
        """
        try:
            while True:
                while (number := self._free()) is not None and (given := self._next(tasks)):
                    yield self._begin(number, given)
                if not (self._more or self._given):
                    return
                yield from self._heard(self._pause if self._more else None)
        finally:
            self._end()

    def _free(self) -> int | None:
        """The number of a process without a task; the lowest, so that few are started."""
        return next((i for i in range(self._count) if i not in self._given), None)

    def _next(self, tasks: Iterator[T | None]) -> Attempt[T] | None:
        """The next task, first of all one that is tried again; None where there is none now."""
        if self._returned:
            return self._returned.popleft()
        try:
            task = next(tasks) if self._more else None
        except StopIteration:
            self._more, task = False, None
        return None if task is None else Attempt(task, self._retries)

    def _begin(self, number: int, given: Attempt[T]) -> Began[T]:
        process = self._processes.get(number)
        if process is None:
            process = self._processes[number] = Process(self._work, number, self._threads)
        self._given[number] = given
        process.give(given.task)
        return Began(given.task)

    def _heard(self, timeout: float | None) -> Iterator[Event[T, R]]:
        """What processes at work say next, within so many seconds."""
        pipes = {self._processes[number].pipe: number for number in self._given}
        for pipe in connection.wait(list(pipes), timeout):
            number = pipes[pipe]  # type: ignore[index]
            try:
                kind, content = self._processes[number].receive()
            except Dead as dead:
                yield self._buried(number, str(dead))
            else:
                yield self._event(number, kind, content)

    def _event(self, number: int, kind: str, content: Any) -> Event[T, R]:
        if kind == "refused":
            raise content
        if kind == "ready":
            return Ready(content)
        if kind == "told":
            return Told(self._given[number].task, content)
        task = self._given.pop(number).task
        return Done(task, content) if kind == "done" else Failed(task, content)

    def _buried(self, number: int, how: str) -> Event[T, R]:
        del self._processes[number]
        given = self._given.pop(number)
        if not given.lives:
            return Failed(given.task, MinetError(how))
        given = Attempt(self._again(given.task), given.lives - 1)
        self._returned.append(given)
        return Again(given.task, how)

    def _end(self) -> None:
        """Let idle processes go, and stop the others."""
        for number, process in self._processes.items():
            process.stop(signal.SIGTERM if number in self._given else None)
        try:
            for process in self._processes.values():
                process.join(_PATIENCE)
        finally:
            for process in self._processes.values():
                process.kill()
            self._processes.clear()
            self._given.clear()
