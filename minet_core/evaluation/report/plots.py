"""Figures of a report, drawn by matplotlib, as SVG text.

A figure is drawn for a light page, without a background; `by_night` changes its colours for a dark
page. The same data give the same bytes.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minet_core.evaluation.calibration import Bin
from minet_core.evaluation.frames import Floats, Ints
from minet_core.evaluation.precision.curve import Curve
from minet_core.evaluation.precision.motion_groups import MotionGroup
from minet_core.evaluation.precision.result import ApResult
from minet_core.evaluation.report.contents import Sweep
from minet_core.evaluation.report.figures import (
    DAY,
    WIDTH,
    legend,
    line_style,
    new_figure,
    small_axes,
    svg_of,
)
from minet_core.evaluation.tracks.identities import IdentityConfusion
from minet_core.evaluation.tracks.score_curves import TrackScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

IDS = 50
"""Maximum predicted ids with a column in a matrix of identities; those with most boxes win."""
RUNS = 4
"""Maximum runs in a figure."""
POINTS = 200
"""Maximum points of a drawn precision-recall curve."""


def precision_recall(runs: Sequence[tuple[str, ApResult]]) -> str:
    """A small plot per class with true boxes, with the curves of all runs."""
    shown = [i for i, entry in enumerate(runs[0][1].classes) if entry.truths]
    with new_figure() as figure:
        axes = small_axes(figure, len(shown), columns=4, height=2.1)
        for place, (index, axis) in enumerate(zip(shown, axes, strict=True)):
            entries = [ap.classes[index] for _, ap in runs]
            for number, entry in enumerate(entries):
                recall, precision = _outline(entry.curve)
                axis.plot(recall, precision, **line_style(number))
            values = " / ".join(f"{100 * entry.ap:.1f}" for entry in entries)
            # More values than two would run into the next title; the table has them all.
            axis.set_title(f"{entries[0].name} {values if len(runs) < 3 else ''}", loc="left")
            axis.set(xlim=(0, 1), ylim=(0, 1.02), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
            axis.set_ylabel("precision" if place % 4 == 0 else "")
            axis.set_xlabel("recall" if place >= len(shown) - 4 else "")
        legend(figure, [name for name, _ in runs])
        return svg_of(figure)


def motion_bars(runs: Sequence[tuple[str, Mapping[MotionGroup, ApResult]]]) -> str:
    """Mean average precision of each motion group, the runs side by side."""
    width = 0.8 / len(runs)
    with new_figure() as figure:
        (axis,) = small_axes(figure, 1, columns=1, height=2.6, width=6.0)
        for number, (name, groups) in enumerate(runs):
            places = np.arange(len(MotionGroup)) + (number - (len(runs) - 1) / 2) * width
            heights = [100 * groups[group].mean for group in MotionGroup]
            colour = DAY.series[number]
            bars = axis.bar(places, np.nan_to_num(heights), width * 0.92, color=colour, label=name)
            labels = ["–" if math.isnan(h) else f"{h:.1f}" for h in heights]
            axis.bar_label(bars, labels, padding=2, color=DAY.ink)
        axis.set_xticks(range(len(MotionGroup)), [_group_name(g, runs[0][1]) for g in MotionGroup])
        axis.set(ylabel="mAP (%)", ylim=(0, 108))
        axis.grid(visible=False, axis="x")
        if len(runs) > 1:
            figure.legend(loc="outside upper left", ncols=len(runs), frameon=False)
        return svg_of(figure)


def _group_name(group: MotionGroup, results: Mapping[MotionGroup, ApResult]) -> str:
    boxes = sum(entry.truths for entry in results[group].classes)
    return f"{group.value}\n{boxes:,} true boxes"


def track_scores(tracks: Sequence[TrackScores]) -> str:
    """Score over time of true tracks, a small plot each, with a line per run."""
    names = list(dict.fromkeys(name for track in tracks for name in track.scores))[:RUNS]
    with new_figure() as figure:
        axes = small_axes(figure, len(tracks), columns=2, height=1.75)
        for place, (track, axis) in enumerate(zip(tracks, axes, strict=True)):
            for number, name in enumerate(names):
                if name in track.scores:
                    frames, values = _with_gaps(track.frames, track.scores[name])
                    axis.plot(frames, values, **line_style(number))
            axis.set_title(f"{track.label} {track.track_id} in {track.video}", loc="left")
            axis.set(ylim=(-0.02, 1.02), yticks=(0, 0.5, 1))
            axis.margins(x=0.01)
            axis.set_ylabel("score" if place % 2 == 0 else "")
            axis.set_xlabel("frame" if place >= len(tracks) - 2 else "")
        legend(figure, names)
        return svg_of(figure)


def sweep(data: Sweep) -> str:
    """A score over the values of a setting, ascending, evenly spaced; a ring marks the default."""
    order = np.argsort(data.values)
    values, scores = np.array(data.values)[order], 100 * np.array(data.scores)[order]
    places = np.arange(len(values))
    chosen = values == data.default
    with new_figure() as figure:
        (axis,) = small_axes(figure, 1, columns=1, height=2.6, width=6.0)
        axis.plot(places, scores, marker="o", **line_style(0))
        for place, score, bold in zip(places, scores, chosen, strict=True):
            weight = "bold" if bold else "normal"
            shift: dict[str, Any] = {"xytext": (0, 8), "textcoords": "offset points"}
            axis.annotate(f"{score:.2f}", (place, score), ha="center", weight=weight, **shift)
        ring: dict[str, Any] = {"s": 110, "facecolors": "none", "linewidths": 1.5, "zorder": 3}
        axis.scatter(places[chosen], scores[chosen], edgecolors=DAY.series[1], **ring)
        axis.set_xticks(places, [f"{value:g}" for value in values])
        axis.margins(x=0.06, y=0.25)
        axis.set(xlabel=data.setting, ylabel=f"{data.metric} (%)")
        return svg_of(figure)


def identities(data: IdentityConfusion) -> str:
    """True tracks (rows) against predicted ids (columns): share of the track's boxes."""
    counts, names = _identity_columns(data)
    shares = counts / counts.sum(axis=1, keepdims=True)
    rows, columns = counts.shape
    cell = min(0.45, (WIDTH - 1.2) / columns)
    with new_figure() as figure:
        (axis,) = small_axes(
            figure, 1, columns=1, height=0.3 * rows + 0.9, width=max(3.0, cell * columns + 1.2)
        )
        ramp = _ramp(DAY.series[0])
        axis.pcolormesh(shares, cmap=ramp, vmin=0, vmax=1, edgecolors=DAY.grid, linewidth=0.4)
        axis.axvline(columns - 1, color=DAY.muted, linewidth=1.2)
        if cell >= 0.3:
            _write_counts(axis, counts, shares)
        axis.set_xticks(np.arange(columns) + 0.5, names, rotation=90 if cell < 0.35 else 0)
        axis.set_yticks(np.arange(rows) + 0.5, list(map(str, data.true_ids)))
        axis.invert_yaxis()
        axis.grid(visible=False)
        axis.set(xlabel="found id", ylabel="true track")
        axis.tick_params(length=0)
        return svg_of(figure)


def _identity_columns(data: IdentityConfusion) -> tuple[Ints, list[str]]:
    """Boxes (T, P') by predicted id, those without an id last, and the columns' names."""
    often = np.argsort(-data.boxes.sum(axis=0), kind="stable")
    kept, others = np.sort(often[:IDS]), often[IDS:]
    columns, names = [data.boxes[:, kept]], [str(i) for i in data.found_ids[kept]]
    if len(others):
        columns.append(data.boxes[:, others].sum(axis=1, keepdims=True))
        names.append(f"{len(others)} others")
    return np.hstack([*columns, data.nameless[:, None]]), [*names, "none"]


def _ramp(colour: str) -> "Colormap":
    """A colour map from transparent to the full colour."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("share", [colour + "00", colour])


def _write_counts(axis: "Axes", counts: Ints, shares: Floats) -> None:
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = DAY.ground if shares[row, column] > 0.55 else DAY.ink
        axis.text(
            column + 0.5,
            row + 0.5,
            str(counts[row, column]),
            color=colour,
            ha="center",
            va="center",
            size=7.5,
        )


def _outline(curve: Curve) -> tuple[Floats, Floats]:
    """Recall and precision of a curve, thinned evenly in rank to POINTS points."""
    if not len(curve.recall):
        return np.zeros(1), np.zeros(1)
    picked = np.unique(np.linspace(0, len(curve.recall) - 1, POINTS).astype(int))
    recall, precision = curve.recall[picked], curve.precision[picked]
    # From the left edge, and down to zero after the last point.
    return np.array([0.0, *recall, recall[-1]]), np.array([precision[0], *precision, 0.0])


def _with_gaps(frames: Ints, scores: Floats) -> tuple[Floats, Floats]:
    """The points with NaN in every gap of the annotation, so that no line crosses it."""
    usual = float(np.median(np.diff(frames))) if len(frames) > 1 else 1.0
    gaps = np.flatnonzero(np.diff(frames) > 1.5 * usual) + 1
    return np.insert(frames.astype(float), gaps, np.nan), np.insert(scores, gaps, np.nan)


def reliability(series: Mapping[str, Sequence[Bin]]) -> str:
    """Share of right detections over the score, with the ideal line; at most four series."""
    with new_figure() as figure:
        figure.set_size_inches(4.5, 4.5)
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=DAY.muted, linewidth=0.8, linestyle=":")
        for number, (name, bins) in enumerate(series.items()):
            means, shares = [each.mean for each in bins], [each.right for each in bins]
            axes.plot(means, shares, marker="o", markersize=3.5, label=name, **line_style(number))
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="mean score", ylabel="share that is right")
        axes.legend(frameon=False, loc="upper left")
        return svg_of(figure)
