"""decode → infer → write: one video in, its output folder out.

Decoding and the model each run in a thread of their own, with bounded queues between; drawing,
encoding and result files are the caller's thread. State lives in the model's thread only.
"""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Any

from minet_core.config import PRESETS, DetectOptions
from minet_core.errors import ConfigError, OutputError
from minet_core.formats import FILE_NAMES, OPENERS, ResultWriter, VideoFacts
from minet_core.inference.online import OnlineDetector
from minet_core.inference.stages import StageClock
from minet_core.inference.threads import prefetch
from minet_core.models.zoo import Model
from minet_core.results import FrameDetections, Tracklet, TrackletTable
from minet_core.video import FrameReader, Image, VideoInfo, VideoWriter, open_video
from minet_core.video.overlay import Overlay

QUEUE_DEPTH = 8
ANNOTATED = "annotated.mp4"

Progress = Callable[[FrameDetections, VideoInfo], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run made.

    Attributes:
        folder: where the files are.
        files: the files, in the order asked for.
        info: the source.
        frames: frames looked at.
        rows: detections reported.
        rows_without_track: those that belong to no tracklet.
        tracklets: all tracklets.
        classes: class names, by label id.
        shares: stage → share of busy time.
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
    shares: dict[str, float]
    warnings: tuple[str, ...]


def annotate(
    source: str | Path,
    folder: Path,
    model: Model,
    options: DetectOptions | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Detect objects in one video and write the results into `folder`.

    Args:
        source: a video file or a folder of pictures.
        folder: made if missing; files appear there when they are complete.
        model: from `load_model`.
        options: what to do.
        progress: called after each frame.

    Raises:
        InputError: the source cannot be read.
        ConfigError: a setting is not valid.
        OutputError: the results cannot be written, or are there and may not be replaced.
    """
    options = options or DetectOptions()
    keep = label_ids(options.classes, model.detector.classes)
    clock = StageClock()
    config = PRESETS[options.preset] if options.memory else None
    online = OnlineDetector(model, config, score=options.score, keep=keep, clock=clock)
    part = {name: getattr(options, name) for name in ("start", "end", "stride", "max_frames")}
    with open_video(source, **part) as reader:
        outputs = _Outputs(folder, options, reader.info, model)
        with outputs:
            frames = prefetch(_decode(reader, clock), QUEUE_DEPTH)
            for image, detections in prefetch(_infer(frames, online), QUEUE_DEPTH):
                outputs.write(image, detections, clock)
                if progress is not None:
                    progress(detections, reader.info)
        return outputs.summary(clock, reader.warnings)


def label_ids(names: tuple[str, ...], known: tuple[str, ...]) -> frozenset[int] | None:
    """Label ids of class names, None for no names.

    Raises:
        ConfigError: the model has no such class; the nearest is suggested.
    """
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.4)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"the model has no class {name!r}{hint}")
    return frozenset(known.index(name) for name in names) if names else None


_Decoded = tuple[Image, int, int | None, float]


def _decode(reader: FrameReader, clock: StageClock) -> Generator[_Decoded, None, None]:
    frames = iter(reader)
    while True:
        with clock.stage("decode"):
            frame = next(frames, None)
        if frame is None:
            return
        yield frame.image, frame.index, frame.pts, frame.time


def _infer(
    frames: Generator[_Decoded, None, None], online: OnlineDetector
) -> Generator[tuple[Image, FrameDetections], None, None]:
    for image, index, pts, time in frames:
        yield image, online.update(image, frame=index, pts=pts, time=time)


class _Outputs(ExitStack):
    """Everything that is written for one video, opened and completed together."""

    def __init__(self, folder: Path, options: DetectOptions, info: VideoInfo, model: Model) -> None:
        super().__init__()
        self._folder, self._options, self._info, self._model = folder, options, info, model
        self._files = [folder / FILE_NAMES[name] for name in options.formats]
        self._table = TrackletTable()
        self._frames = self._rows = self._without_track = 0
        self._overlay = Overlay(trails=options.trails)
        if options.video:
            self._files.insert(0, folder / ANNOTATED)
        self._check_free()

    def _check_free(self) -> None:
        there = [path.name for path in self._files if path.exists()]
        if there and not self._options.overwrite:
            raise OutputError(f"{self._folder} already has {there[0]}; --overwrite replaces it")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {self._folder}: {error.strerror}") from error

    def __enter__(self) -> "_Outputs":
        super().__enter__()
        facts = _facts(self._info, self._options, self._model)
        self._writers: list[ResultWriter] = [
            self.enter_context(OPENERS[name](self._folder / FILE_NAMES[name], facts))
            for name in self._options.formats
        ]
        target = self._folder / ANNOTATED if self._options.video else None
        rate = self._info.frame_rate / self._options.stride
        self._video = self.enter_context(
            VideoWriter(target, frame_rate=Fraction(rate), time_base=self._info.time_base)
        )
        return self

    def write(self, image: Image, detections: FrameDetections, clock: StageClock) -> None:
        """Draw, encode and write one frame."""
        with clock.stage("write"):
            for writer in self._writers:
                writer.write(detections)
        self._frames += 1
        self._rows += len(detections)
        self._without_track += int((detections.track_ids < 0).sum())
        self._table.add(detections)
        if not self._options.video:
            return
        with clock.stage("draw"):
            image = self._overlay.draw(
                image,
                detections.boxes,
                detections.labels,
                detections.scores,
                detections.track_ids,
            )
        with clock.stage("encode"):
            self._video.write(image, detections.time)

    def summary(self, clock: StageClock, warnings: list[str]) -> Summary:
        """What was written; to be asked for when all is complete."""
        return Summary(
            folder=self._folder,
            files=tuple(self._files),
            info=self._info,
            frames=self._frames,
            rows=self._rows,
            rows_without_track=self._without_track,
            tracklets=tuple(self._table.tracklets()),
            classes=self._model.detector.classes,
            shares=clock.shares(),
            warnings=(*warnings, *self._video.warnings),
        )


def _facts(info: VideoInfo, options: DetectOptions, model: Model) -> VideoFacts:
    video: dict[str, Any] = {
        "path": info.path,
        "width": info.width,
        "height": info.height,
        "frame_rate": str(info.frame_rate),
        "time_base": str(info.time_base),
        "duration": info.duration,
        "rotation": info.rotation,
        "codec": info.codec,
    }
    settings = {
        name: value
        for name, value in asdict(options).items()
        if name not in {"formats", "video", "trails", "overwrite", "device", "model"}
    }
    return VideoFacts(video, model.name, settings, model.detector.classes)
