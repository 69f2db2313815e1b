"""Videos with truth: ImageNet VID, MOTChallenge, CocoVID and a toy, behind one interface."""

from minet_core.boxes import NO_TRACK
from minet_core.datasets.dataset import Dataset, FrameTruth, VideoTruth
from minet_core.datasets.mot.rows import MotRows, read_mot_rows
from minet_core.datasets.open import KINDS, open_dataset
from minet_core.datasets.problems import Problem, Problems
from minet_core.datasets.toy.generator import make_toy
from minet_core.datasets.vocabulary import ClassMap, map_classes, read_table

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
