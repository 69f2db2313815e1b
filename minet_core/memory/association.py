"""From log-odds of boxes and slots to matched pairs, and to boxes that open new slots."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from minet_core.assignment import best_pairs
from minet_core.box_tensors import box_iou, nms
from minet_core.config import MemoryConfig
from minet_core.memory.equations import log_odds
from minet_core.memory.frame import Considered


def sureness(boxes: Tensor, certainty: Tensor, config: MemoryConfig) -> Tensor:
    """(M,) probability that a box is a separate object.

    Two boxes on one object share its evidence. A box loses log-odds by its overlap with the
    higher-scoring box that covers most of it. Boxes with equal scores, such as true boxes, lose
    nothing.

    Args:
        boxes: (M, 4) xyxy.
        certainty: (M,) base score of each.
        config: `overlap`, the log-odds that a fully covered box loses.
    """
    if not config.overlap or not len(boxes):
        return certainty
    surer = certainty[None] > certainty[:, None]
    covered = (box_iou(boxes.double(), boxes.double()) * surer).amax(dim=1)
    return torch.sigmoid(torch.logit(certainty, eps=1e-6) - config.overlap * covered)


def newcomers(seen: Considered, free: Tensor, threshold: float, config: MemoryConfig) -> Tensor:
    """(M,) bool: boxes of objects that nobody remembers.

    A known object explains a second box over its own, such as that of its upper half, even a surer
    one: they share evidence as in `sureness`, as far as they are of one class. A person on a
    bicycle does not explain the bicycle.

    Args:
        seen: the M detections.
        free: (M,) bool, the boxes of no known object.
        threshold: minimum probability.
        config: `overlap`, what a box loses that a known object covers.
    """
    boxes, classes = seen.boxes, seen.classes
    new = free & (seen.sure > threshold)
    rows, known = new.nonzero().flatten(), ~free
    if not config.overlap or not len(rows) or not bool(known.any()):
        return new
    alike = normalize(classes[rows], dim=1) @ normalize(classes[known], dim=1).T
    covered = (box_iou(boxes[rows].double(), boxes[known].double()) * alike).amax(dim=1)
    odds = torch.logit(classes[rows].amax(dim=1), eps=1e-6) - config.overlap * covered
    new[rows] = torch.sigmoid(odds) > threshold
    return new


def matched(
    exponents: Tensor, sure: Tensor, shown: Tensor, config: MemoryConfig
) -> list[tuple[int, int]]:
    """Match M detections to K slots: pairs (detection, slot).

    Args:
        exponents: (M, K + 1) exponents of Eq. 5.
        sure: (M,) output of `sureness`.
        shown: (M,) re-weighted scores.
        config: the gate, and thresholds.
    """
    odds = log_odds(exponents)
    gain, allowed = odds - config.gate, odds >= config.gate
    may_match = sure > config.write_threshold
    if config.existence is None:
        may_match = may_match | (shown > config.write_threshold)
    else:
        # A box is a slot's object, another object, or no object.
        gain = gain + torch.logit(sure, eps=1e-6)[:, None]
    return assign(gain, allowed & (gain >= 0) & may_match[:, None])


def admitted(newcomers: Tensor, sure: Tensor, found: int, limit: int | None) -> list[int]:
    """Rows of the newcomers that may open slots within the limit; unmatched slots do not count.

    Args:
        newcomers: (M,) bool.
        sure: (M,) output of `sureness`; the highest come first.
        found: number of matched slots.
        limit: maximum number of slots.
    """
    rows = newcomers.nonzero().flatten()
    if limit is not None:
        rows = rows[sure[rows].argsort(descending=True, stable=True)]
        rows = rows[: limit - found].sort().values
    return [int(row) for row in rows]


def assign(gain: Tensor, allowed: Tensor) -> list[tuple[int, int]]:
    """Match rows to columns: gate first, then the Hungarian assignment (§III-C.5).

    The gate removes pairs before the assignment. Otherwise the weak pairs of [[.9, .45], [.6, 0]]
    would replace the strong pair. A pair's gain is its distance above the gate. So two pairs just
    above it, such as the weak pairs of [[1, .7], [.6, 0]], do not replace a strong pair either.

    Args:
        gain: (M, K), 0 or more for allowed pairs.
        allowed: (M, K) bool.
    """
    if not bool(allowed.any()):
        return []
    worth = torch.where(allowed, gain, 0.0).numpy()
    pairs = zip(*best_pairs(worth), strict=True)
    return [(int(row), int(column)) for row, column in pairs if allowed[row, column]]


def duplicates_of(boxes: Tensor, scores: Tensor, free: Tensor, limit: float) -> Tensor:
    """(M,) bool: unmatched detections that cover a matched one or a better unmatched one.

    Args:
        boxes: (M, 4) xyxy.
        scores: (M,) which rank unmatched detections.
        free: (M,) bool: without a slot.
        limit: IoU above which one box covers another.
    """
    covered = (box_iou(boxes, boxes[~free]) > limit).any(dim=1) & free
    rest = (free & ~covered).nonzero().flatten()
    duplicates = free.clone()
    duplicates[rest[nms(boxes[rest].double(), scores[rest], limit)]] = False
    return duplicates
