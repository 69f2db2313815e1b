"""From `--data` to sources of pairs that agree on their classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minet_core.datasets.dataset import Dataset
from minet_core.datasets.open import open_dataset
from minet_core.datasets.vocabulary import map_classes
from minet_core.errors import ConfigError
from minet_core.training.data.composed import ComposedPairs
from minet_core.training.data.frame_pairs import FramePairs
from minet_core.training.data.pairs import PairSource
from minet_core.training.settings import TrainConfig

COMPOSED = "composed:"
"""Before the name of a dataset: pairs composed of its objects, in place of its own pairs."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What there is to learn from.

    Attributes:
        weighted: sources of pairs, and how often each is drawn, relatively.
        classes: of all of them together.
    """

    weighted: tuple[tuple[PairSource, float], ...]
    classes: tuple[str, ...]

    @property
    def notes(self) -> list[str]:
        """What was left out of what was drawn up to now, a line each."""
        return [f"{source.name}: {note}" for source, _ in self.weighted for note in source.notes]


def open_datasets(config: TrainConfig) -> list[Dataset]:
    """The training part of every dataset.

    Raises:
        ConfigError: there is none, or one of no known kind.
        InputError: one is not there or malformed.
    """
    if not config.data:
        raise ConfigError("there is nothing to train on; give --data KIND:PATH")
    return [open_dataset(spec.removeprefix(COMPOSED), "train") for spec, _ in config.data]


def pair_up(datasets: Sequence[Dataset], config: TrainConfig) -> Sources:
    """Sources of pairs with the weights that the settings give them."""
    classes, labels = united([dataset.classes for dataset in datasets])
    weighted: list[tuple[PairSource, float]] = []
    for dataset, ids, (spec, weight) in zip(datasets, labels, config.data, strict=True):
        pairs = FramePairs(dataset, ids, max_gap=config.max_gap, crop=config.crop, flip=config.flip)
        weighted.append((ComposedPairs(pairs) if spec.startswith(COMPOSED) else pairs, weight))
    return Sources(tuple(weighted), classes)


def united(
    vocabularies: Sequence[Sequence[str]],
) -> tuple[tuple[str, ...], list[NDArray[np.int64]]]:
    """One list of classes for several datasets.

    A class is called what the first dataset calls it that has it; names for the same thing, such
    as person and pedestrian, are one class.

    Returns:
        The names, and for each dataset (C,) int64 from its label ids to them.
    """
    classes: list[str] = []
    labels = []
    for names in vocabularies:
        ids = map_classes(names, classes).ids
        for place in np.flatnonzero(ids < 0):
            ids[place] = len(classes)
            classes.append(names[int(place)])
        labels.append(ids)
    return tuple(classes), labels
