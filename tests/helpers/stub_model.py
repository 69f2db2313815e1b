"""A model that costs nothing and whose answers can be foretold.

It sees the grey videos of video_factory: in frame i a person walks on the left, at x = 4 + i / 4,
and a car stands on the right. Their embeddings tell left from right and nothing else.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from video_factory import index_of

from minet_core.models.detector import BaseDetections, FeatureMap, Frame
from minet_core.models.zoo import Model
from minet_core.scores import ScoreKind

CLASSES = ("person", "car", "dog")
PERSON_SCORE, CAR_SCORE = 0.8, 0.6
MIDDLE = 32.0


class StubDetector:
    """Person and car in every frame, but for `empty` ones; `error` is raised at `fail_at`."""

    classes = CLASSES
    score_kind = ScoreKind.SIGMOID

    def __init__(
        self,
        empty: Sequence[int] = (),
        fail_at: int | None = None,
        error: BaseException | None = None,
    ) -> None:
        self.empty, self.fail_at, self.error = empty, fail_at, error or RuntimeError("no luck")

    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        return [self._detect(index_of(frame)) for frame in frames]

    def _detect(self, index: int) -> BaseDetections:
        if index == self.fail_at:
            raise self.error
        left = 4 + index / 4
        boxes = torch.tensor([[left, 8.0, left + 12, 40.0], [40.0, 20.0, 60.0, 36.0]])
        scores = torch.zeros(2, len(CLASSES))
        if index not in self.empty:
            scores[0, 0], scores[1, 1] = PERSON_SCORE, CAR_SCORE
        return BaseDetections(boxes, boxes, scores)


class StubEmbedder:
    dim = 4

    def features(self, frame: Frame) -> FeatureMap:  # noqa: ARG002
        return FeatureMap(torch.zeros(1, 1, 1, 1), 1.0)

    def embed(self, features: FeatureMap, boxes: Tensor) -> Tensor:  # noqa: ARG002
        right = (boxes[:, 0] + boxes[:, 2]) / 2 > MIDDLE
        return torch.eye(self.dim)[right.long()]


def stub_model(**options: Any) -> Model:
    return Model("stub", StubDetector(**options), StubEmbedder())
