"""Everything that is written for one video, opened and completed together."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from minet_core.config import FORMATS, DetectOptions
from minet_core.files import complete_together
from minet_core.formats import OPENERS, ResultWriter, VideoFacts
from minet_core.inference.preflight import ANNOTATED, OUTPUT_FILES
from minet_core.inference.stages import StageClock
from minet_core.models.zoo import Model
from minet_core.results import FrameDetections, TrackletTable
from minet_core.video import Image, Overlay, VideoInfo, VideoWriter

# Settings on which no row depends, and those that the header has elsewhere.
_NOT_IN_HEADER = {"formats", "video", "trails", "overwrite", "device", "model"}


class Outputs:
    """Writes frames to all files of one video, and counts them.

    Attributes:
        table: gathers the tracklets.
        frames: looked at.
        rows: detections reported.
        rows_without_track: those that belong to no tracklet.
    """

    def __init__(
        self, writers: Sequence[ResultWriter], video: VideoWriter | None, trails: int
    ) -> None:
        self.table = TrackletTable()
        self.frames = self.rows = self.rows_without_track = 0
        self._writers = writers
        self._video = video
        self._overlay = Overlay(trails=trails)

    @property
    def warnings(self) -> list[str]:
        """What could not be written as asked, a line each."""
        return self._video.warnings if self._video else []

    def write(self, image: Image, detections: FrameDetections, clock: StageClock) -> None:
        """Draw, encode and write one frame."""
        with clock.stage("write"):
            for writer in self._writers:
                writer.write(detections)
            self.table.add(detections)
            self.frames += 1
            self.rows += len(detections)
            self.rows_without_track += len(detections) - detections.tracked
        if self._video is None:
            return
        with clock.stage("draw"):
            drawn = self._overlay.draw(
                image,
                detections.boxes,
                detections.labels,
                detections.scores,
                detections.track_ids,
            )
        with clock.stage("encode"):
            self._video.write(drawn, detections.time)


@contextmanager
def open_outputs(
    folder: Path, options: DetectOptions, info: VideoInfo, model: Model
) -> Iterator[Outputs]:
    """Files that all appear in `folder` on a clean exit, and none of them otherwise.

    Raises:
        OutputError: they cannot be written, or are there and may not be replaced.
    """
    facts = video_facts(info, options, model)
    with (
        complete_together(folder, OUTPUT_FILES, replace=options.overwrite) as place,
        ExitStack() as stack,
    ):
        writers = [
            stack.enter_context(OPENERS[name](place / FORMATS[name], facts))
            for name in options.formats
        ]
        video = _video_writer(place / ANNOTATED, options, info) if options.video else None
        if video is not None:
            stack.enter_context(video)
        yield Outputs(writers, video, options.trails)


def _video_writer(path: Path, options: DetectOptions, info: VideoInfo) -> VideoWriter:
    obstacle = _obstacle_to_sound(options, info)
    writer = VideoWriter(
        path,
        frame_rate=Fraction(info.frame_rate) / options.stride,
        time_base=info.time_base,
        audio_from=info.path if info.has_audio and obstacle is None else None,
        pixel_aspect=info.pixel_aspect,
    )
    if info.has_audio and obstacle is not None:
        writer.warnings.append(f"the sound is left out: {obstacle}")
    return writer


def _obstacle_to_sound(options: DetectOptions, info: VideoInfo) -> str | None:
    if options.stride != 1:
        return "it would play on while --stride skips pictures"
    return None if Path(info.path).is_file() else "a stream can be read only once"


def video_facts(info: VideoInfo, options: DetectOptions, model: Model) -> VideoFacts:
    """The header of the result files; docs/result-format.md explains each entry."""
    video: dict[str, Any] = {
        "path": info.path,
        "width": info.width,
        "height": info.height,
        "frame_rate": str(info.frame_rate),
        "time_base": str(info.time_base),
        "duration": info.duration,
        "rotation": info.rotation,
        "mirrored": info.mirrored,
        "pixel_aspect": str(info.pixel_aspect),
        "codec": info.codec,
    }
    settings = {
        name: value for name, value in asdict(options).items() if name not in _NOT_IN_HEADER
    }
    if not options.memory:
        settings["preset"] = None
    return VideoFacts(video, model.name, settings, model.detector.classes)
