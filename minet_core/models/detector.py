"""The contract between a detector and the memory.

Anything that gives boxes and class scores for a frame can carry MINet: a network, or boxes read
from a file. Coordinates are xyxy in pixels of the frame as it was given, origin at the top left
corner of the top left pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from minet_core.scores import ScoreKind as ScoreKind

Frame = NDArray[np.uint8]
"""One picture: (height, width, 3), RGB, uint8, display-oriented."""


@dataclass(frozen=True, slots=True)
class BaseDetections:
    """What a detector says of one frame before memory: the paper's 𝒫_t without embeddings.

    Attributes:
        proposals: (N, 4) regions after NMS at 0.7, where embeddings are taken.
        boxes: (N, 4) refined boxes, row by row; a one-stage detector repeats its proposals.
        scores: (N, C + 1) or (N, C), as the detector's `score_kind` says.
        final: whether the boxes are somebody's results and none may be suppressed; else they
            are a detector's candidates, several to an object.
    """

    proposals: Tensor
    boxes: Tensor
    scores: Tensor
    final: bool = False

    def __len__(self) -> int:
        return len(self.scores)

    def finite(self) -> "BaseDetections":
        """The rows without NaN and infinity, which would spread through a memory for good."""
        fine = torch.cat([self.proposals, self.boxes, self.scores], dim=1).isfinite().all(dim=1)
        if bool(fine.all()):
            return self
        return BaseDetections(self.proposals[fine], self.boxes[fine], self.scores[fine], self.final)


class Detector(Protocol):
    """Boxes and scores of single frames; knows nothing of time."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the C foreground classes, in column order."""
        ...

    @property
    def score_kind(self) -> ScoreKind:
        """What the score columns mean."""
        ...

    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        """Detections of each frame, tensors on the CPU, float32."""
        ...


@runtime_checkable
class Windowed(Protocol):
    """What a detector or embedder has beside its methods if it looks at neighbouring frames too."""

    @property
    def window(self) -> tuple[int, int]:
        """Frames before and after that it wants; with none after it is online."""
        ...

    def surround(self, frame: Frame, before: Sequence[Frame], after: Sequence[Frame]) -> None:
        """Name the neighbours of the frame that it is asked about next.

        At the ends of a video there are fewer than `window` says. Frames that are named again
        must be the same arrays.
        """
        ...


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """What embeddings of one frame are cut from.

    Attributes:
        values: (1, channels, h, w), on the model's device.
        stride: pixels of the frame to one cell.
    """

    values: Tensor
    stride: float


@dataclass(frozen=True, slots=True)
class FramePicture(FeatureMap):
    """A frame that waits for its boxes: a network sees them one by one.

    Attributes:
        frame: as it is.
    """

    frame: Frame

    @classmethod
    def of(cls, frame: Frame) -> "FramePicture":
        """Without features of the whole frame."""
        return cls(torch.zeros(1, 1, 1, 1), 1.0, frame)


class Embedder(Protocol):
    """Association embeddings a_i for the identifiers (§III.B), from any source of features.

    `features` is called once a frame, `embed` at the proposals and once more at the support
    boxes of all slots together. If `features` gives a `FramePicture`, the preset `video` calls
    `embed` once, at the boxes that may be matched.
    """

    @property
    def dim(self) -> int:
        """Length D of an embedding."""
        ...

    def features(self, frame: Frame) -> FeatureMap:
        """The frame's feature map, for `embed`."""
        ...

    def embed(self, features: FeatureMap, boxes: Tensor) -> Tensor:
        """(N, D) float32 embeddings on the CPU, of fixed scale, for (N, 4) boxes in pixels."""
        ...


@runtime_checkable
class Cropping(Embedder, Protocol):
    """An embedder that can see boxes alone, as crops of the frame."""

    def picture(self, frame: Frame) -> FramePicture:
        """In place of `features`, for `embed`."""
        ...


@runtime_checkable
class Batched(Protocol):
    """What an embedder has beside its methods if it looks at several frames in one call."""

    def features_of(self, frames: Sequence[Frame]) -> list[FeatureMap]:
        """The feature map of each frame, as `features` gives it."""
        ...
