"""The paper's network: Faster R-CNN with an identify head beside the detect head (§III-B, Fig. 2).

Pictures come in as they are; the network scales them itself, and takes and gives boxes in pixels
of the picture it was given. So training and inference cannot differ in it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad
from torchvision.ops import clip_boxes_to_image

from minet_core.models.detector import BaseDetections
from minet_core.models.faster_rcnn.backbones import IMAGENET, build_backbone, load_imagenet
from minet_core.models.faster_rcnn.heads import DetectHead, IdentifyHead, Proposals, Size
from minet_core.models.faster_rcnn.rcnn_config import RcnnConfig

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True, eq=False)
class SharedFeatures:
    """What the backbone makes of the pictures of a step, one entry a picture.

    Attributes:
        conv4: (1, channels, h, w) each.
        conv5: likewise, on the same grid.
        sizes: of the scaled pictures, without padding.
        scales: pixels of the scaled picture to one of the given.
        reduced: what embeddings are cut from, of those pictures that were asked for it.
    """

    conv4: list[Tensor]
    conv5: list[Tensor]
    sizes: list[Size]
    scales: list[float]
    reduced: dict[int, Tensor] = field(default_factory=dict)


class FasterRcnn(nn.Module):
    """Backbone, region proposals, detect head and identify head.

    Args:
        config: of the network.
        classes: names of the C classes.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: RcnnConfig, classes: Sequence[str]) -> None:
        super().__init__()
        self.config, self.classes = config, tuple(classes)
        self.backbone = build_backbone(config.backbone)
        self.backbone.freeze(config.frozen)
        stride, channels5 = self.backbone.stride, self.backbone.channels5
        self.proposals = Proposals(config, self.backbone.channels4, stride)
        self.detect_head = DetectHead(config, channels5, stride, len(self.classes))
        self.identify_head = IdentifyHead(config, channels5, stride)
        self.register_buffer("mean", _colour(_MEAN), persistent=False)
        self.register_buffer("std", _colour(_STD), persistent=False)

    def features(self, images: Sequence[Tensor]) -> SharedFeatures:
        """The backbone's view of (3, h, w) RGB pictures, uint8 or float in 0..1, on any device.

        Pictures of one size share a pass. Others have one of their own, so that what becomes of
        a picture never depends on the size of its neighbour.
        """
        scaled, scales = zip(*(self._picture(image) for image in images), strict=True)
        pictures = [self._padded((picture - self.mean) / self.std) for picture in scaled]
        conv4, conv5 = zip(*self._stages(pictures), strict=True)
        sizes = [(picture.shape[1], picture.shape[2]) for picture in scaled]
        return SharedFeatures(list(conv4), list(conv5), sizes, list(scales))

    def losses(
        self, images: Sequence[Tensor], targets: Sequence[dict[str, Tensor]]
    ) -> tuple[dict[str, Tensor], SharedFeatures]:
        """The detector's part of Eq. 4.

        Anchors and regions are sampled with torch's global random state: who wants the same
        losses again seeds it.

        Args:
            images: (3, h, w) RGB pictures of any sizes, uint8 or float in 0..1.
            targets: for each, `boxes` (N, 4) xyxy in its pixels and `labels` (N,) int64 class
                ids from 0. A picture without boxes is all background.

        Returns:
            ℒ_cls, ℒ_loc and ℒ_rpn as `cls`, `loc` and `rpn`, each the mean over the pictures,
            and the features, for `identify`.
        """
        shared = self.features(images)
        rows = [self._losses(shared, index, target) for index, target in enumerate(targets)]
        means = torch.stack([torch.stack(row) for row in rows]).mean(dim=0)
        return dict(zip(("cls", "loc", "rpn"), means, strict=True)), shared

    forward = losses

    def identify(self, shared: SharedFeatures, index: int, boxes: Tensor) -> Tensor:
        """(N, D) float32 association embeddings of boxes in pixels of picture `index`."""
        regions = boxes.to(self.mean.device, torch.float32) * shared.scales[index]
        return self.identify_head(self.identify_map(shared, index), regions)  # type: ignore[no-any-return]

    def identify_map(self, shared: SharedFeatures, index: int) -> Tensor:
        """(1, reduced, h, w) features that embeddings are cut from; made when first asked for."""
        if index not in shared.reduced:
            shared.reduced[index] = self.identify_head.reduce(shared.conv5[index])
        return shared.reduced[index]

    def detect(self, shared: SharedFeatures, index: int, size: Size) -> BaseDetections:
        """Base detections 𝒫_t of a picture that was given with that height and width (§III-C.1).

        Scores are softmax distributions with the background in column 0.
        """
        scale = shared.scales[index]
        regions, _ = self.proposals(shared.conv4[index], shared.sizes[index], None)
        logits, deltas = self.detect_head(shared.conv5[index], regions)
        boxes = self.detect_head.refine(regions, deltas)
        return BaseDetections(
            clip_boxes_to_image(regions / scale, size),
            clip_boxes_to_image(boxes / scale, size),
            logits.softmax(dim=1),
        )

    def _losses(
        self, shared: SharedFeatures, index: int, target: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        device = self.mean.device
        boxes = target["boxes"].to(device, torch.float32) * shared.scales[index]
        labels = target["labels"].to(device)
        regions, rpn = self.proposals(shared.conv4[index], shared.sizes[index], boxes)
        cls, loc = self.detect_head.losses(shared.conv5[index], regions, boxes, labels)
        return cls, loc, rpn

    def _picture(self, image: Tensor) -> tuple[Tensor, float]:
        """An image on the model's device, scaled, in 0..1, and by how much it was scaled."""
        image = image.to(self.mean.device)
        if image.dtype == torch.uint8 and image.device.type != "cpu":
            image = image / 255  # only the CPU scales bytes, and there it is faster
        picture, scale = scale_picture(image, self.config.shorter, self.config.longer)
        return (picture / 255 if picture.dtype == torch.uint8 else picture), scale

    def _stages(self, pictures: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """conv4 and conv5 of each picture, by one pass for those of one size."""
        of_shape = defaultdict(list)
        for index, picture in enumerate(pictures):
            of_shape[picture.shape].append(index)
        found: dict[int, tuple[Tensor, Tensor]] = {}
        for indices in of_shape.values():
            conv4, conv5 = self.backbone(torch.stack([pictures[index] for index in indices]))
            rows = zip(conv4.split(1), conv5.split(1), strict=True)
            found.update(zip(indices, rows, strict=True))
        return [found[index] for index in range(len(pictures))]

    def _padded(self, picture: Tensor) -> Tensor:
        """Zeros to the right and below, up to whole cells."""
        height, width = picture.shape[1:]
        stride = self.backbone.stride
        return pad(picture, (0, -width % stride, 0, -height % stride))


def build_rcnn(config: RcnnConfig, classes: Sequence[str], *, imagenet: bool = False) -> FasterRcnn:
    """A network to train.

    Args:
        config: one of `RCNN_CONFIGS`, or another.
        classes: names of the C classes.
        imagenet: whether the backbone begins with torchvision's ImageNet weights, downloaded when
            first needed; the tiny one has none and begins with random weights.

    Raises:
        WeightsError: the ImageNet weights cannot be had.
    """
    model = FasterRcnn(config, classes)
    if imagenet and config.backbone in IMAGENET:
        load_imagenet(model.backbone, config.backbone)
    return model


def scale_picture(image: Tensor, shorter: int, longer: int) -> tuple[Tensor, float]:
    """A picture (channels, h, w) scaled as the network sees it, and by how much.

    One factor for both sides brings the shorter side to `shorter`, or the longer one to `longer`
    where it would exceed that. What is left of a pixel at the right and lower edge is cut off.
    """
    sides = sorted(image.shape[1:])
    # A frame of one pixel's height stays one pixel high.
    scale = max(min(shorter / sides[0], longer / sides[1]), 1 / sides[0])
    if scale == 1:
        return image, scale
    # A grain more, lest 600 come out as 599.999 and be cut to 599.
    scaled = interpolate(
        image[None],
        scale_factor=scale * (1 + 1e-9),
        mode="bilinear",
        antialias=True,
        recompute_scale_factor=False,
    )
    return scaled[0], scale


def _colour(values: tuple[float, float, float]) -> Tensor:
    # On the CPU even where a model is built on "meta": no file of weights holds these.
    return torch.tensor(values, device="cpu").view(3, 1, 1)
