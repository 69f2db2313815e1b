"""Scenes that were looked at apart, joined to the result of their video."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from minet_core.boxes import NO_TRACK
from minet_core.errors import AlreadyDoneError, InputError
from minet_core.inference.from_options import online_detector
from minet_core.inference.online import OnlineDetector
from minet_core.inference.timings import StageClock
from minet_core.models.zoo import Model, model_of
from minet_core.options import DetectOptions
from minet_core.results import FrameDetections
from minet_core.runs.manifest import manifest_of
from minet_core.runs.opened_video import OpenedVideo, opened_video
from minet_core.runs.preflight import check, settled
from minet_core.runs.scenes.cutting import Scenes, begin_scenes, find_scenes
from minet_core.runs.scenes.looking import STATE, is_complete, look_at_scene, read_state
from minet_core.runs.spool import open_spool, read_spool, write_linked
from minet_core.runs.summary import Summary
from minet_core.text import shown
from minet_core.video import VideoInfo
from minet_core.video.remote.local_copies import fetched


def annotate_by_scenes(
    source: str | Path,
    folder: Path,
    model: Model | None,
    asked: DetectOptions,
    progress: Callable[[FrameDetections, VideoInfo], None] | None,
) -> Summary:
    """Make the results of one video, one scene after the other; see `minet_core.annotate`."""
    options, started = settled(asked, source, folder), time.perf_counter()
    check(source, folder, options, options.model if model is None else model.name)
    model, before = model_of(options) if model is None else model, 0
    begin_scenes(folder, options)
    with fetched(source, options.cache_bytes):
        scenes = find_scenes(source, options)
        for scene in scenes.parts:
            before += look_at_scene(source, scene.folder_in(folder), model, scene, progress)
        places = [scene.folder_in(folder) for scene in scenes.parts]
        summary = join_scenes(source, folder, model, asked, scenes, places)
    return replace(summary, frames_before=before, seconds=time.perf_counter() - started)


def join_scenes(
    source: str | Path,
    folder: Path,
    model: Model,
    asked: DetectOptions,
    scenes: Scenes,
    places: Sequence[Path],
) -> Summary:
    """Make the results of a video whose scenes are complete.

    An id is no scene's that comes before: those of each scene begin where the last ended. Frames
    have the numbers and times of the whole video. Of one scene it is what a run without cuts makes.

    Args:
        source: the video.
        folder: for the results.
        model: of the run.
        asked: its options.
        scenes: of the video.
        places: the folder of each of them.

    Raises:
        MinetError: as `minet_core.annotate`.
    """
    asked = replace(asked, resume=True)
    with opened_video(source, folder, model, asked, resumes=False) as video:
        _check_complete(video, model.name, scenes, places)
        online = online_detector(video.model, video.options, video.clock)
        end, told = _gathered(video.place, places, online, video.clock)
        outputs = write_linked(
            *(video.place, source, video.options, video.info, video.model, online.linker),
            *(video.clock, end),
            scenes=tuple(scene.first for scene in scenes.parts),
        )
        video.check_unchanged()
        video.publish(outputs.names)
    told = [*(line for line in scenes.warnings if line not in video.reader.warnings), *told]
    return video.summary(
        outputs.names,
        outputs,
        outputs.totals.frames,
        classes=video.model.classes,
        warnings=(*told, *online.warnings),
    )


def _check_complete(video: OpenedVideo, model: str, scenes: Scenes, places: Sequence[Path]) -> None:
    """See that all scenes are there, and of the source as it is now.

    Raises:
        AlreadyDoneError: none is: a worker died while it published, and that is completed now.
        InputError: the source has changed since a scene was looked at.
    """
    if not any((each / STATE).exists() for each in places):
        raise AlreadyDoneError(f"{video.folder} has these results already")
    for scene, each in zip(scenes.parts, places, strict=True):
        if not is_complete(each, manifest_of(video.source, model, scene.options)):
            raise InputError(f"{shown(video.source)}: changed while it was read")


def _gathered(
    place: Path, places: Sequence[Path], online: OnlineDetector, clock: StageClock
) -> tuple[float | None, list[str]]:
    """Bring the frames of all scenes together, and what is known of their tracklets.

    Returns:
        Seconds at which the source's last frame ends, None where it was not reached; and warnings.
    """
    above, below, end, told = 0, 0, None, list[str]()
    with open_spool(place, None) as spool:
        for each in places:
            state = read_state(each)
            for size, found in _renumbered(each, above, below, online.model.classes):
                spool.write(np.broadcast_to(np.uint8(0), (*size, 3)), found, clock)
            if online.linker is not None:
                online.linker.follow_with(state["linker"], above, below)
            above, below = above + state["last_id"], below + state["tentative"]
            end, online.unusable = state["end"], online.unusable + state["unusable"]
            told += [line for line in state["warnings"] if line not in told]
            clock.add(state["seconds"])
        spool.complete(clock)
    return end, told


def _renumbered(
    place: Path, above: int, below: int, classes: tuple[str, ...]
) -> Iterator[tuple[tuple[int, int], FrameDetections]]:
    for size, found in read_spool(place, classes):
        shift = above * (found.track_ids > NO_TRACK) - below * (found.track_ids < NO_TRACK)
        yield size, replace(found, track_ids=found.track_ids + shift)
