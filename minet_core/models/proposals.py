"""From a detector's decoded rows to what the memory wants of them.

The memory reads embeddings at every proposal and re-weights whole score vectors. So proposals are
taken before a detector's own suppression wherever it shows them: the best rows, after a
class-agnostic suppression that only drops near-copies, and leaves no class's score behind.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from minet_core.boxes import Ints
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

Floats = NDArray[np.float32]
"""Boxes and scores as detectors have them."""

Calibration = tuple[float, float]
"""Platt's (a, b): P(true) = sigmoid(a · logit + b)."""
UNCALIBRATED: Calibration = (1.0, 0.0)


def best_rows(best: Tensor, limit: int = MAX_DECODED) -> Tensor:
    """The rows worth decoding, best first, by the (A,) best score of each."""
    return best.topk(min(limit, len(best))).indices


def highest(best: Floats, limit: int = MAX_DECODED) -> Ints:
    """The same rows of an array in ascending order, in a fraction of the time."""
    if len(best) <= limit:
        return np.arange(len(best))
    return np.sort(best.argpartition(-limit)[-limit:])


def worth(best: Floats, calibration: Calibration | None) -> int:
    """How many of the rows are worth a look.

    Args:
        best: (N,) the best raw score of each.
        calibration: Platt's (a, b).
    """
    slope, offset = calibration or UNCALIBRATED
    weakest = 1 / (1 + math.exp((offset - math.log(WEAKEST / (1 - WEAKEST))) / slope))
    return max(FEW_DECODED, int(np.count_nonzero(best >= weakest)))


def of_a_pixel(boxes: Floats) -> NDArray[np.bool_]:
    """(N,) whether a box is at least a pixel wide and high."""
    left, top, right, bottom = boxes.T
    whole: NDArray[np.bool_] = (right - left >= 1) & (bottom - top >= 1)
    return whole


def suppressed(
    boxes: Floats, best: Floats, iou: float = PROPOSAL_NMS, limit: int = PROPOSALS
) -> Ints:
    """Rows of the proposals, best first: boxes of a pixel or more, after suppression.

    Args:
        boxes: (N, 4) xyxy.
        best: (N,) each one's best score, or logit.
        iou: overlap above which the lower of two goes, whatever their classes.
        limit: most proposals.
    """
    rows = np.flatnonzero(of_a_pixel(boxes))
    kept: Ints = rows[best_apart(boxes[rows], best[rows], iou, limit)]
    return kept


def with_copies(boxes: Floats, scores: Floats, kept: Ints, iou: float = PROPOSAL_NMS) -> Floats:
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
    others = np.ones(len(boxes), bool)
    others[kept] = False
    gone = np.flatnonzero(others)
    taken = np.ascontiguousarray(scores[kept])
    if not len(gone) or not len(kept):
        return taken
    are_copies = _overlap(boxes[gone], boxes[kept], iou)
    takers = are_copies.argmax(axis=1)  # the first that overlaps is the best
    classes = scores.argmax(axis=1)[gone]
    given = np.where(are_copies[np.arange(len(gone)), takers], scores[gone, classes], -np.inf)
    np.maximum.at(taken.reshape(-1), takers * taken.shape[1] + classes, given)
    return taken


def _overlap(first: Floats, second: Floats, iou: float) -> NDArray[np.bool_]:
    """(N, M) whether boxes overlap by more."""
    left, top, right, bottom = np.ascontiguousarray(first.T)[:, :, None]  # as strides are slow
    lefts, tops, rights, bottoms = np.ascontiguousarray(second.T)
    shared = np.minimum(right, rights)
    shared -= np.maximum(left, lefts)
    np.maximum(shared, 0, out=shared)
    high = np.minimum(bottom, bottoms)
    high -= np.maximum(top, tops)
    shared *= high  # where they are apart it is not above zero
    share = iou / (1 + iou)
    area, areas = (right - left) * (bottom - top), (rights - lefts) * (bottoms - tops)
    more: NDArray[np.bool_] = shared > area * share + areas * share
    return more


def score_table(
    scores: Floats, kind: ScoreKind, columns: Ints, calibration: Calibration | None
) -> Floats:
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
        chosen = scores if every else scores[:, np.append(0, columns + 1)]
        shares: Floats = chosen / chosen.sum(axis=1, keepdims=True)
        return shares
    chosen = scores if every and not softmax else scores[:, columns + softmax]
    return calibrated(chosen, calibration or UNCALIBRATED)


def uncalibrated(model: str) -> str:
    """What a user should know of a model whose scores nobody has held against the truth."""
    return (
        f"{model}: its scores are not calibrated, so the memory may trust them too much or too "
        "little; `minet calibrate` mends that with labelled pictures"
    )


def calibrated(scores: Floats, calibration: Calibration) -> Floats:
    """Probabilities after Platt's scaling, none of them certain."""
    if calibration != UNCALIBRATED:
        slope, offset = calibration
        logits = torch.from_numpy(scores).logit(eps=1 - SUREST)
        scores = torch.sigmoid(slope * logits + offset).numpy()
    return scores.clip(0, SUREST)
