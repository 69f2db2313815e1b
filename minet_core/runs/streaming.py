"""Frames of a video looked at and remembered one after the other, on their way to the results.

Decoding and the model each run in a thread of their own, with bounded queues between. State lives
in the model's thread only.
"""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minet_core.config import SIGHTS, DetectOptions
from minet_core.inference.online import Observed, OnlineDetector
from minet_core.inference.planting import NO_PLANTING, Planting
from minet_core.inference.timings import StageClock
from minet_core.inference.windows import windows
from minet_core.models.zoo import Model
from minet_core.results import FrameDetections
from minet_core.runs.outputs import Outputs, is_border, open_outputs
from minet_core.runs.preflight import Standing
from minet_core.runs.producer import prefetch
from minet_core.runs.recorder import Recorder, restore
from minet_core.runs.sight_file import SightWriter, Stamp
from minet_core.runs.spool import Spool, open_spool, write_linked
from minet_core.runs.unfinished import Checkpoint
from minet_core.video import FrameReader, VideoFrame, VideoInfo

QUEUE_DEPTH = 4
"""Frames that wait between two threads: enough to even out hiccups, little memory in 4K."""

Progress = Callable[[FrameDetections, VideoInfo], None]

Begin = Callable[[Model, Planting], OnlineDetector]
"""Makes the memory of a video, with what is planted in it."""


@dataclass(frozen=True, slots=True)
class Run:
    """One video on its way to its results.

    Attributes:
        place: the hidden folder.
        source: as it was given.
        options: as they hold for it.
        model: of the run.
        standing: what there was before.
        reader: of the source, from the first frame that is needed.
        clock: where to count time.
        progress: is told of each frame.
    """

    place: Path
    source: str | Path
    options: DetectOptions
    model: Model
    standing: Standing
    reader: FrameReader
    clock: StageClock
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class Made:
    """What a run has written into its hidden folder.

    Attributes:
        outputs: the results.
        names: of all files.
        warnings: a line each.
        classes: of the results.
    """

    outputs: Outputs
    names: tuple[str, ...]
    warnings: tuple[str, ...]
    classes: tuple[str, ...]


def look_through(run: Run, begin: Begin) -> Made:
    """Make all results of one video, from its first frame or from a checkpoint on.

    Args:
        run: of the video.
        begin: makes the memory.

    Raises:
        InputError: the source cannot be read.
        OutputError: something cannot be written.
    """
    place, options, reader, standing = run.place, run.options, run.reader, run.standing
    online = begin(run.model, NO_PLANTING)
    is_new = standing.checkpoint is None
    keeper = _keeper(run) if options.keep and is_new else None
    with (
        _opened(place, options, reader.info, run.model, standing.checkpoint) as found,
        nullcontext() if keeper is None else closing(keeper),
    ):
        recorder = Recorder(place, standing.manifest, found, options.checkpoint)
        if standing.checkpoint is not None:
            restore(place, standing.checkpoint, online)
        _run(run, online, found, recorder, keeper)
        found.complete(run.clock, reader.end)
        if keeper is not None:
            keeper.complete(reader.end)
    warnings = online.warnings
    if options.keep and keeper is None:
        warnings = [*warnings, "what was seen is not kept of a run that was resumed"]
    if online.linker is not None:
        found = write_linked(
            *(place, run.source, options, reader.info, run.model),
            *(online.linker, run.clock, reader.end),
        )
    assert isinstance(found, Outputs)
    names = (*found.names, *((SIGHTS,) if keeper else ()))
    return Made(found, names, tuple(warnings), run.model.detector.classes)


def _keeper(run: Run) -> SightWriter:
    return SightWriter(run.place / SIGHTS, run.standing.manifest.sight_key)


def _opened(
    place: Path,
    options: DetectOptions,
    info: VideoInfo,
    model: Model,
    checkpoint: Checkpoint | None,
) -> AbstractContextManager[Outputs | Spool]:
    """Where frames go as they are looked at: to the results, or to wait for the end."""
    if options.link:
        return open_spool(place, checkpoint)
    return open_outputs(place, options, info, model, checkpoint)


def _run(
    run: Run,
    online: OnlineDetector,
    outputs: Outputs | Spool,
    recorder: Recorder,
    keeper: SightWriter | None,
) -> None:
    # Both threads have ended when this is left, so that reader and outputs can be closed.
    frames = prefetch(_decode(run.reader, run.clock), QUEUE_DEPTH)
    begin, done = run.standing.next_frame, outputs.totals.frames
    looked_at = prefetch(_infer(frames, online, done, begin, keeper), QUEUE_DEPTH)
    with closing(looked_at):
        for frame, observed, memory in looked_at:
            detections = online.reported(observed)
            waits = online.linker is not None
            outputs.write(frame.image, observed.detections if waits else detections, run.clock)
            if memory is not None:
                with run.clock.stage("write"):
                    recorder.at_border(frame.index, memory)
            if run.progress is not None:
                run.progress(detections, run.reader.info)


def _decode(reader: FrameReader, clock: StageClock) -> Generator[VideoFrame, None, None]:
    frames = iter(reader)
    while True:
        with clock.stage("decode"):
            frame = next(frames, None)
        if frame is None:
            return
        yield frame


def _infer(
    frames: Generator[VideoFrame, None, None],
    online: OnlineDetector,
    done: int,
    begin: int,
    keeper: SightWriter | None,
) -> Generator[tuple[VideoFrame, Observed, dict[str, Any] | None], None, None]:
    """Frames with what was found in them and, at borders, what the detector knew by then.

    Those before `begin` were looked at by an earlier run: they are neighbours, and no more.
    """
    model = online.model
    with closing(frames):
        around = windows(frames, lambda frame: frame.image, model.window)
        new = (each for each in around if each[0].index >= begin)
        for count, (frame, before, after) in enumerate(new, done + 1):
            model.surround(frame.image, before, after)
            stamp = Stamp(frame.index, frame.pts, frame.time)
            sight = online.see(frame.image, frame.index)
            if keeper is not None:
                keeper.write(stamp, sight)
            found = online.judge(sight, **stamp._asdict())
            yield frame, found, online.save() if is_border(count) else None
