"""decode → infer → write: one video in, its output folder out.

Decoding and the model each run in a thread of their own, with bounded queues between; drawing,
encoding and result files are the caller's thread. State lives in the model's thread only.
"""

import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from minet_core.config import PRESETS, DetectOptions
from minet_core.errors import ConfigError
from minet_core.inference.drawn import Drawn
from minet_core.inference.first_boxes import following, read_first_boxes
from minet_core.inference.online import OnlineDetector
from minet_core.inference.outputs import Outputs, open_outputs
from minet_core.inference.preflight import OUTPUT_FILES, check, part_of
from minet_core.inference.stages import StageClock
from minet_core.inference.threads import prefetch
from minet_core.models.zoo import Model
from minet_core.results import FrameDetections, Tracklet
from minet_core.suggest import did_you_mean
from minet_core.video import FrameReader, VideoFrame, VideoInfo, open_video

QUEUE_DEPTH = 4
"""Frames that wait between two threads: enough to even out hiccups, little memory in 4K."""

Progress = Callable[[FrameDetections, VideoInfo], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run made.

    Attributes:
        folder: where the files are.
        files: the files, the annotated video first.
        info: the source.
        frames: frames looked at.
        rows: detections reported.
        rows_without_track: those that belong to no tracklet.
        tracklets: all tracklets, by id.
        classes: class names, by label id.
        seconds: how long it took.
        shares: stage → share of busy time, in the order of the work.
        warnings: what went wrong without stopping the run, a line each.
    """

    folder: Path
    files: tuple[Path, ...]
    info: VideoInfo
    frames: int
    rows: int
    rows_without_track: int
    tracklets: tuple[Tracklet, ...]
    classes: tuple[str, ...]
    seconds: float
    shares: dict[str, float]
    warnings: tuple[str, ...]

    @property
    def tracklets_by_class(self) -> dict[str, int]:
        """Class name → how many tracklets, the most frequent first."""
        counts = Counter(self.classes[tracklet.label_id] for tracklet in self.tracklets)
        return dict(counts.most_common())

    @property
    def frames_per_second(self) -> float:
        """Frames looked at in a second of the run."""
        return self.frames / self.seconds


def annotate(
    source: str | Path,
    folder: str | Path,
    model: Model,
    options: DetectOptions | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Detect objects in one video and write the results into `folder`.

    Args:
        source: a video file, a URL, `-` for standard input, or pictures: a folder of them, or a
            pattern such as `cam/*.jpg`.
        folder: made if missing; files appear there, all together, when they are complete.
        model: from `load_model`.
        options: what to do.
        progress: called after each frame.

    Raises:
        InputError: the source cannot be read.
        ConfigError: a setting is not valid.
        OutputError: the results cannot be written, or are there and may not be replaced.
        MinetError: a video is to be drawn, and OpenCV does not load.
    """
    options, folder = options or DetectOptions(), Path(folder)
    check(source, folder, options)
    clock, started = StageClock(), time.perf_counter()
    online = online_detector(model, options, clock)
    with open_video(source, **part_of(options)) as reader:
        with open_outputs(folder, options, reader.info, model) as outputs:
            _run(reader, online, outputs, clock, progress)
        warnings = *reader.warnings, *online.warnings, *outputs.warnings
        return Summary(
            folder=folder,
            files=tuple(folder / name for name in OUTPUT_FILES if (folder / name).exists()),
            info=reader.info,
            frames=outputs.frames,
            rows=outputs.rows,
            rows_without_track=outputs.rows_without_track,
            tracklets=tuple(outputs.table.tracklets()),
            classes=model.detector.classes,
            seconds=time.perf_counter() - started,
            shares=clock.shares(),
            warnings=warnings,
        )


def online_detector(
    model: Model, options: DetectOptions, clock: StageClock | None = None
) -> OnlineDetector:
    """The model with the memory that the options ask for, before its first frame.

    Raises:
        ConfigError: the model lacks a class that is asked for.
        InputError: the file of first boxes cannot be read.
    """
    config, drawn = PRESETS[options.preset], None
    if options.first_boxes is not None:
        first = read_first_boxes(options.first_boxes)
        config, drawn = following(config), Drawn(first, model.detector)
    return OnlineDetector(
        model,
        config if options.memory else None,
        score=options.score,
        keep=label_ids(options.classes, model.detector.classes),
        clock=clock,
        drawn=drawn,
    )


def label_ids(names: tuple[str, ...], known: tuple[str, ...]) -> frozenset[int] | None:
    """Label ids of class names, None for no names.

    Raises:
        ConfigError: the model has no such class; the nearest is suggested.
    """
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise ConfigError(f"the model has no class {name!r}{hint}")
    return frozenset(known.index(name) for name in names) if names else None


def _run(
    reader: FrameReader,
    online: OnlineDetector,
    outputs: Outputs,
    clock: StageClock,
    progress: Progress | None,
) -> None:
    # Both threads have ended when this is left, so that reader and outputs can be closed.
    frames = prefetch(_decode(reader, clock), QUEUE_DEPTH)
    with closing(prefetch(_infer(frames, online), QUEUE_DEPTH)) as found:
        for frame, detections in found:
            outputs.write(frame.image, detections, clock)
            if progress is not None:
                progress(detections, reader.info)


def _decode(reader: FrameReader, clock: StageClock) -> Generator[VideoFrame, None, None]:
    frames = iter(reader)
    while True:
        with clock.stage("decode"):
            frame = next(frames, None)
        if frame is None:
            return
        yield frame


def _infer(
    frames: Generator[VideoFrame, None, None], online: OnlineDetector
) -> Generator[tuple[VideoFrame, FrameDetections], None, None]:
    with closing(frames):
        for frame in frames:
            found = online.update(frame.image, frame=frame.index, pts=frame.pts, time=frame.time)
            yield frame, found
