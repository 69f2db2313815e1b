"""metrics.json and metrics.csv: all scores of an evaluation, with their protocols."""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from minet_core._version import __version__
from minet_core.evaluation.bootstrap import Interval
from minet_core.evaluation.evaluate import EvalResult
from minet_core.evaluation.paper import beside
from minet_core.evaluation.precision.result import ApResult
from minet_core.evaluation.precision.video_bootstrap import draws_interval
from minet_core.evaluation.scorer import Scores
from minet_core.evaluation.tracks.metrics import TrackingResult
from minet_core.evaluation.tracks.steadiness import TemporalResult
from minet_core.publishing import complete_text

FILES = ("metrics.json", "metrics.csv")
"""The files of `write_metrics`."""

SCHEMA = "minet-metrics"
SCHEMA_VERSION = 1

CSV_COLUMNS = ("variant", "metric", "protocol", "class", "value")
SHARES = (0.5, 0.8)
"""Minimum covered shares of a true track to count as recalled."""


def write_metrics(folder: Path, result: EvalResult, settings: Mapping[str, Any]) -> None:
    """Write `FILES` to an existing folder.

    Args:
        folder: to write to.
        result: the scores.
        settings: for the file's header.

    Raises:
        OutputError: the files cannot be written.
    """
    document = as_document(result, settings)
    with complete_text(folder / FILES[0]) as file:
        file.write(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n")
    with complete_text(folder / FILES[1]) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        writer.writerows(rows(result))


def as_document(result: EvalResult, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The content of metrics.json; numbers that do not exist are None."""
    return {
        "schema": SCHEMA,
        "version": SCHEMA_VERSION,
        "minet": __version__,
        "settings": dict(settings),
        "dataset": {
            "name": result.dataset.name,
            "videos": result.videos,
            "frames": result.frames,
            "classes": result.dataset.classes,
            "not_covered": result.not_covered,
        },
        "warnings": result.warnings,
        "variants": [
            {"name": name, **_variant(scores, result.covered)}
            for name, scores in result.variants.items()
        ],
        "paper": _paper(result) if result.is_paper else [],
        "map_differences": [
            {
                "of": one,
                "less": other,
                "difference": _number(difference),
                "interval": _interval(interval),
            }
            for one, other, difference, interval in map_differences(result)
        ],
        "jitter_differences": [
            {"of": one, "less": other, "interval": _interval(interval)}
            for one, other, interval in jitter_differences(result)
        ],
    }


def _paper(result: EvalResult) -> list[dict[str, Any]]:
    """The rows of the paper's tables, in percent as in the paper."""
    return [
        {
            "table": row.table,
            "row": row.row,
            "of": row.variant,
            "map": _number(100 * mean),
            "paper": row.paper,
        }
        for row, mean in beside(result.variants)
    ]


def jitter_differences(result: EvalResult) -> Iterator[tuple[str, str, Interval]]:
    """(variant, reference, interval of the jitter's difference): the reference has no memory."""
    references = [name for name, scores in result.variants.items() if not scores.memory]
    if not references:
        return
    reference = references[0]
    base = result.variants[reference].temporal
    for name, scores in result.variants.items():
        if name != reference:
            yield name, reference, scores.temporal.jitter_difference(base)


def map_differences(result: EvalResult) -> Iterator[tuple[str, str, float, Interval]]:
    """(variant, reference, difference of the mean over all classes, its interval over videos)."""
    for name, reference in result.comparisons:
        one, other = result.variants[name], result.variants[reference]
        interval = draws_interval(one.ap_draws - other.ap_draws)
        yield name, reference, one.ap.mean - other.ap.mean, interval


def rows(result: EvalResult) -> Iterator[tuple[str, str, str, str, float | int | None]]:
    """Rows of metrics.csv; the class is empty for numbers over several classes."""
    for name, scores in result.variants.items():
        for protocol, metric, of_class, value in _values(scores, result.covered):
            yield name, metric, protocol, of_class, value


def _values(
    scores: Scores, covered: tuple[str, ...]
) -> Iterator[tuple[str, str, str, float | int | None]]:
    """(protocol, metric, class, value) of one variant."""
    groups = {"": scores.ap} | {f"_{g}": ap for g, ap in (scores.motion or {}).items()}
    for suffix, ap in groups.items():
        rule = f"{ap.protocol}, {scores.motion_rule}" if suffix else str(ap.protocol)
        yield rule, f"map_covered{suffix}", "", _number(ap.mean_over(covered))
        yield rule, f"map_all{suffix}", "", _number(ap.mean)
        for entry in ap.classes:
            yield rule, f"ap{suffix}", entry.name, _number(entry.ap)
    for metric, value in _temporal(scores.temporal).items():
        values = value if isinstance(value, list) else [value]
        ends = [""] if len(values) == 1 else ["_low", "_high"]
        for end, number in zip(ends, values, strict=True):
            yield "voc50", f"temporal_{metric}{end}", "", number
    if scores.tracking is not None:
        for of_class, tracking in {"": scores.tracking.overall, **scores.tracking.classes}.items():
            for metric, value in asdict(tracking).items():
                yield "trackeval", f"tracking_{metric}", of_class, _number(value)


def _variant(scores: Scores, covered: tuple[str, ...]) -> dict[str, Any]:
    motion, tracking = scores.motion, scores.tracking
    return {
        "memory": scores.memory,
        "ap": _ap(scores.ap, covered),
        "motion": motion
        and {
            "rule": scores.motion_rule,
            **{str(group): _ap(ap, covered) for group, ap in motion.items()},
        },
        "temporal": _temporal(scores.temporal),
        "tracking": tracking
        and {"ids": "online" if scores.memory else "as given", **_tracking(tracking)},
    }


def _ap(ap: ApResult, covered: tuple[str, ...]) -> dict[str, Any]:
    return {
        "protocol": ap.protocol,
        "map_covered": _number(ap.mean_over(covered)),
        "map_all": _number(ap.mean),
        "classes": {
            entry.name: {
                "ap": _number(entry.ap),
                "truths": entry.truths,
                "true_positives": entry.true_positives,
                "false_positives": entry.false_positives,
            }
            for entry in ap.classes
        },
    }


def _temporal(temporal: TemporalResult) -> dict[str, Any]:
    return {
        "shown": temporal.shown,
        "tracks": len(temporal.tracks),
        "jitter": _number(temporal.jitter),
        "jitter_interval": _interval(temporal.jitter_interval()),
        **{f"recall_{share:.0%}".rstrip("%"): _number(temporal.recall(share)) for share in SHARES},
        "fragmentations": temporal.fragmentations,
    }


def _tracking(tracking: TrackingResult) -> dict[str, Any]:
    def numbers(level: Any) -> dict[str, Any]:
        return {name: _number(value) for name, value in asdict(level).items()}

    return {
        "overall": numbers(tracking.overall),
        "classes": {name: numbers(level) for name, level in tracking.classes.items()},
        "videos": {name: numbers(level) for name, level in tracking.videos.items()},
    }


def _interval(interval: Interval) -> list[float | int | None]:
    return [_number(interval.low), _number(interval.high)]


def _number(value: float | int) -> float | int | None:
    """A number for JSON: integers stay, NaN and infinity become None."""
    if isinstance(value, int):
        return value
    return round(value, 6) if math.isfinite(value) else None
