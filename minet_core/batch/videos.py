"""One video from beginning to end: its results, its exports, its report.

The same in the process that was started and in one of many. What is heavy is imported when it is
needed: a process sets its number of threads before torch is loaded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from minet_core.batch.planning import Job
from minet_core.batch.process import Tell, Work
from minet_core.config import DetectOptions
from minet_core.errors import AlreadyDoneError

if TYPE_CHECKING:
    from minet_core.models.zoo import Model
    from minet_core.results import FrameDetections
    from minet_core.runs.pipeline import Summary
    from minet_core.runs.streaming import Progress
    from minet_core.video import VideoInfo


@dataclass(frozen=True, slots=True)
class Position:
    """How far a video is.

    Attributes:
        frames: done, those of an earlier run among them.
        expected: about how many there will be, None where nothing tells.
        live: objects that are tracked at the moment.
    """

    frames: int
    expected: int | None
    live: int


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


def complete(
    job: Job, model: "Model", exports: Sequence[str], progress: "Progress | None" = None
) -> "Summary":
    """Annotate a video and export its result.

    Args:
        job: what to do.
        model: with which.
        exports: formats of `minet_core.formats.exporters.EXPORTERS`.
        progress: called after each frame.

    Raises:
        AlreadyDoneError: another run has done it since it was planned.
        MinetError: as `annotate` and `export_result`.
    """
    from minet_core import annotate
    from minet_core.export import export_result

    summary = annotate(job.source, job.folder, model, job.options, progress)
    overwrite = job.options.overwrite
    exported = export_result(job.folder, exports, again=False, overwrite=overwrite)
    files = (file for export in exported for file in export.files)
    warnings = (line for export in exported for line in export.warnings)
    return replace(summary, files=(*summary.files, *files), warnings=(*summary.warnings, *warnings))


def add_missing(job: Job, exports: Sequence[str]) -> None:
    """Write the exports and the report that a video which is done may lack.

    Raises:
        MinetError: as `export_result` and `write_report`.
    """
    from minet_core.export import export_result
    from minet_core.runs.review_page import REPORT, write_report

    export_result(job.folder, exports, again=True, overwrite=False)
    if job.options.report and not (job.folder / REPORT).exists():
        write_report(job.folder)


def work(options: DetectOptions, exports: Sequence[str], count: int) -> Work:
    """What a process of a pool does with videos.

    Its facts are the model's notes. It tells `Position`, and returns a `Summary`, or None for a
    video that was done already.

    Args:
        options: of the run.
        exports: formats to write beside.
        count: of processes, which share the GPUs.
    """
    return Work(_annotator, (options, tuple(exports), count))


def _annotator(
    options: DetectOptions, exports: tuple[str, ...], count: int, number: int
) -> "tuple[tuple[str, ...], Callable[[Job, Tell], Summary | None]]":
    from minet_core.processes import Processes

    device = Processes(number, count, number).device(options.device)
    model = load(replace(options, device=device))

    def annotated(job: Job, tell: Tell) -> "Summary | None":
        try:
            return complete(job, model, exports, _teller(job, tell))
        except AlreadyDoneError:  # by another run, or by a process that died when all was there
            add_missing(job, exports)
            return None

    return model.notes, annotated


def _teller(job: Job, tell: Tell) -> "Progress":
    from minet_core.runs.preflight import expected_frames

    frames = job.frames_before

    def progress(detections: "FrameDetections", info: "VideoInfo") -> None:
        nonlocal frames
        frames += 1
        tell(Position(frames, expected_frames(info, job.options), detections.tracked))

    return progress
