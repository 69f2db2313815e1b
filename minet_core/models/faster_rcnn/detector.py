"""The paper's network at work: detector and embedder of a frame in one pass of the backbone."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from minet_core.models.detector import BaseDetections, FeatureMap, Frame
from minet_core.models.faster_rcnn.network import FasterRcnn, SharedFeatures
from minet_core.scores import ScoreKind


class RcnnDetector:
    """A Faster R-CNN as both `Detector` and `Embedder`.

    `features` of a frame that `detect` has just seen costs no second pass: it is known by the
    array itself, so write nothing into it in between.

    Args:
        model: used as it is, in evaluation mode and without gradients.
        device: where it runs.

    Attributes:
        model: as given.
    """

    score_kind = ScoreKind.SOFTMAX

    def __init__(self, model: FasterRcnn, device: str | torch.device = "cpu") -> None:
        self._device = torch.device(device)
        self.model = model.eval().requires_grad_(False).to(self._device)
        self._seen: list[Frame] = []
        self._shared = SharedFeatures([], [], [], [])

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the C classes."""
        return self.model.classes

    @property
    def backbones(self) -> list[nn.Module]:
        """See `Halving`."""
        return [self.model.backbone]

    @property
    def dim(self) -> int:
        """Length D of an embedding."""
        return self.model.config.embedding

    @torch.no_grad()
    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        """Up to 300 proposals of each frame with their boxes; those under a pixel are left out.

        Frames of one size share a pass through the backbone.
        """
        if not frames:
            return []
        self._look(frames)
        return [
            self._detections(index, (frame.shape[0], frame.shape[1]))
            for index, frame in enumerate(frames)
        ]

    @torch.no_grad()
    def features(self, frame: Frame) -> FeatureMap:
        """What the identify head's convolutions make of conv5."""
        shared, index = self.look(frame)
        values = self.model.identify_map(shared, index)
        return FeatureMap(values, self.model.backbone.stride / shared.scales[index])

    @torch.no_grad()
    def embed(self, features: FeatureMap, boxes: Tensor) -> Tensor:
        """(N, D) embeddings on the CPU for (N, 4) boxes in pixels of the frame."""
        scale = self.model.backbone.stride / features.stride
        regions = boxes.to(self._device, torch.float32) * scale
        embeddings: Tensor = self.model.identify_head(features.values, regions)
        return embeddings.cpu()

    @torch.no_grad()
    def look(self, frame: Frame) -> tuple[SharedFeatures, int]:
        """The backbone's view of a frame, and its place there; that of `detect` if it had it."""
        if not any(frame is seen for seen in self._seen):
            self._look([frame])
        return self._shared, next(i for i, seen in enumerate(self._seen) if seen is frame)

    def _look(self, frames: Sequence[Frame]) -> None:
        pictures = [torch.from_numpy(frame).permute(2, 0, 1) for frame in frames]
        self._seen, self._shared = list(frames), self.model.features(pictures)

    def _detections(self, index: int, size: tuple[int, int]) -> BaseDetections:
        found = self.model.detect(self._shared, index, size)
        boxes = found.boxes.cpu()
        kept = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(dim=1)
        return BaseDetections(found.proposals.cpu()[kept], boxes[kept], found.scores.cpu()[kept])
