"""Output of a run: progress on stderr, results on stdout."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from minet_cli.showing.progress import Lines, bar
from minet_cli.showing.progress_many import ManyLines, many_bars
from minet_core.options import DetectOptions
from minet_core.text import shown
from minet_core.video.opening import StrPath

if TYPE_CHECKING:
    from minet_cli.showing.progress_many import Display
    from minet_core.batch.planning import Job, Size
    from minet_core.runs.summary import Progress, Summary


class Reporter:
    """Shows videos one by one.

    Args:
        options: of the run.
        quiet: whether to show errors only.
    """

    def __init__(self, options: DetectOptions, *, quiet: bool) -> None:
        self._options = options
        self._quiet = quiet
        self._out = Console(highlight=False, quiet=quiet)
        self._err = Console(highlight=False, stderr=True)
        self._on_terminal = self._err.is_terminal and not self._err.is_dumb_terminal

    @contextmanager
    def waiting(self, reason: str) -> Iterator[None]:
        """Show a status on a terminal."""
        if self._quiet or not self._on_terminal:
            yield
            return
        with self._err.status(reason):
            yield

    def notes(self, lines: tuple[str, ...]) -> None:
        """Show notes about the model."""
        for line in () if self._quiet else lines:
            click.echo(f"note: {line}", err=True)

    @contextmanager
    def progress(self, job: "Job") -> "Iterator[Progress | None]":
        """A callback after each frame of a video."""
        name = shown(Path(job.source).name or job.source)
        if self._quiet:
            yield None
            return
        self.begins(job)
        if self._on_terminal:
            with bar(self._err, name, self._options, job.frames_before) as show:
                yield show
        else:
            yield Lines(_to_stderr, name, self._options, done=job.frames_before)

    def begins(self, job: "Job") -> None:
        """Show a note about a video before it begins."""
        if job.note and not self._quiet:
            click.echo(f"{shown(job.source)}: {job.note}", err=True)

    @contextmanager
    def many(self, entries: "Sequence[tuple[Job, Size]]" = ()) -> "Iterator[Display]":
        """A display of parallel videos."""
        if not self._quiet and self._on_terminal:
            with many_bars(self._err, entries) as bars:
                yield bars
        else:
            yield ManyLines(_to_nobody if self._quiet else _to_stderr, entries)

    def done_already(self, source: str, folder: StrPath) -> None:
        """Show that a video is skipped, because its results exist already."""
        self._line(f"{shown(source)}: done already, in {shown(folder)}")

    def summary(self, source: str, summary: "Summary") -> None:
        """Show the result of a video, and its files."""
        speed = f"{summary.seconds:.1f} s ({summary.frames_per_second:.1f} frames a second)"
        frames = f"{summary.frames} frames"
        if summary.frames_before:
            frames += f", {summary.frames_before} of them by an earlier run,"
        self._line(f"{shown(source)}: {frames} in {speed}", style="bold")
        for name, text in _facts(summary, memory=self._options.memory):
            self._line(_in_columns(name, text, self._out.width))
        for warning in summary.warnings:
            self._line(f"  warning: {warning}", style="yellow")
        for number, file in enumerate(_places(summary)):
            self._line(f"  {'' if number else 'files':10}  {shown(file)}")

    def note(self, line: str) -> None:
        """Show a line, such as what is left out of an input."""
        if not self._quiet:
            click.echo(f"minet: {line}", err=True)

    def failure(self, source: str, line: str) -> None:
        """Show at once that an input failed."""
        click.echo(f"minet: {shown(source)}: {line}", err=True)

    def failures(self, failures: list[tuple[str, str]]) -> None:
        """Show all failed inputs at the end."""
        table = Table("input", "what went wrong", title="Failed", title_justify="left")
        for source, line in failures:
            table.add_row(Text(shown(source)), Text(line))
        self._err.print(table)

    def _line(self, text: str, style: str = "") -> None:
        """Print a line without wrapping, so that paths can be copied."""
        self._out.print(Text(text, style), soft_wrap=True)


def _places(summary: "Summary") -> Sequence[StrPath]:
    """Paths or addresses of the files."""
    if summary.address is None:
        return summary.files
    return [f"{summary.address}/{file.relative_to(summary.folder)}" for file in summary.files]


def _to_stderr(line: str) -> None:
    click.echo(line, err=True)


def _to_nobody(line: str) -> None:
    """Drop the line."""


def _facts(summary: "Summary", *, memory: bool) -> Iterator[tuple[str, str]]:
    rows = f"{summary.rows}"
    if memory and summary.rows_without_track:
        rows += f", {summary.rows_without_track} of them in no tracklet (not in mot.txt)"
    if summary.rows_interpolated:
        rows += f", {summary.rows_interpolated} of them interpolated (not marked in mot.txt)"
    yield "detections", rows
    if memory:
        counts = ", ".join(f"{n} {name}" for name, n in summary.tracklets_by_class.items())
        total = len(summary.tracklets)
        yield "tracklets", f"{total} ({counts})" if total else "0"
    else:
        yield "tracklets", "none, as the memory is off (mot.txt stays empty)"
    shares = [f"{name} {share:.0%}" for name, share in summary.shares.items() if share >= 0.005]
    yield "time", ", ".join(shares)


def _in_columns(name: str, text: str, width: int) -> str:
    return fill(text, width, initial_indent=f"  {name:10}  ", subsequent_indent=14 * " ")
