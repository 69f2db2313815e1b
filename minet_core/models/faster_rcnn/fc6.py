"""fc6: what the first fully connected layer of a detect head says of a region (Table III, c).

The paper takes it for the association embedding where there is no meta-training. Its text does
not say whether before or after the rectifier: here before, as vectors without negative numbers
all point much the same way. The L2 norm is that of every embedding, which gives λ of Eq. 1 its
meaning.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from minet_core.models.detector import FeatureMap, Frame
from minet_core.models.identify.embedding import EMBEDDING_NORM

if TYPE_CHECKING:
    from minet_core.models.faster_rcnn.detector import RcnnDetector


def fc6(first: nn.Module, cut: Tensor, projection: Tensor | None = None) -> Tensor:
    """(N, D) float32 embeddings, on the CPU.

    Args:
        first: the layer, without its rectifier, and what comes before it in the head.
        cut: what it sees of N regions.
        projection: (width of the layer, D), which makes fewer numbers of them.
    """
    raw = first(cut).float().cpu()
    unit: Tensor = normalize(raw if projection is None else raw @ projection, dim=1)
    return EMBEDDING_NORM * unit


class Fc6Embedder:
    """The detect head's fc6 as an `Embedder`, of a Faster R-CNN of minet; no second backbone pass.

    Args:
        detector: whose head it is, and whose look at a frame it shares.
    """

    def __init__(self, detector: "RcnnDetector") -> None:
        self._detector = detector
        self._head, self._first = detector.model.detect_head, detector.model.detect_head.layers.fc6

    @property
    def dim(self) -> int:
        """Length D of an embedding."""
        return self._detector.model.config.hidden

    @torch.no_grad()
    def features(self, frame: Frame) -> FeatureMap:
        """What the detect head's convolutions make of conv5."""
        shared, index = self._detector.look(frame)
        stride = self._detector.model.backbone.stride / shared.scales[index]
        return FeatureMap(self._head.reduce(shared.conv5[index]), stride)

    @torch.no_grad()
    def embed(self, features: FeatureMap, boxes: Tensor) -> Tensor:
        """(N, D) embeddings on the CPU for (N, 4) boxes in pixels of the frame."""
        scale = self._detector.model.backbone.stride / features.stride
        regions = boxes.to(features.values.device, torch.float32) * scale
        return fc6(self._first, self._head.regions(features.values, regions).flatten(1))
