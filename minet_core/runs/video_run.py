"""A run: one video on its way to its folder of results.

with open_run(source, folder, model, options) as run:
    for looked in run.frames():
        run.write(looked)
    summary = run.publish()
"""

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from minet_core.inference.from_options import online_detector
from minet_core.inference.online import OnlineDetector
from minet_core.models.zoo import Model
from minet_core.options import SIGHTS, DetectOptions
from minet_core.results import FrameDetections
from minet_core.runs.opened_video import OpenedVideo, opened_video
from minet_core.runs.outputs import Outputs, open_outputs
from minet_core.runs.preflight import ONCE, linked_if_read_twice
from minet_core.runs.recorder import Recorder, restore
from minet_core.runs.sight_file import SightWriter
from minet_core.runs.spool import Spool, open_spool, write_linked
from minet_core.runs.stages import Inferred, look
from minet_core.runs.summary import Summary
from minet_core.video import VideoInfo
from minet_core.video.opening import StrPath
from minet_core.video.reading.mark import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A video that is being looked at, and what has been written of it.

    Attributes:
        video: what is read, and where results are made.
        online: detector and memory.
        outputs: what is written, or what waits for the end.
        recorder: writes checkpoints.
        keeper: keeps what is seen, if that is wanted.
    """

    video: OpenedVideo
    online: OnlineDetector
    outputs: Outputs | Spool
    recorder: Recorder
    keeper: SightWriter | None = None

    @property
    def info(self) -> VideoInfo:
        """What the video says of itself."""
        return self.video.info

    def frames(self) -> Generator[Inferred, None, None]:
        """Every frame that is left to look at, with what was found in it.

        Raises:
            InputError: on iteration, the video cannot be read on.
        """
        video, done = self.video, self.outputs.totals.frames
        begin = video.standing.next_frame
        batch, clock = video.options.batch, video.clock
        looking = look(video.reader, self.online, clock, done, begin, self.keeper, batch)
        with closing(looking) as looked:
            yield from looked

    def write(self, looked: Inferred) -> FrameDetections:
        """Write a frame, and a checkpoint when it is time.

        Returns:
            What is known at once; tracklets may still be joined at the end.

        Raises:
            InputError: the source has changed.
            OutputError: it cannot be written.
        """
        frame, found = looked.frame, self.online.reported(looked.observed)
        waits = self.online.linker is not None
        kept = looked.observed.detections if waits else found
        self.outputs.write(frame.image, kept, self.video.clock)
        if looked.memory is not None:
            with self.video.clock.stage("write"):
                self.recorder.at_border(frame.index, looked.memory)
        return found

    def publish(self) -> Summary:
        """Join tracklets, bring every file to its end, and let all of them appear together.

        Raises:
            InputError: the source has changed, or cannot be read a second time.
            OutputError: a file cannot be written, or other results have come in between.
        """
        video = self.video
        video.check_unchanged()
        self.outputs.complete(video.clock, video.reader.end)
        outputs = self._linked()
        names = outputs.names
        if self.keeper is not None:
            self.keeper.complete(video.reader.end)
            names = *names, SIGHTS
        video.publish(names)
        looked_at, warnings = self.outputs.totals.frames, self._warnings()
        classes = video.model.classes
        return video.summary(names, outputs, looked_at, classes=classes, warnings=warnings)

    def _linked(self) -> Outputs | Spool:
        if self.online.linker is None:
            return self.outputs
        return write_linked(
            self.video.place,
            self.video.source,
            self.video.options,
            self.info,
            self.video.model,
            self.online.linker,
            self.video.clock,
            self.video.reader.end,
        )

    def _warnings(self) -> tuple[str, ...]:
        """What went wrong without stopping the run."""
        lines, asked = self.online.warnings, self.video.asked
        if self.video.options.keep and self.keeper is None:
            lines = [*lines, "what was seen is not kept of a run that was resumed"]
        once = asked.link and linked_if_read_twice(asked, self.video.source)
        return (*lines, ONCE) if once else tuple(lines)


@contextmanager
def open_run(
    source: StrPath,
    folder: Path,
    model: Model | None,
    asked: DetectOptions,
    *,
    mark: Mark | None = None,
    waits: bool = False,
) -> Iterator[Run]:
    """A run from its first frame, or from where an earlier one stopped.

    Unless it is published, its folder stays as it was, but for what a later run can resume.

    Args:
        source: the video.
        folder: for its results.
        model: or None for the one that the options name.
        asked: the options.
        mark: where reading can begin.
        waits: whether frames wait for the end although no tracklets are joined.

    Raises:
        MinetError: see `minet_core.annotate`.
    """
    with opened_video(source, folder, model, asked, mark=mark) as video:
        online = online_detector(video.model, video.options, video.clock)
        with _opened(video, waits=waits) as outputs, _keeper(video) as keeper:
            place, checkpoint = video.place, video.standing.checkpoint
            if checkpoint is not None:
                restore(place, checkpoint, online)
            seconds = video.options.checkpoint
            recorder = Recorder(place, video.standing.manifest, outputs, seconds)
            yield Run(video=video, online=online, outputs=outputs, recorder=recorder, keeper=keeper)


@contextmanager
def _keeper(video: OpenedVideo) -> Iterator[SightWriter | None]:
    """What keeps the sights of a run from its first frame on."""
    if not video.options.keep or video.standing.checkpoint is not None:
        yield None
        return
    key = video.standing.manifest.sight_key
    with closing(SightWriter(video.place / SIGHTS, key)) as keeper:
        yield keeper


def _opened(video: OpenedVideo, *, waits: bool) -> AbstractContextManager[Outputs | Spool]:
    """Where frames go as they are looked at: to the results, or to wait for the end."""
    checkpoint = video.standing.checkpoint
    if video.options.link or waits:
        return open_spool(video.place, checkpoint)
    return open_outputs(video.place, video.options, video.info, video.model, checkpoint)
