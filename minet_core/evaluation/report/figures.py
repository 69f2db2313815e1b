"""The style of a report's figures, for light and dark pages, and their common functions."""

import io
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from minet_core.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 10.0
"""Width of a figure in inches, 72 points each."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of a figure, each with a single role.

    Attributes:
        ground: of the page.
        ink: of text and values.
        muted: of axes and less important parts.
        grid: of lines behind the data.
        series: of the runs, in order; distinct for colour-blind readers too.
    """

    ground: str
    ink: str
    muted: str
    grid: str
    series: tuple[str, str, str, str]


# After the palette of Okabe and Ito, "Color Universal Design" (2008); lighter on dark pages.
DAY = Theme(
    "#ffffff", "#1f2328", "#656d76", "#d8dee4", ("#0072b2", "#d55e00", "#009e73", "#a05a86")
)
NIGHT = Theme(
    "#0d1117", "#e6edf3", "#9198a1", "#343b43", ("#56b4e9", "#f0a04b", "#3fcf9f", "#e5a3c8")
)

_DASHES = ("-", "--", "-.", ":")


def require_matplotlib() -> None:
    """Raise ConfigError if matplotlib is not installed; call it before a long run."""
    if find_spec("matplotlib") is None:
        raise ConfigError("a report needs matplotlib: pip install matplotlib")


def by_night(svg: str) -> str:
    """The figure for a dark page."""
    day = (DAY.ground, DAY.ink, DAY.muted, DAY.grid, *DAY.series)
    night = (NIGHT.ground, NIGHT.ink, NIGHT.muted, NIGHT.grid, *NIGHT.series)
    for colour, darker in zip(day, night, strict=True):
        svg = svg.replace(colour, darker)
    return svg


def line_style(number: int) -> dict[str, Any]:
    """The style of a run's line; later runs are drawn behind the first."""
    return {
        "color": DAY.series[number],
        "linestyle": _DASHES[number],
        "linewidth": 1.6 if number == 0 else 1.2,
        "zorder": 3 - 0.1 * number,
    }


@contextmanager
def new_figure() -> "Iterator[Figure]":
    """A figure in our style; matplotlib's settings are restored afterwards."""
    require_matplotlib()
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_settings()), warnings.catch_warnings():
        # The browser has the letters that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message="Glyph")
        yield Figure(layout="constrained")


def _settings() -> dict[Any, Any]:
    return {
        "axes.edgecolor": DAY.muted,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.labelcolor": DAY.muted,
        "axes.linewidth": 0.8,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlecolor": DAY.ink,
        "axes.titlesize": 9,
        "font.size": 8.5,
        "grid.color": DAY.grid,
        "grid.linewidth": 0.6,
        "svg.fonttype": "none",
        "svg.hashsalt": "minet",
        "text.color": DAY.ink,
        "text.parse_math": False,  # a name may hold a dollar sign
        "xtick.color": DAY.muted,
        "ytick.color": DAY.muted,
    }


def small_axes(
    figure: "Figure", count: int, *, columns: int, height: float, width: float = WIDTH
) -> "list[Axes]":
    """`count` axes in rows of `columns`; `height` inches per row."""
    rows = math.ceil(count / columns)
    figure.set_size_inches(width, height * rows + 0.35)
    return [figure.add_subplot(rows, columns, place + 1) for place in range(count)]


def legend(figure: "Figure", names: Sequence[str]) -> None:
    """A legend of the runs; nothing for one run."""
    from matplotlib.lines import Line2D

    if len(names) > 1:
        lines = [Line2D([], [], **line_style(number)) for number in range(len(names))]
        figure.legend(lines, names, loc="outside upper left", ncols=len(names), frameon=False)


def svg_of(figure: "Figure") -> str:
    """The figure as SVG text."""
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return text.getvalue()
