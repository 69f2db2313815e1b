"""Progress of parallel videos: a line for each and one for all."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import TaskID

from minet_cli.showing import progress
from minet_core.text import shown

if TYPE_CHECKING:
    from minet_core.batch.one_video import Position
    from minet_core.batch.planning import Job, Size


class Display(Protocol):
    """Shows parallel videos."""

    def began(self, job: "Job") -> None:
        """A video begins."""

    def told(self, job: "Job", position: "Position") -> None:
        """A video has reached this position."""

    def ended(self, job: "Job") -> None:
        """A video has ended, with or without an error."""


class Whole:
    """Progress of all videos of a run, in frames.

    Args:
        entries: the videos with their sizes.

    Attributes:
        videos: number of videos.
        ended: number of ended videos.
        done: frames of all, including earlier runs.
        done_now: frames of this run.
        running: folder → name and progress of a running video.
    """

    def __init__(self, entries: "Iterable[tuple[Job, Size]]" = ()) -> None:
        self._frames: dict[Path, tuple[int, int | None]] = {}
        self._sum = self._unknown = 0
        self.ended = self.done = self.done_now = 0
        self.running: dict[Path, str] = {}
        for job, size in entries:
            self.add(job, size.frames)

    def add(self, job: "Job", expected: int | None = None) -> None:
        """Add a video, unless it is known already."""
        if job.folder not in self._frames:
            self._frames[job.folder] = (0, 0)
            self._set(job.folder, job.frames_before, expected)
            self.done_now -= job.frames_before

    def _set(self, folder: Path, done: int, expected: int | None) -> None:
        """Set the progress of a video; sums are kept, because there may be many thousands."""
        old, old_expected = self._frames[folder]
        self._frames[folder] = done, expected
        self.done += done - old
        self.done_now += done - old
        self._sum += (expected or 0) - (old_expected or 0)
        self._unknown += (expected is None) - (old_expected is None)

    @property
    def videos(self) -> int:
        """Number of videos."""
        return len(self._frames)

    @property
    def expected(self) -> int | None:
        """Approximate number of frames; None while a video's number is unknown."""
        return None if self._unknown else self._sum

    def began(self, job: "Job") -> None:
        """A video begins."""
        self.add(job)
        self.running[job.folder] = name_of(job)

    def told(self, job: "Job", position: "Position") -> None:
        """A video has reached this position."""
        frames, expected = position.frames, position.expected
        if expected is None:
            self.running[job.folder] = f"{name_of(job)} {frames} frames"
        else:
            expected = max(expected, frames)
            self.running[job.folder] = f"{name_of(job)} {frames / max(1, expected):.0%}"
        self._set(job.folder, frames, expected)

    def ended_one(self, job: "Job") -> None:
        """A video has ended, without further frames."""
        done, _ = self._frames[job.folder]
        self._set(job.folder, done, done)
        self.running.pop(job.folder, None)
        self.ended += 1

    @property
    def counted(self) -> str:
        """`3 of 12 videos`."""
        return f"{self.ended} of {self.videos} video{'s' if self.videos != 1 else ''}"


class ManyLines:
    """A line for each tenth of all, or every half minute; never two in two seconds.

    Args:
        echo: shows a line.
        entries: the videos with their sizes.
        clock: seconds.
    """

    def __init__(
        self,
        echo: Callable[[str], None],
        entries: "Iterable[tuple[Job, Size]]" = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._echo, self._clock = echo, clock
        self._whole = Whole(entries)
        self._started = self._shown_at = clock()
        self._shown = self._whole.done

    def began(self, job: "Job") -> None:
        """A video begins."""
        self._whole.began(job)

    def told(self, job: "Job", position: "Position") -> None:
        """A video has reached this position."""
        whole = self._whole
        whole.told(job, position)
        waited, total = self._clock() - self._shown_at, whole.expected
        tenth = total is not None and whole.done - self._shown >= total / 10
        if waited < progress.LEAST_SECONDS or not (tenth or waited >= progress.MOST_SECONDS):
            return
        self._shown, self._shown_at = whole.done, self._clock()
        self._echo(f"{self._state(total)}; {', '.join(whole.running.values())}")

    def ended(self, job: "Job") -> None:
        """A video has ended."""
        self._whole.ended_one(job)

    def _state(self, total: int | None) -> str:
        whole = self._whole
        pace = (self._clock() - self._started) / max(1, whole.done_now)
        if total is None:
            return f"{whole.counted}, {whole.done} frames, {1 / pace:.1f} fps"
        left = max(0, total - whole.done) * pace
        frames = f"{whole.done} of {total} frames"
        return f"{whole.counted}, {frames}, {1 / pace:.1f} fps, {left:.0f} s left"


class ManyBars:
    """A bar for all with the time left, and below it one for each running video.

    Args:
        bars: the display.
        entries: the videos with their sizes.
    """

    def __init__(self, bars: Bars, entries: "Iterable[tuple[Job, Size]]" = ()) -> None:
        self._bars, self._whole = bars, Whole(entries)
        whole = self._whole
        self._all = bars.add_task(
            whole.counted, total=whole.expected, completed=whole.done, live=None
        )
        self._tasks: dict[Path, TaskID] = {}

    def began(self, job: "Job") -> None:
        """A video begins."""
        self._whole.began(job)
        if job.folder not in self._tasks:  # it is, if a video is tried again
            self._tasks[job.folder] = self._bars.add_task(name_of(job), total=None, live=0)
        self._bars.update(self._tasks[job.folder], completed=job.frames_before)
        self._show_all()

    def told(self, job: "Job", position: "Position") -> None:
        """A video has reached this position."""
        self._whole.told(job, position)
        self._bars.update(
            self._tasks[job.folder],
            completed=position.frames,
            total=position.expected,
            live=position.live,
        )
        self._show_all()

    def ended(self, job: "Job") -> None:
        """A video has ended."""
        self._whole.ended_one(job)
        self._bars.remove_task(self._tasks.pop(job.folder))
        self._show_all()

    def _show_all(self) -> None:
        whole = self._whole
        self._bars.update(
            self._all, description=whole.counted, total=whole.expected, completed=whole.done
        )


@contextmanager
def many_bars(console: Console, entries: "Iterable[tuple[Job, Size]]" = ()) -> Iterator[ManyBars]:
    """Bars that are redrawn in place, and removed at the end; other lines appear above them."""
    bars = progress.display(console)
    with bars:
        yield ManyBars(bars, entries)


def name_of(job: "Job") -> str:
    """The name of a video beside its bar."""
    return shown(Path(job.source).name or job.source)
