"""Viewer pages that tests make for themselves, and what is in them."""

import base64
import json
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from minet_core.formats.review_page.columns import ViewerData
from minet_core.formats.review_page.page import PageVideo, write_html

Row = tuple[int, int, str, float, tuple[float, float, float, float]]
"""Frame, track id, label, score, box."""

WATCHED: list[Row] = [
    *((i, 1, "car", 0.9, (8.0, 8, 24, 24)) for i in range(20)),
    *((i, 2, "dog", 0.4, (30.0 + i, 20, 44.0 + i, 40)) for i in (5, 6, 7, 11, 12, 13)),
    *((i, 3, "car" if i < 22 else "bus", 0.6, (2.0, 30, 12, 44)) for i in range(18, 28)),
    (9, -1, "cat", 0.5, (50, 2, 60, 10)),
]


def data_of(
    rows: Sequence[Row],
    *,
    last: int = 29,
    size: tuple[int, int] = (64, 48),
    times: Sequence[float] | None = None,
    interpolated: Sequence[int] = (),
    **facts: Any,
) -> ViewerData:
    """A video of 25 frames a second, or with its own `times`; each track has its last label.

    The boxes of some tracks are `interpolated`.
    """
    labels = tuple(dict.fromkeys(row[2] for row in rows))
    frames = np.array([row[0] for row in rows], dtype=np.int64)
    ids = [labels.index(row[2]) for row in rows]
    scores = np.array([row[3] for row in rows], dtype=np.float64)
    return ViewerData(
        **{"source": None, "name": "clip.mp4", "note": "a test", "frame_rate": 25.0, **facts},
        width=size[0],
        height=size[1],
        pixel_aspect=1.0,
        first=0,
        last=last,
        step=1,
        least_score=0.3,
        labels=labels,
        track_labels={row[1]: label for row, label in zip(rows, ids, strict=True)},
        frames=frames,
        times=frames / 25 if times is None else np.array(times, dtype=np.float64)[frames],
        boxes=np.array([row[4] for row in rows], dtype=np.float64).reshape(-1, 4),
        scores=scores,
        base_scores=scores / 2,
        label_ids=np.array(ids, dtype=np.int64),
        track_ids=np.array([row[1] for row in rows], dtype=np.int64),
        interpolated=np.array([row[1] in interpolated for row in rows], dtype=np.bool_),
    )


def many(tracks: int, length: int, frames: int, size: tuple[int, int] = (1920, 1080)) -> ViewerData:
    """Tracks of 10 classes that drift through the picture, with a gap and a leap now and then."""
    random = np.random.default_rng(7)
    rows: list[Row] = []
    for track in range(1, tracks + 1):
        start = int(random.integers(0, frames - length - 5))
        x, y = random.uniform(0, size[0] - 200), random.uniform(0, size[1] - 200)
        for i in range(length):
            frame = start + i + (5 if track % 7 == 0 and i > length // 2 else 0)
            left = x + i + (150 if track % 11 == 0 and i > length // 3 else 0)
            score = 0.5 + 0.4 * float(np.sin(i / 9 + track))
            rows.append((frame, track, f"class {track % 10}", score, (left, y, left + 60, y + 90)))
    return data_of(rows, last=frames - 1, size=size)


def write_page(folder: Path, data: ViewerData, videos: Sequence[str | PageVideo] = ()) -> Path:
    path = folder / "report.html"
    write_html(path, data, [PageVideo(v) if isinstance(v, str) else v for v in videos])
    return path


class PageParts(HTMLParser):
    """Tags of a page with their attributes, and the text of its title and scripts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._inside: str | None = None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = dict(attrs).get("id") or tag

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            self.texts[self._inside] = self.texts.get(self._inside, "") + data

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.texts["data"])
        return document


def unpack(text: str) -> np.ndarray:
    kind, content = text.split(":")
    return np.frombuffer(base64.b64decode(content), dtype="<" + kind)


HOSTILE = [
    "</script><script>window.hit = 1</script>",
    "<!--<script>",
    '"><img src=x onerror="window.hit = 1">',
    "&lt;b&gt; & \u2028\u2029 \x00",
    "caf\udce9 ☕ שלום",
]
