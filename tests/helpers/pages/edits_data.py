"""Results and edits of them that tests make for themselves."""

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from result_factory import write_result

from minet_core.boxes import NO_TRACK
from minet_core.formats import read_json
from minet_core.formats.edits import Edit, Sheet, TrackRows
from minet_core.formats.edits.entry import edit_of
from minet_core.formats.edits.file import ResultFacts
from minet_core.formats.minet.edited import result_facts
from minet_core.formats.minet.reader import columns_of
from minet_core.results import FrameDetections

CLASSES = ("person", "car")
FRAMES = 12
SIZE = (640, 360)

Row = tuple[int, int, int, int, bool]
"""Frame, track or NO_TRACK, class, left edge, whether it was interpolated."""

# 1 and 2 walk side by side, 3 follows 1 after a gap, 4 is a short false alarm.
ROWS: list[Row] = [
    *((i, 1, 0, 10 + 2 * i, False) for i in range(6)),
    *((i, 2, 0, 100 + 2 * i, i in (4, 5)) for i in range(12)),
    *((i, 3, 0, 10 + 2 * i, False) for i in range(8, 12)),
    *((i, 4, 1, 300, False) for i in (2, 3)),
    (5, NO_TRACK, 1, 200, False),
]


def result_of(folder: Path, rows: list[Row] = ROWS, frames: int = FRAMES, **settings: Any) -> Path:
    """A result.json of these rows; boxes are 20×40 pixels."""
    made = []
    for frame in range(frames):
        own = [row for row in rows if row[0] == frame]
        left = np.array([row[3] for row in own], np.float64)
        labels = np.array([row[2] for row in own], np.int64)
        made.append(
            FrameDetections(
                frame=frame,
                pts=None,
                time=frame / 25,
                boxes=np.stack([left, 0 * left + 30, left + 20, 0 * left + 70], axis=1),
                scores=0.5 + labels / 100,
                base_scores=0.5 + labels / 100,
                label_ids=labels,
                track_ids=np.array([row[1] for row in own], np.int64),
                track_labels=labels,
                classes=CLASSES,
                interpolated=np.array([row[4] for row in own], np.bool_),
            )
        )
    return write_result(folder, *made, video={"duration": frames / 25}, **settings)


def facts_in(result: Path) -> ResultFacts:
    header, rows, _ = read_json(result)
    return result_facts(header, columns_of(rows))


def edits(*entries: dict[str, Any]) -> tuple[Edit, ...]:
    return tuple(edit_of(entry) for entry in entries)


def sheet_of(rows: list[Row] = ROWS, frames: int = FRAMES) -> Sheet:
    tracks = {}
    for track in sorted({row[1] for row in rows} - {NO_TRACK}):
        own = [row for row in rows if row[1] == track]
        left = np.array([row[3] for row in own], np.float64)
        no = np.zeros(len(own), np.bool_)
        tracks[track] = TrackRows(
            frames=np.array([row[0] for row in own], np.int64),
            boxes=np.stack([left, 0 * left + 30, left + 20, 0 * left + 70], axis=1),
            scores=np.full(len(own), 0.5),
            labels=np.array([row[2] for row in own], np.int64),
            keyframes=~np.array([row[4] for row in own], np.bool_),
            occluded=no,
            drawn=no,
        )
    return Sheet(*SIZE, range(frames), list(CLASSES), tracks)


IDS = st.integers(1, 7)
PLACES = st.integers(0, FRAMES)
STRETCHES = st.tuples(PLACES, PLACES).map(sorted)
SOME = st.lists(IDS, min_size=1, max_size=3, unique=True)
NAMES = st.sampled_from(
    ["person", "car", "tram", "a=b, c", "é", " a", "a\x85b", "😀" * 33, "😀" * 20]
)
CORNERS = st.tuples(
    st.integers(-40, 660), st.integers(-40, 380), st.integers(1, 200), st.integers(1, 200)
)


@st.composite
def entries(draw: Any) -> dict[str, Any]:
    """Any edit, as JSON has it; it may not fit what is there."""
    first, last = draw(STRETCHES)
    one, two = draw(st.lists(IDS, min_size=2, max_size=2, unique=True))
    some = draw(SOME)
    x, y, width, height = draw(CORNERS)
    stretch = {"from": first, "to": last}
    kinds: dict[str, dict[str, Any]] = {
        "merge": {"tracks": [two], "into": one, "class": draw(NAMES)},
        "split": {"track": one, "frame": first, "new": two},
        "swap": {"track": one, "with": two, "frame": first},
        "delete": {"tracks": some, **draw(st.sampled_from([{}, stretch]))},
        "class": {"tracks": some, "class": draw(NAMES)},
        "id": {"track": one, "new": two},
        "hide": {"tracks": some, **stretch},
        "box": {
            **{"track": one, "frame": first, "box": [x, y, x + width, y + height]},
            **{"class": draw(NAMES), "fill": draw(st.booleans())},
        },
        "fill": {"track": one, **stretch},
        "occluded": {"tracks": some, **stretch, "occluded": draw(st.booleans())},
        "text": {"tracks": some, "text": draw(st.sampled_from(["", 'look <again> & "here"']))},
        "confirm": {"tracks": some, "frame": first, "doubt": "return"},
    }
    do = draw(st.sampled_from(sorted(kinds)))
    return {"do": do, **kinds[do]}
