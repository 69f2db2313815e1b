"""What is inside the boxes of a frame."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from minet_core.box_tensors import clipped
from minet_core.models.detector import Frame


def cut_out(frame: Frame, boxes: Tensor) -> list[Frame]:
    """The picture inside each of (N, 4) boxes in pixels; of an empty one, its nearest pixel."""
    height, width = frame.shape[:2]
    crops = []
    for x1, y1, x2, y2 in clipped(boxes.float(), (height, width)).round().int().tolist():
        left, top = min(x1, width - 1), min(y1, height - 1)
        crops.append(frame[top : max(y2, top + 1), left : max(x2, left + 1)])
    return crops


def equal_crops(frame: Frame, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, 3, h, w) bytes: what is inside each of (N, 4) boxes, stretched to one size (h, w)."""
    crops = torch.empty(len(boxes), *size, 3, dtype=torch.uint8).permute(0, 3, 1, 2)
    for row, crop in enumerate(cut_out(frame, boxes)):
        picture = torch.from_numpy(crop)[None].permute(0, 3, 1, 2)
        crops[row] = interpolate(picture, size, mode="bilinear", antialias=True)[0]
    return crops
