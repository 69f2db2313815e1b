"""Sample number n of a run, from several sources of pairs."""

from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import Lock

from minet_core.errors import InputError
from minet_core.training.data.pairs import PairSource
from minet_core.training.data.random_counter import Use, generator, uniform
from minet_core.training.data.samples import Sample, make_sample
from minet_core.training.settings import TrainConfig

_ATTEMPTS = 50
_AHEAD = 2
"""Samples to have ready, for each thread."""


class Draws:
    """What a run draws, by step and place in the global batch.

    A pair that cannot be read is drawn again, from the counter's next attempt, so that a run
    meets the same pairs however often it is stopped.

    Args:
        sources: of pairs, each with its weight: how often it is drawn, relatively.
        config: of the training.

    Raises:
        InputError: there is no source.
    """

    def __init__(self, sources: Sequence[tuple[PairSource, float]], config: TrainConfig) -> None:
        if not sources:
            raise InputError("there is nothing to train on")
        self._sources, self._config = sources, config
        self._total = sum(weight for _, weight in sources)
        self._skipped: dict[str, None] = {}
        self._lock = Lock()

    @property
    def skipped(self) -> list[str]:
        """Why pairs had to be drawn again, each reason once."""
        with self._lock:
            return list(self._skipped)

    def sample(self, step: int, index: int) -> Sample:
        """Sample `index` of the global batch of a step.

        Raises:
            InputError: time and again there was no pair to be had.
        """
        reason = ""
        for attempt in range(_ATTEMPTS):
            random = generator(self._config.seed, step, index, Use.DRAW, attempt)
            try:
                return make_sample(self._source(uniform(random)).draw(random), self._config, random)
            except InputError as error:
                reason = str(error)
                with self._lock:
                    self._skipped[reason] = None
        raise InputError(f"{_ATTEMPTS} times in a row no pair could be drawn; the last: {reason}")

    def batches(self, steps: range, indices: range) -> Generator[list[Sample], None, None]:
        """This process's samples of each step, prepared ahead by threads, in order.

        Threads and not processes: decoding, most of the work, lets other threads run, nothing has
        to be copied between them, and what is wrong with the data is counted in one place.

        Raises:
            InputError: as `sample`.
        """
        places = ((step, index) for step in steps for index in indices)
        workers = self._config.workers
        pool = ThreadPoolExecutor(workers, thread_name_prefix="minet-data")
        waiting: list[Future[Sample]] = []
        try:
            for _ in steps:
                short = len(indices) + _AHEAD * workers - len(waiting)
                waiting += [pool.submit(self.sample, *place) for place in islice(places, short)]
                yield [waiting.pop(0).result() for _ in indices]
        finally:
            pool.shutdown(cancel_futures=True)

    def _source(self, place: float) -> PairSource:
        """The source at a place from 0 to 1 when they lie side by side, as wide as their weight."""
        for source, weight in self._sources:
            place -= weight / self._total
            if place < 0:
                return source
        return self._sources[-1][0]
