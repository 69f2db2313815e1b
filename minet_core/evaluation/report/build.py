"""Build the report of an evaluation from its scores."""

from collections.abc import Mapping
from typing import Any

from minet_core.evaluation.evaluate import EvalResult
from minet_core.evaluation.report.contents import ReportData, RunScores, Sweep
from minet_core.evaluation.report.moments import moments
from minet_core.evaluation.scorer import Scores
from minet_core.evaluation.tracks.score_curves import TrackScores, longest_tracks

REPORT = "report.html"
"""Name of the page beside the metrics files."""

PICTURED = 3
"""Number of tracks whose frames are shown."""

_FACTS = ("data", "split", "model", "preset", "detections", "results", "protocol", "sweep")


def pictured(result: EvalResult) -> list[TrackScores]:
    """The tracks that a report shows."""
    return longest_tracks([s.tracks.result(name) for name, s in result.variants.items()])


def report_data(result: EvalResult, settings: Mapping[str, Any]) -> ReportData:
    """The content of the report of an evaluation.

    Args:
        result: the scores.
        settings: as in metrics.json.
    """
    facts = {name: str(settings[name]) for name in _FACTS if settings.get(name) is not None}
    facts["frames"] = f"{result.frames}, of {result.videos} videos"
    lacking = ", ".join(result.not_covered)
    tracks = pictured(result)
    cut = [] if result.cut is None else [f"cut at a score of {result.cut:g}: the AP is too low"]
    return ReportData(
        title=f"Evaluation on {result.dataset.name}",
        facts=facts,
        warnings=[
            *cut,
            *([f"classes that are not covered: {lacking}"] if lacking else []),
            *result.warnings,
        ],
        runs=[_run(name, scores) for name, scores in result.variants.items()],
        covered=frozenset(result.covered),
        tracks=tracks,
        moments=moments(result.dataset, tracks[:PICTURED]),
        choices=result.choices,
        sweep=_sweep(result, settings.get("sweep")),
        identities=next((s.identities for s in result.variants.values() if s.identities), ()),
    )


def _run(name: str, scores: Scores) -> RunScores:
    return RunScores(
        name=name,
        ap=scores.ap,
        motion=scores.motion,
        temporal=scores.temporal,
        tracking=scores.tracking,
    )


def _sweep(result: EvalResult, text: str | None) -> Sweep | None:
    """The swept setting, if its values are numbers."""
    if text is None:
        return None
    setting = text.partition("=")[0].strip()
    pairs = [(s.memory[setting], s.ap.mean) for s in result.variants.values() if s.memory]
    if any(isinstance(value, bool) or value is None for value, _ in pairs):
        return None
    values, scores = zip(*pairs, strict=True)
    return Sweep(setting, f"mAP ({result.options.protocol})", tuple(map(float, values)), scores)
