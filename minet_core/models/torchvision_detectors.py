"""torchvision's detectors, trained on COCO, under the contracts of minet.

Of a network only the parts are used: what torchvision makes of their output, a short list of sure
boxes, is too little for a memory, which wants proposals and whole score vectors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision.models import get_model, get_model_weights
from torchvision.models.detection import FasterRCNN, RetinaNet
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import clip_boxes_to_image

from minet_core.models.class_columns import ClassColumns
from minet_core.models.detector import BaseDetections, Detector, Embedder, FeatureMap, Frame
from minet_core.models.faster_rcnn.fc6 import fc6
from minet_core.models.identify.embedder import load_identify
from minet_core.models.pretrained import load_pretrained
from minet_core.models.proposals import (
    PROPOSALS,
    best_rows,
    of_a_pixel,
    suppressed,
    with_copies,
)
from minet_core.models.weight_files import EMBEDS_ITSELF, embedder_file
from minet_core.scores import ScoreKind


@dataclass(frozen=True, slots=True)
class Pyramid(FeatureMap):
    """Features of one frame at several strides; `values` are the finest.

    Attributes:
        levels: by the names that torchvision gives them.
        size: height and width of the picture the network saw, without padding.
        scale: (4,) pixels of that picture to one of the frame, as x, y, x, y.
    """

    levels: dict[str, Tensor]
    size: tuple[int, int]
    scale: Tensor


class _Eye:
    """torchvision's preparation of frames and its backbone, and what it saw last."""

    def __init__(self, model: FasterRCNN | RetinaNet, device: torch.device) -> None:
        self.model = model.eval().requires_grad_(False).to(device)
        self.device = device
        self._seen: list[Frame] = []
        self._pyramids: list[Pyramid] = []

    def look(self, frames: Sequence[Frame]) -> tuple[ImageList, dict[str, Tensor], list[Pyramid]]:
        """The pictures as the network sees them, features of all, and those of each frame."""
        given = [torch.from_numpy(frame).to(self.device).permute(2, 0, 1) / 255 for frame in frames]
        pictures, _ = self.model.transform(given)
        levels = self.model.backbone(pictures.tensors)
        pyramids = []
        for index, (frame, size) in enumerate(zip(frames, pictures.image_sizes, strict=True)):
            own = {name: level[index : index + 1] for name, level in levels.items()}
            finest = next(iter(own.values()))
            ratios = size[1] / frame.shape[1], size[0] / frame.shape[0]
            stride = frame.shape[1] / finest.shape[3]
            pyramids.append(Pyramid(finest, stride, own, size, torch.tensor(ratios * 2)))
        self._seen, self._pyramids = list(frames), pyramids
        return pictures, levels, pyramids

    def features(self, frame: Frame) -> Pyramid:
        """Those of a frame, known by the array itself if it was among the last looked at."""
        for seen, pyramid in zip(self._seen, self._pyramids, strict=True):
            if seen is frame:
                return pyramid
        return self.look([frame])[2][0]


class TwoStageDetector:
    """A torchvision Faster R-CNN as both `Detector` and `Embedder`.

    Its embeddings are fc6 of its box head, as in Table III (c): nobody has trained them to tell
    instances apart.

    Args:
        model: with `rpn_post_nms_top_n_test` of 300; used in evaluation mode.
        classes: its classes.
        device: where it runs.
        dim: length of an embedding. That layer gives 1024 numbers, and the memory's time grows
            with their square and cube: ten objects took it a second a frame, against a hundredth
            with 128. So a fixed random projection, which keeps angles nearly as they are, makes
            fewer of them; None keeps them all.
    """

    score_kind = ScoreKind.SOFTMAX

    def __init__(
        self,
        model: FasterRCNN,
        classes: ClassColumns,
        device: str | torch.device = "cpu",
        dim: int | None = 128,
    ) -> None:
        self.classes = classes.names
        self._columns = list(classes.columns)
        self._heads = model.roi_heads
        self._projection = _projection(model.roi_heads.box_predictor.cls_score.in_features, dim)
        self._first = _first_layer(model.roi_heads.box_head)
        self._eye = _Eye(model, torch.device(device))

    @property
    def dim(self) -> int:
        """Length D of an embedding."""
        return self._projection.shape[1]

    @property
    def backbones(self) -> list[nn.Module]:
        """See `Halving`."""
        return [self._eye.model.backbone]

    @torch.no_grad()
    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        """Up to 300 proposals of each frame, with the box of their best class."""
        pictures, levels, pyramids = self._eye.look(frames)
        proposals, _ = self._eye.model.rpn(pictures, levels)
        cut = self._heads.box_roi_pool(levels, proposals, pictures.image_sizes)
        logits, deltas = self._heads.box_predictor(self._heads.box_head(cut))
        boxes = self._heads.box_coder.decode(deltas, proposals)
        counts = [len(rows) for rows in proposals]
        parts = zip(
            frames, pyramids, proposals, logits.split(counts), boxes.split(counts), strict=True
        )
        return [self._detections(*part) for part in parts]

    def features(self, frame: Frame) -> Pyramid:
        """The feature pyramid; of a frame that `detect` has just seen it costs no second pass."""
        with torch.no_grad():
            return self._eye.features(frame)

    @torch.no_grad()
    def embed(self, features: FeatureMap, boxes: Tensor) -> Tensor:
        """(N, D) embeddings on the CPU for (N, 4) boxes in pixels of the frame."""
        if not isinstance(features, Pyramid):
            raise TypeError("features of another embedder")
        regions = (boxes.float() * features.scale).to(self._eye.device)
        cut = self._heads.box_roi_pool(features.levels, [regions], [features.size])
        return fc6(self._first, cut, self._projection)

    def _detections(
        self, frame: Frame, pyramid: Pyramid, proposals: Tensor, logits: Tensor, boxes: Tensor
    ) -> BaseDetections:
        # Columns that were never used leave, and take their share of the distribution with them.
        scores = logits[:, [0, *self._columns]].softmax(dim=1).cpu()
        columns = torch.tensor(self._columns)[scores[:, 1:].argmax(dim=1)]
        best = boxes.cpu()[torch.arange(len(columns)), columns]
        regions, best = (_in_frame(rows.cpu(), pyramid, frame) for rows in (proposals, best))
        kept = of_a_pixel(best.numpy())
        return BaseDetections(regions[kept], best[kept], scores[kept])


class OneStageDetector:
    """A torchvision RetinaNet as a `Detector`.

    Args:
        model: used in evaluation mode.
        classes: its classes.
        device: where it runs.
        calibration: Platt's (a, b): P(true) = sigmoid(a · logit + b). None is known for
            torchvision's weights, so by default scores are what the network says: the memory
            trusts them more, or less, than they deserve.
    """

    score_kind = ScoreKind.SIGMOID

    def __init__(
        self,
        model: RetinaNet,
        classes: ClassColumns,
        device: str | torch.device = "cpu",
        calibration: tuple[float, float] = (1.0, 0.0),
    ) -> None:
        self.classes = classes.names
        self.calibration = calibration
        self._columns = list(classes.columns)
        self._eye = _Eye(model, torch.device(device))

    @property
    def backbones(self) -> list[nn.Module]:
        """See `Halving`."""
        return [self._eye.model.backbone]

    @torch.no_grad()
    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        """Up to 300 boxes of each frame, best first; they are their own proposals."""
        pictures, levels, pyramids = self._eye.look(frames)
        maps = list(levels.values())
        out = self._eye.model.head(maps)
        anchors = self._eye.model.anchor_generator(pictures, maps)
        parts = zip(
            frames, pyramids, anchors, out["cls_logits"], out["bbox_regression"], strict=True
        )
        return [self._detections(*part) for part in parts]

    def _detections(
        self, frame: Frame, pyramid: Pyramid, anchors: Tensor, logits: Tensor, deltas: Tensor
    ) -> BaseDetections:
        logits = logits[:, self._columns]
        best = logits.amax(dim=1)
        rows = best_rows(best)
        boxes = self._eye.model.box_coder.decode_single(deltas[rows], anchors[rows])
        boxes, logits = _in_frame(boxes.cpu(), pyramid, frame), logits[rows].cpu()
        kept = suppressed(boxes.numpy(), best[rows].cpu().numpy())
        taken = torch.from_numpy(with_copies(boxes.numpy(), logits.numpy(), kept))
        slope, offset = self.calibration
        scores = torch.sigmoid(slope * taken + offset)
        proposals = boxes[kept]
        return BaseDetections(proposals, proposals, scores)


def load_torchvision(name: str, device: torch.device) -> tuple[Detector, Embedder]:
    """A detector of `TORCHVISION_FILES` with torchvision's weights, downloaded when first needed.

    Raises:
        WeightsError: the weights cannot be downloaded, or are damaged.
    """
    weights = get_model_weights(name).DEFAULT
    categories = weights.meta["categories"]
    few = {"rpn_post_nms_top_n_test": PROPOSALS} if name in EMBEDS_ITSELF else {}
    model = get_model(name, weights=None, weights_backbone=None, num_classes=len(categories), **few)
    load_pretrained(model, weights)
    classes = ClassColumns.of(categories)
    if name in EMBEDS_ITSELF:
        both = TwoStageDetector(model, classes, device)
        return both, both
    detector = OneStageDetector(model, classes, device)
    return detector, load_identify(embedder_file(), device=device)


def _first_layer(box_head: nn.Module) -> nn.Module:
    """The box head up to its first fully connected layer, without the rectifier behind it."""
    if isinstance(box_head, nn.Sequential):  # convolutions, then this layer and a rectifier
        return nn.Sequential(*list(box_head)[:-1])
    return nn.Sequential(nn.Flatten(), box_head.get_submodule("fc6"))


def _projection(width: int, dim: int | None) -> Tensor:
    """(width, dim), always the same; the identity where there is nothing to leave out."""
    if dim is None:
        return torch.eye(width)
    # No scale: what is projected becomes a unit vector.
    return torch.randn(width, dim, generator=torch.Generator().manual_seed(0))


def _in_frame(boxes: Tensor, pyramid: Pyramid, frame: Frame) -> Tensor:
    """(N, 4) boxes of the network's picture in pixels of the frame, clipped to it."""
    clipped: Tensor = clip_boxes_to_image(boxes / pyramid.scale, frame.shape[:2])
    return clipped
