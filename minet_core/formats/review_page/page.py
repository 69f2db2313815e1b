"""One HTML file to look at boxes over their video: no server, nothing from the network.

The page is `viewer/page.html` with style, scripts and data written into it. Names and labels are
anybody's text: they stand in JSON that no tag can end, and the page puts them in as text only. Its
content policy runs the very scripts written here and loads nothing but the video.
"""

import base64
import hashlib
import html
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from minet_core.export_options import ExportOptions
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.review_page.columns import ViewerData, data_of_annotations
from minet_core.publishing import complete_text
from minet_core.text import shown
from minet_core.video.drawing.palette import PALETTE, UNTRACKED
from minet_core.video.opening import is_url

# In the order in which they build on each other.
_SCRIPTS = (
    *("elements", "editing/edits", "data/data", "data/rows", "data/state"),
    *(f"looking/{n}" for n in ("player", "gestures", "overlay", "lanes", "bars", "timeline")),
    *(f"looking/{n}" for n in ("chart", "strip", "list", "filters", "videos")),
    *(f"editing/{n}" for n in ("editlog", "editor", "pointer", "going")),
    *(f"editing/{n}" for n in ("followed", "doubts", "editing")),
    *("keys", "main"),
)


@dataclass(frozen=True, slots=True)
class PageVideo:
    """A video that a page can play.

    Attributes:
        src: URL, relative to the page or absolute.
        annotated: whether boxes are drawn in already; such a video begins with the first frame
            that was looked at.
    """

    src: str
    annotated: bool = False


@dataclass(frozen=True, slots=True)
class Served:
    """What a server tells the page beside data: it takes edits.json by PUT, beside the page.

    Attributes:
        edits: that were made before, as JSON has them.
    """

    edits: Sequence[Mapping[str, Any]]


def write_html(path: Path, data: ViewerData, videos: Sequence[PageVideo]) -> None:
    """Write a page.

    Args:
        path: of the page; replaced if it is there.
        data: what it shows.
        videos: the page plays the first one that the browser can play.

    Raises:
        OutputError: it cannot be written.
    """
    with complete_text(path) as file:
        file.write(page_of(data, videos))


def page_of(data: ViewerData, videos: Sequence[PageVideo], served: Served | None = None) -> str:
    """The text of a page.

    Args:
        data: what it shows.
        videos: the page plays the first one that the browser can play.
        served: of a page that a server has; None: it is a file.
    """
    document = {**data.document(), "videos": [asdict(video) for video in videos]}
    if served is not None:
        document["served"] = {"edits": served.edits}
    return _page(data.name, document)


def export_html(
    annotations: Sequence[VideoAnnotations],
    place: Path,
    options: ExportOptions,  # noqa: ARG001
) -> list[Path]:
    """Write the page of one video.

    Raises:
        OutputError: it cannot be written.
    """
    (video,) = annotations
    # Addresses are as seen from where the page goes when the hidden folder is complete.
    hidden = next((p for p in place.parents if p.name.startswith(".minet-")), place)
    write_html(place, data_of_annotations(video), videos_for(video.source, hidden.parent))
    return [place]


def videos_for(source: str | None, folder: Path, annotated: str | None = None) -> list[PageVideo]:
    """The videos of a page, the best first.

    Args:
        source: path or URL of what was annotated; a folder of pictures is no video.
        folder: where the page will be.
        annotated: name of the video beside the page that has the boxes drawn in, if there is one.
    """
    videos = []
    if source is not None and is_url(source):
        videos.append(PageVideo(source))
    elif source is not None and Path(source).is_file():
        videos.append(PageVideo(_relative(Path(source), folder)))
    if annotated is not None:
        videos.append(PageVideo(quote(annotated), annotated=True))
    return videos


def _relative(path: Path, folder: Path) -> str:
    """The URL of a file as seen from a folder."""
    try:
        relative = Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # on Windows, another drive
        return path.resolve().as_uri()
    return quote(os.fsencode(relative))  # bytes, as a name may not be UTF-8


def _page(title: str, document: dict[str, Any]) -> str:
    style = _asset("style.css")
    script = '"use strict";\n' + "\n".join(_asset(f"{name}.js") for name in _SCRIPTS)
    document["colours"] = [_hex(colour) for colour in PALETTE]
    document["noTrackColour"] = _hex(UNTRACKED)
    return Template(_asset("page.html")).substitute(
        connect="'self'" if "served" in document else "'none'",
        title=html.escape(shown(title)),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        data=_json(document),
    )


def _json(value: object) -> str:
    """ASCII in which no tag, comment or entity can begin."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _hex(colour: tuple[int, int, int]) -> str:
    return "#" + bytes(colour).hex()


def _asset(name: str) -> str:
    return (files(__package__) / "viewer" / name).read_text(encoding="utf-8")
