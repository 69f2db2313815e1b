"""Run `minet eval`: from its settings to scores and files."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from minet_core.config import PRESETS
from minet_core.datasets import open_dataset
from minet_core.datasets.dataset import Dataset
from minet_core.evaluation.eval_config import EvalOptions
from minet_core.evaluation.evaluate import EvalResult, evaluate_model, evaluate_results
from minet_core.evaluation.predictions.predict import Progress, find_all
from minet_core.evaluation.predictions.prediction_files import FOLDER
from minet_core.evaluation.predictions.result_files import open_results
from minet_core.evaluation.report.build import PICTURED, REPORT, pictured, report_data
from minet_core.evaluation.report.choices import choices
from minet_core.evaluation.report.html_report import require_matplotlib, write_report
from minet_core.evaluation.report.metrics_file import FILES, write_metrics
from minet_core.evaluation.requests.at_once import find_at_once, read_at_once
from minet_core.evaluation.requests.finders import finders, table_of
from minet_core.evaluation.requests.request import (
    EvalRequest,
    options_of,
    settings_of,
    variants_of,
)
from minet_core.processes import Processes
from minet_core.publishing import check_free, complete_together

Showing = Callable[[Dataset], AbstractContextManager[Progress | None]]
"""Called with the dataset before its first frame; its context gives the progress callback."""


def evaluate(
    request: EvalRequest, showing: Showing | None = None, *, jobs: int | None = 1
) -> EvalResult | None:
    """Score a model, or existing results, on a dataset, and write the scores to a folder.

    Under torchrun each process calls this, and the first one writes.

    Args:
        request: what to evaluate.
        showing: shows the progress.
        jobs: number of parallel processes, for videos or for results to read; None for as many as
            fit.

    Returns:
        The scores; None for all processes of torchrun except the first.

    Raises:
        MinetError: dataset, model, detections or results are missing or invalid, or the folder
            has results that may not be replaced.
    """
    options, processes = options_of(request), Processes.from_environment()
    check_free(request.output, (*FILES, REPORT), replace=request.overwrite)
    if request.report:
        require_matplotlib()
    dataset = open_dataset(request.data, request.split)
    shown = nullcontext() if showing is None else showing(dataset)
    with processes.joined(), shown as progress:
        result = _scored(request, dataset, options, progress, processes, jobs)
    if result is None:
        return None
    settings = settings_of(request)
    with complete_together(request.output, (*FILES, REPORT), replace=request.overwrite) as folder:
        write_metrics(folder, result, settings)
        if request.report:
            write_report(folder / REPORT, report_data(result, settings))
    shutil.rmtree(request.output / FOLDER, ignore_errors=True)
    return result


def files_of(request: EvalRequest) -> list[Path]:
    """The files that `evaluate` writes."""
    return [request.output / name for name in (*FILES, *([REPORT] if request.report else []))]


def _scored(
    request: EvalRequest,
    dataset: Dataset,
    options: EvalOptions,
    progress: Progress | None,
    processes: Processes,
    jobs: int | None,
) -> EvalResult | None:
    if request.results is not None:
        return (
            _of_results(request, dataset, options, progress, jobs) if processes.is_first else None
        )
    variants = variants_of(request)
    if processes.count > 1:
        # A separate dataset, so that the scored one lists its problems in order.
        shared = open_dataset(request.data, request.split)
        for finder in finders(request, shared, variants, options, processes):
            find_all(finder, processes.share(shared.videos), progress)
        processes.wait()
        if not processes.is_first:
            return None
    elif jobs != 1 and find_at_once(request, dataset, variants, options, jobs, progress):
        progress = None  # only scoring remains
    found = finders(request, dataset, variants, options, processes)
    result = evaluate_model(dataset, found, variants, options, progress=progress)
    if request.paper and request.report:  # the last model is the one with the meta loss
        tracks = pictured(result)[:PICTURED]
        chosen = choices(dataset, tracks, found[-1].model_of, PRESETS[request.preset])
        return replace(result, is_paper=True, choices=tuple(map(tuple, chosen)))
    return replace(result, is_paper=request.paper)


def _of_results(
    request: EvalRequest,
    dataset: Dataset,
    options: EvalOptions,
    progress: Progress | None,
    jobs: int | None,
) -> EvalResult:
    assert request.results is not None
    table = table_of(request, dataset, None)
    if jobs != 1 and request.results.is_dir():
        stored_of = read_at_once(request, dataset, jobs)
    else:
        stored_of = open_results(
            request.results, request.data, dataset, table=table, allow_cut=request.allow_cut
        )
    return evaluate_results(dataset, stored_of, options, progress=progress)
