"""Which boxes of a frame remain after suppression, and which of them the memory may match."""

from collections.abc import Sequence

import torch
from torch import Tensor

from minet_core.config import MemoryConfig
from minet_core.inference.prompted.planting import Planted
from minet_core.models.detector import BaseDetections, FeatureMap, FramePicture
from minet_core.scores import ScoreKind, best_class_rows, classwise_nms, foreground

PAIR_FLOOR = 0.001
"""(box, class) pairs below this score are dropped."""


def by_crops(features: FeatureMap, config: MemoryConfig) -> bool:
    """Whether embeddings are of crops of likely boxes, not of all proposals."""
    return config.crops and isinstance(features, FramePicture)


def suppressed(base: BaseDetections, scores: Tensor, kind: ScoreKind, iou: float) -> Tensor:
    """(M,) rows that remain, ascending; final boxes, such as a person's own, always stay.

    Args:
        base: the detector's output.
        scores: of its N boxes, re-weighted or not.
        kind: meaning of the score columns.
        iou: see `classwise_nms`.
    """
    classes = foreground(scores, kind)
    if base.final:
        return (classes.amax(dim=1) > PAIR_FLOOR).nonzero().flatten()
    rows, labels = classwise_nms(base.boxes, classes, iou, PAIR_FLOOR)
    return best_class_rows(rows, labels, classes)


def with_planted(rows: Tensor, planted: Planted) -> tuple[Tensor, list[tuple[int, int]]]:
    """The planted rows, then the others (M,) that remain; and pairs of an index of these and an id.

    A person's boxes are never suppressed.
    """
    first = torch.tensor([row for row, _ in planted.pairs], dtype=torch.int64)
    left = ~torch.isin(rows, first) & ~planted.out[rows]
    pairs = [(place, number) for place, (_, number) in enumerate(planted.pairs)]
    return torch.cat([first, rows[left]]), pairs


def likely(
    base: BaseDetections,
    rows: Tensor,
    kind: ScoreKind,
    config: MemoryConfig,
    planted: Sequence[tuple[int, int]] = (),
) -> Tensor:
    """(E,) rows of the boxes that may be matched, ascending: those sure enough, and a person's.

    Args:
        base: the detector's output.
        rows: (M,) that suppression has left.
        kind: meaning of the score columns.
        config: `write_threshold`.
        planted: a person's boxes: pairs of an index of `rows` and an id.
    """
    chosen = foreground(base.scores[rows], kind).amax(dim=1) > config.write_threshold
    chosen[[index for index, _ in planted]] = True
    return rows[chosen].sort().values
