"""Where a video is cut into scenes. Nothing here imports torch before a video is read."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from minet_core.options import DetectOptions
from minet_core.runs.asked_frames import folder_rate, part_of
from minet_core.runs.unfinished import SCENES, finish_publishing, open_unfinished
from minet_core.video.opening import StrPath
from minet_core.video.reading.mark import Mark


@dataclass(frozen=True, slots=True)
class VideoScene:
    """A part of a video that is looked at as if it were a video of its own.

    Attributes:
        first: index of its first frame.
        frames: how many are looked at.
        options: of its run. What an earlier run has left of it is gone on from, or replaced.
        mark: where reading can begin with its first frame; None: at the start of the video.
    """

    first: int
    frames: int
    options: DetectOptions
    mark: Mark | None

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.first:09}"

    def folder_in(self, folder: Path) -> Path:
        """Where it is kept until the result in `folder` is complete."""
        return folder / SCENES / self.name


@dataclass(frozen=True, slots=True)
class Scenes:
    """All of a video.

    Attributes:
        parts: in order; one of a video without a cut.
        warnings: what went wrong while the video was read, a line each.
    """

    parts: tuple[VideoScene, ...]
    warnings: tuple[str, ...]

    @property
    def frames(self) -> int:
        """How many are looked at."""
        return sum(scene.frames for scene in self.parts)


@dataclass(frozen=True, slots=True)
class _Begin:
    """First frame of a scene, and how many frames are looked at before."""

    index: int
    before: int
    mark: Mark | None


def begin_scenes(folder: Path, options: DetectOptions) -> None:
    """Make a video's folder ready: what an earlier run was publishing comes first.

    Raises:
        OutputError: it cannot be written to, or another process works there.
    """
    with open_unfinished(folder) as place:
        finish_publishing(place)
    if options.overwrite and not options.resume:
        shutil.rmtree(folder / SCENES, ignore_errors=True)


def find_scenes(source: StrPath, options: DetectOptions) -> Scenes:
    """Read a video once, and cut it where the memory would see a new scene.

    Args:
        source: the video, which can be read more than once.
        options: as they hold for this video, see `settled`.

    Raises:
        InputError: it cannot be read.
    """
    from minet_core.inference.cuts import CutDetector
    from minet_core.video import open_video

    cuts, begins, count = CutDetector(), list[_Begin](), 0
    rate, stream = folder_rate(options), options.stream
    with open_video(source, folder_rate=rate, stream=stream, **part_of(options)) as reader:
        for frame in reader:
            if cuts.is_cut(frame.image) or not count:
                begins.append(_Begin(frame.index, count, reader.mark(frame)))
            count += 1
    begins = begins or [_Begin(0, 0, None)]  # of pictures none of which can be decoded
    ends = [*begins[1:], None]
    parts = (
        VideoScene(
            begin.index,
            (end.before if end else count) - begin.before,
            _options_of(options, begin, end),
            begin.mark if begin.index else None,
        )
        for begin, end in zip(begins, ends, strict=True)
    )
    return Scenes(tuple(parts), tuple(reader.warnings))


def _options_of(options: DetectOptions, begin: _Begin, end: _Begin | None) -> DetectOptions:
    """Those of one scene: of its frames alone, and without anything that is written at the end."""
    most = options.max_frames
    return replace(
        options,
        start=begin.index if begin.before else options.start,
        end=options.end if end is None else end.index,
        max_frames=None if most is None or end else most - begin.before,
        split_at_cuts=False,
        formats=("json",),
        video=False,
        report=False,
        overwrite=True,
        resume=True,
    )
