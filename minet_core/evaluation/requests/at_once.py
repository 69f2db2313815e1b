"""`minet eval --jobs`: distribute a dataset's videos over processes of this machine.

Processes save the detections of each video in a file. The first process then scores them.
Nothing here imports torch, because a process sets its number of threads first.
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
    """Run the model on all videos, several in parallel, the longest first.

    Args:
        request: settings of `minet eval`.
        dataset: its videos.
        variants: memories to compare.
        options: metrics to compute.
        count: number of processes; None for as many as fit this machine.
        progress: called after each frame.

    Returns:
        Whether there was anything to do.

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
    """A function from a video's name to its results, which processes read ahead, in order.

    Args:
        request: settings of `minet eval`, with results in a folder.
        dataset: its videos.
        count: number of processes; None for as many as fit this machine.
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
    """Read in a process; problems of a video that is not scored are not reported."""
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
