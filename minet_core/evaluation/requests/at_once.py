"""`minet eval --jobs`: videos of a dataset shared out over processes of this machine.

What a process finds is kept in a file for each video, from which the first one then scores.
Nothing here imports torch: a process sets its number of threads before.
"""

from collections.abc import Callable
from contextlib import closing
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from minet_core.batch.mapping import PooledMap
from minet_core.batch.pool import Failed, Pool, Told
from minet_core.batch.process import Tell, Work
from minet_core.batch.sizing import this_machine
from minet_core.errors import InputError
from minet_core.evaluation.requests.request import EvalRequest

if TYPE_CHECKING:
    from minet_core.datasets.dataset import Dataset
    from minet_core.detections.of_dataset import StoredOf
    from minet_core.evaluation.eval_config import EvalOptions, Variant
    from minet_core.evaluation.predictions.predict import Progress
    from minet_core.models.stored_detections import StoredBoxes


def find_at_once(
    request: EvalRequest,
    dataset: "Dataset",
    variants: "tuple[Variant, ...]",
    options: "EvalOptions",
    count: int | None,
    progress: "Progress | None",
) -> bool:
    """Look for what the model finds in all videos, several at once, the longest first.

    Args:
        request: what was asked for.
        dataset: whose videos they are.
        variants: memories to compare.
        options: which metrics.
        count: of processes; None for as many as fit this machine.
        progress: called after each frame.

    Returns:
        Whether there was anything to share out.

    Raises:
        MinetError: the model cannot be loaded, or a video cannot be read.
    """
    machine = this_machine(request.device if count is None else "cpu")
    videos = sorted(dataset.videos, key=len, reverse=True)
    count = machine.jobs(len(videos)) if count is None else min(count, len(videos))
    if count == 1:
        return False
    work = Work(_finder, (request, variants, options, count))
    pool: Pool[str, None] = Pool(work, count, threads=machine.threads(count))
    with closing(pool.run(iter([video.name for video in videos]))) as events:
        for event in events:
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Told) and progress is not None:
                progress(event.task, event.what)
    return True


def _finder(
    request: EvalRequest,
    variants: "tuple[Variant, ...]",
    options: "EvalOptions",
    count: int,
    number: int,
) -> tuple[None, Callable[[str, Tell], None]]:
    from minet_core.datasets import open_dataset
    from minet_core.evaluation.predictions.predict import find_all
    from minet_core.evaluation.requests.finders import finders
    from minet_core.processes import Processes

    dataset = open_dataset(request.data, request.split)
    found = finders(request, dataset, variants, options, Processes(number, count, number))
    videos = {video.name: video for video in dataset.videos}

    def find(name: str, tell: Tell) -> None:
        for finder in found:
            find_all(finder, [videos[name]], lambda _, frames: tell(frames))

    return None, find


def read_at_once(request: EvalRequest, dataset: "Dataset", count: int | None) -> "StoredOf":
    """From a video's name to its results, which processes read ahead; asked for in order.

    Args:
        request: what was asked for, results in a folder among it.
        dataset: that they are for.
        count: of processes; None for as many as fit this machine.
    """
    names = [video.name for video in dataset.videos]
    count = this_machine().jobs(len(names)) if count is None else count
    answers = PooledMap(count)(partial(_read, request), names)

    def stored_of(name: str) -> "StoredBoxes":
        stored = next(stored for other, stored in answers if other == name)
        if isinstance(stored, InputError):
            raise stored
        return stored

    return stored_of


def _read(request: EvalRequest, name: str) -> "tuple[str, StoredBoxes | InputError]":
    """In a process; what is wrong with a video that is not scored is told to nobody."""
    try:
        return name, _results_of(request)(name)
    except InputError as error:
        return name, error


@lru_cache(maxsize=1)
def _results_of(request: EvalRequest) -> "StoredOf":
    from minet_core.datasets import open_dataset
    from minet_core.evaluation.predictions.result_files import open_results
    from minet_core.evaluation.requests.finders import table_of

    assert request.results is not None
    dataset = open_dataset(request.data, request.split)
    table = table_of(request, dataset, None)
    allow_cut = request.allow_cut
    return open_results(request.results, request.data, dataset, table=table, allow_cut=allow_cut)
