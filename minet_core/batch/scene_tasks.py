"""What workers do of a video whose scenes are tasks: cut it, look at a scene, join them."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from minet_core.batch.planning import Job
from minet_core.errors import AlreadyDoneError, OutputError
from minet_core.runs.bucket import Bucket
from minet_core.runs.manifest import MANIFEST, manifest_of
from minet_core.runs.scenes.cutting import Scenes, VideoScene, begin_scenes, find_scenes
from minet_core.runs.unfinished import SCENES, UNFINISHED, read_checkpoint
from minet_core.video.remote.local_copies import fetched

if TYPE_CHECKING:
    from minet_core.models.zoo import Model
    from minet_core.results import FrameDetections
    from minet_core.runs.summary import Summary
    from minet_core.video import VideoInfo


def cut(job: Job) -> Scenes:
    """The scenes of a video.

    Raises:
        MinetError: it cannot be read, or its folder not be written to.
    """
    begin_scenes(job.folder, job.options)
    with fetched(job.source, job.options.cache_bytes):
        return find_scenes(job.source, job.options)


def job_of_scene(job: Job, scene: VideoScene) -> Job:
    """The job of a scene, whose step is not set yet.

    Args:
        job: of the video.
        scene: of it.
    """
    if job.address is None:
        return replace(job, folder=scene.folder_in(job.folder), options=scene.options)
    bucket = Bucket(f"{job.address}/{SCENES}/{scene.name}")
    return replace(job, folder=bucket.folder, options=scene.options, address=bucket.address)


def look(
    job: Job, scene: VideoScene, model: "Model", tell: Callable[[int, "FrameDetections"], None]
) -> int:
    """Look at a scene; in a bucket, bring it there.

    Args:
        job: of the scene.
        scene: to look at.
        model: with which.
        tell: called with how many frames are done, and what was found in the last one.

    Returns:
        How many of its frames an earlier run had looked at.

    Raises:
        MinetError: as `minet_core.annotate`.
    """
    from minet_core.runs.scenes.looking import look_at_scene

    bucket = None if job.address is None else Bucket(job.address)
    if bucket is not None:
        if _is_there(bucket, job):
            return scene.frames
        bucket.bring_checkpoint()
    checkpoint = read_checkpoint(job.folder / UNFINISHED)
    done = checkpoint.frames if checkpoint else 0

    def progress(found: "FrameDetections", _: "VideoInfo") -> None:
        nonlocal done
        done += 1
        tell(done, found)

    if bucket is None:
        return look_at_scene(job.source, job.folder, model, scene, progress)
    with fetched(job.source, job.options.cache_bytes):
        before = look_at_scene(job.source, job.folder, model, scene, bucket.keeping(progress))
    bucket.publish(())
    return before


def _is_there(bucket: Bucket, job: Job) -> bool:
    try:
        bucket.check(manifest_of(job.source, job.options.model, job.options), overwrite=False)
    except AlreadyDoneError:
        return True
    except OutputError:  # of other settings, and replaced; of any other the next request tells
        return False
    return False


def join(job: Job, scenes: Scenes, model: "Model") -> "Summary":
    """Make the result of a video whose scenes are complete; what goes to a bucket is brought there.

    Raises:
        AlreadyDoneError: another run has made it.
        MinetError: as `minet_core.annotate`.
    """
    from minet_core.runs.annotate import with_report_and_exports
    from minet_core.runs.scenes.joining import join_scenes
    from minet_core.runs.scenes.looking import FILES

    parts = [job_of_scene(job, scene) for scene in scenes.parts]
    for part in parts:
        if part.address is not None:
            Bucket(part.address).bring((*FILES, MANIFEST))
    places = [part.folder for part in parts]
    with fetched(job.source, job.options.cache_bytes):
        summary = join_scenes(job.source, job.folder, model, job.options, scenes, places)
        summary = with_report_and_exports(summary, job.options)
    if job.address is None:
        return summary
    Bucket(job.address).publish(job.options.export_formats)
    _forget(places)
    return replace(summary, address=job.address)


def _forget(places: list[Path]) -> None:
    """Take away the copies of what is in a bucket no more."""
    for place in places:
        shutil.rmtree(place.parent, ignore_errors=True)
