"""What a run has made, as its caller is told."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minet_core.results import FrameDetections, Tracklet
from minet_core.runs.outputs import Outputs
from minet_core.runs.spool import Spool
from minet_core.video import VideoInfo

Progress = Callable[[FrameDetections, VideoInfo], None]
"""Told after each frame what was found in it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run made.

    Attributes:
        folder: where the files are.
        files: the files, the annotated video first.
        info: the source.
        frames: frames looked at.
        frames_before: those of them that an earlier run had done.
        rows: detections reported.
        rows_without_track: those that belong to no tracklet.
        rows_interpolated: those that were not detected, but fill a gap.
        tracklets: all tracklets, by id.
        classes: class names, by label id.
        seconds: how long it took.
        shares: stage → share of busy time, in the order of the work.
        warnings: what went wrong without stopping the run, a line each.
        address: of the folder in a bucket that the files have gone to, if they have.
    """

    folder: Path
    files: tuple[Path, ...]
    info: VideoInfo
    frames: int
    frames_before: int
    rows: int
    rows_without_track: int
    rows_interpolated: int
    tracklets: tuple[Tracklet, ...]
    classes: tuple[str, ...]
    seconds: float
    shares: dict[str, float]
    warnings: tuple[str, ...]
    address: str | None = None

    @property
    def tracklets_by_class(self) -> dict[str, int]:
        """Class name → how many tracklets, the most frequent first."""
        counts = Counter(self.classes[tracklet.label_id] for tracklet in self.tracklets)
        return dict(counts.most_common())

    @property
    def frames_per_second(self) -> float:
        """Frames looked at in a second of the run."""
        return (self.frames - self.frames_before) / self.seconds


def summary_of(
    folder: Path, names: tuple[str, ...], outputs: Outputs | Spool, **facts: Any
) -> Summary:
    """What a run made, as its outputs have counted it.

    Args:
        folder: of the results.
        names: of all files.
        outputs: that were written.
        **facts: the other attributes of a `Summary`.
    """
    totals = outputs.totals
    return Summary(
        folder=folder,
        files=tuple(folder / name for name in names),
        frames=totals.frames,
        rows=totals.rows,
        rows_without_track=totals.rows_without_track,
        rows_interpolated=totals.rows_interpolated,
        tracklets=tuple(totals.table.tracklets()),
        **facts,
    )
