"""The tables of a report: rows of scores, and their format."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from itertools import zip_longest

from minet_core.evaluation.bootstrap import Interval
from minet_core.evaluation.precision.motion_groups import MotionGroup
from minet_core.evaluation.report.contents import ReportData, RunScores, Sweep
from minet_core.evaluation.tracks.metrics import TrackingScores
from minet_core.evaluation.tracks.steadiness import TemporalResult

MISSING = "–"
"""Shown for a missing number."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One score of all runs.

    Attributes:
        name: of the score.
        meaning: in a few words; says which direction is better if the name does not.
        values: one per run; NaN without one.
        digits: after the point.
        scale: factor of the values: 100 for percent.
        notes: one per run, small under the value; for two runs, one more for their difference.
    """

    name: str
    meaning: str
    values: Sequence[float]
    digits: int = 1
    scale: float = 100.0
    notes: Sequence[str] = ()


def score_table(data: ReportData) -> str:
    """HTML table of all mean scores, with a row per score and a column per run.

    For two runs, one more column has the first minus the second.
    """
    names = [run.name for run in data.runs]
    body = "".join(_row(row) for row in _rows(data))
    return _table(["", *names, *(["difference"] if len(names) == 2 else [])], body)


def class_table(data: ReportData) -> str:
    """HTML table of average precision by class, with a column per run; empty without scores."""
    scored = [(run.name, run.ap) for run in data.runs if run.ap is not None]
    if not scored:
        return ""
    rows = []
    for index, entry in enumerate(scored[0][1].classes):
        aps = [100 * ap.classes[index].ap for _, ap in scored]
        said = data.covered is None or entry.name in data.covered
        note = "" if said else _small("not covered")
        cells = "".join(f"<td>{_number(value, 1)}</td>" for value in aps)
        rows.append(
            f"<tr><th>{escape(entry.name)}{note}</th>{cells}<td>{entry.truths:,}</td>"
            f"<td>{entry.true_positives:,}</td></tr>"
        )
    header = ["class", *(f"AP, {name}" for name, _ in scored), "true boxes", "found"]
    return _table(header, "".join(rows))


def sweep_table(sweep: Sweep) -> str:
    """HTML table of a score over a setting, horizontal as in the paper."""
    marks = ["*" if value == sweep.default else "" for value in sweep.values]
    values = [f"{value:g}{mark}" for value, mark in zip(sweep.values, marks, strict=True)]
    cells = "".join(f"<td>{_number(100 * score, 2)}</td>" for score in sweep.scores)
    body = f"<tr><th>{escape(sweep.metric)} (%)</th>{cells}</tr>"
    return _table([sweep.setting, *values], body)


def _rows(data: ReportData) -> Iterator[TableRow]:
    yield from _precision_rows(data)
    yield from _motion_rows(data.runs)
    if any(run.temporal for run in data.runs):
        yield from _temporal_rows([run.temporal for run in data.runs])
    if any(run.tracking for run in data.runs):
        tracking = [run.tracking.overall if run.tracking else None for run in data.runs]
        yield from _tracking_rows(tracking)


def _precision_rows(data: ReportData) -> Iterator[TableRow]:
    results = [run.ap for run in data.runs]
    protocol = next((ap.protocol.value for ap in results if ap), None)
    if protocol is None:
        return
    means = [ap.mean if ap else math.nan for ap in results]
    yield TableRow(f"mAP ({protocol})", "mean average precision, %", means)
    if data.covered is not None:
        covered = [ap.mean_over(data.covered) if ap else math.nan for ap in results]
        yield TableRow("mAP, covered classes", "over the classes the model knows, %", covered)


def _motion_rows(runs: Sequence[RunScores]) -> Iterator[TableRow]:
    if not any(run.motion for run in runs):
        return
    meanings = {
        MotionGroup.SLOW: "motion IoU above 0.9, %",
        MotionGroup.MEDIUM: "motion IoU 0.7 to 0.9, %",
        MotionGroup.FAST: "motion IoU below 0.7, %",
    }
    for group in MotionGroup:
        means = [run.motion[group].mean if run.motion else math.nan for run in runs]
        yield TableRow(f"mAP, {group.value}", meanings[group], means)


def _temporal_rows(results: Sequence[TemporalResult | None]) -> Iterator[TableRow]:
    def each(value: Callable[[TemporalResult], float]) -> list[float]:
        return [math.nan if result is None else value(result) for result in results]

    shown = next(result.shown for result in results if result)
    yield TableRow(
        "score jitter",
        "mean change from frame to frame, with its 95% interval over tracks; lower is better",
        each(lambda result: result.jitter),
        digits=3,
        scale=1,
        notes=_jitter_notes(results),
    )
    for share in (0.5, 0.8):
        meaning = f"true tracks covered in {share:.0%} of their boxes, score {shown:g} or more, %"
        yield TableRow(f"track recall, {share:.0%}", meaning, each(partial(_recall, share)))
    fragmentations = each(lambda result: result.fragmentations)
    meaning = "times a true track was lost and found again; lower is better"
    yield TableRow("fragmentations", meaning, fragmentations, digits=0, scale=1)


def _recall(share: float, result: TemporalResult) -> float:
    return result.recall(share)


def _tracking_rows(results: Sequence[TrackingScores | None]) -> Iterator[TableRow]:
    def each(name: str) -> list[float]:
        return [math.nan if result is None else getattr(result, name) for result in results]

    yield TableRow("HOTA", "detection and association in balance, %", each("hota"))
    yield TableRow("DetA", "its detection part, %", each("det_a"))
    yield TableRow("AssA", "its association part, %", each("ass_a"))
    yield TableRow("IDF1", "boxes rightly named, %", each("idf1"))
    yield TableRow(
        "MOTA", "1 minus the share of misses, false positives and switches, %", each("mota")
    )
    meaning = "times a true track changed its name; lower is better"
    yield TableRow("id switches", meaning, each("id_switches"), digits=0, scale=1)


def _jitter_notes(results: Sequence[TemporalResult | None]) -> list[str]:
    notes = [_range(result.jitter_interval()) if result else "" for result in results]
    if len(results) == 2 and results[0] and results[1]:
        notes.append(_range(results[0].jitter_difference(results[1])))
    return notes


def _range(interval: Interval) -> str:
    if math.isnan(interval.low):
        return ""
    return f"{interval.low:.3f} to {interval.high:.3f}".replace("-", "−")


def _row(row: TableRow) -> str:
    values = [row.scale * value for value in row.values]
    texts = [_number(value, row.digits) for value in values]
    if len(values) == 2:
        texts.append(_signed(values[0] - values[1], row.digits))
    notes = zip_longest(texts, row.notes, fillvalue="")
    cells = "".join(f"<td>{text}{_small(note)}</td>" for text, note in notes)
    return f"<tr><th>{escape(row.name)}{_small(row.meaning)}</th>{cells}</tr>"


def _small(text: str) -> str:
    return f"<small>{escape(text)}</small>" if text else ""


def _table(header: Sequence[str], body: str) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    return (
        f'<div class="table"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>\n"
    )


def _number(value: float, digits: int) -> str:
    return MISSING if math.isnan(value) else f"{value:,.{digits}f}"


def _signed(value: float, digits: int) -> str:
    if math.isnan(value):
        return MISSING
    text = f"{value:+,.{digits}f}"
    # Neither "-0.0" nor "+0.0", and a true minus sign.
    return text[1:] if float(text.replace(",", "")) == 0 else text.replace("-", "−")
