"""`minet detect`: what can be asked for, and one video after the other.

What is heavy is imported when it is needed, so that `--help` and mistakes are answered at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from minet_cli.options import names, position, setting
from minet_core.config import DetectOptions
from minet_core.errors import ConfigError, MinetError

if TYPE_CHECKING:
    from minet_cli.report import Reporter
    from minet_core import Model

Job = tuple[str, Path]
"""A source, and the folder for its results."""


@click.command(no_args_is_help=False)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default="minet-output",
    show_default=True,
    help="Folder for the results; each input gets a folder in it.",
)
@setting("--model", "model", metavar="NAME|FILE")
@setting("--preset", "preset", metavar="NAME")
@setting("--format", "formats", type=names, metavar="NAMES")
@setting("--score", "score", type=float)
@setting("--classes", "classes", type=names, metavar="NAMES")
@setting("--memory/--no-memory", "memory")
@setting("--device", "device", metavar="NAME")
@setting("--start", "start", type=position, metavar="PLACE")
@setting("--end", "end", type=position, metavar="PLACE")
@setting("--stride", "stride", type=int)
@setting("--max-frames", "max_frames", type=int)
@setting("--first-boxes", "first_boxes", metavar="FILE")
@setting("--size", "size", type=int)
@setting("--trails", "trails", type=int)
@setting("--video/--no-video", "video")
@setting("--overwrite", "overwrite", is_flag=True)
@click.option("--quiet", is_flag=True, help="Show errors only.")
def detect(inputs: tuple[str, ...], output: Path, quiet: bool, **settings: Any) -> None:
    """Detect objects in videos and link them into tracklets.

    INPUT is a video file, a folder of pictures or a pattern for them ('cam/*.jpg'), a URL, or -
    for standard input. Each gets a folder with annotated.mp4, result.json, detections.csv and
    mot.txt.
    """
    from minet_cli.report import Reporter

    options = DetectOptions(**settings)
    jobs = plan(inputs, output, options)
    reporter = Reporter(options, quiet=quiet)
    with reporter.waiting(f"loading {options.model}"):
        model = load(options)
    run_all(jobs, model, options, reporter)


def plan(inputs: tuple[str, ...], output: Path, options: DetectOptions) -> list[Job]:
    """Every input with its folder, all checked before anything is touched.

    Raises:
        MinetError: one cannot be read, or has no place to be written to.
    """
    from minet_core.inference.preflight import check, folder_names

    sources = list(dict.fromkeys(inputs))
    if options.first_boxes is not None and len(sources) > 1:
        raise ConfigError("--first-boxes tells of the objects of one video, not of several")
    folders = [output / name for name in folder_names(sources)]
    jobs = list(zip(sources, folders, strict=True))
    for source, folder in jobs:
        check(source, folder, options)
    return jobs


def load(options: DetectOptions) -> "Model":
    """The model that the options name.

    Raises:
        MinetError: there is no such model or device, or the model lacks a class asked for.
    """
    from minet_core import load_model
    from minet_core.inference.pipeline import label_ids

    model = load_model(options.model, size=options.size, device=options.device)
    label_ids(options.classes, model.detector.classes)
    return model


def run_all(jobs: list[Job], model: "Model", options: DetectOptions, reporter: "Reporter") -> None:
    """Annotate every input; of several, one that fails does not stop the others.

    Raises:
        MinetError: an input failed: its own error if it is the only input.
    """
    from minet_cli.main import debugging, describe
    from minet_core import annotate

    failures: list[tuple[str, str]] = []
    for source, folder in jobs:
        try:
            with reporter.progress(source) as progress:
                summary = annotate(source, folder, model, options, progress)
        except Exception as error:
            if len(jobs) == 1 or debugging():
                raise
            failures.append((source, describe(error).removeprefix(f"{source}: ")))
            reporter.failure(*failures[-1])
        else:
            reporter.summary(source, summary)
    if failures:
        reporter.failures(failures)
        raise MinetError(f"{len(failures)} of {len(jobs)} inputs failed")
