"""The identify network: association embeddings beside any detector (§III.B).

It shares nothing with the detector but the frame. A MobileNetV2 up to stride 16 gives one feature
map a frame; RoIAlign cuts 4 × 2 cells out of it at each box, and one linear layer turns them into
an embedding. The bundled weights begin with ImageNet's and are meta-trained by `minet train`; their
card in weights/ says on what.
"""

from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models import mobilenet_v2
from torchvision.ops import roi_align

from minet_core.errors import WeightsError
from minet_core.models.detector import FeatureMap, Frame
from minet_core.models.engine import Engine, engine_of
from minet_core.models.weights import assign_weights, read_safetensors

ARCHITECTURE = "identify-mobilenetv2"
EMBEDDING_NORM = 1.0
"""L2 norm of every embedding: the scale that gives λ of Eq. 1 its meaning."""

_STAGES = 11  # features[0..10] of MobileNetV2: 64 channels at stride 16
_CHANNELS, STRIDE = 64, 16
MAX_SIDE = 640
"""Pixels of a frame's longer side from which on it is scaled down."""
_ROI = (4, 2)  # rows × columns
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


class IdentifyNetwork(nn.Module):
    """Backbone and head; the state dict is the weights file.

    Args:
        dim: length D of an embedding.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, dim: int = 256) -> None:
        super().__init__()
        self.backbone = mobilenet_v2(weights=None).features[:_STAGES]
        self.head = nn.Linear(_CHANNELS * _ROI[0] * _ROI[1], dim)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)

    def feature_map(self, pictures: Tensor) -> Tensor:
        """(B, 64, h/16, w/16) features of (B, 3, h, w) RGB pictures in 0..1."""
        features: Tensor = self.backbone(self.standardised(pictures))
        return features

    def standardised(self, pictures: Tensor) -> Tensor:
        """Pictures in 0..1 as the backbone expects them."""
        return (pictures - self.mean) / self.std

    def regions(self, features: Tensor, boxes: Tensor, stride: float) -> Tensor:
        """(N, 512) region features of (N, 4) boxes of the first picture, before the head."""
        cut: Tensor = roi_align(
            features, [boxes], _ROI, spatial_scale=1 / stride, sampling_ratio=2, aligned=True
        )
        return cut.flatten(1)

    def forward(self, features: Tensor, boxes: Tensor, stride: float) -> Tensor:
        """(N, D) embeddings of L2 norm `EMBEDDING_NORM`."""
        raw = self.head(self.regions(features, boxes, stride)).float()
        return EMBEDDING_NORM * normalize(raw, dim=1)


class PictureFeatures(nn.Module):
    """The feature map from pictures as they are: what an `Engine` is made from.

    Args:
        network: whose backbone it is.
    """

    def __init__(self, network: IdentifyNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> tuple[Tensor]:
        """(B, 64, h/16, w/16) features of (B, 3, h, w) RGB pictures in 0..255."""
        pictures = (pictures.float() / 255).contiguous(memory_format=torch.channels_last)
        return (self.network.feature_map(pictures),)


class IdentifyEmbedder:
    """The network behind the `Embedder` contract.

    Args:
        network: in evaluation mode.
        max_side: frames are looked at in their own resolution up to this longer side, in pixels.
        device: where it runs.
        engine: gives the feature map in the place of the network's own backbone.
    """

    def __init__(
        self,
        network: IdentifyNetwork,
        max_side: int = MAX_SIDE,
        device: str | torch.device = "cpu",
        engine: Engine | None = None,
    ) -> None:
        self._device = torch.device(device)
        self.network = network.eval().to(self._device).to(memory_format=torch.channels_last)
        self._look = engine or PictureFeatures(self.network)
        self._max_side = max_side

    @property
    def dim(self) -> int:
        """Length D of an embedding."""
        return int(self.network.head.out_features)

    @torch.inference_mode()
    def features(self, frame: Frame) -> FeatureMap:
        """The frame's feature map at stride 16 of the resized frame."""
        picture = torch.from_numpy(frame).to(self._device).permute(2, 0, 1)[None]
        if self._device.type != "cpu":  # only the CPU resizes bytes, and there it is faster
            picture = picture.float()
        picture, scale = shrunk(picture, self._max_side)
        (features,) = self._look(picture)
        return FeatureMap(features, STRIDE / scale)

    @torch.inference_mode()
    def embed(self, features: FeatureMap, boxes: Tensor) -> Tensor:
        """(N, D) embeddings on the CPU for (N, 4) boxes in pixels of the frame."""
        boxes = boxes.to(self._device, torch.float32)
        embeddings: Tensor = self.network(features.values, boxes, features.stride)
        return embeddings.cpu()


def shrunk(pictures: Tensor, max_side: int) -> tuple[Tensor, float]:
    """(B, 3, h, w) pictures whose longer side is at most `max_side`, and by what they shrank."""
    scale = min(1.0, max_side / max(pictures.shape[2:]))
    if scale < 1:
        size = [max(1, round(side * scale)) for side in pictures.shape[2:]]
        pictures = interpolate(pictures, size, mode="bilinear", antialias=True)
    return pictures, scale


def read_identify(path: Path | str) -> IdentifyNetwork:
    """The network as its weights file has it, such as to be trained.

    Raises:
        WeightsError: the file is damaged or made for another architecture.
    """
    metadata, tensors = read_safetensors(path)
    if metadata.get("architecture") != ARCHITECTURE:
        found = metadata.get("architecture", "none named")
        raise WeightsError(f"{path}: holds architecture {found}, not {ARCHITECTURE}")
    bias = tensors.get("head.bias")
    network = IdentifyNetwork(256 if bias is None else len(bias))
    assign_weights(path, network, tensors)
    return network


def load_identify(
    path: Path | str, *, max_side: int = MAX_SIDE, device: str | torch.device = "cpu"
) -> IdentifyEmbedder:
    """Read an identify network's weights.

    Raises:
        WeightsError: the file is damaged or made for another architecture.
    """
    network = read_identify(path)
    network.requires_grad_(False)
    fuse_batch_norm(network.eval())
    return IdentifyEmbedder(network, max_side, device, engine_of(path, device))


def fuse_batch_norm(module: nn.Module) -> None:
    """Fold each batch norm into the convolution before it, in place: half the time on a CPU."""
    children = list(module.named_children())
    for (name, child), (next_name, follower) in pairwise(children):
        if isinstance(child, nn.Conv2d) and isinstance(follower, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(child, follower))
            setattr(module, next_name, nn.Identity())
    for _, child in children:
        fuse_batch_norm(child)
