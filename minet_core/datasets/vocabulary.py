"""Class names of one vocabulary in another: a model that says `person` on data with pedestrians."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minet_core.errors import ConfigError, InputError
from minet_core.suggest import did_you_mean
from minet_core.text import read_text, shown

NOT_THERE = -1
"""In `ClassMap.ids`: the dataset has no such class."""

Table = Mapping[str, tuple[str, ...]]
"""Model class → what datasets may call it, best first; an empty tuple maps it to nothing."""

_SAME = (
    ("person", "pedestrian"),
    ("cow", "cattle"),
    ("cat", "domestic cat"),
    ("boat", "watercraft"),
    ("airplane", "aeroplane"),
    ("motorcycle", "motorbike"),
    ("bicycle", "bike"),
    ("couch", "sofa"),
    ("tv", "tvmonitor"),
    ("dining table", "diningtable"),
    ("potted plant", "pottedplant"),
)
"""Names for the same thing in COCO (80), VOC (20), ImageNet VID (30) and MOTChallenge."""

DEFAULT_TABLE: Table = {
    name: tuple(other for other in names if other != name) for names in _SAME for name in names
}


@dataclass(frozen=True, slots=True, eq=False)
class ClassMap:
    """How a model's classes are called in a dataset.

    Attributes:
        ids: (C,) int64, from a model's label id to the dataset's, or NOT_THERE.
        not_covered: classes of the dataset that the model cannot say.
    """

    ids: NDArray[np.int64]
    not_covered: tuple[str, ...]

    def project(self, scores: NDArray[np.floating], classes: int) -> NDArray[np.float64]:
        """Scores (N, C) of the model's classes → (N, classes) of the dataset's.

        Where several are one, the best counts; 0 where none is mapped.
        """
        projected = np.zeros((len(scores), classes))
        for column, label in enumerate(self.ids):
            if label != NOT_THERE:
                np.maximum(projected[:, label], scores[:, column], out=projected[:, label])
        return projected


def map_classes(
    model_classes: Sequence[str], dataset_classes: Sequence[str], table: Table | None = None
) -> ClassMap:
    """Find each of a model's classes in a dataset.

    What the table says of a name counts first, then the name itself. Capitals do not count, and
    spaces, underscores and hyphens are the same. Several model classes may map to one.

    Args:
        model_classes: names by label id.
        dataset_classes: names by label id.
        table: in place of DEFAULT_TABLE, for example from `read_table`.
    """
    known = {_plain(name): label for label, name in enumerate(dataset_classes)}
    plain_table = {
        _plain(name): tuple(map(_plain, others))
        for name, others in (DEFAULT_TABLE if table is None else table).items()
    }
    ids = [_find(_plain(name), known, plain_table) for name in model_classes]
    missing = (name for label, name in enumerate(dataset_classes) if label not in ids)
    return ClassMap(np.array(ids, np.int64), tuple(missing))


def read_table(
    path: Path, model_classes: Sequence[str], dataset_classes: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """A table from a file: a line each, model name and dataset name with a comma or tab between.

    A line without a dataset name keeps a model's class from being mapped. Empty lines and lines
    that begin with # do not count.

    Args:
        path: of the file.
        model_classes: names that may stand on the left.
        dataset_classes: names that may stand on the right.

    Raises:
        InputError: it cannot be read, or a line has not two columns.
        ConfigError: a name is no class of the model's or the dataset's.
    """
    table: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(_lines(path), 1):
        if not line.strip() or line.startswith("#"):
            continue
        place = f"{shown(path)}, line {number}"
        row = [cell.strip() for cell in next(csv.reader([line], delimiter=_delimiter(line)))]
        if len(row) != 2:
            raise InputError(f"{place}: a model name and a dataset name are needed")
        _check_name(row[0], model_classes, f"{place}: the model has no class")
        if row[1]:
            _check_name(row[1], dataset_classes, f"{place}: the dataset has no class")
        name = _plain(row[0])
        table[name] = table.get(name, ()) + ((row[1],) if row[1] else ())
    return table


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split())


def _find(name: str, known: Mapping[str, int], table: Table) -> int:
    if table.get(name) == ():
        return NOT_THERE
    candidates = (*table.get(name, ()), name)
    return next((known[other] for other in candidates if other in known), NOT_THERE)


def _lines(path: Path) -> list[str]:
    try:
        return read_text(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not a text file"
        raise InputError(f"{shown(path)}: {why}".lower()) from None


def _delimiter(line: str) -> str:
    return "\t" if "\t" in line else ","


def _check_name(name: str, known: Sequence[str], complaint: str) -> None:
    if _plain(name) not in {_plain(other) for other in known}:
        raise ConfigError(f"{complaint} {name!r}{did_you_mean(name, known)}")
