"""What every layout is: recognised from a graph's outputs, and able to read them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from minet_core.boxes import Ints
from minet_core.models.onnx.exporter_metadata import Said, ultralytics
from minet_core.models.onnx.graph import Facts, Size
from minet_core.models.onnx.preparation import Preparation
from minet_core.models.onnx.session import Arrays
from minet_core.models.proposals import Floats
from minet_core.scores import ScoreKind


class Rows(StrEnum):
    """What a row of a layout is, and so how much the memory gets of it."""

    CELLS = "cells"
    """Every cell of a grid, before suppression, with a score of every class."""
    QUERIES = "queries"
    """Every query of a network that needs no suppression, with a score of every class."""
    FINAL = "detections"
    """What is left after suppression, with one class each: all that a memory cannot re-weight."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a layout reads from the outputs for one picture.

    Attributes:
        boxes: (M, 4) xyxy in pixels of the network's picture.
        scores: (M, columns) probabilities, with the background in column 0 if there is one; of
            detections (M,), of their class alone.
        labels: (M,) int64 column of a detection's class; None where there are scores of all.
    """

    boxes: Floats
    scores: Floats
    labels: Ints | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout(ABC):
    """One way to write boxes and scores.

    Attributes:
        why: by what it was recognised.
        columns: score columns, background not counted; None where the outputs do not tell.
        name: for the sidecar.
        about: which exporters write it.
        rows: what a row is.
        score_kind: what the scores are.
        batched: whether outputs have a dimension for the batch.
        first_label: number of the first class, where labels do not count from 0.
        spare: columns behind the last class that mean nothing, unless they are named.
        told_beside: whether exporters say beside the file how frames are prepared.
        prepared: how its exporters prepare frames.
    """

    why: str
    columns: int | None

    name: ClassVar[str]
    about: ClassVar[str]
    rows: ClassVar[Rows]
    batched: ClassVar[bool] = True
    first_label: ClassVar[int] = 0
    spare: ClassVar[int] = 0
    told_beside: ClassVar[bool] = False
    prepared: ClassVar[Preparation]

    @classmethod
    @abstractmethod
    def find(cls, facts: Facts, classes: int | None) -> "Layout | None":
        """The layout if the outputs fit it; `classes` is how many there are, where it is known."""

    @property
    def score_kind(self) -> ScoreKind:
        """What the scores are."""
        return ScoreKind.SIGMOID

    @classmethod
    def said(cls, facts: Facts) -> Said:
        """What its exporters say beside the outputs."""
        return ultralytics(facts.metadata, facts.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLayout(Layout):
    """A layout of which every row is read: queries, and finished detections."""

    @abstractmethod
    def decode(self, outputs: Arrays, size: Size) -> Decoded:
        """Boxes and scores of one picture of that size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLayout(Layout):
    """A grid with a box and independent scores at every cell, of which most show nothing.

    Attributes:
        as_bundled: whether proposals are those that the bundled detector would make: of more cells,
            and with nothing of the near-copies that they suppress.
    """

    rows: ClassVar[Rows] = Rows.CELLS
    as_bundled: ClassVar[bool] = False

    @abstractmethod
    def surest(self, outputs: Arrays) -> tuple[Ints, Floats]:
        """(M,) the cells that may be worth decoding, and the best score of each."""

    @abstractmethod
    def boxes(self, outputs: Arrays, cells: Ints, size: Size) -> Floats:
        """(K, 4) xyxy in pixels of the network's picture of that size, of K cells."""

    @abstractmethod
    def scores(self, outputs: Arrays, cells: Ints) -> Floats:
        """(K, columns) probabilities of K cells."""


def floats(array: NDArray[Any]) -> Floats:
    """A float32 array of an output, without a copy where it is one."""
    return np.asarray(array, np.float32)


def sigmoid(logits: Floats) -> Floats:
    """Of each logit."""
    return torch.from_numpy(logits).sigmoid().numpy()


def corners(centres: Floats, sizes: Floats) -> Floats:
    """(K, 4) xyxy of (K, 2) centres and (K, 2) widths and heights."""
    halves = sizes / 2
    return np.concatenate((centres - halves, centres + halves), axis=1)


def are_probabilities(values: NDArray[Any]) -> bool:
    """Whether all values are from 0 to 1; logits of noise are not."""
    return bool(values.size) and bool((values >= 0).all() and (values <= 1).all())


def single(facts: Facts, rank: int = 3) -> tuple[str, tuple[int, ...]] | None:
    """Name and shape of the one output of so many dimensions; None if there is not just one."""
    fitting = [(name, shape) for name, shape in facts.shapes.items() if len(shape) == rank]
    return fitting[0] if len(fitting) == 1 else None


def may_have_more(facts: Facts) -> bool:
    """Whether a row may hold more than a box and scores: for masks or key points."""
    further = any(len(shape) == 4 for shape in facts.shapes.values())
    return further or facts.metadata.get("task") in {"segment", "pose"}


def says(name: str, shape: tuple[int, ...], meaning: str) -> str:
    """A reason: `output0 (1, 84, 8400) is 4 sides and 80 scores at 8400 cells`."""
    return f"{name} {shape} is {meaning}"


def by_kind(facts: Facts, names: Mapping[str, tuple[str, ...]]) -> dict[str, str] | None:
    """What each role's output is called, by parts of names; None if a role has not just one."""
    found = {}
    for role, parts in names.items():
        fitting = [name for name in facts.trial if name in parts] or [
            name for name in facts.trial if any(part in name.lower() for part in parts)
        ]
        if len(fitting) != 1:
            return None
        found[role] = fitting[0]
    return found if len(set(found.values())) == len(found) else None
