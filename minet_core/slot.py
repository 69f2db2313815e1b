"""A memory slot, and the rules that leave one slot to one object."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.ops import box_iou

from minet_core.identifier import RunningRidge, update


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
        forerunners: ids of slots whose object it may have, which were out of sight when it was
            opened; of each, how many detections in a row looked like that object.
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
    forerunners: dict[int, int]

    @property
    def seniority(self) -> tuple[float, int]:
        """Order in which slots outlive each other: more evidence, else the older."""
        return self.evidence, -self.id

    def absorb(self, other: "Slot") -> None:
        """Take over the samples, counts and place of another slot of the same object, which ends.

        The memory score π stays as it is. The identifier is solved anew at the next write.
        """
        for samples in other.ridge.window:
            update([self.ridge], [samples])
        self.matches += other.matches
        self.evidence += other.evidence
        if other.time > self.time:
            self.box, self.velocity, self.time = other.box, other.velocity, other.time


def end_covered(owner: dict[int, Slot], boxes: Tensor, covering: float) -> set[int]:
    """Leave one slot to each object: of two whose boxes cover each other, the senior stays.

    Args:
        owner: detection → its slot; changed in place: a detection whose slot ends is taken out.
        boxes: (M, 4) of the detections.
        covering: overlap above which two boxes are of one object.

    Returns:
        Ids of the slots that end.
    """
    ended: set[int] = set()
    rows = sorted(owner)
    owned = boxes[rows].double()
    for a, b in (box_iou(owned, owned) > covering).nonzero().tolist():
        i, j = rows[a], rows[b]
        if i < j and i in owner and j in owner:
            junior = min(i, j, key=lambda row: owner[row].seniority)
            ended.add(owner.pop(junior).id)
    return ended


def end_alternating(
    owner: dict[int, Slot], boxes: Tensor, slots: Sequence[Slot], covering: float
) -> set[int]:
    """Leave one slot to each object: of two that take its boxes by turns, the senior stays.

    By turns is when a slot takes a detection where another was when any slot was seen last: the
    first was not seen then, and the other finds no detection now.

    Args:
        owner: detection → its slot; changed in place: a senior gets the detection of a junior.
        boxes: (M, 4) of the detections.
        slots: all that live, with the places they had before this frame.
        covering: overlap above which two boxes are of one object.

    Returns:
        Ids of the slots that end.
    """
    latest = max((slot.time for slot in slots), default=0.0)
    found = {slot.id for slot in owner.values()}
    lost = [slot for slot in slots if slot.time == latest and slot.id not in found]
    returned = [row for row in sorted(owner) if owner[row].time < latest]
    if not (lost and returned):
        return set()
    overlap = box_iou(boxes[returned].double(), torch.stack([slot.box for slot in lost]))
    ended: set[int] = set()
    joined: set[int] = set()
    for a, b in (overlap > covering).nonzero().tolist():
        row, pair = returned[a], (owner[returned[a]], lost[b])
        ids = {slot.id for slot in pair}
        if not ids & joined:
            junior, senior = sorted(pair, key=lambda slot: slot.seniority)
            senior.absorb(junior)
            owner[row] = senior
            ended.add(junior.id)
            joined |= ids
    return ended


def end_recognised(
    owner: dict[int, Slot],
    appearance: Tensor,
    slots: Sequence[Slot],
    *,
    threshold: float,
    times: int,
) -> set[int]:
    """Give an object that was out of sight back to the slot it had.

    The first box after a gap is often a poor one. It matches nothing and opens a slot, and that
    one, which has learnt from the very last frame, wins every later box. So a slot that is out of
    sight may speak up: when enough detections in a row of a younger one look like its object, it
    takes the object over, with what the younger one has learnt. Not if both were in sight at once
    since then: they have two objects.

    Args:
        owner: detection → its slot; changed in place: the older slot gets the younger's detection.
        appearance: (M, K) a · γ of the detections with the slots.
        slots: (K) all that live.
        threshold: association by appearance from which on a detection looks like an object.
        times: detections in a row that must look so.

    Returns:
        Ids of the slots that end.
    """
    in_sight = {slot.id for slot in owner.values()}
    hidden = {slot.id: k for k, slot in enumerate(slots) if slot.id not in in_sight}
    claims: list[tuple[float, int, int]] = []
    for row, younger in owner.items():
        forerunners: dict[int, int] = {}
        for older, count in younger.forerunners.items():
            if older in hidden:
                likeness = float(appearance[row, hidden[older]])
                forerunners[older] = count + 1 if likeness >= threshold else 0
                if forerunners[older] >= times:
                    claims.append((likeness, row, older))
        younger.forerunners = forerunners
    ended: set[int] = set()
    for _, row, older in sorted(claims, reverse=True):
        younger = owner[row]
        if older in hidden and younger.id in in_sight:
            owner[row] = slots[hidden.pop(older)]
            owner[row].absorb(younger)
            ended.add(younger.id)
    return ended
