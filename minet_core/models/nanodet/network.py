"""NanoDet-g, a small one-stage network.

Batch norm is folded into the convolutions, so the network is plain convolutions and LeakyReLU.
It predicts, at every cell of three grids (strides 8, 16 and 32), one logit a class and how far the
four sides of the box lie from the cell's centre, each side as a distribution over 11 distances.
"""

from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 (the name everybody knows it by)
from torch import Tensor, nn

from minet_core.models.weights import assign_weights

ARCHITECTURE = "nanodet-g"
STRIDES = (8, 16, 32)
DISTANCE_BINS = 11
# Channel order, mean and deviation of the training, in units of an 8-bit picture.
BGR_MEAN = (103.53, 116.28, 123.675)
BGR_STD = (57.375, 57.12, 58.395)


class ConvLeaky(nn.Module):
    """A 3×3 convolution that keeps the grid (or halves it, with stride 2), then LeakyReLU 0.1."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        return F.leaky_relu(self.conv(x), 0.1, inplace=True)


class Unit(nn.Module):
    """Two convolutions of half the width in a row, both kept: as wide as its input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = ConvLeaky(width, width // 2)
        self.second = ConvLeaky(width // 2, width // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) to the same shape."""
        first = self.first(x)
        return torch.cat((self.second(first), first), dim=1)


class Stage(nn.Module):
    """A cross-stage-partial stage: what enters is kept beside what the units make of it."""

    def __init__(self, width: int, units: int, stride: int) -> None:
        super().__init__()
        self.enter = ConvLeaky(width, width, stride)
        self.units = nn.Sequential(*(Unit(width) for _ in range(units)))
        self.close = ConvLeaky(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) to (B, 2 · width, H / stride, W / stride)."""
        entered = self.enter(x)
        return torch.cat((self.close(self.units(entered)), entered), dim=1)


class CspBackbone(nn.Module):
    """Four stages at strides 4, 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvLeaky(3, 32, stride=2)
        self.stage4 = Stage(32, units=1, stride=1)
        self.stage8 = Stage(64, units=2, stride=2)
        self.stage16 = Stage(128, units=2, stride=2)
        self.stage32 = Stage(256, units=3, stride=2)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features of 128, 256 and 512 channels at strides 8, 16 and 32."""
        x = F.max_pool2d(self.stem(pictures), 3, stride=2, padding=1)
        stride8 = self.stage8(self.stage4(x))
        stride16 = self.stage16(stride8)
        return stride8, stride16, self.stage32(stride16)


class Neck(nn.Module):
    """A path-aggregation neck without convolutions of its own: sums going up, then going down."""

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        self.lateral8 = nn.Conv2d(128, width, 1)
        self.lateral16 = nn.Conv2d(256, width, 1)
        self.lateral32 = nn.Conv2d(512, width, 1)

    def forward(self, x8: Tensor, x16: Tensor, x32: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features of one width at strides 8, 16 and 32, each informed by the other two."""
        lateral32 = self.lateral32(x32)
        up16 = self.lateral16(x16) + _double(lateral32)
        out8 = self.lateral8(x8) + _double(up16)
        # Bilinear resizing to one half, half-pixel centres, is the mean of four.
        out16 = up16 + F.avg_pool2d(out8, 2)
        out32 = lateral32 + F.avg_pool2d(out16, 2)
        return out8, out16, out32


class Head(nn.Module):
    """One level's class logits and distance logits, side by side in one convolution."""

    def __init__(self, classes: int, width: int = 128) -> None:
        super().__init__()
        self.hidden = ConvLeaky(width, width)
        self.out = nn.Conv2d(width, classes + 4 * DISTANCE_BINS, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) to (B, H · W, classes + 44), cells in reading order."""
        out: Tensor = self.out(self.hidden(x))
        return out.flatten(2).transpose(1, 2)


class NanoDet(nn.Module):
    """NanoDet-g for any number of classes."""

    def __init__(self, classes: int = 80) -> None:
        super().__init__()
        self.classes = classes
        self.backbone = CspBackbone()
        self.neck = Neck()
        self.heads = nn.ModuleList(Head(classes) for _ in STRIDES)

    def pyramid(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features of 128 channels at strides 8, 16 and 32: what the heads look at."""
        features: tuple[Tensor, Tensor, Tensor] = self.neck(*self.backbone(pictures))
        return features

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Raw predictions of every cell.

        Args:
            pictures: (B, 3, H, W) normalised BGR; H and W multiples of 32.

        Returns:
            (B, A, classes) class logits and (B, A, 44) distance logits (left, top, right, bottom,
            11 bins each) of the A = HW/64 + HW/256 + HW/1024 cells, stride 8 first, in reading
            order within a stride.
        """
        levels = zip(self.heads, self.pyramid(pictures), strict=True)
        rows = torch.cat([head(features) for head, features in levels], dim=1)
        return rows[..., : self.classes], rows[..., self.classes :]


class PictureNanoDet(nn.Module):
    """NanoDet from pictures as they are: what an `Engine` is made from.

    Args:
        model: the network.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, model: NanoDet) -> None:
        super().__init__()
        self.model = model
        # the pictures are RGB
        self.register_buffer("mean", torch.tensor(BGR_MEAN[::-1]).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(BGR_STD[::-1]).view(3, 1, 1))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The predictions of NanoDet for (B, 3, h, w) RGB pictures in 0..255, of any size.

        A picture sits in the top left corner; below and right of it is padding to a multiple of
        32, no more: a 16:9 frame costs 5/8 of a square.
        """
        height, width = pictures.shape[2:]
        normal = ((pictures - self.mean) / self.std).flip(1)
        padding = (0, -width % STRIDES[-1], 0, -height % STRIDES[-1])
        found: tuple[Tensor, Tensor] = self.model(F.pad(normal, padding))
        return found


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def read_nanodet(path: Path | str, classes: int, tensors: dict[str, Tensor]) -> NanoDet:
    """The network with tensors read from a file, without gradients.

    Raises:
        WeightsError: a tensor is missing, left over or of another shape.
    """
    # Built without numbers of its own: no time lost, and the global random state untouched.
    with torch.device("meta"):
        model = NanoDet(classes)
    assign_weights(path, model, tensors)
    return model.requires_grad_(False)
