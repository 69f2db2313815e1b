"""The identify network in PyTorch.

It shares nothing with the detector but the frame. A MobileNetV2 up to stride 16 gives one feature
map a frame; RoIAlign cuts 4 × 2 cells out of it at each box, and one linear layer turns them into
an embedding. The bundled weights begin with ImageNet's and are meta-trained by `minet train`; their
card in weights/ says on what.
"""

from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models import mobilenet_v2
from torchvision.ops import roi_align

from minet_core.models.identify.embedding import ROI, read_weights, unit
from minet_core.models.weights import assign_weights

_STAGES = 11  # features[0..10] of MobileNetV2: 64 channels at stride 16
_CHANNELS = 64
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
        self.head = nn.Linear(_CHANNELS * ROI[0] * ROI[1], dim)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)

    @property
    def dim(self) -> int:
        """Length D of an embedding."""
        return int(self.head.out_features)

    def look(self, pictures: Tensor) -> Tensor:
        """(B, 64, h/16, w/16) features of (B, 3, h, w) RGB pictures in 0..255."""
        pictures = (pictures.float() / 255).contiguous(memory_format=torch.channels_last)
        return self.feature_map(pictures)

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
            features, [boxes], ROI, spatial_scale=1 / stride, sampling_ratio=2, aligned=True
        )
        return cut.flatten(1)

    def forward(self, features: Tensor, boxes: Tensor, stride: float) -> Tensor:
        """(N, D) embeddings of L2 norm `EMBEDDING_NORM`."""
        return self.embedded(self.regions(features, boxes, stride))

    def embedded(self, cells: Tensor) -> Tensor:
        """(N, D) embeddings of the features of N regions, (N, 512) or (N, 64, 4, 2)."""
        return unit(self.head(cells.flatten(1)))


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
        return (self.network.look(pictures),)


def read_identify(path: Path | str) -> IdentifyNetwork:
    """The network as its weights file has it, such as to be trained.

    Raises:
        WeightsError: the file is damaged or made for another architecture.
    """
    tensors = read_weights(path)
    bias = tensors.get("head.bias")
    network = IdentifyNetwork(256 if bias is None else len(bias))
    assign_weights(path, network, tensors)
    return network


def ready(path: Path | str, device: str | torch.device) -> IdentifyNetwork:
    """The network of a weights file, to be used as it is on a device.

    Raises:
        WeightsError: the file is damaged or made for another architecture.
    """
    network = read_identify(path).eval().requires_grad_(False)
    fuse_batch_norm(network)
    return network.to(device).to(memory_format=torch.channels_last)


def fuse_batch_norm(module: nn.Module) -> None:
    """Fold each batch norm into the convolution before it, in place: half the time on a CPU."""
    children = list(module.named_children())
    for (name, child), (next_name, follower) in pairwise(children):
        if isinstance(child, nn.Conv2d) and isinstance(follower, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(child, follower))
            setattr(module, next_name, nn.Identity())
    for _, child in children:
        fuse_batch_norm(child)
