"""Weak boxes that may be the first of an object.

An object often begins with boxes too weak to open a slot: it is far away, or half hidden. Such a
box begins a *tentative* track instead. It has no identifier: position alone follows it, through
boxes that no slot has matched. When one of these is sure enough to open a slot, the slot takes the
track over, and the object keeps its weak boxes. Most tentative tracks end without a slot.

Their ids run downwards from below NO_TRACK, so that the ids of slots stay small.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from minet_core.boxes import NO_TRACK
from minet_core.config import MemoryConfig, Motion
from minet_core.memory import motion
from minet_core.memory.association import assign
from minet_core.memory.frame import Considered, Reading
from minet_core.memory.motion import TrackState


@dataclass(slots=True, eq=False)
class Tentative:
    """A track of weak boxes.

    Attributes:
        id: below NO_TRACK; never used again.
        track: its position.
        seen: frame of its last box, by the memory's clock.
        scene: number of the scene.
    """

    id: int
    track: TrackState
    seen: float
    scene: int


class TentativeTracks:
    """All tentative tracks of a video.

    Attributes:
        current: those that may go on.
        last_id: of the latest.
    """

    def __init__(self) -> None:
        self.current: list[Tentative] = []
        self.last_id = NO_TRACK

    def follow(
        self, reading: Reading, seen: Considered, free: Tensor, config: MemoryConfig
    ) -> dict[int, Tentative]:
        """Match boxes without a slot to the tracks: row of a box → its track.

        Args:
            reading: of the frame; tracks of other scenes match nothing.
            seen: its M detections.
            free: (M,) bool: those without a slot that may match.
            config: the gate, and motion.
        """
        position, predicted = reading.tentative_position[seen.rows], reading.tentative
        gain = position + torch.logit(seen.sure, eps=1e-6)[:, None]
        here = torch.tensor([one.scene == reading.scene for one in self.current], dtype=torch.bool)
        allowed = (gain >= 0) & (position >= config.gate) & free[:, None] & here
        pairs = assign(gain, allowed)
        for k, one in enumerate(self.current):
            one.track = predicted[k]
        if pairs:
            rows, columns = [row for row, _ in pairs], [k for _, k in pairs]
            after = motion.correct(predicted[columns], seen.boxes[rows], config.motion or Motion())
            for n, k in enumerate(columns):
                self.current[k].track, self.current[k].seen = after[n], reading.clock.frames
        return {row: self.current[k] for row, k in pairs}

    def begin(
        self, boxes: Tensor, now: float, scene: int, settings: Motion | None
    ) -> list[Tentative]:
        """Begin tracks at (N, 4) boxes."""
        tracks = motion.begin(boxes, settings or Motion())
        new = [Tentative(self.last_id - 1 - n, tracks[n], now, scene) for n in range(len(boxes))]
        self.last_id -= len(new)
        self.current += new
        return new

    def end(self, taken: Sequence[Tentative], now: float, scene: int, patience: float) -> None:
        """Forget those that slots have taken over, or that have been missing for too long."""
        self.current = [
            one
            for one in self.current
            if one not in taken and one.scene == scene and now - one.seen <= patience
        ]
