"""Progress of a video: a bar on a terminal, otherwise a line now and then."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Display
from rich.table import Column
from rich.text import Text

from minet_core.options import DetectOptions
from minet_core.runs.asked_frames import expected_frames

if TYPE_CHECKING:
    from minet_core.results import FrameDetections
    from minet_core.runs.summary import Progress
    from minet_core.video import VideoInfo

LEAST_SECONDS = 2.0
MOST_SECONDS = 30.0


class FramesColumn(ProgressColumn):
    """`123/250 17.1 fps 5 live`; without the last for several videos."""

    def render(self, task: Task) -> Text:
        """The text of the current state."""
        total = f"/{task.total:.0f}" if task.total else ""
        speed = f"{task.speed:.1f}" if task.speed else "–"
        live = task.fields["live"]
        text = f"{task.completed:.0f}{total} {speed} fps"
        return Text(text if live is None else f"{text} {live} live")


def display(console: Console) -> Display:
    """Lines that are redrawn in place, and removed at the end."""
    return Display(
        TextColumn(
            "{task.description}",
            markup=False,
            table_column=Column(max_width=20, no_wrap=True, overflow="ellipsis"),
        ),
        BarColumn(bar_width=None),
        FramesColumn(table_column=Column(no_wrap=True)),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        expand=True,
        # What goes into a file must not end on the terminal.
        redirect_stdout=sys.stdout.isatty(),
    )


@contextmanager
def bar(console: Console, name: str, options: DetectOptions, done: int = 0) -> "Iterator[Progress]":
    """A line that is redrawn in place, and removed at the end; `done` frames were done before."""
    bars = display(console)
    with bars:
        task = bars.add_task(name, total=None, completed=done, live=0)

        def show(detections: "FrameDetections", info: "VideoInfo") -> None:
            total = expected_frames(info, options)
            bars.update(task, total=total, advance=1, live=detections.tracked)

        yield show


class Lines:
    """A line for each tenth of the video, or every half minute; never two in two seconds.

    Args:
        echo: shows a line.
        name: of the video.
        options: give the expected number of frames.
        clock: seconds.
        done: number of frames of an earlier run.
    """

    def __init__(
        self,
        echo: Callable[[str], None],
        name: str,
        options: DetectOptions,
        clock: Callable[[], float] = time.monotonic,
        done: int = 0,
    ) -> None:
        self._echo, self._name, self._options, self._clock = echo, name, options, clock
        self._started = self._shown_at = clock()
        self._frames = self._shown = self._done = done

    def __call__(self, detections: "FrameDetections", info: "VideoInfo") -> None:
        """Show one more finished frame."""
        self._frames += 1
        total = expected_frames(info, self._options)
        waited = self._clock() - self._shown_at
        tenth = total is not None and self._frames - self._shown >= total / 10
        if waited < LEAST_SECONDS or not (tenth or waited >= MOST_SECONDS):
            return
        self._shown, self._shown_at = self._frames, self._clock()
        self._echo(f"{self._name}: {self._state(total)}, {detections.tracked} live")

    def _state(self, total: int | None) -> str:
        pace = (self._clock() - self._started) / (self._frames - self._done)
        speed = f"{1 / pace:.1f} fps"
        if total is None:
            return f"{self._frames} frames, {speed}"
        left = max(0, total - self._frames) * pace
        return f"{self._frames} of {total} frames, {speed}, {left:.0f} s left"
