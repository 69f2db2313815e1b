"""The dynamic memory: read, re-weight, match, write (Eq. 5–8).

The memory knows tensors only: no video, no detector, no embedder. One frame is

    reading = memory.read(embeddings, boxes, time)                       # Eq. 5–6
    scores = reweight(base, reading.scores, kind)                        # Eq. 7
    rows = ...                                                           # class-wise NMS
    match = memory.match(reading, rows, boxes, base, scores, time)
    support = memory.support_boxes(match)
    memory.write(match, samples, support_embeddings)                     # Eq. 8, Eq. 2

Everything is on the CPU: K slots and N boxes make small matrices, and the sums are float64.
"""

from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torchvision.ops import box_iou, nms

from minet_core.boxes import NO_TRACK
from minet_core.config import MemoryConfig
from minet_core.identifier import FrameSamples, RunningRidge, SupportSamples, identifiers, update
from minet_core.position import UNREACHABLE, with_position
from minet_core.scores import ScoreKind, foreground
from minet_core.slot import Slot, end_alternating, end_covered, end_recognised
from minet_core.support import own_proposals, positive_boxes


@dataclass(frozen=True, slots=True)
class Reading:
    """What memory says of N boxes, given K slots.

    Attributes:
        appearance: (N, K) a_i · γ_k.
        association: (N, K) the same, with the prior by position where the preset has one.
        weights: (N, K + 1) w of Eq. 5; slot 0 is column 0; rows sum to one.
        scores: (N, C + 1) or (N, C) v of Eq. 6.
        cut: whether the scene has changed since the frame before.
    """

    appearance: Tensor
    association: Tensor
    weights: Tensor
    scores: Tensor
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """Which slot each detection of a frame belongs to.

    Attributes:
        rows: (M,) rows of the frame's boxes that survived suppression.
        track_ids: (M,) slot ids, NO_TRACK where a detection belongs to none.
        duplicates: (M,) bool: belongs to no slot because it covers a better detection.
        writing: slots that learn, each with the detection (0..M-1) it learns from.
        sighted: slots whose detection is too weak to learn from, likewise: they only move.
        boxes: (M, 4).
        base: (M, C + 1) or (M, C) base scores, float64.
        time: seconds.
    """

    rows: Tensor
    track_ids: Tensor
    duplicates: Tensor
    writing: tuple[tuple[Slot, int], ...]
    sighted: tuple[tuple[Slot, int], ...]
    boxes: Tensor
    base: Tensor
    time: float


def association_weights(association: Tensor, config: MemoryConfig) -> Tensor:
    """Eq. 5: (N, K) associations → (N, K + 1) weights, slot 0 first at its fixed association."""
    empty = association.new_full((len(association), 1), config.empty_association)
    return (config.scale * torch.cat([empty, association], dim=1) + config.shift).softmax(dim=1)


def memory_scores(weights: Tensor, slot_scores: Tensor, kind: ScoreKind) -> Tensor:
    """Eq. 6: v_i = Σ_k w_ik π_k.

    Slot 0 knows nothing: 1 / (C + 1) for each class of a distribution (§III-C.2), one half for
    each pair (c, not c) of independent probabilities.

    Args:
        weights: (N, K + 1), slot 0 first.
        slot_scores: (K, C + 1) or (K, C).
        kind: what the columns mean.
    """
    columns = slot_scores.shape[1]
    ignorance = 1 / columns if kind is ScoreKind.SOFTMAX else 0.5
    return weights[:, :1] * ignorance + weights[:, 1:] @ slot_scores


def reweight(base: Tensor, memory: Tensor, kind: ScoreKind) -> Tensor:
    """Eq. 7: the renormalised product of base scores s and memory scores v.

    A distribution is renormalised over its row. Independent probabilities are renormalised class
    by class over the pair (c, not c): dividing by the row would let the tails of all other
    classes shrink a score, and one half is each pair's neutral value.

    Returns:
        float64, shaped as `base`.
    """
    product = base.double() * memory
    if kind is ScoreKind.SOFTMAX:
        return product / product.sum(dim=1, keepdim=True)
    return product / (product + (1 - base.double()) * (1 - memory))


def assign(association: Tensor, threshold: float) -> list[tuple[int, int]]:
    """Match rows to columns: gate first, then the Hungarian assignment (§III-C.5).

    Pairs under the threshold are out before the assignment: assigned first, the weak pairs of
    [[.9, .45], [.6, 0]] would cost the sure one. A pair counts by how far it clears the
    threshold, so that two pairs that hardly do, such as the others of [[1, .7], [.6, 0]], do not
    outbid it either.
    """
    allowed = association >= threshold
    gain = torch.where(allowed, association - threshold, 0.0).numpy()
    pairs = zip(*linear_sum_assignment(gain, maximize=True), strict=True)
    return [(int(row), int(column)) for row, column in pairs if allowed[row, column]]


class DynamicMemory:
    """The slots of one video and the four steps of a frame.

    Args:
        config: thresholds and limits.
        kind: what score columns mean.
        columns: C + 1 or C.
        dim: length of an embedding.
    """

    def __init__(self, config: MemoryConfig, kind: ScoreKind, columns: int, dim: int) -> None:
        self.config = config
        self.kind = kind
        self.slots: list[Slot] = []
        self.columns = columns
        self.dim = dim
        self.next_id = 1
        self.scene_start = 0.0  # seconds of the last cut

    def read(self, embeddings: Tensor, boxes: Tensor, time: float, *, cut: bool = False) -> Reading:
        """Associate N boxes with the slots and gather the slots' scores (Eq. 5–6).

        Args:
            embeddings: (N, D).
            boxes: (N, 4), for the prior by position.
            time: seconds; never less than before.
            cut: the scene has changed since the frame before: positions mean nothing.
        """
        self._retire(time)
        if cut:
            self.scene_start = time
        appearance = embeddings.double() @ self._identifiers().T
        association = appearance if cut else self._placed(appearance, boxes.double(), time)
        weights = association_weights(association, self.config)
        if not self.slots:
            scores = weights.new_zeros(0, self.columns)
        else:
            scores = torch.stack([slot.score for slot in self.slots])
        memory = memory_scores(weights, scores, self.kind)
        return Reading(appearance, association, weights, memory, cut)

    def match(
        self,
        reading: Reading,
        rows: Tensor,
        boxes: Tensor,
        base: Tensor,
        scores: Tensor,
        time: float,
    ) -> Match:
        """Give each detection its slot, or a new one.

        A detection may match when its base or its re-weighted score exceeds the write threshold;
        it writes only when its base score does, and opens a slot when that exceeds the threshold
        for it.

        Args:
            reading: of this frame, no slot having changed since.
            rows: (M,) rows of the following that survived class-wise NMS.
            boxes: (N, 4).
            base: (N, C + 1) or (N, C) base scores.
            scores: re-weighted scores, shaped alike.
            time: seconds.
        """
        boxes, base = boxes[rows], base[rows].double()
        certainty = foreground(base, self.kind).amax(dim=1)
        shown = foreground(scores[rows], self.kind).amax(dim=1)
        may_write = certainty > self.config.write_threshold
        may_match = (may_write | (shown > self.config.write_threshold)).nonzero().flatten()

        pairs = assign(reading.association[rows[may_match]], self.config.match_threshold)
        owner: dict[int, Slot] = {int(may_match[row]): self.slots[slot] for row, slot in pairs}
        known = self.slots
        self._join(owner, reading, rows, boxes)
        free = torch.tensor([i not in owner for i in range(len(rows))], dtype=torch.bool)
        duplicates = self._duplicates(boxes, shown, free)
        may_open = free & ~duplicates & (certainty > self.config.open_threshold)
        absent = self._absent(owner, known)
        for i in self._admitted(may_open, certainty, len(owner)):
            owner[i] = self._new_slot(boxes[i], time)
            owner[i].forerunners = {
                slot.id: 0 for k, slot in absent if reading.association[rows[i], k] > UNREACHABLE
            }

        ids = torch.full((len(rows),), NO_TRACK)
        for i, slot in owner.items():
            ids[i] = slot.id
        writing = tuple((slot, i) for i, slot in sorted(owner.items()) if may_write[i])
        sighted = tuple((slot, i) for i, slot in sorted(owner.items()) if not may_write[i])
        return Match(rows, ids, duplicates, writing, sighted, boxes, base, time)

    def plant(self, boxes: Tensor, base: Tensor, time: float) -> Match:
        """Open a slot for each of M boxes that are known to be objects, in their order.

        Args:
            boxes: (M, 4).
            base: (M, C + 1) or (M, C) what is known of their classes.
            time: seconds.

        Returns:
            What to write, as after `match`.
        """
        slots = [self._new_slot(box, time) for box in boxes]
        return Match(
            rows=torch.arange(len(boxes)),
            track_ids=torch.tensor([slot.id for slot in slots]),
            duplicates=torch.zeros(len(boxes), dtype=torch.bool),
            writing=tuple((slot, i) for i, slot in enumerate(slots)),
            sighted=(),
            boxes=boxes,
            base=base.double(),
            time=time,
        )

    def support_boxes(self, match: Match) -> Tensor:
        """(S, P, 4) boxes whose embeddings the S writing slots learn from (§III-D.2)."""
        written = match.boxes[[i for _, i in match.writing]]
        return positive_boxes(written, self.config.positives)

    def write(self, match: Match, proposals: Tensor, embeddings: Tensor, support: Tensor) -> None:
        """Update scores (Eq. 8) and identifiers (Eq. 2) of the slots that write.

        Args:
            match: of this frame.
            proposals: (N, 4) where `embeddings` were taken.
            embeddings: (N, D) of the proposals: the negatives.
            support: (S, P, D) embeddings at `support_boxes`.
        """
        for slot, row in match.sighted:
            self._move(slot, match.boxes[row].double(), match.time)
        if not match.writing:
            return
        slots = [slot for slot, _ in match.writing]
        rows = [i for _, i in match.writing]
        frame = FrameSamples.of(embeddings)
        excluded = own_proposals(match.boxes[rows], proposals)
        update(
            [slot.ridge for slot in slots],
            [self._samples(frame, *own) for own in zip(excluded, support, strict=True)],
        )
        learnt = identifiers([slot.ridge for slot in slots], self.config.ridge)
        known = {slot.id for slot in self.slots}
        for slot, row, identifier in zip(slots, rows, learnt, strict=True):
            self._remember(slot, match.base[row])
            self._move(slot, match.boxes[row].double(), match.time)
            slot.identifier = identifier
            if slot.id not in known:
                self.slots.append(slot)
        self._limit()

    def labels(self) -> dict[int, int]:
        """Slot id → foreground class its memory score votes for."""
        return {slot.id: int(foreground(slot.score, self.kind).argmax()) for slot in self.slots}

    def _identifiers(self) -> Tensor:
        """(K, D) γ of all slots."""
        known = [slot.identifier for slot in self.slots]
        return torch.stack(known) if known else torch.zeros(0, self.dim, dtype=torch.float64)

    def _placed(self, appearance: Tensor, boxes: Tensor, time: float) -> Tensor:
        """(N, K) associations: appearance blended with the prior by position, if there is one."""
        if self.config.position is None or not self.slots:
            return appearance
        return with_position(
            appearance,
            boxes,
            torch.stack([slot.box for slot in self.slots]),
            torch.stack([slot.velocity for slot in self.slots]),
            boxes.new_tensor([time - slot.time for slot in self.slots]),
            self.config.position,
        )

    def _move(self, slot: Slot, box: Tensor, time: float) -> None:
        """Note where a slot is now, and how fast it got there."""
        prior, elapsed = self.config.position, time - slot.time
        if prior is not None and slot.matches > 1 and elapsed > 0:
            motion = (box - slot.box).view(2, 2).mean(dim=0) / elapsed
            share = 1.0 if slot.matches == 2 else prior.smoothing
            slot.velocity = share * motion + (1 - share) * slot.velocity
        slot.box, slot.time = box, time

    def _join(self, owner: dict[int, Slot], reading: Reading, rows: Tensor, boxes: Tensor) -> None:
        """Leave one slot to each object that has two, as far as the preset looks for such."""
        config = self.config
        if config.recognise is not None:
            ended = end_recognised(
                owner,
                reading.appearance[rows],
                self.slots,
                threshold=config.recognise_threshold,
                times=config.recognise,
            )
            self._end(ended)
        if config.merge:
            self._end(end_covered(owner, boxes, config.duplicate_iou))
            if not reading.cut:
                self._end(end_alternating(owner, boxes, self.slots, config.duplicate_iou))

    def _absent(self, owner: dict[int, Slot], known: list[Slot]) -> list[tuple[int, Slot]]:
        """Living slots that went out of sight in this scene, with their places at the reading."""
        if self.config.recognise is None:
            return []
        present = {slot.id for slot in owner.values()}
        living = {slot.id for slot in self.slots} - present
        return [
            (k, slot)
            for k, slot in enumerate(known)
            if slot.id in living and slot.time >= self.scene_start
        ]

    def _end(self, ids: set[int]) -> None:
        self.slots = [slot for slot in self.slots if slot.id not in ids]

    def _duplicates(self, boxes: Tensor, scores: Tensor, free: Tensor) -> Tensor:
        """(M,) bool: free detections that cover a matched one or a better free one."""
        limit = self.config.duplicate_iou
        covered = (box_iou(boxes, boxes[~free]) > limit).any(dim=1) & free
        rest = (free & ~covered).nonzero().flatten()
        duplicates = free.clone()
        duplicates[rest[nms(boxes[rest].double(), scores[rest], limit)]] = False
        return duplicates

    def _admitted(self, newcomers: Tensor, certainty: Tensor, matched: int) -> list[int]:
        """Rows of the (M,) newcomers for which there is room: slots not matched make some."""
        rows = newcomers.nonzero().flatten()
        if self.config.max_slots is not None:
            rows = rows[certainty[rows].argsort(descending=True, stable=True)]
            rows = rows[: self.config.max_slots - matched].sort().values
        return [int(row) for row in rows]

    def _samples(self, frame: FrameSamples, excluded: Tensor, positives: Tensor) -> SupportSamples:
        eligible = int((~excluded).sum())
        weight = min(1.0, self.config.negatives / max(eligible, 1))
        return SupportSamples(frame, excluded.nonzero().flatten(), positives, weight)

    def _remember(self, slot: Slot, base: Tensor) -> None:
        """Eq. 8: π ← (s + σ f π) / (1 + σ f), with the base score s; f counts boxes before."""
        seen = slot.matches
        if self.config.match_cap is not None:
            seen = min(seen, self.config.match_cap)
        past = self.config.decay * seen
        slot.score = (base + past * slot.score) / (1 + past)
        slot.matches += 1
        slot.evidence += float(foreground(base, self.kind).max())

    def _new_slot(self, box: Tensor, time: float) -> Slot:
        slot = Slot(
            id=self.next_id,
            score=torch.zeros(self.columns, dtype=torch.float64),
            ridge=RunningRidge(self.dim, self.config.buffer),
            identifier=torch.zeros(self.dim, dtype=torch.float64),
            matches=0,
            evidence=0.0,
            box=box.double(),
            velocity=torch.zeros(2, dtype=torch.float64),
            time=time,
            forerunners={},
        )
        self.next_id += 1
        return slot

    def _retire(self, time: float) -> None:
        limit = self.config.max_absence
        if limit is not None:
            self.slots = [slot for slot in self.slots if time - slot.time <= limit]

    def _limit(self) -> None:
        """Keep the `max_slots` slots matched last."""
        limit = self.config.max_slots
        if limit is not None and len(self.slots) > limit:
            latest = sorted(self.slots, key=lambda slot: slot.time, reverse=True)[:limit]
            kept = {slot.id for slot in latest}
            self.slots = [slot for slot in self.slots if slot.id in kept]
