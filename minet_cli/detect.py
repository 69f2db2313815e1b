"""`minet detect`: what can be asked for, and one video after the other.

What is heavy is imported when it is needed, so that `--help` and mistakes are answered at once.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from minet_cli.options import detector_size, names, position, rate, setting
from minet_cli.sections import SectionedCommand
from minet_core.config import FORMATS, DetectOptions
from minet_core.errors import AlreadyDoneError, ConfigError, MinetError
from minet_core.suggest import did_you_mean

if TYPE_CHECKING:
    from minet_cli.report import Reporter
    from minet_core import Model
    from minet_core.export import Exported
    from minet_core.runs.pipeline import Summary

Failure = tuple[str, str]
"""An input, and what went wrong with it."""


@dataclass(frozen=True, slots=True)
class Job:
    """One video of the run.

    Attributes:
        source: as it was given.
        folder: for its results.
        options: of the run, with this video's file of detections.
        frames_before: how many frames of it an earlier run has done.
        note: what the user should know before it begins, or nothing.
    """

    source: str
    folder: Path
    options: DetectOptions
    frames_before: int = 0
    note: str = ""


SECTIONS = {
    "Input": (
        *("list_file", "start", "end", "max_frames", "stride", "rate", "stream"),
        *("detections", "first_boxes"),
    ),
    "Model": ("model", "classes", "score", "size", "tiles", "identify", "device"),
    "What to write": ("output", "report", "formats", "video", "trails", "score_vectors"),
    "Memory": ("memory", "link", "fill", "preset"),
    "Run": ("resume", "overwrite", "checkpoint", "quiet"),
}
"""Heading of the help → options under it."""


@click.command(cls=SectionedCommand, sections=SECTIONS)
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option(
    "--list",
    "list_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Text file with more inputs, one a line; # begins a comment.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default="minet-output",
    show_default=True,
    help="Folder for the results; each input gets a folder in it.",
)
@setting("--model", "model", metavar="NAME|FILE")
@setting("--identify", "identify", metavar="FILE")
@setting("--preset", "preset", metavar="NAME")
@setting("--format", "formats", type=names, metavar="NAMES")
@setting("--score", "score", type=float)
@setting("--classes", "classes", type=names, metavar="NAMES")
@setting("--memory/--no-memory", "memory")
@setting("--link/--no-link", "link")
@setting("--fill", "fill", type=int, metavar="N")
@setting("--device", "device", metavar="NAME")
@setting("--start", "start", type=position, metavar="PLACE")
@setting("--end", "end", type=position, metavar="PLACE")
@setting("--stream", "stream", type=int, metavar="N")
@setting("--stride", "stride", type=int)
@setting("--max-frames", "max_frames", type=int)
@setting("--rate", "rate", type=rate, metavar="FPS")
@setting("--first-boxes", "first_boxes", metavar="FILE")
@setting("--detections", "detections", metavar="FILE|DIR")
@setting("--score-vectors", "score_vectors", is_flag=True)
@setting("--size", "size", type=detector_size, metavar="N|auto")
@setting("--tiles", "tiles", type=int)
@setting("--trails", "trails", type=int)
@setting("--video/--no-video", "video")
@setting("--report", "report", is_flag=True)
@setting("--overwrite", "overwrite", is_flag=True)
@setting("--resume", "resume", is_flag=True)
@setting("--checkpoint", "checkpoint", type=float, metavar="SECONDS")
@click.option("--quiet", is_flag=True, help="Show errors only.")
def detect(
    inputs: tuple[str, ...], list_file: Path | None, output: Path, quiet: bool, **settings: Any
) -> None:
    """Detect objects in videos and link them into tracklets.

    \b
    minet detect street.mp4 --report
    minet detect footage/ -o results --classes person,car --resume
    minet detect street.mp4 --model yolo11n.onnx --format json,cvat

    INPUT is a video file, a folder of videos or of pictures, a pattern such as 'cam/*.mp4', a
    URL, or - for standard input. Each video gets a folder with annotated.mp4, result.json,
    detections.csv, mot.txt, and minet.json, by which a later run knows that it is done.
    """
    from minet_cli.report import Reporter
    from minet_core.runs.video_inputs import expand

    if not inputs and list_file is None:
        raise click.UsageError("Missing argument 'INPUT...'.")
    formats, exports = split_formats(settings.pop("formats"))
    options = DetectOptions(**settings, formats=formats)
    reporter = Reporter(options, quiet=quiet)
    sources = expand(inputs, list_file, reporter.note)
    jobs, failures = plan(sources, output, options, reporter, exports)
    if jobs:
        with reporter.waiting(f"loading {options.model}"):
            model = load(options)
        reporter.notes(model.notes)
        run_all(jobs, model, options, reporter, exports, failures)
    if failures:
        reporter.failures(failures)
        raise MinetError(f"{len(failures)} of {len(sources)} inputs failed")


def split_formats(formats: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Formats that are written frame by frame, and those of `minet export`, made from the result.

    Raises:
        ConfigError: one is neither.
    """
    from minet_core.formats.exporters import EXPORTERS

    own = tuple(name for name in formats if name in FORMATS)
    exports = tuple(name for name in formats if name not in FORMATS)
    for name in exports:
        if name not in EXPORTERS:
            known = dict.fromkeys((*FORMATS, *EXPORTERS))
            hint = did_you_mean(name, known) or f" (known: {', '.join(known)})"
            raise ConfigError(f"unknown format {name!r}{hint}")
    return (*own, *(["json"] if exports and "json" not in own else [])), exports


def plan(
    sources: list[str],
    output: Path,
    options: DetectOptions,
    reporter: "Reporter",
    exports: tuple[str, ...] = (),
) -> tuple[list[Job], list[Failure]]:
    """What there is to do, every input checked before anything is touched.

    Videos that are done already get the exports and the report that are not there; those whose
    exports fail are told too.

    Raises:
        MinetError: one cannot be read, or has no place to be written to.
    """
    from minet_core.models.weight_files import model_files
    from minet_core.runs.preflight import check, folder_names, settled
    from minet_core.video.pictures.folder import is_pictures

    if options.rate is not None and not any(map(is_pictures, sources)):
        raise ConfigError("--rate is for folders of pictures; a video tells its own")
    if options.first_boxes is not None and len(sources) > 1:
        raise ConfigError("--first-boxes tells of the objects of one video, not of several")
    model_files(options.model)  # a mistyped name is a mistake whatever the folders hold
    jobs: list[Job] = []
    done: list[Job] = []
    for source, name in zip(sources, folder_names(sources), strict=True):
        folder = output / name
        own = settled(options, source, folder)
        try:
            standing = check(source, folder, own, options.model)
        except AlreadyDoneError:
            done.append(Job(source, folder, own))
        else:
            jobs.append(Job(source, folder, own, standing.frames_before, standing.note))
    _check_files([*done, *jobs])
    # Said once it is certain that no mistake ends the run.
    return jobs, _completed(done, reporter, exports, alone=not jobs and len(done) == 1)


def _check_files(jobs: list[Job]) -> None:
    """See that no two videos have one file of detections.

    Raises:
        ConfigError: they have.
    """
    first: dict[str, Job] = {}
    for job in jobs:
        file = job.options.detections
        if file is not None and first.setdefault(file, job) is not job:
            names = f"{first[file].folder.name}.txt and {job.folder.name}.txt"
            raise ConfigError(
                f"--detections gives several videos the same file, {file}; "
                f"a folder with {names} tells them apart"
            )


def _completed(
    done: list[Job], reporter: "Reporter", exports: tuple[str, ...], *, alone: bool
) -> list[Failure]:
    """Write the exports and reports that videos which are done lack, and tell which have failed.

    Raises:
        MinetError: the only video failed.
    """
    from minet_core.export import export_result
    from minet_core.runs.review_page import REPORT, write_report

    failures = []
    for job in done:
        reporter.done_already(job.source, job.folder)
        try:
            export_result(job.folder, exports, again=True, overwrite=False)
            if job.options.report and not (job.folder / REPORT).exists():
                write_report(job.folder)
        except MinetError as error:
            if alone:
                raise
            failures.append(_failure(job.source, error, reporter))
    return failures


def load(options: DetectOptions) -> "Model":
    """The model that the options name.

    Raises:
        MinetError: there is no such model or device, or the model lacks a class asked for.
    """
    from minet_core import load_model
    from minet_core.runs.pipeline import label_ids

    model = load_model(
        options.model,
        size=options.size,
        device=options.device,
        classes=options.classes,
        identify=options.identify,
        tiles=options.tiles,
    )
    if options.detections is None:
        label_ids(options.classes, model.detector.classes)
    return model


def run_all(
    jobs: list[Job],
    model: "Model",
    options: DetectOptions,
    reporter: "Reporter",
    exports: tuple[str, ...],
    failures: list[Failure],
) -> None:
    """Annotate every input, and add those that fail to the failures there are.

    Raises:
        MinetError: the only input failed, and nothing else did before.
        Interrupted: by Ctrl-C.
    """
    from minet_cli.main import Interrupted, debugging
    from minet_core import annotate
    from minet_core.export import export_result

    alone = len(jobs) == 1 and not failures
    for job in jobs:
        try:
            with reporter.progress(job) as progress:
                summary = annotate(job.source, job.folder, model, job.options, progress)
            exported = export_result(job.folder, exports, again=False, overwrite=options.overwrite)
        except KeyboardInterrupt:
            raise Interrupted(_what_is_left(job)) from None
        except AlreadyDoneError:  # by another process, since this one began
            reporter.done_already(job.source, job.folder)
        except Exception as error:
            if alone or debugging():
                raise
            failures.append(_failure(job.source, error, reporter))
        else:
            reporter.summary(job.source, with_exports(summary, exported))


def _failure(source: str, error: Exception, reporter: "Reporter") -> Failure:
    from minet_cli.main import describe

    line = describe(error).removeprefix(f"{source}: ")
    reporter.failure(source, line)
    return source, line


def with_exports(summary: "Summary", exports: "list[Exported]") -> "Summary":
    """The summary, with the files of exports and what there is to say of them."""
    files = (file for export in exports for file in export.files)
    warnings = (line for export in exports for line in export.warnings)
    return replace(summary, files=(*summary.files, *files), warnings=(*summary.warnings, *warnings))


def _what_is_left(job: Job) -> str:
    from minet_core.runs.unfinished import UNFINISHED, read_checkpoint

    checkpoint = read_checkpoint(job.folder / UNFINISHED)
    if checkpoint is None:
        return "; nothing of the unfinished video was kept"
    return f"; --resume continues {job.source} after {checkpoint.frames} frames"
