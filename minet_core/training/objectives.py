"""What a step minimises: the two tasks of a training.

A task takes one pair at a time. What it makes of a pair depends on nothing but the weights, the
pair and torch's random state, so a global batch can be divided in any way.
"""

import copy
from typing import Protocol

import torch
from torch import Tensor, nn

from minet_core.models.faster_rcnn.network import FasterRcnn
from minet_core.models.identify.embedder import MAX_SIDE, STRIDE, shrunk
from minet_core.models.identify.network import IdentifyNetwork, fuse_batch_norm
from minet_core.training.data.samples import Sample
from minet_core.training.meta_loss import meta_loss
from minet_core.training.settings import TrainConfig


class Task(Protocol):
    """A network with its losses.

    Attributes:
        losses_of: names of the losses, the same for every pair.
    """

    losses_of: tuple[str, ...]

    @property
    def network(self) -> nn.Module:
        """What is trained, in the mode it is trained in."""
        ...

    def losses(self, sample: Sample) -> dict[str, Tensor]:
        """Scalars whose sum is minimised, by name."""
        ...

    def embed(self, image: Tensor, boxes: Tensor) -> Tensor:
        """(N, D) embeddings of (N, 4) boxes in a (3, h, w) uint8 picture."""
        ...


class DetectorTask:
    """Detector and identify head together: ℒ = ℒ_meta + ℒ_cls + ℒ_loc + ℒ_rpn (Eq. 4).

    A pair whose annotation is not complete has ℒ_meta alone. With `train = identify` all pairs
    have, and everything but the identify head keeps its weights.
    """

    def __init__(self, network: FasterRcnn, config: TrainConfig) -> None:
        self.network = network.train()
        self._config = config
        self._detects = config.train == "all"
        if not self._detects:
            network.requires_grad_(False)
            network.identify_head.requires_grad_(True)
        detect = ("cls", "loc", "rpn") if self._detects else ()
        self.losses_of: tuple[str, ...] = (*(("meta",) if config.meta else ()), *detect)

    def losses(self, sample: Sample) -> dict[str, Tensor]:
        """See `Task`."""
        images = sample.images
        if self._detects and sample.complete:
            targets = [
                {"boxes": boxes[labels >= 0], "labels": labels[labels >= 0]}
                for boxes, labels in zip(sample.boxes, sample.labels, strict=True)
            ]
            losses, shared = self.network.losses(images, targets, sample.around)
        else:
            shared = self.network.features_within(images, sample.around)
            losses = dict.fromkeys(self.losses_of, sample.boxes[0].new_zeros(()))
        if self._config.meta:
            support, query = (
                self.network.identify(shared, side, each.boxes.flatten(0, 1))
                for side, each in enumerate((sample.support, sample.query))
            )
            losses["meta"] = _meta(sample, support, query, self._config)
        return losses

    def embed(self, image: Tensor, boxes: Tensor) -> Tensor:
        """See `Task`."""
        return self.network.identify(self.network.features([image]), 0, boxes)


class IdentifyTask:
    """The identify network of its own: ℒ_meta (Eq. 3).

    Batch norms keep the statistics they begin with: two pictures are too few for new ones.
    """

    def __init__(self, network: IdentifyNetwork, config: TrainConfig) -> None:
        self.network = network.eval()
        network.backbone[: config.frozen].requires_grad_(False)
        # What does not learn needs no gradient, and takes half the time without batch norms.
        self._stem = copy.deepcopy(network.backbone[: config.frozen])
        fuse_batch_norm(self._stem)
        self._config = config
        self.losses_of: tuple[str, ...] = ("meta",)

    def losses(self, sample: Sample) -> dict[str, Tensor]:
        """See `Task`."""
        sides = zip(sample.images, (sample.support, sample.query), strict=True)
        support, query = (self.embed(image, each.boxes.flatten(0, 1)) for image, each in sides)
        return {"meta": _meta(sample, support, query, self._config)}

    def embed(self, image: Tensor, boxes: Tensor) -> Tensor:
        """See `Task`."""
        device = self.network.mean.device
        picture, scale = shrunk(
            image[None].to(device).float() / 255, self._config.longer or MAX_SIDE
        )
        with torch.no_grad():
            stem = self._stem.to(device)(self.network.standardised(picture))
        features = self.network.backbone[self._config.frozen :](stem)
        embeddings: Tensor = self.network(features, boxes.to(device), STRIDE / scale)
        return embeddings


def task_of(
    network: FasterRcnn | IdentifyNetwork, config: TrainConfig
) -> DetectorTask | IdentifyTask:
    """The task of a network."""
    if isinstance(network, FasterRcnn):
        return DetectorTask(network, config)
    return IdentifyTask(network, config)


def _meta(sample: Sample, support: Tensor, query: Tensor, config: TrainConfig) -> Tensor:
    """ℒ_meta over the episodes, from (E · N, D) embeddings of either set."""
    support_labels, query_labels = sample.support.labels, sample.query.labels
    loss = meta_loss(
        support.view(*support_labels.shape, -1),
        support_labels,
        query.view(*query_labels.shape, -1),
        query_labels,
        ridge=config.ridge,
    )
    return loss.float()
