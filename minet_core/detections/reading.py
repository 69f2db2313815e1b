"""Boxes that exist already, of this program or another, read from whatever file has them.

    *.json   a result.json of `minet detect`; COCO results, a list
    *.csv    a detections.csv of `minet detect`
    *.txt    MOTChallenge detections or results; MOTS, whose masks become boxes

For a dataset, class names are turned into its own; rows of other classes are left out, and
counted.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK
from minet_core.datasets.mot.rows import NO_CLASS, read_mot_rows
from minet_core.datasets.mot.sequence import class_names
from minet_core.datasets.vocabulary import NOT_THERE, Table, map_classes
from minet_core.detections.coco_results import is_coco_results, read_frame_results
from minet_core.detections.locating import named
from minet_core.detections.masks import is_mots, read_mots
from minet_core.errors import InputError
from minet_core.formats.minet.result_json import read_json
from minet_core.formats.minet.score_vectors import map_score_vectors
from minet_core.models.stored_detections import StoredBoxes
from minet_core.results import COLUMNS, INTERPOLATED
from minet_core.text import shown

if TYPE_CHECKING:
    import pandas as pd


NAMELESS = "object"
"""Class of the boxes of a file that knows no classes."""


def is_own_result(path: Path) -> bool:
    """Whether a file looks like one of `minet detect` that names its classes."""
    return path.suffix.lower() in {".json", ".csv"} and not is_coco_results(path)


def read_stored(
    path: Path,
    classes: tuple[str, ...] | None,
    table: Table | None = None,
    wanted: tuple[str, ...] = (),
) -> StoredBoxes:
    """Read the boxes of one video.

    Args:
        path: the file.
        classes: of the dataset; a MOTChallenge file numbers them from 1. None for those of the
            file itself: numbered ones have the names in classes.txt beside it, or of the
            MOTChallenge sequence it lies in.
        table: names of classes, as for `map_classes`.
        wanted: classes that the user asks for; a single one is the class of all boxes where
            neither the file nor a dataset knows any.

    Raises:
        InputError: it cannot be read, has NaN or boxes without area, or lacks classes.
    """
    if classes is None and not is_own_result(path):
        return _with_own_names(path, wanted)
    if path.suffix.lower() == ".json":
        result = read_json(path)
        names = result.header["classes"]
        vectors = None
        if (name := result.header.get("score_vectors")) is not None:
            vectors = map_score_vectors(path, name, len(result.rows), len(names))
        stored = _from_table(path, result.rows, names, classes or tuple(names), table, vectors)
        return _with_header(stored, result.header)
    if path.suffix.lower() == ".csv":
        rows = _read_csv(path)
        names = sorted(rows["label"].unique())
        return _from_table(path, rows, names, classes or tuple(names), table)
    if is_mots(path):
        return read_mots(path, classes or ())
    return _from_mot(path, classes or ())


def _with_own_names(path: Path, wanted: tuple[str, ...]) -> StoredBoxes:
    """Boxes whose classes are numbers, or that have none."""
    folder = path.parent.parent if path.parent.name == "det" else path.parent
    names = class_names(folder, path.parent)
    if is_coco_results(path):
        return read_frame_results(path, names)
    numbers = set(read_mot_rows(path).class_ids.tolist())
    if not numbers <= {NO_CLASS}:
        return read_stored(path, named(path, names, numbers))
    only = next((given for given in (wanted, names or ()) if len(given) == 1), (NAMELESS,))
    return read_stored(path, only)


def table_for(names: Sequence[str], classes: Sequence[str], table: Table | None) -> Table | None:
    """The user's table; else none where every name is a class of the dataset's as it stands.

    A dataset may have both `person` and `pedestrian`, and then neither is the other.
    """
    if table is None and set(names) <= set(classes):
        return {}
    return table


def _with_header(stored: StoredBoxes, header: dict[str, Any]) -> StoredBoxes:
    settings = header.get("settings", {})
    cut, looked_at = settings.get("score"), header.get("counts", {}).get("frames")
    chosen = settings.get("classes")
    notes = (f"it has these classes only: {', '.join(chosen)}",) if chosen else ()
    return replace(stored, notes=stored.notes + notes, cut=cut, looked_at=looked_at)


def _read_csv(path: Path) -> "pd.DataFrame":
    import pandas as pd

    try:
        rows = pd.read_csv(path)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{shown(path)}: cannot be read as CSV ({reason})") from None
    missing = [name for name in COLUMNS if name not in (*rows, INTERPOLATED)]
    if missing:
        raise InputError(f"{shown(path)}: no detections.csv, it has no column {missing[0]}")
    return rows


def _from_table(
    path: Path,
    rows: "pd.DataFrame",
    names: Sequence[str],
    classes: tuple[str, ...],
    table: Table | None,
    vectors: NDArray[np.float32] | None = None,
) -> StoredBoxes:
    """From the columns of `minet detect`, mapped by label."""
    mapped = map_classes(names, classes, table_for(names, classes, table))
    by_name = dict(zip(names, mapped.ids.tolist(), strict=True))
    try:
        labels = np.array([by_name[name] for name in rows["label"]], dtype=np.int64)
        frames = rows["frame"].to_numpy(dtype=np.int64)
        tracks = rows["track_id"].fillna(NO_TRACK).to_numpy(dtype=np.int64)
        numbers = rows[["x1", "y1", "x2", "y2", "score", "base_score"]].to_numpy(dtype=np.float64)
    except (KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{shown(path)}: damaged, a row does not read ({reason})") from None
    keep = labels != NOT_THERE
    dropped = int((~keep).sum())
    note = f"rows of classes that the dataset does not have, left out: {dropped}"
    order = np.flatnonzero(keep)[np.argsort(frames[keep], kind="stable")]
    return StoredBoxes(
        source=shown(path),
        classes=classes,
        frames=frames[order],
        boxes=numbers[order, :4],
        label_ids=labels[order],
        scores=numbers[order, 4],
        base_scores=numbers[order, 5],
        track_ids=tracks[order],
        covered=frozenset(by_name.values()) - {NOT_THERE},
        notes=(note,) if dropped else (),
        vectors=None if vectors is None else mapped.project(vectors[order], len(classes)),
    )


def _from_mot(path: Path, classes: tuple[str, ...]) -> StoredBoxes:
    rows = read_mot_rows(path)
    labels = _mot_labels(path, rows.class_ids, classes)
    return StoredBoxes(
        source=shown(path),
        classes=classes,
        frames=rows.frames,
        boxes=rows.boxes,
        label_ids=labels,
        scores=rows.conf,
        base_scores=rows.conf,
        track_ids=np.where(rows.ids < 0, NO_TRACK, rows.ids),
        covered=frozenset(range(len(classes))),
    )


def _mot_labels(path: Path, ids: NDArray[np.int64], classes: tuple[str, ...]) -> NDArray[np.int64]:
    if len(classes) == 1:
        return np.zeros(len(ids), dtype=np.int64)
    if (ids == NO_CLASS).any():
        raise InputError(
            f"{shown(path)}: no column of classes, but the dataset has {len(classes)} classes"
        )
    if ((ids < 1) | (ids > len(classes))).any():
        raise InputError(f"{shown(path)}: classes must be from 1 to {len(classes)}")
    return ids - 1
