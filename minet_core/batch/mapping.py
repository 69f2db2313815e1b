"""A function over many things, in processes, with its answers in the order of the things."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

from minet_core.batch.pool import Done, Failed, Pool
from minet_core.batch.process import Tell, Work

A = TypeVar("A")
R = TypeVar("R")

_AHEAD = 4
"""Answers for each process that may wait for an earlier one."""


@dataclass(frozen=True, slots=True)
class PooledMap:
    """Like `map`, over processes; only so many things are asked for as can be done soon.

    The function, the things and the answers go through pipes: they can be pickled. The function
    goes to each process once.

    Attributes:
        jobs: processes.
    """

    jobs: int

    def __call__(self, function: Callable[[A], R], things: Iterable[A]) -> Iterator[R]:
        """Answers in order. The first thing that fails ends it all.

        Raises:
            Exception: what the function has raised, or MinetError where its process died twice.
        """
        waiting: dict[int, R] = {}
        taken = 0

        def tasks() -> Iterator[tuple[int, A] | None]:
            for number, thing in enumerate(things):
                while number - taken >= _AHEAD * self.jobs:
                    yield None
                yield number, thing

        pool = Pool[tuple[int, A], R](Work(_mapper, (function,)), self.jobs, pause=0.05)
        with closing(pool.run(tasks())) as events:
            for event in events:
                if isinstance(event, Failed):
                    raise event.error
                if not isinstance(event, Done):
                    continue
                waiting[event.task[0]] = event.result
                while taken in waiting:
                    answer = waiting.pop(taken)
                    taken += 1
                    yield answer


def _mapper(
    function: Callable[[A], R],
    number: int,  # noqa: ARG001
) -> tuple[Any, Callable[[tuple[int, A], Tell], R]]:
    return (), lambda task, _: function(task[1])
