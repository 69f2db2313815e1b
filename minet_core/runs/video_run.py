"""A run: one video on its way to its folder of results.

with open_run(source, folder, model, options) as run:
    for looked in run.frames():
        run.write(looked)
    summary = run.publish()
"""

import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from minet_core.detections.of_video import picture_order, remarks, with_boxes_of
from minet_core.inference.from_options import online_detector
from minet_core.inference.online import OnlineDetector
from minet_core.inference.timings import StageClock
from minet_core.models.zoo import Model, model_of
from minet_core.options import SIGHTS, DetectOptions
from minet_core.results import FrameDetections
from minet_core.runs.outputs import Outputs, open_outputs
from minet_core.runs.preflight import (
    ONCE,
    Standing,
    check,
    check_finished,
    folder_rate,
    linked_if_read_twice,
    part_of,
    settled,
)
from minet_core.runs.recorder import Recorder, check_unchanged, restore
from minet_core.runs.sight_file import SightWriter
from minet_core.runs.spool import Spool, open_spool, write_linked
from minet_core.runs.stages import Inferred, look
from minet_core.runs.summary import Summary, summary_of
from minet_core.runs.unfinished import (
    Checkpoint,
    clear,
    finish_publishing,
    open_unfinished,
    publish,
)
from minet_core.video import FrameReader, VideoInfo, open_video
from minet_core.video.opening import StrPath
from minet_core.video.reading.mark import Mark
from minet_core.video.remote.cache import fetched


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A video that is being looked at, and what has been written of it.

    Attributes:
        source: the video, as it was given.
        folder: where the results will be.
        place: the hidden folder in which they are made.
        asked: options as they were given.
        options: as they hold for this video.
        model: with the boxes of a file in it, if there is one.
        standing: where the run begins.
        reader: of the video.
        online: detector and memory.
        outputs: what is written, or what waits for the end.
        recorder: writes checkpoints.
        clock: counts the time of each stage.
        started: when it began, by `time.perf_counter`.
        keeper: keeps what is seen, if that is wanted.
    """

    source: StrPath
    folder: Path
    place: Path
    asked: DetectOptions
    options: DetectOptions
    model: Model
    standing: Standing
    reader: FrameReader
    online: OnlineDetector
    outputs: Outputs | Spool
    recorder: Recorder
    clock: StageClock
    started: float
    keeper: SightWriter | None = None

    @property
    def info(self) -> VideoInfo:
        """What the video says of itself."""
        return self.reader.info

    def frames(self) -> Generator[Inferred, None, None]:
        """Every frame that is left to look at, with what was found in it.

        Raises:
            InputError: on iteration, the video cannot be read on.
        """
        done, begin = self.outputs.totals.frames, self.standing.next_frame
        looking = look(self.reader, self.online, self.clock, done, begin, self.keeper)
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
        self.outputs.write(frame.image, kept, self.clock)
        if looked.memory is not None:
            with self.clock.stage("write"):
                self.recorder.at_border(frame.index, looked.memory)
        return found

    def publish(self) -> Summary:
        """Join tracklets, bring every file to its end, and let all of them appear together.

        Raises:
            InputError: the source has changed, or cannot be read a second time.
            OutputError: a file cannot be written, or other results have come in between.
        """
        check_unchanged(self.standing.manifest)
        self.outputs.complete(self.clock, self.reader.end)
        outputs = self._linked()
        names = outputs.names
        if self.keeper is not None:
            self.keeper.complete(self.reader.end)
            names = *names, SIGHTS
        if not self.options.overwrite:
            check_finished(self.folder, self.standing.manifest)
        publish(self.place, replace(self.standing.manifest, files=names))
        return summary_of(
            self.folder,
            names,
            outputs,
            info=self.info,
            frames_before=self.standing.frames_before,
            classes=self.model.classes,
            seconds=time.perf_counter() - self.started,
            shares=self.clock.shares(),
            warnings=self._warnings(outputs),
        )

    def _linked(self) -> Outputs | Spool:
        if self.online.linker is None:
            return self.outputs
        return write_linked(
            self.place,
            self.source,
            self.options,
            self.info,
            self.model,
            self.online.linker,
            self.clock,
            self.reader.end,
        )

    def _warnings(self, outputs: Outputs | Spool) -> tuple[str, ...]:
        """What went wrong without stopping the run."""
        given = remarks(self.model, self.outputs.totals.frames, self.options)
        given += picture_order(self.info, self.options)
        once = self.asked.link and linked_if_read_twice(self.asked, self.source)
        if self.options.keep and self.keeper is None:
            given.append("what was seen is not kept of a run that was resumed")
        lines = *self.reader.warnings, *self.online.warnings, *outputs.warnings, *given
        return (*lines, ONCE) if once else lines


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
        folder: for the results.
        model: None for the one that the options name.
        asked: the options.
        mark: where reading can begin.
        waits: whether frames wait for the end although no tracklets are joined.

    Raises:
        MinetError: see `minet_core.annotate`.
    """
    options = settled(asked, source, folder)
    check(source, folder, options, options.model if model is None else model.name)
    model = model_of(options) if model is None else model
    clock, started = StageClock(), time.perf_counter()
    if options.detections is not None:
        model = with_boxes_of(Path(options.detections), model, options.classes)
    online = online_detector(model, options, clock)
    with open_unfinished(folder) as place:
        finish_publishing(place)
        # Inferred at again, now that no other run can come in between.
        standing = check(source, folder, options, model.name)
        clear(place, standing.checkpoint)
        with (
            fetched(source, options.cache_bytes),
            reader_of(source, options, model, standing, mark) as reader,
            _opened(
                *(place, options, reader.info, model, standing.checkpoint), waits=waits
            ) as outputs,
            _keeper(place, options, standing) as keeper,
        ):
            if standing.checkpoint is not None:
                restore(place, standing.checkpoint, online)
            yield Run(
                source=source,
                folder=folder,
                place=place,
                asked=asked,
                options=options,
                model=model,
                standing=standing,
                reader=reader,
                online=online,
                outputs=outputs,
                recorder=Recorder(place, standing.manifest, outputs, options.checkpoint),
                clock=clock,
                started=started,
                keeper=keeper,
            )


@contextmanager
def _keeper(
    place: Path, options: DetectOptions, standing: Standing
) -> Iterator[SightWriter | None]:
    """What keeps the sights of a run from its first frame on."""
    if not options.keep or standing.checkpoint is not None:
        yield None
        return
    with closing(SightWriter(place / SIGHTS, standing.manifest.sight_key)) as keeper:
        yield keeper


def reader_of(
    source: StrPath,
    options: DetectOptions,
    model: Model,
    standing: Standing,
    mark: Mark | None = None,
) -> AbstractContextManager[FrameReader]:
    """The video, from the first frame on that is still to be looked at."""
    again = model.window[0] * options.stride  # neighbours of the next frame
    part = part_of(options, max(0, standing.next_frame - again))
    rate = folder_rate(options)
    return open_video(source, folder_rate=rate, stream=options.stream, mark=mark, **part)


def _opened(
    place: Path,
    options: DetectOptions,
    info: VideoInfo,
    model: Model,
    checkpoint: Checkpoint | None,
    *,
    waits: bool,
) -> AbstractContextManager[Outputs | Spool]:
    """Where frames go as they are looked at: to the results, or to wait for the end."""
    if options.link or waits:
        return open_spool(place, checkpoint)
    return open_outputs(place, options, info, model, checkpoint)
