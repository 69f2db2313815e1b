"""From what was asked of `minet eval` to the numbers."""

from dataclasses import replace

from minet_core.datasets import open_dataset
from minet_core.datasets.dataset import Dataset
from minet_core.evaluation.eval_config import EvalOptions, Variant
from minet_core.evaluation.evaluate import EvalResult, evaluate_model, evaluate_results
from minet_core.evaluation.predictions.predict import Progress, find_all
from minet_core.evaluation.predictions.result_files import open_results
from minet_core.evaluation.requests.at_once import find_at_once
from minet_core.evaluation.requests.finders import finders, table_of
from minet_core.evaluation.requests.request import Request
from minet_core.processes import Processes


def run(
    request: Request,
    dataset: Dataset,
    variants: tuple[Variant, ...],
    options: EvalOptions,
    progress: Progress | None,
    processes: Processes,
    jobs: int | None = 1,
) -> EvalResult | None:
    """Evaluate what was asked for.

    Returns:
        The numbers; None for a process that has done its share and leaves the rest to the first.

    Raises:
        MinetError: dataset, model, detections or results are missing or not sound.
    """
    if request.results is not None:
        return _of_results(request, dataset, options, progress) if processes.is_first else None
    if processes.count > 1:
        # Apart from the dataset that is scored, which is to list its problems in their order.
        shared = open_dataset(request.data, request.split)
        for finder in finders(request, shared, variants, options, processes):
            find_all(finder, processes.share(shared.videos), progress)
        processes.wait()
        if not processes.is_first:
            return None
    elif jobs != 1 and find_at_once(request, dataset, variants, options, jobs, progress):
        progress = None  # all that is left is to score what was found
    found = finders(request, dataset, variants, options, processes)
    result = evaluate_model(dataset, found, variants, options, progress=progress)
    return replace(result, is_paper=request.paper)


def _of_results(
    request: Request, dataset: Dataset, options: EvalOptions, progress: Progress | None
) -> EvalResult:
    assert request.results is not None
    table = table_of(request, dataset, None)
    stored_of = open_results(
        request.results, request.data, dataset, table=table, allow_cut=request.allow_cut
    )
    return evaluate_results(dataset, stored_of, options, progress=progress)
