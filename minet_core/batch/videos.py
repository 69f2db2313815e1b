"""One video from beginning to end: its results, its exports, its report.

The same in the process that was started and in one of many. What is heavy is imported when it is
needed: a process sets its number of threads before torch is loaded.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from minet_core.batch.planning import Job
from minet_core.batch.process import Tell, Work
from minet_core.errors import AlreadyDoneError
from minet_core.options import DetectOptions

if TYPE_CHECKING:
    from minet_core.models.zoo import Model
    from minet_core.results import FrameDetections
    from minet_core.runs.annotate import Progress
    from minet_core.runs.video_run import Summary
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
    from minet_core.inference.from_options import label_ids
    from minet_core.models.zoo import model_of

    model = model_of(options)
    if options.detections is None:
        label_ids(options.classes, model.classes)
    return model


def add_missing(job: Job) -> None:
    """Write the exports and the report that a video which is done may lack.

    Raises:
        MinetError: as `export_result` and `write_report`.
    """
    from minet_core.exports import export_result
    from minet_core.runs.review_page import REPORT, write_report

    export_result(job.folder, job.options.export_formats, again=True, overwrite=False)
    if job.options.report and not (job.folder / REPORT).exists():
        write_report(job.folder)


def work(options: DetectOptions, count: int) -> Work:
    """What a process of a pool does with videos.

    Its facts are the model's notes. It tells `Position`, and returns a `Summary`, or None for a
    video that was done already.

    Args:
        options: of the run.
        count: of processes, which share the GPUs.
    """
    return Work(_annotator, (options, count))


def _annotator(
    options: DetectOptions, count: int, number: int
) -> "tuple[tuple[str, ...], Callable[[Job, Tell], Summary | None]]":
    from minet_core import annotate
    from minet_core.processes import Processes

    device = Processes(number, count, number).device(options.device)
    model = load(replace(options, device=device))

    def annotated(job: Job, tell: Tell) -> "Summary | None":
        try:
            return annotate(job.source, job.folder, model, job.options, _teller(job, tell))
        except AlreadyDoneError:  # by another run, or by a process that died when all was there
            add_missing(job)
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
