"""The identify network behind the `Embedder` contract.

Where ONNX Runtime computes the backbone, nothing here loads torchvision's modules: they, and the
network in PyTorch, would take as long to load as PyTorch itself.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, linear

from minet_core.box_tensors import operators
from minet_core.models.batches import by_size, stacked
from minet_core.models.crops import equal_crops
from minet_core.models.detector import FeatureMap, Frame, FramePicture
from minet_core.models.engine import Engine, engine_of
from minet_core.models.identify.embedding import ROI, read_weights, unit

STRIDE = 16
"""Pixels of the picture to one cell of the features."""
MAX_SIDE = 640
"""Pixels of a frame's longer side from which on it is scaled down."""


CROP = (ROI[0] * STRIDE, ROI[1] * STRIDE)
"""Height and width of a crop: its features are the cells of one region."""


_AT_ONCE = 128
"""Crops in a call, which bounds its memory in crowds."""


class Identifying(Protocol):
    """What an embedder computes with: `IdentifyNetwork`, or the same by ONNX Runtime."""

    @property
    def dim(self) -> int:
        """Length D of an embedding."""
        ...

    def look(self, pictures: Tensor) -> Tensor:
        """(B, 64, h/16, w/16) features of (B, 3, h, w) RGB pictures in 0..255."""
        ...

    def __call__(self, features: Tensor, boxes: Tensor, stride: float) -> Tensor:
        """(N, D) embeddings of (N, 4) boxes of the first picture."""
        ...

    def embedded(self, cells: Tensor) -> Tensor:
        """(N, D) embeddings of the (N, 64, 4, 2) features of N regions."""
        ...


class EngineIdentify:
    """The backbone by ONNX Runtime, and the head from its weights.

    Args:
        engine: of `network.PictureFeatures`.
        weight: (D, 512) of the head.
        bias: (D,) of the head.
    """

    def __init__(self, engine: Engine, weight: Tensor, bias: Tensor) -> None:
        self._engine, self._weight, self._bias = engine, weight, bias

    @property
    def dim(self) -> int:
        """Length D of an embedding."""
        return len(self._bias)

    def look(self, pictures: Tensor) -> Tensor:
        """See `Identifying`."""
        (features,) = self._engine(pictures)
        return features

    def __call__(self, features: Tensor, boxes: Tensor, stride: float) -> Tensor:
        """See `Identifying`."""
        regions = torch.cat([boxes.new_zeros(len(boxes), 1), boxes], dim=1)
        return self.embedded(operators().roi_align(features, regions, 1 / stride, *ROI, 2, True))

    def embedded(self, cells: Tensor) -> Tensor:
        """See `Identifying`."""
        return unit(linear(cells.flatten(1), self._weight, self._bias))


class IdentifyEmbedder:
    """A network as an `Embedder`.

    Args:
        network: in PyTorch, in evaluation mode and on the device; or by ONNX Runtime.
        max_side: frames are looked at in their own resolution up to this longer side, in pixels.
        device: where it runs.
    """

    def __init__(
        self,
        network: Identifying,
        max_side: int = MAX_SIDE,
        device: str | torch.device = "cpu",
    ) -> None:
        self.network = network
        self._device = torch.device(device)
        self._max_side = max_side

    @property
    def dim(self) -> int:
        """Length D of an embedding."""
        return self.network.dim

    @property
    def in_torch(self) -> bool:
        """Whether PyTorch computes the backbone."""
        return not isinstance(self.network, EngineIdentify)

    @property
    def backbones(self) -> list[nn.Module]:
        """See `Halving`."""
        backbone = getattr(self.network, "backbone", None)
        return [] if backbone is None else [backbone]

    def features(self, frame: Frame) -> FeatureMap:
        """The frame's feature map at stride 16 of the resized frame."""
        return self.features_of([frame])[0]

    def picture(self, frame: Frame) -> FramePicture:
        """See `Cropping`."""
        return FramePicture.of(frame)

    @torch.inference_mode()
    def features_of(self, frames: Sequence[Frame]) -> list[FeatureMap]:
        """See `Batched`; frames of one size share a pass."""
        return by_size(frames, self._features_equal)

    def _features_equal(self, frames: list[Frame]) -> list[FeatureMap]:
        pictures = stacked(frames).to(self._device)
        if self._device.type != "cpu":  # only the CPU resizes bytes, and there it is faster
            pictures = pictures.float()
        pictures, scale = shrunk(pictures, self._max_side)
        looked = self.network.look(pictures)
        return [FeatureMap(own, STRIDE / scale) for own in torch.split(looked, 1)]

    @torch.inference_mode()
    def embed(self, features: FeatureMap, boxes: Tensor) -> Tensor:
        """(N, D) embeddings on the CPU for (N, 4) boxes in pixels of the frame."""
        if isinstance(features, FramePicture):
            crops = equal_crops(features.frame, boxes, CROP).to(self._device)
            cells = torch.cat([self.network.look(some) for some in torch.split(crops, _AT_ONCE)])
            return self.network.embedded(cells).cpu()
        boxes = boxes.to(self._device, torch.float32)
        return self.network(features.values, boxes, features.stride).cpu()


def shrunk(pictures: Tensor, max_side: int) -> tuple[Tensor, float]:
    """(B, 3, h, w) pictures whose longer side is at most `max_side`, and by what they shrank."""
    scale = min(1.0, max_side / max(pictures.shape[2:]))
    if scale < 1:
        size = [max(1, round(side * scale)) for side in pictures.shape[2:]]
        pictures = interpolate(pictures, size, mode="bilinear", antialias=True)
    return pictures, scale


def load_identify(
    path: Path | str, *, max_side: int = MAX_SIDE, device: str | torch.device = "cpu"
) -> IdentifyEmbedder:
    """Read an identify network's weights.

    Raises:
        WeightsError: the file is damaged or made for another architecture.
    """
    tensors = read_weights(path)
    if (engine := engine_of(path, device)) is not None:
        network = EngineIdentify(engine, tensors["head.weight"], tensors["head.bias"])
        return IdentifyEmbedder(network, max_side, device)
    from minet_core.models.identify.network import ready

    return IdentifyEmbedder(ready(path, device), max_side, device)
