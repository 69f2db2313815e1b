"""Results that exist, for scoring: whether they may be scored, and the text format of ImageNet VID.

    frame_id class score xmin ymin xmax ymax

One file has all videos. Frames count from 1 over the frames of the dataset's list, classes from 1
in its order, and xmax and ymax are the last pixel inside.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK
from minet_core.datasets.dataset import Dataset, VideoTruth
from minet_core.datasets.vocabulary import Table
from minet_core.detections.coco_results import is_coco_results, read_coco_results
from minet_core.detections.locating import RESULTS, find_stored
from minet_core.detections.reading import read_stored
from minet_core.errors import InputError
from minet_core.evaluation.frames import edges_of_inclusive
from minet_core.inference.online import PAIR_FLOOR
from minet_core.models.stored_detections import StoredBoxes
from minet_core.video.opening import shown

StoredOf = Callable[[str], StoredBoxes]
"""From a video's name to its boxes."""

_COLUMNS = 7


def open_results(
    place: Path,
    data: str,
    dataset: Dataset,
    *,
    table: Table | None = None,
    allow_cut: bool = False,
) -> StoredOf:
    """From a video's name to its results.

    Args:
        place: a result file, a folder of them, or one text file in the format of ImageNet VID.
        data: what the dataset was opened as, `kind:path`.
        dataset: that they are for.
        table: names of classes, as for `map_classes`.
        allow_cut: whether to score results that lack what is below a score.

    Raises:
        InputError: on opening or when a video is asked for: results are missing or malformed, of
            some of the frames only, or cut at a score.
    """
    if place.is_file() and _is_vid_text(place):
        return _read_vid_text(place, dataset).__getitem__
    stored_of = open_stored(place, data, dataset, RESULTS, table)
    videos = {video.name: video for video in dataset.videos}
    return lambda name: _checked(stored_of(name), videos[name], allow_cut=allow_cut)


def open_stored(
    place: Path, data: str, dataset: Dataset, names: Sequence[str], table: Table | None = None
) -> StoredOf:
    """From a video's name to its boxes in a file, or in COCO results for all videos.

    Args:
        place: a file or folder.
        data: what the dataset was opened as, `kind:path`.
        dataset: that the boxes are for.
        names: files looked for in a video's folder.
        table: names of classes, as for `map_classes`.

    Raises:
        InputError: on opening or when a video is asked for: boxes are missing, malformed, or of
            frames that do not exist.
    """
    if place.is_file() and is_coco_results(place):
        kind, _, path = data.partition(":")
        if kind != "coco-vid":
            raise InputError(f"{shown(place)}: COCO results need a dataset coco-vid:FILE")
        return read_coco_results(place, Path(path)).__getitem__
    lengths = {video.name: len(video) for video in dataset.videos}

    def stored_of(name: str) -> StoredBoxes:
        path = find_stored(place, name, names, single=len(lengths) == 1)
        stored = read_stored(path, dataset.classes, table)
        stored.check_length(lengths[name])
        return stored

    return stored_of


def _checked(stored: StoredBoxes, video: VideoTruth, *, allow_cut: bool) -> StoredBoxes:
    if stored.looked_at not in (None, len(video)):
        raise InputError(
            f"{stored.source}: made from {stored.looked_at} frames, but the video {video.name} "
            f"has {len(video)}; the others would count as misses"
        )
    if stored.cut is None or stored.cut <= PAIR_FLOOR:
        return stored
    if not allow_cut:
        raise InputError(
            f"{stored.source}: cut at a score of {stored.cut}, so its average precision would be "
            f"too low; make it with --score {PAIR_FLOOR}, or pass --allow-cut"
        )
    return replace(stored, notes=(*stored.notes, f"cut at a score of {stored.cut}"))


def _is_vid_text(path: Path) -> bool:
    """Whether the first line has seven columns with spaces between."""
    if path.suffix.lower() != ".txt":
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        line = file.readline(1000)
    return "," not in line and len(line.split()) == _COLUMNS


def _read_vid_text(path: Path, dataset: Dataset) -> dict[str, StoredBoxes]:
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
