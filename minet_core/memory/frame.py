"""The records of one frame: its input, the memory's reading, and the match."""

from dataclasses import dataclass

import torch
from torch import Tensor

from minet_core.memory.clock import Clock
from minet_core.memory.motion import TrackState
from minet_core.memory.slots import Slot


@dataclass(frozen=True, slots=True)
class Looked:
    """Output of detector and embedder for one frame.

    Attributes:
        proposals: (E, 4) xyxy in pixels, the boxes of the embeddings.
        embeddings: (E, D).
        boxes: (N, 4) refined boxes.
        base: (N, C + 1) or (N, C) base scores s.
        embedded: (E,) int64 rows of the boxes with an embedding, ascending; None: all, E = N. Boxes
            without one match no slot.
    """

    proposals: Tensor
    embeddings: Tensor
    boxes: Tensor
    base: Tensor
    embedded: Tensor | None = None

    def have_embeddings(self, rows: Tensor) -> Tensor:
        """(M,) bool: which of M of the boxes have one."""
        if self.embedded is None:
            return torch.ones(len(rows), dtype=torch.bool)
        return torch.isin(rows, self.embedded)

    def embeddings_of(self, rows: Tensor) -> Tensor:
        """(M, D) embeddings of M of the boxes that have one."""
        places = rows if self.embedded is None else torch.searchsorted(self.embedded, rows)
        return self.embeddings[places]


@dataclass(frozen=True, slots=True)
class Reading:
    """The memory's reading of the N boxes of a frame, with K slots.

    Attributes:
        looked: input of the frame.
        clock: at the frame.
        scene: number of the frame's scene.
        track: predicted position of each slot.
        position: (N, K) log-likelihood ratio of each box's position; see `motion.log_ratio`.
        exponents: (N, K + 1) exponents of Eq. 5; the empty slot is column 0.
        reweighted: (N, C + 1) or (N, C) scores of Eq. 7.
        tentative: predicted position of each of T tentative tracks.
        tentative_position: (N, T) log-likelihood ratio of each box's position, likewise.
    """

    looked: Looked
    clock: Clock
    scene: int
    track: TrackState
    position: Tensor
    exponents: Tensor
    reweighted: Tensor
    tentative: TrackState
    tentative_position: Tensor


@dataclass(frozen=True, slots=True)
class Considered:
    """The M detections of a frame that survived suppression.

    Attributes:
        rows: (M,) rows of the frame's boxes.
        boxes: (M, 4) xyxy.
        classes: (M, C) base score of each foreground class.
        sure: (M,) probability that each is a separate object; see `association.sureness`.
        shown: (M,) best re-weighted score.
    """

    rows: Tensor
    boxes: Tensor
    classes: Tensor
    sure: Tensor
    shown: Tensor


@dataclass(frozen=True, slots=True)
class Match:
    """The slot of each detection of a frame.

    Attributes:
        reading: of the frame.
        rows: (M,) rows of the frame's boxes that survived suppression.
        track_ids: (M,) slot ids, NO_TRACK without a slot, lower ids of tentative tracks.
        duplicates: (M,) bool: without a slot because it covers a better detection.
        writing: slots that learn, each with the detection (0..M-1) it learns from.
        sighted: slots whose detection is too weak to learn from, likewise: they only move.
        scores: (N, C + 1) or (N, C) reported scores of each box of the frame.
        promoted: id of each slot that has taken a tentative track over → the track's id.
    """

    reading: Reading
    rows: Tensor
    track_ids: Tensor
    duplicates: Tensor
    writing: tuple[tuple[Slot, int], ...]
    sighted: tuple[tuple[Slot, int], ...]
    scores: Tensor
    promoted: dict[int, int]

    @property
    def boxes(self) -> Tensor:
        """(M, 4)."""
        return self.reading.looked.boxes[self.rows]

    @property
    def base(self) -> Tensor:
        """(M, C + 1) or (M, C) base scores, float64."""
        return self.reading.looked.base[self.rows].double()
