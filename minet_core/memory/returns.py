"""An object that reappears under a new slot, because its first box hardly showed it.

The first box after a gap is often half hidden, or shows another side, and the object's slot does
not recognise it. So a new slot opens. When it has some boxes, the log-odds of Eq. 5 decide again,
with the position of its first box and the appearance of all its boxes. Many boxes err less than
one, so their gate is lower.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from minet_core.config import MemoryConfig
from minet_core.memory.slots import Slot


def suitors(slots: Sequence[Slot], position: Tensor, scene: int) -> dict[int, float]:
    """Slots that a new box may belong to: id → log-likelihood ratio of its position.

    Args:
        slots: K of them.
        position: (K,) what the position of each says of the box; see `motion.log_ratio`.
        scene: number of the frame's scene, whose slots alone count.
    """
    ratios = zip(slots, position.tolist(), strict=True)
    return {slot.id: ratio for slot, ratio in ratios if slot.scene == scene}


def take_back(slots: Sequence[Slot], learnt: Sequence[Slot], config: MemoryConfig) -> list[Slot]:
    """The slots that are left when newcomers have taken the names of those whose object they are.

    What the older slot had learnt goes with it: the newcomer knows how the object looks now.

    Args:
        slots: all that live.
        learnt: those that have learnt from this frame. What a person has named takes part in
            none of this.
        config: the gate. A newcomer needs as many boxes as vouch for a slot.
    """
    gate, rule = config.return_gate, config.existence
    living = {slot.id: slot for slot in slots}
    if gate is None or rule is None:
        return list(slots)
    for slot in learnt:
        if slot.held or slot.matches < rule.sightings:
            continue
        slot.suitors = {
            older: position
            for older, position in slot.suitors.items()
            if older in living and living[older].seen < slot.opened and not living[older].held
        }
        odds = {
            older: config.scale * (_likeness(slot, living[older]) - config.empty_association)
            + position
            for older, position in slot.suitors.items()
        }
        best = max(odds, key=odds.__getitem__, default=None)
        if best is not None and odds[best] >= gate:
            older_slot = living.pop(best)
            slot.name, slot.suitors = older_slot.name, {}
            for score in older_slot.best:
                slot.vouch(score, rule)
    return list(living.values())


def _likeness(a: Slot, b: Slot) -> float:
    """How well the identifier of each recognises the boxes of the other: the mean of medians."""
    forward, backward = _own(a) @ b.identifier, _own(b) @ a.identifier
    return float(forward.median() + backward.median()) / 2


def _own(slot: Slot) -> Tensor:
    """(B, D) embeddings of the boxes it learnt from; the first positive of each is the box."""
    return torch.stack([samples.positives[0] for samples in slot.ridge.window]).double()
