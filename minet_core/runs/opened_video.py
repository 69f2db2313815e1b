"""A video that is read, with the folder for its results: how every run begins and ends."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from minet_core.detections.of_video import picture_order, remarks, with_boxes_of
from minet_core.errors import ConfigError, InputError
from minet_core.inference.timings import StageClock
from minet_core.models.zoo import Model, model_of
from minet_core.options import DetectOptions
from minet_core.runs.asked_frames import folder_rate, part_of
from minet_core.runs.outputs import Outputs
from minet_core.runs.preflight import Standing, check, check_finished, settled
from minet_core.runs.recorder import check_unchanged
from minet_core.runs.spool import Spool
from minet_core.runs.summary import Summary, summary_of
from minet_core.runs.unfinished import clear, finish_publishing, open_unfinished, publish
from minet_core.text import shown
from minet_core.video import FrameReader, VideoInfo, open_video
from minet_core.video.opening import StrPath
from minet_core.video.reading.mark import Mark
from minet_core.video.remote.local_copies import fetched


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedVideo:
    """A source that is read, and where its results are made.

    Attributes:
        source: the video, as it was given.
        folder: where the results will be.
        place: the hidden folder in which they are made.
        asked: options as they were given.
        options: as they hold for this video.
        model: with the boxes of a file in it, if there is one.
        standing: where the run begins.
        reader: of the video, from the first frame on that is still to be looked at.
        clock: counts the time of each stage.
        started: when the run began, by `time.perf_counter`.
    """

    source: StrPath
    folder: Path
    place: Path
    asked: DetectOptions
    options: DetectOptions
    model: Model
    standing: Standing
    reader: FrameReader
    clock: StageClock
    started: float

    @property
    def info(self) -> VideoInfo:
        """What the video says of itself."""
        return self.reader.info

    def check_unchanged(self) -> None:
        """See that the source is still what it was when the run began.

        Raises:
            InputError: it has vanished or changed.
        """
        check_unchanged(self.standing.manifest)

    def publish(self, names: tuple[str, ...]) -> None:
        """Let all files appear together.

        Raises:
            OutputError: other results have come in between, or a file cannot be moved.
        """
        if not self.options.overwrite:
            check_finished(self.folder, self.standing.manifest)
        publish(self.place, replace(self.standing.manifest, files=names))

    def summary(
        self, names: tuple[str, ...], outputs: Outputs | Spool, frames: int, **facts: Any
    ) -> Summary:
        """What was made of it.

        Args:
            names: of all files.
            outputs: that were written.
            frames: looked at.
            **facts: the `classes` of the result, and `warnings` of what looked and wrote.
        """
        given = remarks(self.model, frames, self.options) + picture_order(self.info, self.options)
        lines = (*self.reader.warnings, *facts.pop("warnings"), *outputs.warnings, *given)
        return summary_of(
            self.folder,
            names,
            outputs,
            info=self.info,
            frames_before=self.standing.frames_before,
            seconds=time.perf_counter() - self.started,
            shares=self.clock.shares(),
            warnings=lines,
            **facts,
        )


@contextmanager
def opened_video(
    source: StrPath,
    folder: Path,
    model: Model | None,
    asked: DetectOptions,
    *,
    resumes: bool = True,
    mark: Mark | None = None,
) -> Iterator[OpenedVideo]:
    """Open a video and the hidden folder for its results, and hold both.

    Args:
        source: the video.
        folder: for its results.
        model: or None for the one that the options name.
        asked: the options.
        resumes: whether the run may begin where an earlier one stopped; else pictures are needed a
            second time at its end.
        mark: where reading can begin; None: at the start.

    Raises:
        MinetError: see `minet_core.annotate`.
    """
    options = settled(asked, source, folder)
    standing = check(source, folder, options, options.model if model is None else model.name)
    if not resumes and options.video and standing.manifest.of_stream:
        raise InputError(f"{shown(source)}: is read once, and drawn on at the end: --no-video")
    model = model_of(options) if model is None else model
    started = time.perf_counter()
    if options.detections is not None:
        model = with_boxes_of(Path(options.detections), model, options.classes)
    if options.batch > 1 and model.window != (0, 0):
        raise ConfigError(f"{model.name} aggregates frames, which does not go with --batch")
    with open_unfinished(folder) as place:
        finish_publishing(place)
        # Looked at again, now that no other run can come in between.
        standing = check(source, folder, options, model.name)
        if not resumes:
            standing = Standing(standing.manifest)
        clear(place, standing.checkpoint)
        again = model.window[0] * options.stride  # neighbours of the next frame
        part = part_of(options, max(0, standing.next_frame - again))
        rate = folder_rate(options)
        with (
            fetched(source, options.cache_bytes),
            open_video(
                source, folder_rate=rate, stream=options.stream, mark=mark, **part
            ) as reader,
        ):
            yield OpenedVideo(
                source=source,
                folder=folder,
                place=place,
                asked=asked,
                options=options,
                model=model,
                standing=standing,
                reader=reader,
                clock=StageClock(),
                started=started,
            )
