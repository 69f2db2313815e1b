"""The heads of the Faster R-CNN: region proposals on conv4, detect and identify on conv5.

Regions are cut by RoIAlign out of features that a head has reduced from conv5 first (§IV-B.1).
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize, smooth_l1_loss
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler, BoxCoder, Matcher
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.ops import box_iou, roi_align

from minet_core.models.faster_rcnn.rcnn_config import RcnnConfig

Size = tuple[int, int]
"""Height and width."""


class ProposalHead(RPNHead):  # type: ignore[misc]
    """torchvision's, with answers in float32: half precision cannot tell pixels apart."""

    def forward(self, x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Objectness and box deltas of each level."""
        objectness, deltas = super().forward(x)
        return [level.float() for level in objectness], [level.float() for level in deltas]


class Proposals(nn.Module):
    """The region proposal network (§IV-B.1, 3) on conv4 of one picture."""

    def __init__(self, config: RcnnConfig, channels: int, stride: int) -> None:
        super().__init__()
        self._stride = stride
        anchors = AnchorGenerator((config.anchors,), (config.ratios,))
        candidates = {"training": config.candidates, "testing": config.candidates}
        proposals = {"training": config.proposals, "testing": config.proposals}
        self.network = RegionProposalNetwork(
            anchors,
            ProposalHead(channels, anchors.num_anchors_per_location()[0]),
            fg_iou_thresh=0.7,
            bg_iou_thresh=0.3,
            batch_size_per_image=256,
            positive_fraction=0.5,
            pre_nms_top_n=candidates,
            post_nms_top_n=proposals,
            nms_thresh=config.proposal_nms,
        )

    def forward(self, conv4: Tensor, size: Size, truth: Tensor | None) -> tuple[Tensor, Tensor]:
        """(P, 4) proposals inside a picture of that size, best first, and the loss ℒ_rpn.

        Args:
            conv4: (1, channels, h, w).
            size: of the picture, without padding.
            truth: (N, 4) boxes of the objects; without them the loss is 0.
        """
        self.network.train(truth is not None)  # all it decides is whether there are losses
        # Anchors take their type from the features, and their stride from this stand-in's shape.
        conv4 = conv4.float()
        height, width = (side * self._stride for side in conv4.shape[-2:])
        picture = ImageList(conv4.new_empty((1, 0, height, width)), [size])
        targets = None if truth is None else [{"boxes": truth}]
        proposals, losses = self.network(picture, {"conv4": conv4}, targets)
        return proposals[0].detach(), sum(losses.values(), start=conv4.new_zeros(()))


class Regions(nn.Module):
    """RoIAlign: (1, channels, h, w) features and (N, 4) regions in pixels to (N, channels, …)."""

    def __init__(self, config: RcnnConfig, stride: int) -> None:
        super().__init__()
        self._cells, self._samples, self._stride = config.cells, config.samples, stride

    def forward(self, features: Tensor, regions: Tensor) -> Tensor:
        """(N, channels, cells, cells)."""
        cut: Tensor = roi_align(
            features,
            [regions.to(features.dtype)],
            self._cells,
            1 / self._stride,
            self._samples,
            aligned=True,
        )
        return cut


class LargeSeparable(nn.Module):
    """A k × k convolution, nearly: (k × 1, 1 × k) and (1 × k, k × 1) side by side, summed."""

    def __init__(self, inputs: int, between: int, outputs: int, k: int) -> None:
        super().__init__()
        column, row = (k, 1), (1, k)
        self.down_right = _pair(inputs, between, outputs, column, row)
        self.right_down = _pair(inputs, between, outputs, row, column)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) to (B, outputs, h, w), rectified."""
        both: Tensor = self.down_right(x) + self.right_down(x)
        return both.relu()


class DetectHead(nn.Module):
    """Class scores and boxes of regions, with boxes that are the same whatever the class."""

    def __init__(self, config: RcnnConfig, channels: int, stride: int, classes: int) -> None:
        super().__init__()
        self._regions = Regions(config, stride)
        self.reduce = LargeSeparable(channels, config.separable, config.reduced, config.kernel)
        self.layers = TwoMLPHead(config.reduced * config.cells**2, config.hidden)
        self.scores = nn.Linear(config.hidden, classes + 1)
        self.deltas = nn.Linear(config.hidden, 4)
        for layer, spread in ((self.scores, 0.01), (self.deltas, 0.001)):
            nn.init.normal_(layer.weight, std=spread)
            nn.init.zeros_(layer.bias)
        self._coder = BoxCoder((10.0, 10.0, 5.0, 5.0))
        self._matcher = Matcher(0.5, 0.5, allow_low_quality_matches=False)
        self._sampler = BalancedPositiveNegativeSampler(config.rois, config.roi_share)

    def forward(self, conv5: Tensor, regions: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C + 1) logits, background first, and (N, 4) deltas of (N, 4) regions; float32."""
        cut = self._regions(self.reduce(conv5), regions)
        inner = self.layers(cut)
        return self.scores(inner).float(), self.deltas(inner).float()

    def refine(self, regions: Tensor, deltas: Tensor) -> Tensor:
        """(N, 4) boxes: regions moved by deltas."""
        boxes: Tensor = self._coder.decode_single(deltas, regions)
        return boxes

    def losses(
        self, conv5: Tensor, proposals: Tensor, boxes: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        """ℒ_cls and ℒ_loc over a sample of a picture's proposals and its true boxes themselves.

        Args:
            conv5: (1, channels, h, w).
            proposals: (P, 4).
            boxes: (N, 4) of the objects.
            labels: (N,) their classes, from 0.
        """
        regions, wanted, targets = self.sample(proposals, boxes, labels)
        logits, deltas = self(conv5, regions)
        objects = wanted > 0
        far = smooth_l1_loss(deltas[objects], targets[objects], beta=1 / 9, reduction="sum")
        return cross_entropy(logits, wanted), far / len(wanted)

    def sample(
        self, proposals: Tensor, boxes: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Regions to learn from (§IV-B.2), drawn with torch's global random state.

        Returns:
            (R, 4) regions; (R,) int64 classes from 1, 0 for background; (R, 4) deltas to their
            objects, zeros where there is none.
        """
        regions = torch.cat([proposals, boxes])
        wanted = torch.zeros(len(regions), dtype=torch.int64, device=regions.device)
        targets = torch.zeros_like(regions)
        if len(boxes):
            match = self._matcher(box_iou(boxes, regions))
            found = match >= 0
            wanted[found] = labels[match[found]] + 1
            targets[found] = self._coder.encode_single(boxes[match[found]], regions[found])
        objects, background = self._sampler([wanted])
        kept = (objects[0] | background[0]).nonzero().flatten()
        return regions[kept], wanted[kept], targets[kept]


class IdentifyHead(nn.Module):
    """Association embeddings of regions (§III-B), of a fixed L2 norm.

    λ of Eq. 1 stands beside sums of squares of embeddings. Were their scale free, training could
    make λ as weak as it likes, and λ = 0.1 would mean something else in every checkpoint.
    """

    def __init__(self, config: RcnnConfig, channels: int, stride: int) -> None:
        super().__init__()
        self._norm = config.embedding_norm
        self._regions = Regions(config, stride)
        self.reduce = nn.Sequential(
            nn.Conv2d(channels, config.reduced, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(config.reduced, config.reduced, 3, padding=1),
            nn.ReLU(inplace=True),
        )
        self.hidden = nn.Linear(config.reduced * config.cells**2, config.identify_hidden)
        self.embedding = nn.Linear(config.identify_hidden, config.embedding)

    def forward(self, reduced: Tensor, regions: Tensor) -> Tensor:
        """(N, D) float32 embeddings of (N, 4) regions, from what `reduce` made of conv5."""
        cut = self._regions(reduced, regions).flatten(1)
        raw = self.embedding(self.hidden(cut).relu()).float()
        unit: Tensor = normalize(raw, dim=1)
        return self._norm * unit


def _pair(inputs: int, between: int, outputs: int, first: Size, then: Size) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, between, first, padding=(first[0] // 2, first[1] // 2)),
        nn.Conv2d(between, outputs, then, padding=(then[0] // 2, then[1] // 2)),
    )
