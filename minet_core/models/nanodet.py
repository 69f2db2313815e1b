"""The bundled detector: NanoDet-g, a small one-stage network with COCO's 80 classes.

Batch norm is folded into the convolutions, so the network is plain convolutions and LeakyReLU.
It predicts, at every cell of three grids (strides 8, 16 and 32), one logit a class and how far the
four sides of the box lie from the cell's centre, each side as a distribution over 11 distances.
"""

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (the name everybody knows it by)
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.ops import clip_boxes_to_image

from minet_core.errors import ConfigError, WeightsError
from minet_core.models.detector import BaseDetections, Frame, ScoreKind
from minet_core.models.engine import Engine, engine_of
from minet_core.models.proposals import (
    FEW_DECODED,
    MAX_DECODED,
    PROPOSAL_NMS,
    PROPOSALS,
    best_rows,
    suppressed,
)
from minet_core.models.weights import assign_weights, read_safetensors

ARCHITECTURE = "nanodet-g"
STRIDES = (8, 16, 32)
DISTANCE_BINS = 11
DEFAULT_SIZE = 416
"""Longer side of the pictures that the bundled weights were trained on."""
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


class Backbone(nn.Module):
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
        self.backbone = Backbone()
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


@cache
def cell_centres(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Centres (A, 2) as x, y and strides (A, 1), in pixels of a height × width picture.

    Its right and lower sides are padded to a multiple of 32.
    """
    height, width = (side + -side % STRIDES[-1] for side in (height, width))
    centres, strides = [], []
    for stride in STRIDES:
        ys = (torch.arange(height // stride) + 0.5) * stride
        xs = (torch.arange(width // stride) + 0.5) * stride
        grid_y, grid_x = torch.meshgrid(ys, xs, indexing="ij")
        centres.append(torch.stack((grid_x, grid_y), dim=-1).reshape(-1, 2))
        strides.append(torch.full((len(ys) * len(xs), 1), float(stride)))
    return torch.cat(centres), torch.cat(strides)


def decode_boxes(distance_logits: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Boxes (N, 4) xyxy in input pixels of (N, 4 · bins) distance logits at the (N, 2) centres.

    A side's distance is the expectation over its bins (0, 1, …), in units of the stride.
    """
    shares = distance_logits.reshape(len(distance_logits), 4, -1).softmax(dim=-1)
    bins = torch.arange(shares.shape[-1], dtype=torch.float32, device=shares.device)
    sides = (shares @ bins) * strides
    return torch.cat((centres - sides[:, :2], centres + sides[:, 2:]), dim=-1)


class NanoDetDetector:
    """NanoDet as a `Detector`: frames of any size in, calibrated scores out.

    Args:
        model: the network; used as it is, in evaluation mode and without gradients. Or what gives
            the outputs of `PictureNanoDet` for uint8 pictures.
        classes: a name for each of its class columns.
        calibration: Platt's (a, b): P(true) = sigmoid(a · logit + b).
        size: longer side of the picture the network sees, in pixels; a multiple of 32.
        device: where the network runs.
        max_proposals: proposals a frame, best first.
        nms_iou: overlap above which the lower of two proposals goes, whatever their classes.

    Raises:
        ConfigError: `size` is not a positive multiple of 32.
    """

    score_kind = ScoreKind.SIGMOID

    def __init__(
        self,
        model: NanoDet | Engine,
        classes: Sequence[str],
        calibration: tuple[float, float],
        size: int = DEFAULT_SIZE,
        device: torch.device | str = "cpu",
        max_proposals: int = PROPOSALS,
        nms_iou: float = PROPOSAL_NMS,
    ) -> None:
        if size <= 0 or size % STRIDES[-1]:
            raise ConfigError(f"the detector's size must be a positive multiple of 32, not {size}")
        self.classes = tuple(classes)
        self._network: Engine | PictureNanoDet
        if isinstance(model, NanoDet):
            network = PictureNanoDet(model).eval().to(device)
            self._network = network.to(memory_format=torch.channels_last)
        else:
            self._network = model
        self.calibration = calibration
        self._size = size
        self._device = torch.device(device)
        self._max_proposals = max_proposals
        self._nms_iou = nms_iou

    # Not inference_mode: no faster here, and its tensors cannot enter a training step.
    @torch.no_grad()
    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        """Up to `max_proposals` boxes of a pixel or more in each frame, best first, however weak.

        Boxes are clipped to the frame and are their own proposals. Frames of one size share a
        pass through the network.
        """
        by_shape: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, frame in enumerate(frames):
            by_shape[frame.shape].append(index)
        found: dict[int, BaseDetections] = {}
        for indices in by_shape.values():
            detections = self._detect_equal([frames[index] for index in indices])
            found.update(zip(indices, detections, strict=True))
        return [found[index] for index in range(len(frames))]

    def _detect_equal(self, frames: list[Frame]) -> list[BaseDetections]:
        height, width = frames[0].shape[:2]
        pictures = self._resized(np.stack(frames))
        class_logits, distance_logits = self._network(pictures)
        new_height, new_width = pictures.shape[2:]
        scale = torch.tensor([new_width / width, new_height / height]).repeat(2)
        cells = cell_centres(new_height, new_width)
        detections = []
        for logits, distances in zip(class_logits.cpu(), distance_logits.cpu(), strict=True):
            best = logits.amax(dim=1)
            for decoded in (FEW_DECODED, MAX_DECODED):
                rows = best_rows(best, decoded)
                boxes = decode_boxes(distances[rows], *(table[rows] for table in cells)) / scale
                boxes = clip_boxes_to_image(boxes, (height, width))
                keep = suppressed(boxes, best[rows], self._nms_iou, self._max_proposals)
                if len(keep) == self._max_proposals:  # what comes after can change nothing
                    break
            detections.append(self._detections(boxes[keep], logits[rows[keep]]))
        return detections

    def _resized(self, frames: NDArray[np.uint8]) -> Tensor:
        """(B, 3, h, w) pictures of frames (B, H, W, 3), whose longer side is `size`."""
        height, width = frames.shape[1:3]
        longer = max(height, width)
        new_height = max(1, round(height * self._size / longer))
        new_width = max(1, round(width * self._size / longer))
        pictures = torch.from_numpy(frames).to(self._device).permute(0, 3, 1, 2)
        if self._device.type != "cpu":  # only the CPU resizes bytes, and there it is much faster
            pictures = pictures.float()
        # Antialiased: precision is the same, and scores waver less when things move by a pixel.
        return F.interpolate(pictures, (new_height, new_width), mode="bilinear", antialias=True)

    def _detections(self, boxes: Tensor, logits: Tensor) -> BaseDetections:
        slope, offset = self.calibration
        return BaseDetections(boxes, boxes, torch.sigmoid(slope * logits + offset))


def load_nanodet(
    path: Path | str, device: torch.device | str = "cpu", size: int = DEFAULT_SIZE
) -> NanoDetDetector:
    """The detector in a .safetensors file, with the classes and calibration of its metadata.

    Raises:
        WeightsError: the file is missing or damaged, or holds another architecture.
        ConfigError: `size` is not a positive multiple of 32.
    """
    metadata, tensors = read_safetensors(path)
    if metadata.get("architecture") != ARCHITECTURE:
        found = metadata.get("architecture", "none named")
        raise WeightsError(f"{path}: holds architecture {found}, not {ARCHITECTURE}")
    try:
        classes, calibration = load_classes(metadata), _calibration(metadata)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: metadata without proper classes and calibration") from error
    model = engine_of(path, device) or read_nanodet(path, len(classes), tensors)
    return NanoDetDetector(model, classes, calibration, size, device)


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


def load_classes(metadata: dict[str, str]) -> tuple[str, ...]:
    """The names of the classes that a weights file tells."""
    names = json.loads(metadata["classes"])
    if not isinstance(names, list) or not names or len({str(name) for name in names}) < len(names):
        raise ValueError("classes are not a list of different names")
    return tuple(str(name) for name in names)


def _calibration(metadata: dict[str, str]) -> tuple[float, float]:
    slope, offset = json.loads(metadata["calibration"])
    if not (0 < slope < math.inf and math.isfinite(offset)):
        raise ValueError("calibration must be finite and rise with the score")
    return float(slope), float(offset)
