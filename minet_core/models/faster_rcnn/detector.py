"""The paper's network at work: detector and embedder of a frame in one pass of the backbone."""

from collections.abc import Sequence

import torch
from torch import Tensor

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
    """

    score_kind = ScoreKind.SOFTMAX

    def __init__(self, model: FasterRcnn, device: str | torch.device = "cpu") -> None:
        self._device = torch.device(device)
        self._model = model.eval().requires_grad_(False).to(self._device)
        self._seen: list[Frame] = []
        self._shared = SharedFeatures([], [], [], [])

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the C classes."""
        return self._model.classes

    @property
    def dim(self) -> int:
        """Length D of an embedding."""
        return self._model.config.embedding

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
        if not any(frame is seen for seen in self._seen):
            self._look([frame])
        index = next(i for i, seen in enumerate(self._seen) if seen is frame)
        values = self._model.identify_map(self._shared, index)
        return FeatureMap(values, self._model.backbone.stride / self._shared.scales[index])

    @torch.no_grad()
    def embed(self, features: FeatureMap, boxes: Tensor) -> Tensor:
        """(N, D) embeddings on the CPU for (N, 4) boxes in pixels of the frame."""
        scale = self._model.backbone.stride / features.stride
        regions = boxes.to(self._device, torch.float32) * scale
        embeddings: Tensor = self._model.identify_head(features.values, regions)
        return embeddings.cpu()

    def _look(self, frames: Sequence[Frame]) -> None:
        pictures = [torch.from_numpy(frame).permute(2, 0, 1) for frame in frames]
        self._seen, self._shared = list(frames), self._model.features(pictures)

    def _detections(self, index: int, size: tuple[int, int]) -> BaseDetections:
        found = self._model.detect(self._shared, index, size)
        boxes = found.boxes.cpu()
        kept = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(dim=1)
        return BaseDetections(found.proposals.cpu()[kept], boxes[kept], found.scores.cpu()[kept])
