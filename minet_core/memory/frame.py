"""What is known of one frame: as it was looked at, as memory reads it, and how it was matched."""

from dataclasses import dataclass

from torch import Tensor

from minet_core.memory.clock import Clock
from minet_core.memory.motion import TrackState
from minet_core.memory.slots import Slot


@dataclass(frozen=True, slots=True)
class Looked:
    """What detector and embedder say of one frame.

    Attributes:
        proposals: (N, 4) xyxy in pixels, where the embeddings were taken.
        embeddings: (N, D).
        boxes: (N, 4) refined boxes.
        base: (N, C + 1) or (N, C) base scores s.
    """

    proposals: Tensor
    embeddings: Tensor
    boxes: Tensor
    base: Tensor


@dataclass(frozen=True, slots=True)
class Reading:
    """What memory says of the N boxes of a frame, given K slots.

    Attributes:
        looked: the frame.
        clock: at the frame.
        scene: number of the scene that the frame is in.
        track: where each slot is expected.
        position: (N, K) what the place of each slot says of each box; see `motion.log_ratio`.
        appearance: (N, K) a_i · γ_k.
        exponents: (N, K + 1) what Eq. 5 exponentiates; the empty slot is column 0.
        weights: (N, K + 1) w of Eq. 5; rows sum to one.
        scores: (N, C + 1) or (N, C) v of Eq. 6.
        reweighted: of Eq. 7, shaped alike.
    """

    looked: Looked
    clock: Clock
    scene: int
    track: TrackState
    position: Tensor
    appearance: Tensor
    exponents: Tensor
    weights: Tensor
    scores: Tensor
    reweighted: Tensor


@dataclass(frozen=True, slots=True)
class Match:
    """Which slot each detection of a frame belongs to.

    Attributes:
        reading: of the frame.
        rows: (M,) rows of the frame's boxes that survived suppression.
        track_ids: (M,) slot ids, NO_TRACK where a detection belongs to none.
        duplicates: (M,) bool: belongs to no slot because it covers a better detection.
        writing: slots that learn, each with the detection (0..M-1) it learns from.
        sighted: slots whose detection is too weak to learn from, likewise: they only move.
        scores: (N, C + 1) or (N, C) what is reported of each box of the frame.
    """

    reading: Reading
    rows: Tensor
    track_ids: Tensor
    duplicates: Tensor
    writing: tuple[tuple[Slot, int], ...]
    sighted: tuple[tuple[Slot, int], ...]
    scores: Tensor

    @property
    def boxes(self) -> Tensor:
        """(M, 4)."""
        return self.reading.looked.boxes[self.rows]

    @property
    def base(self) -> Tensor:
        """(M, C + 1) or (M, C) base scores, float64."""
        return self.reading.looked.base[self.rows].double()
