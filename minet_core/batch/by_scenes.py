"""Videos whose scenes are tasks of their own, on any engine; what it tells is told of whole videos.

A video is cut first, then its scenes are looked at, in any order, and when all are complete they
are joined: three kinds of tasks, each done once, and each tried again if its worker dies.
"""

import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from minet_core.batch.one_video import Position
from minet_core.batch.planning import Cut, Job, Join, Look
from minet_core.batch.pool import Again, Began, Done, Event, Failed, Ready, Told
from minet_core.batch.scene_tasks import job_of_scene
from minet_core.runs.scenes.cutting import Scenes

if TYPE_CHECKING:
    from minet_core.runs.summary import Summary


class AnyEngine(Protocol):
    """Does jobs and tells what happens, whatever comes of each."""

    def run(self, tasks: Iterator[Job | None]) -> Generator[Event[Job, Any], None, None]:
        """Do jobs; None stands where there is none yet."""


@dataclass(slots=True)
class _Video:
    """A video on its way.

    Attributes:
        job: of all of it.
        began: when, by `time.monotonic`.
        scenes: once they are known.
        done: folder of a scene → how many of its frames are done, and objects that are tracked.
        frames: done in all scenes.
        live: objects that are tracked in all of them.
        left: scenes that are not complete.
        before: frames that an earlier run had done.
        told: whether it was told that it began.
    """

    job: Job
    began: float
    scenes: Scenes | None = None
    done: dict[Path, tuple[int, int]] = field(default_factory=dict)
    frames: int = 0
    live: int = 0
    left: int = 0
    before: int = 0
    told: bool = False

    @property
    def position(self) -> Position:
        """How far it is."""
        return Position(self.frames, self.scenes.frames if self.scenes else None, self.live)

    def put(self, scene: Path, frames: int, live: int) -> None:
        """Note how far a scene is; sums are kept, as there may be thousands."""
        frames_before, live_before = self.done.get(scene, (0, 0))
        self.done[scene] = frames, live
        self.frames += frames - frames_before
        self.live += live - live_before


class ByScenes:
    """Does whole videos by their scenes.

    Args:
        engine: does the tasks.
    """

    def __init__(self, engine: AnyEngine) -> None:
        self._engine = engine
        self._ready: deque[Job] = deque()
        self._videos: dict[Path, _Video] = {}
        self._video_of: dict[Path, Path] = {}
        """Folder of a task that is not done → that of its video."""

    def run(
        self, tasks: Iterator[Job | None]
    ) -> "Generator[Event[Job, Summary | None], None, None]":
        """Do videos, and tell what happens of each.

        Args:
            tasks: videos; None where there is none yet.

        Raises:
            MinetError: as the engine's.
        """
        with closing(self._engine.run(self._steps(tasks))) as events:
            for event in events:
                yield from self._of_video(event)

    def _steps(self, tasks: Iterator[Job | None]) -> Iterator[Job | None]:
        """What is ready of videos that have begun comes before the next video."""
        more = True
        while more or self._videos:
            if self._ready:
                yield self._ready.popleft()
                continue
            try:
                job = next(tasks) if more else None
            except StopIteration:
                more = False
                continue
            yield None if job is None else self._begun(job)

    def _begun(self, job: Job) -> Job:
        self._videos[job.folder] = _Video(job, time.monotonic())
        return self._task(job.folder, replace(job, step=Cut()))

    def _task(self, video: Path, task: Job) -> Job:
        self._video_of[task.folder] = video
        return task

    def _of_video(self, event: Event[Job, Any]) -> "Iterator[Event[Job, Summary | None]]":
        if isinstance(event, Ready):
            yield event
            return
        video = self._videos.get(self._video_of.get(event.task.folder, Path()))
        if video is None:  # it has failed already, by another scene
            return
        match event:
            case Began() if not video.told:
                video.told = True
                yield Began(video.job)
            case Told(task, (frames, live)):
                video.put(task.folder, frames, live)
                yield Told(video.job, video.position)
            case Again(_, how):
                yield Again(video.job, how)
                yield Began(video.job)
            case Done(task, result):
                yield from self._done(video, task, result)
            case Failed(_, error):
                self._forget(video)
                yield Failed(video.job, error)

    def _done(
        self, video: _Video, task: Job, result: Any
    ) -> "Iterator[Event[Job, Summary | None]]":
        match task.step:
            case Cut():
                self._look_at(video, result)
                yield Told(video.job, video.position)
            case Look(scene):
                video.put(task.folder, scene.frames, 0)
                video.before += result
                video.left -= 1
                yield Told(video.job, video.position)
                if not video.left:
                    assert video.scenes is not None
                    join = replace(video.job, step=Join(video.scenes))
                    self._ready.appendleft(self._task(video.job.folder, join))
            case _:
                self._forget(video)
                yield Done(video.job, _whole(video, result))

    def _look_at(self, video: _Video, scenes: Scenes) -> None:
        video.scenes, video.left = scenes, len(scenes.parts)
        for scene in scenes.parts:
            task = replace(job_of_scene(video.job, scene), step=Look(scene), note="")
            self._ready.append(self._task(video.job.folder, task))

    def _forget(self, video: _Video) -> None:
        own = video.job.folder
        del self._videos[own]
        self._video_of = {task: of for task, of in self._video_of.items() if of != own}
        self._ready = deque(task for task in self._ready if task.folder in self._video_of)


def _whole(video: _Video, summary: "Summary | None") -> "Summary | None":
    """What was made, with what the scenes took."""
    if summary is None:
        return None
    seconds = time.monotonic() - video.began
    return replace(summary, frames_before=video.before, seconds=seconds)
