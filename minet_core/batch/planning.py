"""What there is to do of many videos, every input checked before anything is touched.

Nothing here imports torch.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from minet_core.errors import AlreadyDoneError, ConfigError, MinetError
from minet_core.models.weight_files import model_files
from minet_core.options import PERSONS, DetectOptions
from minet_core.runs.asked_frames import expected_frames, folder_rate
from minet_core.runs.bucket import Bucket
from minet_core.runs.folder_names import folder_names
from minet_core.runs.manifest import manifest_of
from minet_core.runs.preflight import check, settled
from minet_core.runs.scenes.cutting import Scenes, VideoScene
from minet_core.video.opening import StrPath, is_url
from minet_core.video.pictures.folder import is_pictures
from minet_core.video.remote.store import is_in_store


@dataclass(frozen=True, slots=True)
class Cut:
    """Find the scenes of a video; they come of it."""


@dataclass(frozen=True, slots=True)
class Look:
    """Look at a scene; how many of its frames an earlier run had done comes of it."""

    scene: VideoScene


@dataclass(frozen=True, slots=True)
class Join:
    """Join the scenes of a video to its result, when all are complete."""

    scenes: Scenes


Step = Cut | Look | Join


@dataclass(frozen=True, slots=True)
class Job:
    """One video of a run.

    Attributes:
        source: as it was given.
        folder: for its results; for those in a bucket, the one that they are made in.
        options: of the run, with this video's file of detections.
        frames_before: how many frames of it an earlier run has done.
        note: what the user should know before it begins, or nothing.
        address: of the folder in a bucket that the results go to, if they do.
        step: the one to do of a video whose scenes are looked at apart; None: all of the video.
    """

    source: str
    folder: Path
    options: DetectOptions
    frames_before: int = 0
    note: str = ""
    address: str | None = None
    step: Step | None = None

    @property
    def place(self) -> StrPath:
        """Where its results are in the end."""
        return self.address or self.folder


def plan(
    sources: Sequence[str], output: StrPath, options: DetectOptions
) -> tuple[list[Job], list[Job]]:
    """Videos to do, and those that are done already.

    Args:
        sources: videos, as `minet_core.runs.video_inputs.expand` gives them.
        output: folder for their folders, or the address of one in a bucket.
        options: of the run.

    Raises:
        MinetError: one cannot be read, or has no place to be written to.
    """
    if options.rate is not None and not any(map(is_pictures, sources)):
        raise ConfigError("--rate is only for folders of pictures")
    for name in PERSONS:
        if getattr(options, name) is not None and len(sources) > 1:
            option = name.replace("_", "-")
            raise ConfigError(f"--{option} is for one video, not for several")
    model_files(options.model)  # a mistyped name is a mistake whatever the folders hold
    jobs: list[Job] = []
    done: list[Job] = []
    for source, name in zip(sources, folder_names(sources), strict=True):
        job, is_done = job_of(source, place_in(output, name), options)
        (done if is_done else jobs).append(job)
    _check_files([*done, *jobs])
    return jobs, done


def place_in(output: StrPath, name: str) -> StrPath:
    """The folder of one video, in a folder of this machine or in a bucket."""
    return f"{output}".rstrip("/") + f"/{name}" if is_in_store(output) else Path(output) / name


def job_of(source: str, place: StrPath, options: DetectOptions) -> tuple[Job, bool]:
    """What there is to do of one video, and whether it is done already.

    Args:
        source: the video.
        place: for its results.
        options: of the run.

    Raises:
        MinetError: it cannot be read, or has no place to be written to.
    """
    bucket = Bucket(str(place)) if is_in_store(place) else None
    folder = Path(place) if bucket is None else bucket.folder
    address = None if bucket is None else bucket.address
    own = settled(options, source, folder)
    try:
        if bucket is not None:
            bucket.check(manifest_of(source, options.model, own), overwrite=own.overwrite)
        standing = check(source, folder, own, options.model)
    except AlreadyDoneError:
        return Job(source, folder, own, address=address), True
    return Job(source, folder, own, standing.frames_before, standing.note, address), False


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
                f"give a folder with {names}"
            )


def check_shareable(jobs: Iterable[Job]) -> None:
    """See that other processes can read what there is.

    Raises:
        ConfigError: they cannot.
    """
    if any(job.source == "-" for job in jobs):
        raise ConfigError("standard input cannot be shared out; leave out --jobs and --ray")


@dataclass(frozen=True, slots=True)
class Size:
    """How much of a video there is to look at.

    Attributes:
        frames: about how many, those of an earlier run among them; None where nothing tells.
        pixels: of a frame, 0 where nothing tells.
    """

    frames: int | None = None
    pixels: int = 0


def size_of(job: Job) -> Size:
    """What a video says of itself; nothing of a stream, or of what is no video after all."""
    from minet_core.video import open_video

    if job.source == "-" or is_url(job.source):
        return Size()
    options = job.options
    try:
        rate = folder_rate(options)
        with open_video(job.source, folder_rate=rate, stream=options.stream) as reader:
            info = reader.info
    except MinetError:  # said when its turn comes
        return Size()
    return Size(expected_frames(info, options), info.width * info.height)


def longest_first(jobs: Iterable[Job]) -> list[tuple[Job, Size]]:
    """The order in which many processes end soonest: the most work that is left comes first.

    A video whose length nothing tells may be the longest. Equal ones stay in their order.
    """

    def left(entry: tuple[Job, Size]) -> float:
        job, size = entry
        return math.inf if size.frames is None else size.frames - job.frames_before

    return sorted(((job, size_of(job)) for job in jobs), key=left, reverse=True)


def resumed(job: Job) -> Job:
    """The job as it is tried again: from the checkpoint that was reached."""
    if job.step is not None:  # goes on by itself
        return job
    options = replace(job.options, resume=True)
    try:
        if job.address is not None:
            Bucket(job.address).bring_checkpoint()
        return job_of(job.source, job.place, options)[0]
    except MinetError:  # said when it is tried
        return replace(job, options=options)
