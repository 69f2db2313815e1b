"""Everything that is written for one video, in a hidden folder until all of it is complete."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from minet_core.files import BytesFile, TextFile, one_line
from minet_core.formats import WRITERS, ResultWriter, VideoFacts
from minet_core.formats.minet.score_vectors import ScoreVectorWriter
from minet_core.formats.mot.result_text import write_pictures
from minet_core.inference.timings import StageClock
from minet_core.models.zoo import Model
from minet_core.options import FORMATS, MOT_PICTURES, SCORE_VECTORS, DetectOptions, RowOptions
from minet_core.results import FrameDetections, Totals
from minet_core.runs.manifest import ANNOTATED
from minet_core.runs.unfinished import Checkpoint
from minet_core.video import Image, Overlay, VideoInfo
from minet_core.video.opening import copy_of
from minet_core.video.placement import letterboxed, placed_in
from minet_core.video.writing.pieces import PieceWriter

BORDER = 100
"""Frames from one place where a run can go on to the next.

It is a number of frames, not of seconds: the annotated video is encoded from border to border, and
its pixels may not depend on how fast the machine was. Measured on 320×240 and 1920×1080 pictures,
beginning a piece every 100 frames makes the video at most 3 % larger.
"""


def is_border(frames: int) -> bool:
    """Whether a run can go on after so many frames."""
    return frames % BORDER == 0


class Outputs:
    """Writes frames to all files of one video, and counts them.

    Attributes:
        totals: of the frames written.
        names: of the files that there will be.
        warnings: what could not be written as asked, a line each.
    """

    def __init__(
        self,
        place: Path,
        files: Mapping[str, TextFile | BytesFile],
        writers: list[ResultWriter],
        video: PieceWriter | None,
        overlay: Overlay,
        audio_from: str | None,
        size: tuple[int, int],
        stream: int | None,
    ) -> None:
        self.totals = Totals()
        self._place = place
        self._files = files
        self._writers = writers
        self._video = video
        self._overlay = overlay
        self._audio_from = audio_from
        self._size = size
        self._stream = stream

    @property
    def names(self) -> tuple[str, ...]:
        """The files that there will be."""
        return (*((ANNOTATED,) if self._video else ()), *self._files)

    @property
    def warnings(self) -> list[str]:
        """What could not be written as asked, a line each."""
        return self._video.warnings if self._video else []

    def write(self, image: Image, detections: FrameDetections, clock: StageClock) -> None:
        """Draw, encode and write one frame.

        One of another size than the video's has its boxes in its own pixels in every file, and
        bars in the annotated video.

        Raises:
            OutputError: it cannot be written.
        """
        size = image.shape[1], image.shape[0]
        place, boxes = placed_in(size, self._size), detections.boxes
        if place is not None:
            self.totals.sizes[detections.frame] = size
        with clock.stage("write"):
            for writer in self._writers:
                writer.write(detections)
            self.totals.add(detections)
        if self._video is None:
            return
        with clock.stage("draw"):
            if place is not None:
                image, boxes = letterboxed(image, self._size), place.inside(boxes)
            drawn = self._overlay.draw(
                image,
                boxes,
                detections.labels,
                detections.scores,
                detections.track_ids,
                detections.interpolated,
            )
        with clock.stage("encode"):
            self._video.write(drawn, detections.time)
            if is_border(self.totals.frames):
                self._video.cut()

    def save(self) -> tuple[dict[str, Any], dict[str, int]]:
        """At a border: what `begin` needs to go on, and the bytes of each file that belongs to it.

        Raises:
            OutputError: something cannot be brought to the disk.
        """
        lengths = {name: file.sync() for name, file in self._files.items()}
        with one_line(self._place):
            for piece in self._video.paths if self._video else ():
                lengths[piece.relative_to(self._place).as_posix()] = piece.stat().st_size
        starts = self._video.starts if self._video else []
        state = {"totals": self.totals.save(), "starts": starts, "overlay": self._overlay.save()}
        return state, lengths

    def begin(self, checkpoint: Checkpoint | None) -> None:
        """Begin all files, or go on in those of a checkpoint.

        Raises:
            OutputError: they cannot be written.
        """
        if checkpoint is None:
            for writer in self._writers:
                writer.begin()
            return
        self.totals.restore(checkpoint.outputs["totals"])
        self._overlay.restore(checkpoint.outputs["overlay"])
        for writer in self._writers:
            writer.resume(self.totals)

    def complete(self, clock: StageClock, end: float | None) -> None:
        """Bring every file to its end.

        Args:
            clock: of the run.
            end: seconds at which the last frame of the source ends; None where it was not reached.

        Raises:
            OutputError: one cannot be written.
        """
        self.totals.end = end
        with clock.stage("write"):
            for writer in self._writers:
                writer.end(self.totals)
            for file in self._files.values():
                file.complete()
        if self._video is not None:
            with clock.stage("encode"):
                self._video.cut()
                path = self._place / ANNOTATED
                self._video.join(path, self._audio_from, end, self._stream)


@contextmanager
def open_outputs(
    place: Path,
    options: DetectOptions,
    info: VideoInfo,
    model: Model,
    checkpoint: Checkpoint | None,
    scenes: tuple[int, ...] = (),
) -> Iterator[Outputs]:
    """Files in `place`, closed whatever happens; `Outputs.complete` brings them to their end.

    Args:
        place: the hidden folder.
        options: of the run.
        info: of the source.
        model: of the run.
        checkpoint: to go on from.
        scenes: first frames of those that were looked at apart.

    Raises:
        OutputError: they cannot be opened.
    """
    facts = video_facts(info, options, model, scenes)
    lengths = {} if checkpoint is None else checkpoint.lengths
    with ExitStack() as stack:
        files: dict[str, TextFile | BytesFile] = {}
        writers: list[ResultWriter] = []
        for name in options.result_formats:
            text = TextFile(place / FORMATS[name], keep=lengths.get(FORMATS[name]))
            files[FORMATS[name]] = stack.enter_context(closing(text))
            writers.append(WRITERS[name](text, facts))
        if info.pictures and "mot" in options.result_formats:
            listed = TextFile(place / MOT_PICTURES, keep=lengths.get(MOT_PICTURES))
            files[MOT_PICTURES] = stack.enter_context(closing(listed))
            if MOT_PICTURES not in lengths:
                write_pictures(listed, enumerate(info.pictures))
        if options.score_vectors:
            vectors = BytesFile(place / SCORE_VECTORS, keep=lengths.get(SCORE_VECTORS))
            files[SCORE_VECTORS] = stack.enter_context(closing(vectors))
            writers.append(ScoreVectorWriter(vectors))
        video = _pieces(place, options, info, checkpoint) if options.video else None
        if video is not None:
            stack.enter_context(video)
        overlay = Overlay(trails=options.trails)
        sound, size = _sound(info, options, video), (info.width, info.height)
        outputs = Outputs(place, files, writers, video, overlay, sound, size, info.stream)
        outputs.begin(checkpoint)
        yield outputs


def _sound(info: VideoInfo, options: DetectOptions, video: PieceWriter | None) -> str | None:
    """The file whose sound goes into the annotated video; a line where it has to be left out."""
    if video is None or not info.has_audio:
        return None
    if options.stride > 1:
        video.warnings.append(
            "the sound is left out: it would play on while --stride skips pictures"
        )
    elif not Path(copy_of(info.path)).is_file():
        video.warnings.append("the sound is left out: a stream can be read only once")
    else:
        return info.path
    return None


def _pieces(
    place: Path, options: DetectOptions, info: VideoInfo, checkpoint: Checkpoint | None
) -> PieceWriter:
    return PieceWriter(
        place / "pieces",
        () if checkpoint is None else checkpoint.outputs["starts"],
        frame_rate=Fraction(info.frame_rate) / options.stride,
        time_base=info.time_base,
        pixel_aspect=info.pixel_aspect,
    )


def video_facts(
    info: VideoInfo, options: DetectOptions, model: Model, scenes: tuple[int, ...] = ()
) -> VideoFacts:
    """The header of the result files; docs/result-format.md explains each entry."""
    video: dict[str, Any] = {
        "path": info.path,
        "width": info.width,
        "height": info.height,
        "frame_rate": str(info.frame_rate),
        "time_base": str(info.time_base),
        "duration": info.duration,
        "start_time": info.start_time,
        "delay": info.delay,
        "stream": info.stream,
        "rotation": info.rotation,
        "mirrored": info.mirrored,
        "pixel_aspect": str(info.pixel_aspect),
        "codec": info.codec,
    }
    if info.pictures:
        video["pictures"] = info.pictures
    settings = options.part(RowOptions)
    if not options.memory:
        settings["preset"] = None
    beside = SCORE_VECTORS if options.score_vectors else None
    apart = scenes if len(scenes) > 1 else ()
    return VideoFacts(video, model.name, settings, model.classes, beside, apart)
