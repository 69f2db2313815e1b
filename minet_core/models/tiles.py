"""Overlapping crops beside the whole frame: small objects in large pictures, for any detector."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from minet_core.box_tensors import box_iou
from minet_core.models.detector import BaseDetections, Detector, Frame
from minet_core.models.proposals import PROPOSALS, suppressed
from minet_core.models.stored_detections import from_final
from minet_core.scores import ScoreKind, foreground

OVERLAP = 0.2
"""Share of a crop that it has in common with the next."""
BORDER = 2.0
"""A box that ends so many pixels from where a crop cuts the frame is taken for cut off."""
SAME_OBJECT = 0.5
"""Overlap above which two finished boxes of one class, of two crops, are of one object."""

Corner = tuple[int, int, int, int]
"""Left, top, right and lower edge of a crop in pixels of the frame."""


def crops(width: int, height: int, count: int) -> list[Corner]:
    """Crops of equal size that cover a frame, in reading order.

    Args:
        width: of the frame.
        height: of the frame.
        count: of crops along the longer side; along the other, as many as keep them squarest.
    """
    longer = max(width, height)
    columns, rows = (max(1, round(count * side / longer)) for side in (width, height))
    return [
        (left, top, right, lower)
        for top, lower in _spans(height, rows)
        for left, right in _spans(width, columns)
    ]


def _spans(length: int, count: int) -> list[tuple[int, int]]:
    side = math.ceil(length / (count - (count - 1) * OVERLAP))
    starts = [round(place * (length - side) / max(1, count - 1)) for place in range(count)]
    return [(start, start + side) for start in starts]


class TiledDetector:
    """A detector that sees the whole frame and crops of it, all in one batch.

    What it finds in a crop counts unless the crop cuts it off: then another crop, or the whole
    frame, has all of it. All together goes through the suppression that makes proposals.

    Args:
        detector: of any kind.
        count: crops along the longer side of a frame.

    Attributes:
        classes: the detector's.
        score_kind: the detector's.
    """

    def __init__(self, detector: Detector, count: int) -> None:
        self.classes = detector.classes
        self.score_kind = detector.score_kind
        self._detector = detector
        self._count = count

    @property
    def backbones(self) -> Sequence[nn.Module]:
        """See `Halving`."""
        return getattr(self._detector, "backbones", ())

    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        """Detections of each frame, in its pixels."""
        places = [crops(frame.shape[1], frame.shape[0], self._count) for frame in frames]
        pictures = list(frames)
        for frame, own in zip(frames, places, strict=True):
            cut = [frame[top:lower, left:right] for left, top, right, lower in own]
            pictures += map(np.ascontiguousarray, cut)
        found = self._detector.detect(pictures)
        whole, parts = found[: len(frames)], iter(found[len(frames) :])
        return [
            self._merged(frame, one, [_moved(next(parts), place, frame) for place in own])
            for frame, one, own in zip(frames, whole, places, strict=True)
        ]

    def _merged(
        self, frame: Frame, whole: BaseDetections, parts: list[BaseDetections]
    ) -> BaseDetections:
        found = [whole, *parts]
        regions, boxes, scores = (
            torch.cat([getattr(each, name) for each in found])
            for name in ("proposals", "boxes", "scores")
        )
        if whole.final and self.score_kind is ScoreKind.SIGMOID:
            crop = torch.arange(len(found)).repeat_interleave(torch.tensor(list(map(len, found))))
            return self._finished(frame, boxes, scores, crop)
        best = foreground(scores, self.score_kind).amax(dim=1)
        kept = suppressed(boxes.numpy(), best.numpy(), limit=max(PROPOSALS, len(whole)))
        return BaseDetections(regions[kept], boxes[kept], scores[kept])

    def _finished(
        self, frame: Frame, boxes: Tensor, scores: Tensor, crop: Tensor
    ) -> BaseDetections:
        """Finished boxes; of those on one object in several crops the surest."""
        rows, labels = scores.nonzero().unbind(1)
        values = scores[rows, labels]
        order = values.argsort(descending=True, stable=True)
        rows, labels, values = rows[order], labels[order], values[order]
        rivals = box_iou(boxes[rows], boxes[rows]) > SAME_OBJECT
        rivals &= (labels[:, None] == labels) & (crop[rows][:, None] != crop[rows])
        kept = torch.ones(len(rows), dtype=torch.bool)
        for row in range(len(rows)):
            if kept[row]:
                kept[row + 1 :] &= ~rivals[row, row + 1 :]
        return from_final(boxes[rows[kept]], labels[kept], values[kept], len(self.classes), frame)


def _moved(found: BaseDetections, place: Corner, frame: Frame) -> BaseDetections:
    """What was found in a crop, in pixels of the frame, without what the crop cuts off."""
    left, top, right, lower = place
    height, width = frame.shape[:2]
    boxes = found.boxes
    cut = torch.zeros(len(boxes), dtype=torch.bool)
    # Where the crop ends inside the frame.
    if left > 0:
        cut |= boxes[:, 0] < BORDER
    if top > 0:
        cut |= boxes[:, 1] < BORDER
    if right < width:
        cut |= boxes[:, 2] > right - left - BORDER
    if lower < height:
        cut |= boxes[:, 3] > lower - top - BORDER
    by = boxes.new_tensor([left, top, left, top])
    whole = ~cut
    return BaseDetections(
        found.proposals[whole] + by, boxes[whole] + by, found.scores[whole], found.final
    )
