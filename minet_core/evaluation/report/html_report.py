"""One HTML file with every score and figure of an evaluation; it needs no network."""

from base64 import b64encode
from collections.abc import Iterator
from html import escape
from pathlib import Path

from minet_core import __version__
from minet_core.evaluation.report import plots
from minet_core.evaluation.report.choices import as_html as choices_as_html
from minet_core.evaluation.report.contents import ReportData, RunScores, Sweep
from minet_core.evaluation.report.figures import by_night, require_matplotlib
from minet_core.evaluation.report.moments import FOUND, as_html
from minet_core.evaluation.report.tables import class_table, score_table, sweep_table
from minet_core.evaluation.tracks.identities import IdentityConfusion
from minet_core.page_style import STYLE
from minet_core.publishing import complete_text

__all__ = ["ReportData", "RunScores", "Sweep", "require_matplotlib", "write_report"]


def write_report(path: Path, data: ReportData) -> None:
    """Write a report as one HTML file, pictures included.

    It follows the reader's preference for a light or dark page. The same data give the same file.

    Raises:
        ConfigError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    page = _page(data)
    with complete_text(path) as file:
        file.write(page)


def _page(data: ReportData) -> str:
    sections = "".join(_sections(data))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(data.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"{_header(data)}{sections}"
        f"<footer>Made by minet {__version__}</footer>\n</body>\n</html>\n"
    )


def _header(data: ReportData) -> str:
    facts = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>\n" for k, v in data.facts.items())
    warnings = "".join(f"<li>{escape(warning)}</li>\n" for warning in data.warnings)
    return (
        f"<h1>{escape(data.title)}</h1>\n"
        + (f"<dl>\n{facts}</dl>\n" if facts else "")
        + (f'<ul class="warnings">\n{warnings}</ul>\n' if warnings else "")
    )


def _sections(data: ReportData) -> Iterator[str]:
    if data.runs:
        more = f"Figures show the first {plots.RUNS} of these {len(data.runs)} runs."
        text = more if len(data.runs) > plots.RUNS else ""
        yield _section("Scores", text, score_table(data))
    yield from _precision_section(data)
    yield from _motion_section(data)
    yield from _track_section(data)
    if data.sweep is not None:
        yield _sweep_section(data.sweep)
    if data.identities:
        yield _identity_section(data)


def _precision_section(data: ReportData) -> Iterator[str]:
    scored = [(run.name, run.ap) for run in data.runs if run.ap is not None]
    if scored:
        text = "Average precision in percent; curves of every class with true boxes."
        drawn = [entry.name for entry in scored[0][1].classes if entry.truths]
        curves = (
            _picture(
                plots.precision_recall(scored[: plots.RUNS]),
                f"Precision over recall of {', '.join(drawn)}",
            )
            if drawn
            else ""
        )
        yield _section("Average precision by class", text, curves + class_table(data))


def _motion_section(data: ReportData) -> Iterator[str]:
    scored = [(run.name, run.motion) for run in data.runs if run.motion is not None]
    if scored:
        text = (
            "An object is slow in a frame if its box overlaps its own boxes in the ten frames "
            "before and after by more than 0.9 on average, fast if by less than 0.7."
        )
        bars = _picture(
            plots.motion_bars(scored[: plots.RUNS]),
            "Mean average precision of slow, medium and fast objects",
        )
        yield _section("Average precision by motion", text, bars)


def _track_section(data: ReportData) -> Iterator[str]:
    if data.tracks:
        text = (
            "The score of the detection on the true box, 0 without a detection; "
            "a steady detector gives a flat line."
        )
        lines = _picture(
            plots.track_scores(data.tracks),
            "Score over time along true tracks",
        )
        yield _section("Scores along true tracks", text, lines)
    if data.moments:
        text = (
            f"The true box: red if a run's detection on it has a score of {FOUND:g} or more, "
            "otherwise dashed blue. The frames are evenly spaced along the longest tracks."
        )
        yield _section("Frames of true tracks", text, as_html(data.moments, plots.RUNS))

    if data.choices:
        text = (
            "An identifier is learnt from the true box on the left, in red. In each later frame "
            "the proposal with the highest association is shown in cyan."
        )
        yield _section("Association by an identifier", text, choices_as_html(data.choices))


def _sweep_section(sweep: Sweep) -> str:
    name = f"{sweep.metric} over {sweep.setting}"
    text = "" if sweep.default is None else "* marks the default."
    return _section(name, text, sweep_table(sweep) + _picture(plots.sweep(sweep), name))


def _identity_section(data: ReportData) -> str:
    text = (
        "The number of a track's true boxes with each predicted id; the last column counts boxes "
        "missed or without an id. In a perfect result every row and column has one dark cell."
    )
    return _section("Identities", text, "".join(map(_identity_figure, data.identities)))


def _identity_figure(video: IdentityConfusion) -> str:
    if not len(video.true_ids):
        return ""
    matrix = _picture(plots.identities(video), f"True tracks against ids in {video.video}")
    return f"<h3>{escape(video.video)}</h3>\n{matrix}"


def _section(heading: str, text: str, content: str) -> str:
    paragraph = f"<p>{escape(text)}</p>\n" if text else ""
    return f"<section>\n<h2>{escape(heading)}</h2>\n{paragraph}{content}</section>\n"


def _picture(svg: str, alternative: str) -> str:
    """The figure for a light and for a dark page; the browser chooses one."""
    light, dark = (
        "data:image/svg+xml;base64," + b64encode(figure.encode()).decode()
        for figure in (svg, by_night(svg))
    )
    return (
        f'<figure><picture><source srcset="{dark}" media="(prefers-color-scheme: dark)">'
        f'<img src="{light}" alt="{escape(alternative)}"></picture></figure>\n'
    )
