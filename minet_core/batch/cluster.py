"""Many machines: tasks on a Ray cluster, told of in the events of a `Pool`.

Which machine does which task, and when, is up to Ray. Here tasks are handed to it, and those whose
worker has died once more. Whatever a task needs must be there for every machine: minet itself,
models, and files on a disk or in a bucket that all of them see.
"""

import math
import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Generic

from minet_core import threads
from minet_core.batch.pool import Again, Attempt, Began, Done, Event, Failed, R, Ready, T, Told
from minet_core.batch.process import Tell, Work, portable
from minet_core.errors import ConfigError, MinetError

AHEAD = 1000
"""Tasks that Ray has at once: enough for it to plan with, few enough for this process's memory."""
INTERVAL = 1.0
"""Seconds from one word of a task on how far it is to the next."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Machines, and what each task gets of one.

    Attributes:
        address: of the cluster, as `ray.init` takes it: `host:6379`, `ray://host:10001`, `auto`.
        cpus: cores for each task.
        gpus: GPUs for each task: a part of one, or whole ones.
        retries: how often a task is tried again whose worker has died.

    Raises:
        ConfigError: a number makes no sense.
    """

    address: str
    cpus: float = 1.0
    gpus: float = 0.0
    retries: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.cpus < math.inf:
            raise ConfigError(f"--cpus-per-video must be more than 0, not {self.cpus:g}")
        if not 0 <= self.gpus < math.inf or (self.gpus > 1 and self.gpus % 1):
            raise ConfigError(
                f"--gpus-per-video is a part of one GPU or whole ones, not {self.gpus:g}"
            )

    @property
    def resources(self) -> dict[str, Any]:
        """Options of a task. Ray's own retries have no end where memory runs out: they are off."""
        return {"num_cpus": self.cpus, "num_gpus": self.gpus, "max_retries": 0}


class ClusterPool(Generic[T, R]):
    """Does tasks on a cluster, in any order.

    Args:
        work: what workers do; each makes it once for all its tasks.
        cluster: where.
        again: the task as it is tried once more.
        pause: seconds after which tasks are asked for again where none was ready.
        note: called with what the user should know.
    """

    def __init__(
        self,
        work: Work,
        cluster: Cluster,
        *,
        again: Callable[[T], T] = lambda task: task,
        pause: float = 1.0,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._work, self._cluster, self._again = work, cluster, again
        self._pause, self._note = pause, note
        self._given: dict[int, Attempt[T]] = {}
        self._answers: dict[Any, int] = {}
        self._count = 0
        self._more = True
        self._remote: Callable[[int, T], Any]

    def run(self, tasks: Iterator[T | None]) -> Generator[Event[T, R], None, None]:
        """Do tasks, and tell what happens. However this is left, no task goes on.

        Args:
            tasks: asked for more when few wait; None where there is none yet.

        Raises:
            ConfigError: there is no Ray here, or no such cluster.
            MinetError: a worker could not make ready for work.
        """
        with _connected(self._cluster) as ray:
            self._look_around(ray)
            board = _board(ray)
            do = ray.remote(_do).options(**self._cluster.resources, name="minet")
            self._remote = partial(do.remote, self._work, board, str(Path.cwd()))
            try:
                yield from self._events(ray, board, tasks)
            finally:
                with suppress(ray.exceptions.RayError):  # the cluster itself may be gone
                    for answer in self._answers:
                        ray.cancel(answer, force=True)
                    ray.kill(board)

    def _events(self, ray: Any, board: Any, tasks: Iterator[T | None]) -> Iterator[Event[T, R]]:
        while True:
            self._hand_over(tasks)
            if not (self._more or self._given):
                return
            answers = self._answers_within(ray, self._pause)
            yield from self._told(ray, board)
            for answer in answers:
                yield from self._ended(ray, answer)

    def _look_around(self, ray: Any) -> None:
        """Say so where tasks would wait for a machine that may never come."""
        wanted = {"CPU": self._cluster.cpus, "GPU": self._cluster.gpus}
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        fits = (all(has.get(name, 0) >= n for name, n in wanted.items()) for has in machines)
        if not any(fits):
            each = f"{self._cluster.cpus:g} cores and {self._cluster.gpus:g} GPUs"
            self._note(f"no machine of the cluster has {each} for a video yet; waiting for one")

    def _hand_over(self, tasks: Iterator[T | None]) -> None:
        while self._more and len(self._given) < AHEAD:
            try:
                task = next(tasks)
            except StopIteration:
                self._more = False
                return
            if task is None:
                return
            self._count += 1
            self._submit(self._count, Attempt(task, self._cluster.retries))

    def _submit(self, number: int, given: Attempt[T]) -> None:
        self._given[number] = given
        self._answers[self._remote(number, given.task)] = number

    def _answers_within(self, ray: Any, seconds: float) -> list[Any]:
        if not self._answers:
            time.sleep(seconds)
            return []
        ready, _ = ray.wait(list(self._answers), num_returns=1, timeout=seconds)
        return list(ready)

    def _told(self, ray: Any, board: Any) -> Iterator[Event[T, R]]:
        """What tasks have said of themselves."""
        try:
            said = ray.get(board.take.remote(), timeout=self._pause)
        except ray.exceptions.RayError:  # its machine has gone: it begins anew on another
            return
        for number, kind, content in said:
            if (given := self._given.get(number)) is None:
                continue
            if kind == "ready":
                yield from self._began(given)
                yield Ready(content)
            elif given.began:
                yield Told(given.task, content)

    def _began(self, given: Attempt[T]) -> Iterator[Event[T, R]]:
        if not given.began:
            given.began = True
            yield Began(given.task)

    def _ended(self, ray: Any, answer: Any) -> Iterator[Event[T, R]]:
        number = self._answers.pop(answer)
        given = self._given.pop(number)
        try:
            kind, content = ray.get(answer)
        except ray.exceptions.RayError as error:
            yield from self._buried(number, given, f"its worker died ({_how(error)})")
            return
        if kind == "refused":
            raise content
        yield from self._began(given)
        yield Done(given.task, content) if kind == "done" else Failed(given.task, content)

    def _buried(self, number: int, given: Attempt[T], how: str) -> Iterator[Event[T, R]]:
        yield from self._began(given)
        if not given.lives:
            yield Failed(given.task, MinetError(how))
            return
        yield Again(given.task, how)
        self._submit(number, Attempt(self._again(given.task), given.lives - 1))


def _how(error: Exception) -> str:
    """The first sentence of Ray's, which has many."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].partition(". ")[0].rstrip(".")[:200] if lines else type(error).__name__


@contextmanager
def _connected(cluster: Cluster) -> Iterator[Any]:
    """Ray, connected to a cluster, as this process was before or now; then it is let go of again.

    Raises:
        ConfigError: there is no Ray here, or no such cluster.
    """
    try:
        import ray
    except ImportError:
        raise ConfigError("--ray needs Ray: pip install ray") from None
    if ray.is_initialized():
        yield ray
        return
    try:
        ray.init(
            address=cluster.address,
            log_to_driver=False,
            configure_logging=False,
            logging_level="ERROR",
        )
    except (ConnectionError, ValueError, RuntimeError, AssertionError) as error:
        ray.shutdown()
        raise ConfigError(
            f"--ray {cluster.address}: no cluster answers there ({_how(error)})"
        ) from None
    try:
        yield ray
    finally:
        ray.shutdown()


class _Board:
    """Where tasks say how far they are: of each the last word stays until it is taken."""

    def __init__(self) -> None:
        self._said: dict[tuple[int, str], Any] = {}

    def say(self, number: int, kind: str, content: Any) -> None:
        """Put down what a task has to say."""
        self._said[number, kind] = content

    def take(self) -> list[tuple[int, str, Any]]:
        """All that is new."""
        said, self._said = self._said, {}
        return [(*key, content) for key, content in said.items()]


def _board(ray: Any) -> Any:
    """A board on this very machine where Ray has it, and which Ray begins anew when it dies."""
    options: dict[str, Any] = {"num_cpus": 0, "max_restarts": -1}
    with suppress(Exception):  # a client of a far cluster is on no machine of it
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = ray.get_runtime_context().get_node_id()
        options["scheduling_strategy"] = NodeAffinitySchedulingStrategy(here, soft=True)
    return ray.remote(_Board).options(**options).remote()


def _do(work: Work, board: Any, folder: str, number: int, task: object) -> tuple[str, Any]:
    """On a worker: do one task, in the folder that the command was given in, if it is there."""
    with suppress(OSError):
        os.chdir(folder)
    threads.prepare()  # as the command does; how many there are Ray says, by its cores
    try:
        facts, do = _made(work)
    except MinetError as error:
        return "refused", portable(error)
    board.say.remote(number, "ready", facts)
    try:
        return "done", do(task, _teller(board, number))
    except Exception as error:
        return "failed", portable(error)


@lru_cache(maxsize=1)
def _made(work: Work) -> tuple[Any, Callable[[Any, Tell], Any]]:
    """What is made once in a worker: a model, above all."""
    return work.make(*work.arguments, 0)


def _teller(board: Any, number: int) -> Tell:
    last = -math.inf

    def tell(what: Any) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= INTERVAL:
            last = now
            board.say.remote(number, "told", what)

    return tell
