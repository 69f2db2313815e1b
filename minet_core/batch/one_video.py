"""One video from beginning to end: its results, its exports, its report.

The same in the process that was started and in one of many. What is heavy is imported when it is
needed: a process sets its number of threads before torch is loaded.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from minet_core.batch.planning import Job, Join, Look, resumed
from minet_core.batch.process import Tell, Work
from minet_core.errors import AlreadyDoneError
from minet_core.options import DetectOptions
from minet_core.runs.manifest import MANIFEST, read_manifest
from minet_core.runs.unfinished import UNFINISHED, is_going_on
from minet_core.threads import settle
from minet_core.video.remote.local_copies import fetched

if TYPE_CHECKING:
    from minet_core.models.zoo import Model
    from minet_core.results import FrameDetections
    from minet_core.runs.summary import Progress, Summary
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
    settle(model)
    return model


def complete(job: Job, model: "Model", progress: "Progress | None" = None) -> "Summary":
    """Annotate a video; what goes to a bucket is brought there.

    Args:
        job: what to do.
        model: with which.
        progress: called after each frame.

    Raises:
        AlreadyDoneError: another run has done it since it was planned.
        MinetError: as `annotate`.
    """
    from minet_core import annotate
    from minet_core.runs.bucket import Bucket

    if job.address is None:
        return annotate(job.source, job.folder, model, job.options, progress)
    bucket = Bucket(job.address)
    bucket.bring_checkpoint()
    with fetched(job.source, job.options.cache_bytes):
        summary = annotate(job.source, job.folder, model, job.options, bucket.keeping(progress))
    bucket.publish(job.options.export_formats)
    return replace(summary, address=job.address)


def add_missing(job: Job) -> None:
    """Write the exports and the report that a video which is done may lack.

    Raises:
        MinetError: as `export_result` and `write_report`.
    """
    from minet_core.runs.bucket import Bucket
    from minet_core.runs.review.report import REPORT

    exports = job.options.export_formats
    if job.address is None:
        _add_missing(job, exports)
        return
    bucket = Bucket(job.address)
    names, there = bucket.published()
    missing = tuple(name for name in exports if name not in there)
    if read_manifest(job.folder) is None:  # else it is complete here, and not published yet
        if not missing and not (job.options.report and REPORT not in names):
            return
        bucket.bring([*names, MANIFEST])
    with fetched(job.source, job.options.cache_bytes):
        _add_missing(job, missing)
    bucket.publish([*there, *missing])


def _add_missing(job: Job, exports: tuple[str, ...]) -> None:
    from minet_core.runs.review.report import REPORT, write_report

    if exports:
        from minet_core.exports import export_result

        export_result(job.folder, exports, again=True, overwrite=False)
    if job.options.report and not (job.folder / REPORT).exists():
        write_report(job.folder)


def work(options: DetectOptions, count: int) -> Work:
    """What a process of a pool does with videos.

    Its facts are the model's notes. It tells `Position`, and returns a `Summary`, or None for a
    video that was done already; of a step see there.

    Args:
        options: of the run.
        count: of processes, which share the GPUs.
    """
    return Work(_annotator, (options, count))


def _annotator(
    options: DetectOptions, count: int, number: int
) -> tuple[tuple[str, ...], Callable[[Job, Tell], Any]]:
    from minet_core.processes import Processes

    device = Processes(number, count, number).device(options.device)
    model = load(replace(options, device=device))

    def annotated(job: Job, tell: Tell) -> Any:
        try:
            return _step(job, model, tell) if job.step else complete(job, model, _teller(job, tell))
        except AlreadyDoneError:  # by another run, or by a process that died when all was there
            add_missing(job)
            return None

    return model.notes, annotated


def _step(job: Job, model: "Model", tell: Tell) -> Any:
    from minet_core.batch import scene_tasks

    match job.step:
        case Look(scene):
            return scene_tasks.look(job, scene, model, lambda n, found: tell((n, found.tracked)))
        case Join(scenes):
            return scene_tasks.join(job, scenes, model)
        case _:
            return scene_tasks.cut(job)


def cluster_work(options: DetectOptions) -> Work:
    """What a worker of a cluster does with videos: it goes on from where an earlier one died.

    As `work`; what a worker sees of GPUs is its own.
    """
    return Work(_resuming_annotator, (options,))


def _resuming_annotator(
    options: DetectOptions, number: int
) -> tuple[tuple[str, ...], Callable[[Job, Tell], Any]]:
    notes, annotated = _annotator(options, 1, number)

    def gone_on_with(job: Job, tell: Tell) -> Any:
        _wait_until_free(job)
        return annotated(resumed(job), tell)

    return notes, gone_on_with


def _wait_until_free(job: Job) -> None:
    """Wait for a worker that was cut off from the cluster: it soon ends, or does the video."""
    place = job.folder / UNFINISHED
    while place.is_dir() and is_going_on(place):
        time.sleep(1.0)


def _teller(job: Job, tell: Tell) -> "Progress":
    from minet_core.runs.asked_frames import expected_frames

    frames = job.frames_before

    def progress(detections: "FrameDetections", info: "VideoInfo") -> None:
        nonlocal frames
        frames += 1
        tell(Position(frames, expected_frames(info, job.options), detections.tracked))

    return progress
