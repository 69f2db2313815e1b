"""How good the weights are, on data they do not learn from."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from minet_core.config import PAPER
from minet_core.datasets.dataset import Dataset
from minet_core.datasets.open import open_dataset
from minet_core.errors import InputError
from minet_core.evaluation.eval_config import EvalOptions, Variant
from minet_core.evaluation.evaluate import evaluate_model
from minet_core.evaluation.predictions.predict import Finder
from minet_core.memory.identifier import closed_form
from minet_core.models.faster_rcnn.network import FasterRcnn
from minet_core.models.faster_rcnn.windowed import rcnn_detector
from minet_core.models.identify.network import IdentifyNetwork
from minet_core.models.zoo import Model
from minet_core.training.data.frame_pairs import FramePairs
from minet_core.training.data.pairs import Pair, PairSource
from minet_core.training.data.random_counter import Use, generator
from minet_core.training.data.samples import episodes
from minet_core.training.objectives import task_of
from minet_core.training.settings import TrainConfig

_PAIRS = 200
"""Most pairs that the accuracy of identifiers is taken over."""

Embed = Callable[[Tensor, Tensor], Tensor]
"""From a (3, h, w) uint8 picture and (N, 4) boxes in it to (N, D) embeddings."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A number, higher is better, and what it is."""

    name: str
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """What to measure on.

    Attributes:
        dataset: its frames.
        config: of the training.
        device: where to compute.
    """

    dataset: Dataset
    config: TrainConfig
    device: torch.device

    def measure(self, network: FasterRcnn | IdentifyNetwork) -> Measured:
        """Average precision; of a network that learns to identify alone, its accuracy in that.

        Raises:
            InputError: there is nothing to measure on.
        """
        if isinstance(network, FasterRcnn) and self.config.train == "all":
            both = rcnn_detector(network, self.device)
            return precision(
                Model(self.config.model, both, both), self.dataset, memory=self.config.meta
            )
        task = task_of(network, self.config)
        network.eval()
        classes = np.arange(len(self.dataset.classes))
        pairs = FramePairs(self.dataset, classes, max_gap=self.config.max_gap)
        frames = sum(len(video) for video in self.dataset.videos)
        return accuracy(task.embed, pairs, self.config, min(frames, _PAIRS))


def open_validation(config: TrainConfig, device: torch.device) -> Validation | None:
    """What the settings name to measure on, None where they name nothing.

    Raises:
        ConfigError: it is of no known kind.
        InputError: it is not there or malformed.
    """
    if config.val is None:
        return None
    return Validation(beginning(open_dataset(config.val, "val"), config.val_frames), config, device)


def beginning(dataset: Dataset, frames: int | None) -> Dataset:
    """The dataset with no more than so many frames: as much of the beginning of each video.

    Of more videos than frames, those at even distances are taken, one frame each.
    """
    if frames is None:
        return dataset
    count = min(len(dataset.videos), frames)
    spread = range(0, count * len(dataset.videos), len(dataset.videos))
    videos = [dataset.videos[place // count] for place in spread]
    return replace(dataset, videos=tuple(video.first(frames // count) for video in videos))


def precision(model: Model, dataset: Dataset, *, memory: bool) -> Measured:
    """Mean average precision at IoU 0.5, with the paper's memory or without.

    Raises:
        InputError: nothing is annotated, or no picture can be read.
    """
    name = "AP50 with memory" if memory else "AP50 without memory"
    variants = (Variant(name, PAPER if memory else None),)
    options = EvalOptions()
    finder = Finder(dataset, lambda _: model, variants, options.offline)
    result = evaluate_model(dataset, [finder], variants, options)
    return Measured(name, result.variants[name].ap.mean)


@torch.no_grad()
def accuracy(embed: Embed, source: PairSource, config: TrainConfig, count: int) -> Measured:
    """How often an identifier, learnt in one frame, prefers its own object in another frame.

    Args:
        embed: gives embeddings.
        source: of pairs; those whose query has several objects count.
        config: how identifiers are learnt.
        count: pairs to look at, the same each time.

    Raises:
        InputError: there is no such pair.
    """
    right = total = 0
    for number in range(count):
        random = generator(config.seed, 0, number, Use.MEASURE)
        try:
            hits = _hits(embed, source.draw(random), config, random)
        except InputError:
            continue
        right, total = right + int(hits.sum()), total + len(hits)
    if not total:
        raise InputError(f"{source.name}: no pair of frames of it has several objects")
    return Measured("identity accuracy", right / total)


def _hits(embed: Embed, pair: Pair, config: TrainConfig, random: torch.Generator) -> Tensor:
    """(E,) whether each shared object is found among all objects of the query."""
    targets = pair.shared() if len(pair.query.boxes) > 1 else pair.shared()[:0]
    if not len(targets):
        return torch.zeros(0, dtype=torch.bool)
    first, second = (torch.from_numpy(v.image).permute(2, 0, 1) for v in (pair.support, pair.query))
    support = episodes(targets, pair.support, torch.from_numpy(pair.support.boxes), config, random)
    learnt = embed(first, support.boxes.flatten(0, 1)).cpu().view(*support.labels.shape, -1)
    found = embed(second, torch.from_numpy(pair.query.boxes)).cpu().double()
    best = (closed_form(learnt, support.labels, config.ridge) @ found.T).argmax(dim=1)
    return torch.from_numpy(pair.query.track_ids[best.numpy()] == targets)
