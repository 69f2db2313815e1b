"""A memory slot, and the rule that one object has one slot."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.ops import box_iou

from minet_core.identifier import RunningRidge


@dataclass(slots=True, eq=False)
class Slot:
    """One remembered object m^k.

    Attributes:
        id: identity of the object; never used again.
        score: (C + 1,) or (C,) float64 memory score π, of base scores.
        ridge: the running sums its identifier is solved from.
        identifier: (D,) float64 γ.
        matches: f_num, the boxes written so far.
        evidence: sum of the base scores they had, each in its best class.
        box: (4,) the last matched box.
        velocity: (2,) pixels a second of its centre.
        time: seconds of that match.
    """

    id: int
    score: Tensor
    ridge: RunningRidge
    identifier: Tensor
    matches: int
    evidence: float
    box: Tensor
    velocity: Tensor
    time: float

    @property
    def seniority(self) -> tuple[float, int]:
        """Order in which slots outlive each other: more evidence, else the older."""
        return self.evidence, -self.id


def merge_rivals(
    slots: Sequence[Slot],
    owner: dict[int, Slot],
    boxes: Tensor,
    appearance: Tensor,
    *,
    known: float,
    covering: float,
) -> list[Slot]:
    """Leave one slot to each object: the senior of those that claim it.

    Two slots claim one object when both are matched and their boxes cover each other, or when one
    is absent, was last seen where the other is now and knows that box by its looks. (Hidden behind
    another object, it is in the place and does not know the looks.)

    Args:
        slots: all K slots.
        owner: detection → its slot; changed in place. A detection whose slot ends is left without.
        boxes: (M, 4) of the detections.
        appearance: (M, K) a · γ.
        known: appearance from which a slot knows a box.
        covering: overlap of two boxes of one object, now or since a slot was last seen.

    Returns:
        The slots that remain.
    """
    ended: set[int] = set()
    rows = sorted(owner)
    for a, b in _covering(boxes[rows], boxes[rows], covering):
        i, j = rows[a], rows[b]
        if i < j and i in owner and j in owner:
            junior = min(i, j, key=lambda row: owner[row].seniority)
            ended.add(owner.pop(junior).id)
    present = {slot.id for slot in owner.values()} | ended
    rows, settled = sorted(owner), set[int]()
    last = torch.stack([slot.box for slot in slots]) if slots else boxes.new_zeros(0, 4)
    for k, b in _covering(last, boxes[rows], covering):
        slot, rival = slots[k], owner[rows[b]]
        if slot.id in present or k in settled or appearance[rows[b], k] < known:
            continue
        senior, junior_slot = sorted((slot, rival), key=lambda s: s.seniority, reverse=True)
        owner[rows[b]] = senior
        ended.add(junior_slot.id)
        settled.add(k)
    return [slot for slot in slots if slot.id not in ended]


def _covering(a: Tensor, b: Tensor, limit: float) -> list[list[int]]:
    """Pairs (row of a, row of b) of boxes that overlap by more, in order of a, then b."""
    pairs: list[list[int]] = (box_iou(a.double(), b.double()) > limit).nonzero().tolist()
    return pairs
