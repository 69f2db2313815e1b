"""Objects that reappear under a new slot.

The first box after a gap is often half hidden, or shows another side. Then the object's old slot
does not recognise it, and a new slot opens. Once the new slot has a few boxes, the log-odds of
Eq. 5 decide again, with the position of its first box and the appearance of all its boxes. Several
boxes are more reliable than one, so their gate is lower.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from minet_core.config import MemoryConfig
from minet_core.memory.evidence import together
from minet_core.memory.slots import Slot


def suitors(slots: Sequence[Slot], position: Tensor, scene: int) -> dict[int, float]:
    """Slots that a new box may belong to: id → log-likelihood ratio of its position.

    Args:
        slots: K of them.
        position: (K,) log-likelihood ratio of the box's position; see `motion.log_ratio`.
        scene: number of the frame's scene; other slots do not count.
    """
    ratios = zip(slots, position.tolist(), strict=True)
    return {slot.id: ratio for slot, ratio in ratios if slot.scene == scene}


def take_back(slots: Sequence[Slot], learnt: Sequence[Slot], config: MemoryConfig) -> list[Slot]:
    """Give newcomers the ids of older slots with the same object; return the remaining slots.

    The older slot's samples are dropped: the newcomer knows how the object looks now.

    Args:
        slots: all current slots.
        learnt: slots that have learnt from this frame. Slots held by a person are skipped.
        config: the gate. A newcomer needs `existence.sightings` boxes.
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
            slot.evidence = together([older_slot.evidence, slot.evidence])
    return list(living.values())


def _likeness(a: Slot, b: Slot) -> float:
    """How well each slot's identifier recognises the other's boxes: the mean of two medians."""
    forward, backward = _own(a) @ b.identifier, _own(b) @ a.identifier
    return float(forward.median() + backward.median()) / 2


def _own(slot: Slot) -> Tensor:
    """(B, D) embeddings of a slot's boxes; the first positive of each frame is the box."""
    return torch.stack([samples.positives[0] for samples in slot.ridge.window]).double()
