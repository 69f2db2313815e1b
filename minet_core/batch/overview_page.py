"""One HTML page about many results: doubtful places first, then a table of all."""

import os
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote, urlencode

from minet_core import __version__
from minet_core.batch.outline import DoubtfulPlace, Outline
from minet_core.page_style import STYLE
from minet_core.publishing import complete_text
from minet_core.runs.review.report import REPORT
from minet_core.text import shown

SHOWN = 100
"""Doubtful places on the page."""


def write_overview(path: Path, outlines: Sequence[Outline]) -> None:
    """Write the page; links in it are relative to where it is.

    Args:
        path: of the page; replaced if it is there.
        outlines: in any order, which does not show.

    Raises:
        OutputError: it cannot be written.
    """
    with complete_text(path) as file:
        for part in _parts(path, outlines):
            file.write(part)


def _parts(path: Path, outlines: Sequence[Outline]) -> Iterator[str]:
    outlines = sorted(outlines, key=lambda each: (-each.doubt_rate, str(each.folder)))
    title = f"{len(outlines)} video{'s' if len(outlines) != 1 else ''}"
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )
    yield _facts(outlines)
    yield from _places(path, outlines)
    yield from _videos(path, outlines)
    yield f"<footer>Made by minet {__version__}</footer>\n</body>\n</html>\n"


def _facts(outlines: Sequence[Outline]) -> str:
    by_class: dict[str, int] = {}
    for each in outlines:
        for name, count in each.tracks.items():
            by_class[name] = by_class.get(name, 0) + count
    ordered = sorted(by_class.items(), key=lambda entry: (-entry[1], entry[0]))
    known = [each.seconds for each in outlines if each.seconds is not None]
    facts = {
        "frames": f"{sum(each.frames for each in outlines):,}",
        "hours": f"{sum(known) / 3600:.2f}" if len(known) == len(outlines) else "unknown",
        "boxes": f"{sum(each.boxes for each in outlines):,}",
        "tracks": f"{sum(by_class.values()):,}",
        "classes": ", ".join(f"{name} {count}" for name, count in ordered) or "none",
        "doubtful places": f"{sum(each.doubtful for each in outlines):,}",
    }
    entries = (f"<dt>{name}</dt><dd>{escape(text)}</dd>\n" for name, text in facts.items())
    return f"<dl>\n{''.join(entries)}</dl>\n"


def _places(path: Path, outlines: Sequence[Outline]) -> Iterator[str]:
    """The most doubtful places of all videos."""
    pairs = [(place, each) for each in outlines for place in each.places]
    pairs.sort(key=lambda pair: (-pair[0].doubt, str(pair[1].folder), pair[0].frame))
    if not pairs:
        return
    yield (
        "<h2>Doubtful places</h2>\n<p>A track that begins where one of its class has just ended, "
        "a weak track, a track that is not seen for a while; the most doubtful first.</p>\n"
    )
    yield from _table("place", ("frame", "doubt", "video"))
    for place, each in pairs[:SHOWN]:
        cells = str(place.frame), f"{place.doubt:.2f}", _link(path, each, shown(each.name))
        yield _row(_link(path, each, place.what, place), cells)
    yield "</tbody></table></div>\n"


def _videos(path: Path, outlines: Sequence[Outline]) -> Iterator[str]:
    yield (
        "<h2>Videos</h2>\n<p>Those with most doubtful places in a thousand frames first; "
        "links lead to review pages.</p>\n"
    )
    columns = ("doubtful", "per 1000 frames", "frames", "tracks", "mean score", "boxes", "classes")
    yield from _table("video", columns)
    for each in outlines:
        score = "–" if each.score is None else f"{each.score:.2f}"
        classes = ", ".join(f"{name} {count}" for name, count in each.tracks.items())
        tracks = sum(each.tracks.values())
        numbers = each.doubtful, f"{each.doubt_rate:.1f}", each.frames, tracks, score, each.boxes
        cells = (*map(str, numbers), escape(classes))
        yield _row(_link(path, each, shown(each.name)), cells)
    yield "</tbody></table></div>\n"


def _table(first: str, columns: Sequence[str]) -> Iterator[str]:
    heads = "".join(f"<th>{name}</th>" for name in (first, *columns))
    yield f'<div class="table"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n'


def _row(head: str, cells: Sequence[str]) -> str:
    return f"<tr><th>{head}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>\n"


def _link(path: Path, outline: Outline, text: str, place: DoubtfulPlace | None = None) -> str:
    """The text, leading to the review page where there is one; cells are HTML."""
    if not outline.page:
        return escape(text)
    page = os.path.relpath((outline.folder / REPORT).resolve(), path.parent.resolve())
    address = quote(os.fsencode(Path(page).as_posix()))
    if place is not None:
        address += "#" + urlencode({"frame": place.frame, "track": place.track})
    return f'<a href="{escape(address)}">{escape(text)}</a>'
