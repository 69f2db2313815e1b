"""`minet eval`: what can be asked for, and what becomes of it.

What is heavy is imported when it is needed, so that `--help` and mistakes are answered at once.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from minet_cli.options import setting
from minet_core.config import PRESETS
from minet_core.errors import ConfigError

if TYPE_CHECKING:
    from minet_core.datasets import Dataset
    from minet_core.datasets.vocabulary import Table
    from minet_core.evaluation.eval_config import EvalOptions, Variant
    from minet_core.evaluation.run import EvalResult, Progress
    from minet_core.models.zoo import Model

FilePath = click.Path(path_type=Path, exists=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was typed, option by option."""

    data: str
    split: str
    output: Path
    overwrite: bool
    report: bool
    model: str
    preset: str
    size: int
    device: str
    memory: bool
    detections: Path | None
    results: Path | None
    allow_cut: bool
    classes_table: Path | None
    protocol: str
    motion: bool
    motion_rule: str
    tracking: bool
    score: float
    bidirectional: bool
    seq_nms: bool
    tube_link: bool
    sweep: str | None
    ablation: bool

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ConfigError(f"unknown preset {self.preset!r} (known: {', '.join(PRESETS)})")
        chosen = {
            "--results": self.results is not None,
            "--ablation": self.ablation,
            "--sweep": self.sweep is not None,
            "--no-memory": not self.memory,
        }
        given = [name for name, is_given in chosen.items() if is_given]
        if len(given) > 1:
            raise ConfigError(f"{given[0]} and {given[1]} do not go together")
        if self.results and self.detections:
            raise ConfigError("--results and --detections do not go together")
        if self.results and (self.bidirectional or self.seq_nms or self.tube_link):
            raise ConfigError("--results has no score vectors, which the offline methods need")
        if self.allow_cut and not self.results:
            raise ConfigError("--allow-cut is about --results")


@click.command(name="eval", no_args_is_help=False)
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
@click.option(
    "--preset",
    default="paper",
    show_default=True,
    metavar="NAME",
    help="Settings of the memory: paper, or video.",
)
@setting("--size", "size", type=int)
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
    help="Score results that exist: result.json, detections.csv, MOTChallenge text, or "
    "the text format of ImageNet VID.",
)
@click.option("--allow-cut", is_flag=True, help="Score results that were cut at a score.")
@click.option(
    "--class-table",
    "classes_table",
    type=FilePath,
    metavar="FILE",
    help="What the model's classes are called in the dataset: a line `model,dataset` each.",
)
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
    help="Least score of what is shown; average precision looks at everything.",
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
@click.option("--ablation", is_flag=True, help="The rows of Table III that need no training.")
@click.option("--quiet", is_flag=True, help="Show errors only.")
def evaluate(quiet: bool, **typed: Any) -> None:
    """Score a model, or results that exist, on a dataset.

    Average precision looks at every (box, class) pair that survives suppression above 0.001.
    Without other wishes the model runs with the memory of the paper and without, on the same
    detections.
    """
    from minet_cli.eval_report import EvalReporter
    from minet_core.datasets import open_dataset
    from minet_core.evaluation.metrics_file import FILES, write_metrics
    from minet_core.evaluation.report import require_matplotlib, write_report
    from minet_core.evaluation.report_of import REPORT, report_data
    from minet_core.files import check_free, complete_together

    request = Request(**typed)
    options = options_of(request)
    files = [*FILES, *([REPORT] if request.report else [])]
    check_free(request.output, (*FILES, REPORT), replace=request.overwrite)
    if request.report:
        require_matplotlib()
    variants = variants_of(request)
    dataset = open_dataset(request.data, request.split)
    reporter = EvalReporter(quiet=quiet)
    with reporter.progress(dataset) as progress:
        result = run(request, dataset, variants, options, progress)
    settings = settings_of(request)
    with complete_together(request.output, (*FILES, REPORT), replace=request.overwrite) as folder:
        write_metrics(folder, result, settings)
        if request.report:
            write_report(folder / REPORT, report_data(result, settings))
    reporter.show(result, [request.output / name for name in files])


eval = evaluate  # the name that `minet_cli.main` looks for


def options_of(request: Request) -> "EvalOptions":
    """The metrics that were asked for.

    Raises:
        ConfigError: they do not go together, or a number is out of its range.
    """
    from minet_core.evaluation.eval_config import EvalOptions, Offline
    from minet_core.evaluation.matching import ApProtocol
    from minet_core.evaluation.motion_precision import MotionRule

    return EvalOptions(
        protocol=ApProtocol(request.protocol),
        motion=request.motion,
        motion_rule=MotionRule(request.motion_rule),
        tracking=request.tracking,
        score=request.score,
        offline=Offline(request.bidirectional, request.seq_nms, request.tube_link),
    )


def variants_of(request: Request) -> "tuple[Variant, ...]":
    """The variants of the memory to compare.

    Raises:
        ConfigError: the sweep names no setting, or no value of one.
    """
    from minet_core.evaluation.eval_config import ablation, sweep, with_and_without, without

    memory = PRESETS[request.preset]
    if request.sweep is not None:
        return sweep(request.sweep, memory)
    if request.ablation:
        return ablation(memory)
    return with_and_without(memory) if request.memory else (without(),)


def run(
    request: Request,
    dataset: "Dataset",
    variants: "tuple[Variant, ...]",
    options: "EvalOptions",
    progress: "Progress | None",
) -> "EvalResult":
    """Evaluate what was asked for.

    Raises:
        MinetError: dataset, model, detections or results are missing or not sound.
    """
    from minet_core import load_model
    from minet_core.evaluation.results_in import open_results, open_stored
    from minet_core.evaluation.run import evaluate_model, evaluate_results
    from minet_core.formats.stored import DETECTIONS
    from minet_core.models.detections import StoredDetector

    if request.results is not None:
        table = table_of(request, dataset, None)
        stored_of = open_results(
            request.results, request.data, dataset, table=table, allow_cut=request.allow_cut
        )
        return evaluate_results(dataset, stored_of, options, progress=progress)
    model = load_model(request.model, size=request.size, device=request.device)
    if request.detections is not None:
        table = table_of(request, dataset, None)
        stored = open_stored(request.detections, request.data, dataset, DETECTIONS, table)

        def with_boxes_of(video: str) -> "Model":
            return replace(model, detector=StoredDetector(stored(video)))

        return evaluate_model(dataset, with_boxes_of, variants, options, progress=progress)
    table = table_of(request, dataset, model.detector.classes)
    return evaluate_model(
        dataset, lambda _: model, variants, options, table=table, progress=progress
    )


def table_of(request: Request, dataset: "Dataset", known: Sequence[str] | None) -> "Table | None":
    """The user's table of class names, None for the one that comes along.

    Args:
        request: names the file.
        dataset: whose classes stand on the right.
        known: classes that may stand on the left; None where they are those of a file.

    Raises:
        MinetError: the file cannot be read, or names a class that is not there.
    """
    from minet_core.datasets import read_table

    path = request.classes_table
    if path is None:
        return None
    if known is None:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        known = [re.split("[,\t]", line)[0].strip() for line in lines]
    return read_table(path, known, dataset.classes)


def settings_of(request: Request) -> dict[str, Any]:
    """What metrics.json says of what was asked for; null where it played no part."""
    settings = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in asdict(request).items()
        if name not in {"output", "overwrite", "report"}
    }
    if request.results is not None:
        settings |= dict.fromkeys(("model", "preset", "size", "device", "memory"))
    return settings
