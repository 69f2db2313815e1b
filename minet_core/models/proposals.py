"""From a detector's decoded rows to what the memory wants of them.

The memory reads embeddings at every proposal and re-weights whole score vectors. So proposals are
taken before a detector's own suppression wherever it shows them: the best rows, after a
class-agnostic suppression that only drops near-copies, and leaves no class's score behind.
"""

import math

import torch
from torch import Tensor

from minet_core.models.suppression import best_apart
from minet_core.scores import ScoreKind

PROPOSALS, PROPOSAL_NMS = 300, 0.7
"""Proposals of a frame, and the overlap above which the lower of two goes."""
MAX_DECODED = 1000
"""Only the best rows are decoded: nearly all of a grid's cells show nothing."""
FEW_DECODED = 400
"""Rows of a file's network that are looked at however weak they are."""
WEAKEST = 0.005
"""Score from which on more rows are looked at: it is far from any that matches or is reported."""
SUREST = 1 - 1e-6
"""Scores are cut off here: memory multiplies odds, and certainty has none."""

Calibration = tuple[float, float]
"""Platt's (a, b): P(true) = sigmoid(a · logit + b)."""
UNCALIBRATED: Calibration = (1.0, 0.0)


def best_rows(best: Tensor, limit: int = MAX_DECODED) -> Tensor:
    """The rows worth decoding, best first, by the (A,) best score of each."""
    return best.topk(min(limit, len(best))).indices


def worth(best: Tensor, calibration: Calibration | None) -> int:
    """How many of the rows, best first, are worth a look.

    Args:
        best: (N,) the best raw score of each, in descending order.
        calibration: Platt's (a, b).
    """
    slope, offset = calibration or UNCALIBRATED
    weakest = 1 / (1 + math.exp((offset - math.log(WEAKEST / (1 - WEAKEST))) / slope))
    return max(FEW_DECODED, int((best >= weakest).sum()))


def of_a_pixel(boxes: Tensor) -> Tensor:
    """(N,) whether a box is at least a pixel wide and high."""
    return ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(dim=1)


def suppressed(
    boxes: Tensor, best: Tensor, iou: float = PROPOSAL_NMS, limit: int = PROPOSALS
) -> Tensor:
    """Rows of the proposals, best first: boxes of a pixel or more, after suppression.

    Args:
        boxes: (N, 4) xyxy.
        best: (N,) each one's best score, or logit.
        iou: overlap above which the lower of two goes, whatever their classes.
        limit: most proposals.
    """
    rows = of_a_pixel(boxes).nonzero().flatten()
    whole, scores = boxes.index_select(0, rows), best.index_select(0, rows)
    return rows.index_select(0, best_apart(whole, scores, iou, limit))


def with_copies(boxes: Tensor, scores: Tensor, kept: Tensor, iou: float = PROPOSAL_NMS) -> Tensor:
    """Scores of the proposals, each with what the near-copies that it suppressed were surest of.

    A near-copy may be the better box of another class, which would be lost with it. It leaves the
    score of its best class only, as that is what it is a box of.

    Args:
        boxes: (N, 4) xyxy, before suppression.
        scores: (N, columns) of each, or logits.
        kept: (K,) rows of `suppressed`, best first.
        iou: overlap above which the lower of two went.

    Returns:
        (K, columns).
    """
    gone = torch.ones(len(boxes)).index_fill_(0, kept, 0).nonzero().flatten()
    if not len(gone) or not len(kept):
        return scores[kept]
    # The first that overlaps is the best; as bytes, since torch is slow at these with bool.
    is_copy, takers = _overlap(boxes[gone], boxes[kept], iou).view(torch.uint8).max(dim=1)
    best = scores[gone].max(dim=1)
    values = best.values.masked_fill_(is_copy == 0, -math.inf)
    taken: Tensor = scores[kept]
    places = takers * taken.shape[1] + best.indices
    taken.view(-1).scatter_reduce_(0, places, values, "amax")
    return taken


def _overlap(first: Tensor, second: Tensor, iou: float) -> Tensor:
    """(N, M) whether boxes overlap by more; torchvision's box_iou takes several times as long."""
    left, top, right, bottom = first.T.contiguous()[:, :, None]  # rows, as strides are slow
    lefts, tops, rights, bottoms = second.T.contiguous()
    shared = torch.minimum(right, rights).sub_(torch.maximum(left, lefts)).clamp_(0)
    shared *= torch.minimum(bottom, bottoms).sub_(torch.maximum(top, tops)).clamp_(0)
    areas = (right - left) * (bottom - top) + (rights - lefts) * (bottoms - tops)
    more: Tensor = shared.mul_((1 + iou) / iou) > areas
    return more


def score_table(
    scores: Tensor, kind: ScoreKind, columns: Tensor, calibration: Calibration | None
) -> Tensor:
    """What the memory wants of a network's score columns.

    Args:
        scores: (N, columns) probabilities; of a distribution with the background in column 0.
        kind: what they are.
        columns: (C,) of the classes, the background not counted.
        calibration: Platt's (a, b), which makes independent probabilities of either kind.

    Returns:
        (N, C + 1) a distribution, from which columns that are no class have left with their
        share; or (N, C) independent probabilities.
    """
    softmax = kind is ScoreKind.SOFTMAX
    every = len(columns) + softmax == scores.shape[1]
    if softmax and calibration is None:
        chosen = scores if every else torch.cat([scores[:, :1], scores[:, columns + 1]], dim=1)
        return chosen / chosen.sum(dim=1, keepdim=True)
    chosen = scores if every and not softmax else scores[:, columns + softmax]
    return calibrated(chosen, calibration or UNCALIBRATED)


def uncalibrated(model: str) -> str:
    """What a user should know of a model whose scores nobody has held against the truth."""
    return (
        f"{model}: its scores are not calibrated, so the memory may trust them too much or too "
        "little; `minet calibrate` mends that with labelled pictures"
    )


def calibrated(scores: Tensor, calibration: Calibration) -> Tensor:
    """Probabilities after Platt's scaling, none of them certain."""
    if calibration != UNCALIBRATED:
        slope, offset = calibration
        scores = torch.sigmoid(slope * torch.logit(scores, eps=1 - SUREST) + offset)
    return scores.clamp(0, SUREST)
