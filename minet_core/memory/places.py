"""Positions of the slots: a term of Eq. 5, predicted before matching and updated after.

Without motion settings there is no such term, but positions are still tracked.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from minet_core.config import Motion
from minet_core.memory import motion
from minet_core.memory.motion import TrackState
from minet_core.memory.slots import Slot
from minet_core.memory.tentative import Tentative


def expected(
    slots: Sequence[Slot] | Sequence[Tentative],
    boxes: Tensor,
    passed: float,
    scene: int,
    camera: Tensor | None,
    settings: Motion | None,
) -> tuple[TrackState, Tensor]:
    """Predict the positions of K slots, and compare N boxes with them.

    Args:
        slots: as of the frame before; or tentative tracks.
        boxes: (N, 4) xyxy.
        passed: frames since then.
        scene: number of this frame's scene. Slots of other scenes have a ratio of 0.
        camera: (2, 3) affine map from pixels of the frame before to this frame, if known.
        settings: None if positions do not count.

    Returns:
        The tracks, and (N, K) log-likelihood ratios; see `motion.log_ratio`.
    """
    track = motion.stack([slot.track for slot in slots])
    if settings is None or not slots:
        return track, torch.zeros(len(boxes), len(slots), dtype=torch.float64)
    track = motion.predict(track, passed, camera, settings)
    here = torch.tensor([slot.scene == scene for slot in slots])
    return track, torch.where(here, motion.log_ratio(boxes, track, settings), 0.0)


def begun(boxes: Tensor, settings: Motion | None) -> TrackState:
    """Tracks of K new slots at (K, 4) xyxy boxes."""
    return motion.begin(boxes, settings or Motion())


def follow(
    pairs: Sequence[tuple[Slot, int]],
    boxes: Tensor,
    now: float,
    scene: int,
    settings: Motion | None,
) -> None:
    """Update the positions of matched slots.

    Args:
        pairs: slots, each with its row of `boxes`.
        boxes: (M, 4) xyxy.
        now: the frame, by the memory's clock.
        scene: number of its scene.
        settings: of motion.
    """
    # After a cut old positions do not count; a new slot has its box already.
    followed = [(slot, row) for slot, row in pairs if slot.matches and slot.scene == scene]
    if followed:
        before = motion.stack([slot.track for slot, _ in followed])
        found = boxes[[row for _, row in followed]]
        after = motion.correct(before, found, settings or Motion())
        for k, ((slot, _), way) in enumerate(zip(followed, after.way.tolist(), strict=True)):
            slot.track = after[k]
            slot.away = slot.away + 1 if way >= 1 else 0
    for slot, row in pairs:
        if slot.scene != scene:
            slot.track = begun(boxes[[row]], settings)[0]
        slot.seen, slot.scene = now, scene
