"""Save and restore a memory: a resumed run equals an uninterrupted run.

A state has only dicts, lists, numbers and tensors, so that `torch.save` writes it and
`torch.load(weights_only=True)` reads it. Samples that slots share are stored once.
"""

from dataclasses import fields
from typing import Any

from minet_core.memory.clock import Clock
from minet_core.memory.dynamic import DynamicMemory
from minet_core.memory.evidence import Evidence
from minet_core.memory.identifier import FrameSamples, RunningRidge, SupportSamples
from minet_core.memory.motion import TrackState
from minet_core.memory.slots import Slot
from minet_core.memory.tentative import Tentative

State = dict[str, Any]

_PLAIN = [field.name for field in fields(Slot) if field.name not in {"ridge", "track", "evidence"}]


def save_memory(memory: DynamicMemory) -> State:
    """The memory's whole state; tensors are shared with it, not copied."""
    frames: dict[int, FrameSamples] = {}
    for slot in memory.slots:
        frames.update((id(samples.frame), samples.frame) for samples in slot.ridge.window)
    index = {key: i for i, key in enumerate(frames)}
    return {
        "next_id": memory.next_id,
        "scene": memory.scene,
        "clock": list(memory.clock),
        "tentative": [
            [one.id, list(one.track.parts), one.seen, one.scene] for one in memory.tentative.current
        ],
        "last_tentative": memory.tentative.last_id,
        "frames": [[frame.embeddings, frame.gram] for frame in frames.values()],
        "slots": [_save_slot(slot, index) for slot in memory.slots],
    }


def restore_memory(memory: DynamicMemory, state: State) -> None:
    """Restore a state of `save_memory` in a memory with the same settings."""
    frames = [FrameSamples(embeddings, gram) for embeddings, gram in state["frames"]]
    memory.next_id, memory.scene = state["next_id"], state["scene"]
    now, time, intervals = state["clock"]
    memory.clock = Clock(now, time, tuple(intervals))
    memory.tentative.last_id = state["last_tentative"]
    memory.tentative.current = [
        Tentative(number, TrackState(*track), seen, scene)
        for number, track, seen, scene in state["tentative"]
    ]
    memory.slots = [_restore_slot(memory, saved, frames) for saved in state["slots"]]


def _save_slot(slot: Slot, index: dict[int, int]) -> State:
    window = [
        [index[id(samples.frame)], samples.excluded, samples.positives, samples.weight]
        for samples in slot.ridge.window
    ]
    plain = {name: getattr(slot, name) for name in _PLAIN} | {"evidence": slot.evidence.plain()}
    track = list(slot.track.parts)
    sums = {"gram": slot.ridge.gram.clone(), "moment": slot.ridge.moment.clone(), "window": window}
    return plain | {"track": track} | sums


def _restore_slot(memory: DynamicMemory, saved: State, frames: list[FrameSamples]) -> Slot:
    ridge = RunningRidge(memory.dim, memory.config.buffer)
    ridge.gram, ridge.moment = saved["gram"].clone(), saved["moment"].clone()
    ridge.window.extend(
        SupportSamples(frames[i], excluded, positives, weight)
        for i, excluded, positives, weight in saved["window"]
    )
    scores, *counts = saved["evidence"]
    plain = {name: saved[name] for name in _PLAIN}
    evidence = Evidence([*scores], *counts)
    return Slot(ridge=ridge, track=TrackState(*saved["track"]), evidence=evidence, **plain)
