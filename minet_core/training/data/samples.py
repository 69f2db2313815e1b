"""From a pair to what a step needs: tensors, and the episodes of Fig. 1."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import box_iou

from minet_core.memory.support import perturb, shift_grid
from minet_core.training.data.augment import mirrored, recoloured
from minet_core.training.data.pairs import Pair, View
from minet_core.training.data.random_counter import uniform
from minet_core.training.settings import TrainConfig


class Labelled(NamedTuple):
    """Boxes of E episodes with InsID labels: support or query sets.

    Attributes:
        boxes: (E, N, 4) xyxy in pixels of the picture.
        labels: (E, N) 1 for the target, 0 for anything else.
    """

    boxes: Tensor
    labels: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A pair as the networks take it; support first, query second.

    Attributes:
        images: two (3, h, w) uint8 RGB pictures.
        boxes: two (N, 4) float32 xyxy in pixels of them.
        labels: two (N,) int64 class ids from 0.
        support: what the identifiers learn from, in the first picture.
        query: what they are asked about, in the second.
        name: of the pair.
        complete: whether what is not annotated is background.
    """

    images: tuple[Tensor, Tensor]
    boxes: tuple[Tensor, Tensor]
    labels: tuple[Tensor, Tensor]
    support: Labelled
    query: Labelled
    name: str
    complete: bool

    def to(self, device: torch.device) -> "Sample":
        """The same on a device."""

        def moved(both: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            return both[0].to(device), both[1].to(device)

        return Sample(
            images=moved(self.images),
            boxes=moved(self.boxes),
            labels=moved(self.labels),
            support=Labelled(*moved(self.support)),
            query=Labelled(*moved(self.query)),
            name=self.name,
            complete=self.complete,
        )


def make_sample(pair: Pair, config: TrainConfig, generator: torch.Generator) -> Sample:
    """Mirror and colour a pair, choose its targets and the boxes of their episodes.

    Both views are mirrored, or none is; their colours change apart.
    """
    views = pair.support, pair.query
    if uniform(generator) < config.flip:
        views = mirrored(pair.support), mirrored(pair.query)
    shared = pair.shared()
    order = torch.randperm(len(shared), generator=generator)[: config.targets]
    targets = shared[order.numpy()]
    boxes = torch.from_numpy(views[0].boxes), torch.from_numpy(views[1].boxes)
    support, query = (
        episodes(targets, view, rows, config, generator)
        for view, rows in zip(views, boxes, strict=True)
    )
    return Sample(
        images=(_picture(views[0], config, generator), _picture(views[1], config, generator)),
        boxes=boxes,
        labels=(torch.from_numpy(views[0].label_ids), torch.from_numpy(views[1].label_ids)),
        support=support,
        query=query,
        name=pair.name,
        complete=pair.complete,
    )


def _picture(view: View, config: TrainConfig, generator: torch.Generator) -> Tensor:
    image = torch.from_numpy(view.image).permute(2, 0, 1)
    return recoloured(image, config.colour, generator) if config.colour else image


def episodes(
    targets: NDArray[np.int64],
    view: View,
    boxes: Tensor,
    config: TrainConfig,
    generator: torch.Generator,
) -> Labelled:
    """Labelled boxes of each target in one view (§III-B.1).

    Args:
        targets: (E,) track ids of the view.
        view: the picture and who is in it.
        boxes: (N, 4) the view's boxes.
        config: how many samples, and which.
        generator: source of randomness.
    """
    places = [int(np.flatnonzero(view.track_ids == target)[0]) for target in targets]
    sets = [_episode(place, boxes, config, generator) for place in places]
    labels = torch.cat([torch.ones(config.positives), torch.zeros(config.negatives)])
    return Labelled(torch.stack(sets), labels.expand(len(sets), -1))


def _episode(place: int, boxes: Tensor, config: TrainConfig, generator: torch.Generator) -> Tensor:
    """(positives + negatives, 4) boxes around one row and, as negatives, around the other rows."""
    target = boxes[place]
    hard = _around_others(place, boxes, config, generator)
    own, _ = perturb(
        target,
        config.positives,
        config.negatives - len(hard),
        generator,
        positive_iou=config.positive_iou,
        negative_iou=config.negative_iou,
        variances=config.variances,
    )
    return torch.cat([own, hard])


def _around_others(
    place: int, boxes: Tensor, config: TrainConfig, generator: torch.Generator
) -> Tensor:
    """No more than a share of the negatives: other objects, shifted as in §III-D.2."""
    others = torch.tensor([row for row in range(len(boxes)) if row != place])
    wanted = round(config.others * config.negatives)
    if not len(others) or not wanted:
        return boxes[:0]
    chosen = boxes[others[torch.randint(len(others), (wanted,), generator=generator)]]
    grid = shift_grid(config.positives)
    shifts = grid[torch.randint(len(grid), (wanted,), generator=generator)]
    samples = chosen + ((chosen[:, 2:] - chosen[:, :2]) * shifts).repeat(1, 2)
    return samples[box_iou(boxes[place][None], samples)[0] < config.negative_iou]
