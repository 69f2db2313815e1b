"""Output of an evaluation: progress on stderr, tables on stdout."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from minet_core.text import shown

if TYPE_CHECKING:
    from minet_core.datasets import Dataset
    from minet_core.evaluation.evaluate import EvalResult
    from minet_core.evaluation.predictions.predict import Progress


Titled = tuple[str, Table]
WIDTH = 80
MOST_VARIANTS = 5
"""Maximum columns of average precision beside a class name."""


class EvalReporter:
    """Shows one evaluation.

    Args:
        quiet: whether to show errors only.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._out = Console(highlight=False, quiet=quiet, width=WIDTH)
        self._err = Console(highlight=False, stderr=True)

    @contextmanager
    def progress(self, dataset: "Dataset") -> "Iterator[Progress | None]":
        """A callback after each frame: a bar on a terminal, else a line per video."""
        if self._quiet:
            yield None
        elif self._err.is_terminal and not self._err.is_dumb_terminal:
            with _bar(self._err, dataset) as advance:
                yield advance
        else:
            yield _lines(dataset)

    def show(self, result: "EvalResult", files: list[Path]) -> None:
        """Show scores, remarks, and files."""
        counts = f"{result.videos} videos, {result.frames} frames scored"
        self._out.print(Text(f"{shown(result.dataset.name)}: {counts}", "bold"))
        for title, table in _tables(result):
            self._out.print(Text(f"\n{title}", "italic"))
            self._out.print(table)
        for line in _remarks(result):
            self._out.print(Text(fill(line, WIDTH, subsequent_indent="  ")))
        for line in result.warnings:
            self._out.print(Text(f"warning: {line}", "yellow"), soft_wrap=True)
        for file in files:
            self._out.print(Text(shown(file)), soft_wrap=True)


@contextmanager
def _bar(console: Console, dataset: "Dataset") -> "Iterator[Progress]":
    from rich.progress import Progress as Bar

    with Bar(console=console, transient=True) as bar:
        task = bar.add_task("frames", total=sum(map(len, dataset.videos)))
        done: dict[str, int] = {}

        def advance(video: str, frames: int) -> None:
            done[video] = frames
            bar.update(task, completed=sum(done.values()), description=shown(video))

        yield advance


def _lines(dataset: "Dataset") -> Callable[[str, int], None]:
    lengths = {video.name: len(video) for video in dataset.videos}

    def advance(video: str, frames: int) -> None:
        if frames == lengths[video]:
            click.echo(f"{shown(video)}: {frames} frames", err=True)

    return advance


def _tables(result: "EvalResult") -> Iterator[Titled]:
    if result.is_paper:
        yield _paper(result)
    yield _precision(result)
    yield _temporal(result)
    if result.options.motion:
        yield _motion(result)
    if result.options.tracking:
        yield _tracking(result)
    if len(result.dataset.classes) > 1 and len(result.variants) <= MOST_VARIANTS:
        yield _by_class(result)


def _precision(result: "EvalResult") -> Titled:
    rule = str(result.options.protocol)
    if result.cut is not None:
        rule += f"; cut at a score of {result.cut:g}, so too low"
    table = _table("covered classes", "all classes")
    for name, scores in result.variants.items():
        _row(table, name, _percent(scores.ap.mean_over(result.covered)), _percent(scores.ap.mean))
    return f"Mean average precision at 50 % ({rule})", table


def _paper(result: "EvalResult") -> Titled:
    from minet_core.evaluation.paper import beside

    table = _table("row", "mAP here", "in the paper")
    before = ""
    for row, mean in beside(result.variants):
        ours = "–" if math.isnan(mean) else f"{100 * mean:.2f}"
        theirs = "–" if row.paper is None else f"{row.paper:.2f}"
        _row(table, row.table if row.table != before else "", row.row, ours, theirs)
        before = row.table
    title = "Tables of the paper, all classes; its figures are of ImageNet VID"
    return f"{title} ({result.options.protocol})", table


def _temporal(result: "EvalResult") -> Titled:
    table = _table("score jitter, 95 %", "tracks 50 %", "tracks 80 %", "breaks")
    for name, scores in result.variants.items():
        temporal = scores.temporal
        interval = temporal.jitter_interval()
        jitter = f"{_decimal(temporal.jitter)} {_decimal(interval.low)}…{_decimal(interval.high)}"
        recalls = (_percent(temporal.recall(share)) for share in (0.5, 0.8))
        _row(table, name, jitter, *recalls, str(temporal.fragmentations))
    shown_from = f"shown from a score of {result.options.score:g}"
    return f"Along true tracks (voc50 matching; {shown_from})", table


def _motion(result: "EvalResult") -> Titled:
    rule = f"{result.options.protocol}, rule of {result.options.motion_rule}"
    table = _table("slow", "medium", "fast")
    for name, scores in result.variants.items():
        _row(table, name, *(_percent(ap.mean) for ap in (scores.motion or {}).values()))
    return f"Mean average precision by speed, all classes ({rule})", table


def _tracking(result: "EvalResult") -> Titled:
    table = _table("HOTA", "DetA", "AssA", "MOTA", "IDF1", "switches")
    for name, scores in result.variants.items():
        if scores.tracking is None:
            _row(table, name, *["no ids", "", "", "", "", ""])
            continue
        of = scores.tracking.overall
        shares = (of.hota, of.det_a, of.ass_a, of.mota, of.idf1)
        _row(table, name, *map(_percent, shares), str(of.id_switches))
    shown_from = f"score from {result.options.score:g}"
    online = any(scores.memory for scores in result.variants.values())
    ids = "ids as known at once, not linked; " if online else ""
    return f"Tracking (TrackEval; {ids}{shown_from}; all classes together)", table


def _by_class(result: "EvalResult") -> Titled:
    table = _table("boxes", *(shown(name) for name in result.variants))
    runs = [scores.ap.classes for scores in result.variants.values()]
    for entries in zip(*runs, strict=True):
        if entries[0].truths:
            _row(table, entries[0].name, str(entries[0].truths), *(_percent(e.ap) for e in entries))
    return f"Average precision by class ({result.options.protocol})", table


def _remarks(result: "EvalResult") -> Iterator[str]:
    from minet_core.evaluation.report.metrics_file import jitter_differences, map_differences

    for name, reference, difference, interval in map_differences(result):
        if not math.isnan(interval.low):
            low, high = f"{100 * interval.low:+.1f}", f"{100 * interval.high:+.1f}"
            yield (
                f"mAP {name} minus {reference}: {100 * difference:+.1f}, "
                f"{low} to {high} (95 %, over videos)"
            )
    differences = () if result.is_paper else jitter_differences(result)
    for name, reference, interval in differences:
        if not math.isnan(interval.low):
            low, high = f"{interval.low:+.4f}", f"{interval.high:+.4f}"
            yield f"jitter {name} minus {reference}: {low} to {high} (95 %, over true tracks)"
    offline = [name for name, is_on in asdict(result.options.offline).items() if is_on]
    if offline:
        yield f"scores are of whole videos, not online: {', '.join(offline)}"
    if result.not_covered:
        yield f"classes that are not covered: {', '.join(result.not_covered)}"


def _table(*columns: str) -> Table:
    """A table whose first column names the rows."""
    table = Table()
    for column in ("", *columns):
        table.add_column(Text(column), justify="right" if column else "left")
    return table


def _row(table: Table, name: str, *values: str) -> None:
    table.add_row(Text(shown(name)), *values)


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.1f}"


def _decimal(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4f}"
