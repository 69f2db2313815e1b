"""What a step minimises: the two tasks of a training.

A task takes one pair at a time. What it makes of a pair depends on nothing but the weights, the
pair and torch's random state, so a global batch can be divided in any way.
"""

from typing import Protocol

from torch import Tensor, nn

from minet_core.models.faster_rcnn import FasterRcnn
from minet_core.models.identify import MAX_SIDE, STRIDE, IdentifyNetwork, shrunk
from minet_core.training.config import TrainConfig
from minet_core.training.meta import meta_loss
from minet_core.training.samples import Labelled, Sample


class Task(Protocol):
    """A network with its losses.

    Attributes:
        network: what is trained, in the mode it is trained in.
        losses_of: names of the losses, the same for every pair.
    """

    network: nn.Module
    losses_of: tuple[str, ...]

    def losses(self, sample: Sample) -> dict[str, Tensor]:
        """Scalars whose sum is minimised, by name."""
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
        self.losses_of = ("meta",) * config.meta + ("cls", "loc", "rpn") * self._detects

    def losses(self, sample: Sample) -> dict[str, Tensor]:
        """See `Task`."""
        images = [image.float() / 255 for image in sample.images]
        if self._detects and sample.complete:
            targets = [
                {"boxes": boxes[labels >= 0], "labels": labels[labels >= 0]}
                for boxes, labels in zip(sample.boxes, sample.labels, strict=True)
            ]
            losses, shared = self.network.losses(images, targets)
        else:
            shared = self.network.features(images)
            losses = dict.fromkeys(self.losses_of, images[0].new_zeros(()))
        if self._config.meta:
            support, query = (
                _like(each, self.network.identify(shared, side, each.boxes.flatten(0, 1)))
                for side, each in enumerate((sample.support, sample.query))
            )
            losses["meta"] = _meta(sample, support, query, self._config)
        return {name: losses[name] for name in self.losses_of}


class IdentifyTask:
    """The identify network of its own: ℒ_meta (Eq. 3).

    Batch norms keep the statistics they begin with: two pictures are too few for new ones.
    """

    def __init__(self, network: IdentifyNetwork, config: TrainConfig) -> None:
        self.network = network.eval()
        self._config = config
        self.losses_of = ("meta",)

    def losses(self, sample: Sample) -> dict[str, Tensor]:
        """See `Task`."""
        sides = zip(sample.images, (sample.support, sample.query), strict=True)
        support, query = (self._embed(image, each) for image, each in sides)
        return {"meta": _meta(sample, support, query, self._config)}

    def _embed(self, image: Tensor, labelled: Labelled) -> Tensor:
        picture, scale = shrunk(image[None].float() / 255, self._config.longer or MAX_SIDE)
        features = self.network.feature_map(picture)
        return _like(labelled, self.network(features, labelled.boxes.flatten(0, 1), STRIDE / scale))


def _like(labelled: Labelled, embeddings: Tensor) -> Tensor:
    """(E · N, D) embeddings as (E, N, D)."""
    return embeddings.view(*labelled.labels.shape, -1)


def _meta(sample: Sample, support: Tensor, query: Tensor, config: TrainConfig) -> Tensor:
    loss = meta_loss(support, sample.support.labels, query, sample.query.labels, ridge=config.ridge)
    return loss.float()
