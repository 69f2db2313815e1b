"""`minet eval`: its options, and its results.

Heavy modules are imported only when needed, so that `--help` and error messages come at once.
"""

from functools import partial
from pathlib import Path
from typing import Any

import click

from minet_cli.click_options import detector_size, jobs_at_once, setting
from minet_cli.sections import SectionedCommand
from minet_core.evaluation.requests.request import EvalRequest

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


_setting = partial(setting, of=EvalRequest)


@click.command(name="eval", cls=SectionedCommand, sections=SECTIONS)
@_setting("--data", "data", metavar="KIND:PATH")
@_setting("--split", "split")
@_setting("-o --output", "output", type=click.Path(path_type=Path))
@_setting("--overwrite", "overwrite", is_flag=True)
@_setting("--report", "report", is_flag=True)
@_setting("--model", "model", metavar="NAME|FILE")
@_setting("--identify --embed", "identify", metavar="FILE|fc6")
@_setting("--preset", "preset", metavar="NAME")
@_setting("--size", "size", type=detector_size, metavar="N|auto")
@_setting("--tiles", "tiles", type=int)
@_setting("--device", "device", metavar="NAME")
@_setting("--memory/--no-memory", "memory")
@_setting("--detections", "detections", type=FilePath, metavar="FILE|DIR")
@_setting("--results", "results", type=FilePath, metavar="FILE|DIR")
@_setting("--allow-cut", "allow_cut", is_flag=True)
@_setting("--class-table", "class_table", type=FilePath, metavar="FILE")
@_setting("--protocol", "protocol", type=click.Choice(["voc50", "devkit", "coco"]))
@_setting("--motion", "motion", is_flag=True)
@_setting("--motion-rule", "motion_rule", type=click.Choice(["mega", "fgfa"]))
@_setting("--tracking", "tracking", is_flag=True)
@_setting("--score", "score", type=float)
@_setting("--bidirectional", "bidirectional", is_flag=True)
@_setting("--seq-nms", "seq_nms", is_flag=True)
@_setting("--tube-link", "tube_link", is_flag=True)
@_setting("--sweep", "sweep", metavar="SETTING=VALUES")
@_setting("--ablation", "ablation", is_flag=True)
@_setting("--paper", "paper", is_flag=True)
@_setting("--trained", "trained", metavar="NAME|FILE")
@jobs_at_once
@click.option("--quiet", is_flag=True, help="Show errors only.")
def evaluate(jobs: int | None, quiet: bool, **typed: Any) -> None:
    """Score a model, or existing results, on a dataset.

    \b
    minet eval --data mot:MOT17/train --tracking
    minet eval --data coco-vid:val.json --results results/ --report

    By default every run compares the model with and without the paper's memory, on the same
    detections. Average precision counts every (box, class) pair with a score above 0.001 after
    suppression.
    """
    from minet_cli.showing.eval_report import EvalReporter
    from minet_core.evaluation.requests.run import evaluate as run
    from minet_core.evaluation.requests.run import files_of
    from minet_core.processes import Processes

    request = EvalRequest(**typed)
    reporter = EvalReporter(quiet=quiet or not Processes.from_environment().is_first)
    result = run(request, reporter.progress, jobs=jobs)
    if result is not None:
        reporter.show(result, files_of(request))


eval = evaluate  # the name that `minet_cli.main` looks for
