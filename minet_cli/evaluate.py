"""`minet eval`: what can be asked for, and what becomes of it.

What is heavy is imported when it is needed, so that `--help` and mistakes are answered at once.
"""

import shutil
from pathlib import Path
from typing import Any

import click

from minet_cli.click_options import class_table, detector_size, jobs_at_once, setting
from minet_cli.sections import SectionedCommand
from minet_core.errors import ConfigError
from minet_core.evaluation.requests.request import Request, options_of, settings_of, variants_of

FilePath = click.Path(path_type=Path, exists=True)


SECTIONS = {
    "Input": ("data", "split", "model", "detections", "results", "class_table", "allow_cut"),
    "What to compare": (
        *("memory", "preset", "sweep", "ablation", "trained", "paper"),
        *("bidirectional", "seq_nms", "tube_link"),
    ),
    "What to measure": ("tracking", "motion", "motion_rule", "protocol", "score"),
    "What to write": ("output", "report"),
    "Run": ("size", "tiles", "identify", "device", "jobs", "overwrite", "quiet"),
}
"""Heading of the help → options under it."""


@click.command(name="eval", cls=SectionedCommand, sections=SECTIONS)
@click.option(
    "--data",
    required=True,
    metavar="KIND:PATH",
    help="imagenet-vid:ROOT, mot:ROOT, coco-vid:FILE or toy:DIR.",
)
@click.option("--split", default="val", show_default=True, help="Part of the dataset.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default="minet-eval",
    show_default=True,
    help="Folder for metrics.json and metrics.csv.",
)
@click.option("--overwrite", is_flag=True, help="Replace the metrics of an earlier run.")
@click.option("--report", is_flag=True, help="Write report.html too; needs matplotlib.")
@setting("--model", "model", metavar="NAME|FILE")
@setting("--identify --embed", "identify", metavar="FILE|fc6")
@click.option(
    "--preset",
    default="paper",
    show_default=True,
    metavar="NAME",
    help="Settings of the memory: paper, or video.",
)
@setting("--size", "size", type=detector_size, metavar="N|auto")
@setting("--tiles", "tiles", type=int)
@setting("--device", "device", metavar="NAME")
@click.option(
    "--memory/--no-memory",
    default=True,
    help="Compare with and without memory, or run the plain detector alone.",
)
@click.option(
    "--detections",
    type=FilePath,
    metavar="FILE|DIR",
    help="Boxes and scores from a file in place of the detector: det.txt, result.json, "
    "detections.csv, COCO results.",
)
@click.option(
    "--results",
    type=FilePath,
    metavar="FILE|DIR",
    help="Score results that exist: result.json, detections.csv, MOTChallenge text, masks "
    "(MOTS, pictures, COCO), or the text format of ImageNet VID.",
)
@click.option("--allow-cut", is_flag=True, help="Score results that were cut at a score.")
@class_table
@click.option(
    "--protocol",
    type=click.Choice(["voc50", "devkit", "coco"]),
    default="voc50",
    show_default=True,
    help="How average precision is counted.",
)
@click.option("--motion", is_flag=True, help="Score slow, medium and fast objects apart.")
@click.option(
    "--motion-rule",
    type=click.Choice(["mega", "fgfa"]),
    default="mega",
    show_default=True,
    help="Whose rule weighs false positives of motion groups.",
)
@click.option("--tracking", is_flag=True, help="Compute HOTA, MOTA and IDF1.")
@click.option(
    "--score",
    type=float,
    default=0.3,
    show_default=True,
    help="Minimum score of what is shown, 0–1; average precision looks at everything.",
)
@click.option(
    "--bidirectional",
    is_flag=True,
    help="Merge the memory's pass with one from the last frame to the first.",
)
@click.option("--seq-nms", is_flag=True, help="Rescore by Seq-NMS when the video is known.")
@click.option("--tube-link", is_flag=True, help="Rescore by tubes when the video is known.")
@click.option(
    "--sweep",
    metavar="SETTING=VALUES",
    help="Vary a setting of the memory, such as decay=1,0.95,0.9 (Table V).",
)
@click.option("--ablation", is_flag=True, help="The rows of Table III.")
@click.option(
    "--paper",
    is_flag=True,
    help="Tables II to V of the paper by one pass of --model and --trained, its figures beside.",
)
@click.option(
    "--trained",
    metavar="NAME|FILE",
    help="For --ablation and --paper: a model trained with the meta loss, beside --model, trained "
    "without.",
)
@jobs_at_once
@click.option("--quiet", is_flag=True, help="Show errors only.")
def evaluate(jobs: int | None, quiet: bool, **typed: Any) -> None:
    """Score a model, or results that exist, on a dataset.

    \b
    minet eval --data mot:MOT17/train --tracking
    minet eval --data coco-vid:val.json --results results/ --report

    By default every run compares the model with and without the memory of the paper, on the same
    detections. Average precision looks at every (box, class) pair that survives suppression above
    0.001.
    """
    from minet_cli.showing.eval_report import EvalReporter
    from minet_core.datasets import open_dataset
    from minet_core.evaluation.predictions.cache import FOLDER
    from minet_core.evaluation.report.build import REPORT, report_data
    from minet_core.evaluation.report.metrics_file import FILES, write_metrics
    from minet_core.evaluation.report.page import require_matplotlib, write_report
    from minet_core.evaluation.requests.run import run
    from minet_core.processes import Processes
    from minet_core.publishing import check_free, complete_together

    if jobs != 1 and typed["results"] is not None:
        raise ConfigError("--jobs is for what a model finds; results are scored in one process")
    request, processes = Request(**typed), Processes.from_environment()
    options = options_of(request)
    files = [*FILES, *([REPORT] if request.report else [])]
    check_free(request.output, (*FILES, REPORT), replace=request.overwrite)
    if request.report:
        require_matplotlib()
    variants = variants_of(request)
    dataset = open_dataset(request.data, request.split)
    reporter = EvalReporter(quiet=quiet or not processes.is_first)
    with processes.joined(), reporter.progress(dataset) as progress:
        result = run(request, dataset, variants, options, progress, processes, jobs)
    if result is None:
        return
    settings = settings_of(request)
    with complete_together(request.output, (*FILES, REPORT), replace=request.overwrite) as folder:
        write_metrics(folder, result, settings)
        if request.report:
            write_report(folder / REPORT, report_data(result, settings))
    shutil.rmtree(request.output / FOLDER, ignore_errors=True)
    reporter.show(result, [request.output / name for name in files])


eval = evaluate  # the name that `minet_cli.main` looks for
