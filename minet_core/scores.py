"""What class scores mean, and class-wise suppression.

Two kinds of detectors give two kinds of rows; everything that reads scores asks which.
"""

from enum import StrEnum

from torch import Tensor

from minet_core.box_tensors import batched_nms


class ScoreKind(StrEnum):
    """What a row of scores means, and so how memory may re-weight it."""

    SOFTMAX = "softmax"
    """(C + 1) values that sum to one; column 0 is the background (the paper's detector)."""
    SIGMOID = "sigmoid"
    """(C) calibrated, independent probabilities (one-stage detectors)."""


def foreground(scores: Tensor, kind: ScoreKind) -> Tensor:
    """The C foreground columns of a score matrix."""
    return scores[..., 1:] if kind is ScoreKind.SOFTMAX else scores


def classwise_nms(boxes: Tensor, scores: Tensor, iou: float, floor: float) -> tuple[Tensor, Tensor]:
    """Greedy suppression within each class (§III-C.4).

    Args:
        boxes: (N, 4) xyxy.
        scores: (N, C) foreground scores.
        iou: overlap above which the lower score of a class goes.
        floor: pairs of this score or less are left out from the start.

    Returns:
        (P,) rows and (P,) classes of the (box, class) pairs that stay, best first.
    """
    rows, classes = (scores > floor).nonzero().unbind(1)
    pair_scores = scores[rows, classes]
    kept = batched_nms(boxes[rows].double(), pair_scores.double(), classes, iou)
    return rows[kept], classes[kept]


def best_class_rows(rows: Tensor, classes: Tensor, scores: Tensor) -> Tensor:
    """Rows whose best class survived `classwise_nms`, ascending: one detection a box."""
    best = scores.argmax(dim=1)
    return rows[best[rows] == classes].sort().values
