"""Videos with truth: ImageNet VID, MOTChallenge, CocoVID and a toy, behind one interface.

Names are imported when they are first used: who wants the table of classes alone opens no dataset.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minet_core.boxes import NO_TRACK
    from minet_core.datasets.dataset import Dataset, FrameTruth, VideoTruth
    from minet_core.datasets.mot.rows import MotRows, read_mot_rows
    from minet_core.datasets.open import KINDS, open_dataset
    from minet_core.datasets.problems import Problem, Problems
    from minet_core.datasets.toy.generator import make_toy
    from minet_core.datasets.vocabulary import ClassMap, map_classes, read_table

_HOMES = {
    "KINDS": "datasets.open",
    "NO_TRACK": "boxes",
    "ClassMap": "datasets.vocabulary",
    "Dataset": "datasets.dataset",
    "FrameTruth": "datasets.dataset",
    "MotRows": "datasets.mot.rows",
    "Problem": "datasets.problems",
    "Problems": "datasets.problems",
    "VideoTruth": "datasets.dataset",
    "make_toy": "datasets.toy.generator",
    "map_classes": "datasets.vocabulary",
    "open_dataset": "datasets.open",
    "read_mot_rows": "datasets.mot.rows",
    "read_table": "datasets.vocabulary",
}

__all__ = [
    "KINDS",
    "NO_TRACK",
    "ClassMap",
    "Dataset",
    "FrameTruth",
    "MotRows",
    "Problem",
    "Problems",
    "VideoTruth",
    "make_toy",
    "map_classes",
    "open_dataset",
    "read_mot_rows",
    "read_table",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"minet_core.{_HOMES[name]}"), name)
