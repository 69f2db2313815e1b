"""The bundled detector: NanoDet-g with COCO's 80 classes and calibrated scores."""

import json
import math
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 (the name everybody knows it by)
from torch import Tensor, nn

from minet_core.box_tensors import clipped
from minet_core.errors import ConfigError, WeightsError
from minet_core.models.batches import by_size, stacked
from minet_core.models.detector import BaseDetections, Frame, ScoreKind
from minet_core.models.engine import Engine, engine_of
from minet_core.models.nanodet.network import (
    ARCHITECTURE,
    STRIDES,
    NanoDet,
    PictureNanoDet,
    read_nanodet,
)
from minet_core.models.proposals import (
    PROPOSAL_NMS,
    PROPOSALS,
    best_rows,
    suppressed,
)
from minet_core.models.weights import read_safetensors

SIZES = (416, 960)
"""Longer side of the pictures that the bundled weights were trained on, and the largest that is
chosen for a frame."""


def size_for(width: int, height: int) -> int:
    """Longer side of the picture that the network sees of a frame, where nobody says another.

    Half the frame's, a multiple of 32 within `SIZES`.
    """
    half = max(width, height) // 2
    return min(max(half - half % STRIDES[-1], SIZES[0]), SIZES[1])


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


@lru_cache(maxsize=8)
def _frame_cells(height: int, width: int, new_height: int, new_width: int) -> Tensor:
    """(A, 4) centres x, y and strides across and down, in pixels of a height × width frame.

    The network's picture of it is new_height × new_width.
    """
    centres, strides = cell_centres(new_height, new_width)
    scale = torch.tensor([new_width / width, new_height / height])
    return torch.cat((centres / scale, strides / scale), dim=1)


def decode_boxes(distance_logits: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Boxes (N, 4) xyxy of (N, 4 · bins) distance logits at the (N, 2) centres.

    A side's distance is the expectation over its bins (0, 1, …), in units of the stride: (N, 1),
    or (N, 2) across and down, in pixels as the centres are.
    """
    bins = distance_logits.shape[1] // 4
    sides = distance_logits.reshape(-1, bins)
    # A softmax of so short rows takes three times as long.
    shares = (sides - sides.amax(dim=1, keepdim=True)).exp()
    weights = torch.stack([torch.ones(bins), torch.arange(bins)], dim=1).to(shares)
    total, weighted = (shares @ weights).unbind(1)
    sides = (weighted / total).view(-1, 2, 2) * strides[:, None]
    return torch.cat((centres - sides[:, 0], centres + sides[:, 1]), dim=-1)


class NanoDetDetector:
    """NanoDet as a `Detector`: frames of any size in, calibrated scores out.

    Args:
        model: the network; used as it is, in evaluation mode and without gradients. Or what gives
            the outputs of `PictureNanoDet` for uint8 pictures.
        classes: a name for each of its class columns.
        calibration: Platt's (a, b): P(true) = sigmoid(a · logit + b).
        size: longer side of the picture the network sees, in pixels, a multiple of 32; None for
            `size_for` each frame.
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
        size: int | None = None,
        device: torch.device | str = "cpu",
        max_proposals: int = PROPOSALS,
        nms_iou: float = PROPOSAL_NMS,
    ) -> None:
        if size is not None and (size <= 0 or size % STRIDES[-1]):
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

    @property
    def in_torch(self) -> bool:
        """Whether PyTorch computes the network."""
        return isinstance(self._network, PictureNanoDet)

    @property
    def backbones(self) -> list[nn.Module]:
        """See `Halving`: all of the network, whose logits are decoded in float32."""
        return [self._network] if isinstance(self._network, PictureNanoDet) else []

    # Not inference_mode: no faster here, and its tensors cannot enter a training step.
    @torch.no_grad()
    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        """Up to `max_proposals` boxes of a pixel or more in each frame, best first, however weak.

        Boxes are clipped to the frame and are their own proposals. Frames of one size share a
        pass through the network.
        """
        return by_size(frames, self._detect_equal)

    def _detect_equal(self, frames: list[Frame]) -> list[BaseDetections]:
        height, width = frames[0].shape[:2]
        pictures = self._resized(frames)
        class_logits, distance_logits = self._network(pictures)
        new_height, new_width = pictures.shape[2:]
        cells = _frame_cells(height, width, new_height, new_width)
        detections = []
        for logits, distances in zip(class_logits.cpu(), distance_logits.cpu(), strict=True):
            best = logits.amax(dim=1)
            rows = best_rows(best)
            places = cells.index_select(0, rows)
            boxes = decode_boxes(distances.index_select(0, rows), places[:, :2], places[:, 2:])
            boxes = clipped(boxes, (height, width))
            whole, surest = boxes.numpy(), best[rows].numpy()
            keep = suppressed(whole, surest, self._nms_iou, self._max_proposals)
            detections.append(self._detections(boxes[keep], logits[rows[keep]]))
        return detections

    def _resized(self, frames: list[Frame]) -> Tensor:
        """(B, 3, h, w) pictures, channels last, of frames of one size; longer side: the size."""
        height, width = frames[0].shape[:2]
        size, longer = self._size or size_for(width, height), max(height, width)
        new_height = max(1, round(height * size / longer))
        new_width = max(1, round(width * size / longer))
        pictures = stacked(frames).to(self._device)
        if self._device.type != "cpu":  # only the CPU resizes bytes, and there it is much faster
            pictures = pictures.float()
        # Antialiased: precision is the same, and scores waver less when things move by a pixel.
        return F.interpolate(pictures, (new_height, new_width), mode="bilinear", antialias=True)

    def _detections(self, boxes: Tensor, logits: Tensor) -> BaseDetections:
        slope, offset = self.calibration
        return BaseDetections(boxes, boxes, torch.sigmoid(slope * logits + offset))


def load_nanodet(
    path: Path | str, device: torch.device | str = "cpu", size: int | None = None
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
