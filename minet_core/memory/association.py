"""From log-odds of boxes and slots to pairs, and to boxes that open new slots."""

import torch
from torch import Tensor

from minet_core.assignment import best_pairs
from minet_core.box_tensors import box_iou, nms
from minet_core.config import MemoryConfig
from minet_core.memory.equations import log_odds


def sureness(boxes: Tensor, certainty: Tensor, config: MemoryConfig) -> Tensor:
    """(M,) probability that a box is an object of its own.

    Two boxes on one object share its evidence: the log-odds of a box fall with its overlap with
    the surer box that covers most of it. Boxes that are equally sure, such as true ones, keep all.

    Args:
        boxes: (M, 4) xyxy.
        certainty: (M,) base score of each.
        config: `overlap`, what a box loses that a surer one covers.
    """
    if not config.overlap or not len(boxes):
        return certainty
    surer = certainty[None] > certainty[:, None]
    covered = (box_iou(boxes.double(), boxes.double()) * surer).amax(dim=1)
    return torch.sigmoid(torch.logit(certainty, eps=1e-6) - config.overlap * covered)


def matched(
    exponents: Tensor, sure: Tensor, shown: Tensor, config: MemoryConfig
) -> list[tuple[int, int]]:
    """Which of M detections is which of K slots: pairs of a detection and a slot.

    Args:
        exponents: (M, K + 1) what Eq. 5 exponentiates.
        sure: (M,) of `sureness`.
        shown: (M,) re-weighted score.
        config: the gate, and thresholds.
    """
    odds = log_odds(exponents)
    gain, allowed = odds - config.gate, odds >= config.gate
    may_match = sure > config.write_threshold
    if config.existence is None:
        may_match = may_match | (shown > config.write_threshold)
    else:
        # A box is a slot's object, or another one, or none at all.
        gain = gain + torch.logit(sure, eps=1e-6)[:, None]
    return assign(gain, allowed & (gain >= 0) & may_match[:, None])


def admitted(newcomers: Tensor, sure: Tensor, found: int, limit: int | None) -> list[int]:
    """Rows of the newcomers for which there is room: slots that were not found make some.

    Args:
        newcomers: (M,) bool.
        sure: (M,), by which they are chosen where there is too little.
        found: how many slots were found.
        limit: most slots.
    """
    rows = newcomers.nonzero().flatten()
    if limit is not None:
        rows = rows[sure[rows].argsort(descending=True, stable=True)]
        rows = rows[: limit - found].sort().values
    return [int(row) for row in rows]


def assign(gain: Tensor, allowed: Tensor) -> list[tuple[int, int]]:
    """Match rows to columns: gate first, then the Hungarian assignment (§III-C.5).

    Pairs that are not allowed are out before the assignment: assigned first, the weak pairs of
    [[.9, .45], [.6, 0]] would cost the sure one. A pair counts by how far it clears the gate, so
    that two pairs that hardly do, such as the others of [[1, .7], [.6, 0]], do not outbid it
    either.

    Args:
        gain: (M, K), 0 or more where a pair is allowed.
        allowed: (M, K) bool.
    """
    if not bool(allowed.any()):
        return []
    worth = torch.where(allowed, gain, 0.0).numpy()
    pairs = zip(*best_pairs(worth), strict=True)
    return [(int(row), int(column)) for row, column in pairs if allowed[row, column]]


def duplicates_of(boxes: Tensor, scores: Tensor, free: Tensor, limit: float) -> Tensor:
    """(M,) bool: free detections that cover a matched one or a better free one.

    Args:
        boxes: (M, 4) xyxy.
        scores: (M,) for the order among free ones.
        free: (M,) bool, which have no slot.
        limit: overlap above which one covers another.
    """
    covered = (box_iou(boxes, boxes[~free]) > limit).any(dim=1) & free
    rest = (free & ~covered).nonzero().flatten()
    duplicates = free.clone()
    duplicates[rest[nms(boxes[rest].double(), scores[rest], limit)]] = False
    return duplicates
