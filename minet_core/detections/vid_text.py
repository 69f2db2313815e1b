"""The text format of ImageNet VID: one file with the results of all videos.

    frame_id class score xmin ymin xmax ymax

Frames count from 1 over the frames of the dataset's list, classes from 1 in its order, and xmax
and ymax are the last pixel inside.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK, edges_of_inclusive
from minet_core.datasets.dataset import Dataset
from minet_core.errors import InputError
from minet_core.models.stored_detections import StoredBoxes
from minet_core.text import shown

_COLUMNS = 7


def is_vid_text(path: Path) -> bool:
    """Whether the first line has seven columns with spaces between."""
    if path.suffix.lower() != ".txt":
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        line = file.readline(1000)
    return "," not in line and len(line.split()) == _COLUMNS


def read_vid_text(path: Path, dataset: Dataset) -> dict[str, StoredBoxes]:
    """Every video's rows."""
    table = _table(path)
    starts = np.cumsum([0, *(len(video.chosen) for video in dataset.videos)])
    ids, labels = table[:, 0].astype(np.int64) - 1, table[:, 1].astype(np.int64) - 1
    _refuse(path, (ids < 0) | (ids >= starts[-1]), f"frames count from 1 to {starts[-1]}")
    classes = dataset.classes
    _refuse(path, (labels < 0) | (labels >= len(classes)), f"classes are 1 to {len(classes)}")
    order = np.argsort(ids, kind="stable")
    bounds = np.searchsorted(ids[order], starts)
    stored = {}
    for i, video in enumerate(dataset.videos):
        rows = order[bounds[i] : bounds[i + 1]]
        stored[video.name] = StoredBoxes(
            source=f"{shown(path)}, video {video.name}",
            classes=classes,
            frames=video.chosen[ids[rows] - starts[i]],
            boxes=edges_of_inclusive(table[rows, 3:]),
            label_ids=labels[rows],
            scores=table[rows, 2],
            base_scores=table[rows, 2],
            track_ids=np.full(len(rows), NO_TRACK),
            covered=frozenset(range(len(classes))),
        )
    return stored


def _table(path: Path) -> NDArray[np.float64]:
    try:
        table = np.loadtxt(path, np.float64, ndmin=2, comments=None)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{shown(path)}: cannot be read ({reason})") from None
    if table.shape[1] != _COLUMNS:
        raise InputError(f"{shown(path)}: frame_id class score xmin ymin xmax ymax are needed")
    whole = table[:, :2]
    wrong = ~np.isfinite(table).all(axis=1) | (whole != np.floor(whole)).any(axis=1)
    _refuse(path, wrong, "numbers must be finite, frame and class whole")
    return table


def _refuse(path: Path, wrong: NDArray[np.bool_], complaint: str) -> None:
    if wrong.any():
        raise InputError(f"{shown(path)}, row {int(wrong.argmax()) + 1}: {complaint}")
