"""The dynamic memory: read, match, write (§III-C, §III-D).

The memory knows tensors only: no video, no detector, no embedder. One frame is

    reading = memory.read(frame, time)            # Eq. 5–7; changes nothing
    rows = ...                                    # suppression of reading.reweighted
    match = memory.match(reading, rows)           # boxes to slots, and new slots
    support = memory.support_boxes(match)         # embed them
    memory.write(match, support_embeddings)       # Eq. 8, Eq. 2

Everything is on the CPU: K slots and N boxes make small matrices, and the sums are float64.
"""

from operator import or_

import torch
from torch import Tensor

from minet_core.boxes import NO_TRACK
from minet_core.config import MemoryConfig, Motion
from minet_core.memory import motion
from minet_core.memory.association import assign, duplicates_of, sureness
from minet_core.memory.clock import Clock
from minet_core.memory.equations import (
    association_weights,
    exponents,
    log_odds,
    memory_scores,
    remembered,
    reweight,
)
from minet_core.memory.frame import Looked, Match, Reading
from minet_core.memory.identifier import (
    FrameSamples,
    RunningRidge,
    SupportSamples,
    identifiers,
    update,
)
from minet_core.memory.slots import Slot, existence_scores
from minet_core.memory.support import own_proposals, positive_boxes
from minet_core.scores import ScoreKind, foreground


class DynamicMemory:
    """The slots of one video and the steps of a frame; `match` and `write` alone change it.

    Args:
        config: thresholds, terms and limits.
        kind: what score columns mean.
        columns: C + 1 or C.
        dim: length of an embedding.

    Attributes:
        slots: all that live.
        next_id: of the next slot.
        clock: at the last frame.
        scene: number of the scene, from 0.
    """

    def __init__(self, config: MemoryConfig, kind: ScoreKind, columns: int, dim: int) -> None:
        self.config = config
        self.kind = kind
        self.columns = columns
        self.dim = dim
        self.slots: list[Slot] = []
        self.next_id = 1
        self.clock = Clock()
        self.scene = 0

    def read(
        self, looked: Looked, time: float, *, cut: bool = False, camera: Tensor | None = None
    ) -> Reading:
        """Associate N boxes with the slots, and re-weight their scores (Eq. 5–7).

        Args:
            looked: what there is of the frame.
            time: seconds; never less than before.
            cut: the scene has changed since the frame before: positions mean nothing.
            camera: (2, 3) affine map from pixels of the frame before to this one's, if known.
        """
        clock = self.clock.at(time)
        scene = self.scene + cut
        appearance = looked.embeddings.double() @ self._identifiers().T
        logits = exponents(appearance, self.config)
        track = motion.stack([slot.track for slot in self.slots])
        if self.config.motion is not None and self.slots:
            passed = clock.frames - self.clock.frames
            track = motion.predict(track, passed, camera, self.config.motion)
            here = torch.tensor([slot.scene == scene for slot in self.slots])
            position = motion.log_ratio(looked.boxes, track, self.config.motion)
            logits[:, 1:] += torch.where(here, position, 0.0)
        logits[:, 1:][:, ~self._awaited(clock)] = -torch.inf
        weights = association_weights(logits)
        scores = memory_scores(weights, self._slot_scores(), self.kind)
        reweighted = reweight(looked.base, scores, self.kind)
        return Reading(looked, clock, scene, track, appearance, logits, weights, scores, reweighted)

    def match(self, reading: Reading, rows: Tensor) -> Match:
        """Give each detection its slot, or a new one.

        A detection may match when its base or its re-weighted score exceeds the write threshold;
        it writes only when its base score does, and opens a slot when that exceeds the threshold
        for it.

        Args:
            reading: of this frame, nothing having changed since.
            rows: (M,) rows of its boxes that survived suppression.
        """
        self._move_on(reading)
        config, boxes = self.config, reading.looked.boxes[rows]
        base = foreground(reading.looked.base[rows].double(), self.kind).amax(dim=1)
        shown = foreground(reading.reweighted[rows], self.kind).amax(dim=1)
        sure = sureness(boxes, base, config)
        may_write = sure > config.write_threshold
        owner = self._known(reading, rows, sure, may_write, shown)
        free = torch.tensor([i not in owner for i in range(len(rows))], dtype=torch.bool)
        duplicates = duplicates_of(boxes, shown, free, config.duplicate_iou)
        may_open = free & (sure > config.open_threshold)
        if not config.overlap:
            may_open &= ~duplicates
        for i in self._admitted(may_open, sure, len(owner)):
            owner[i] = self._new_slot(boxes[i], reading)
        ids = torch.full((len(rows),), NO_TRACK)
        for i, slot in owner.items():
            ids[i] = slot.id
            duplicates[i] = False
        writing = tuple((slot, i) for i, slot in sorted(owner.items()) if may_write[i])
        sighted = tuple((slot, i) for i, slot in sorted(owner.items()) if not may_write[i])
        scores = self._reported(reading, rows[[i for i in owner if owner[i] in self.slots]])
        return Match(reading, rows, ids, duplicates, writing, sighted, scores)

    def plant(self, reading: Reading, count: int) -> Match:
        """Open a slot for each of the first M boxes, which are known to be objects.

        Returns:
            What to write, as after `match`.
        """
        self._move_on(reading)
        rows = torch.arange(count)
        slots = [self._new_slot(box, reading) for box in reading.looked.boxes[rows]]
        return Match(
            reading,
            rows,
            track_ids=torch.tensor([slot.id for slot in slots]),
            duplicates=torch.zeros(count, dtype=torch.bool),
            writing=tuple((slot, i) for i, slot in enumerate(slots)),
            sighted=(),
            scores=reading.reweighted,
        )

    def support_boxes(self, match: Match) -> Tensor:
        """(S, P, 4) boxes whose embeddings the S writing slots learn from (§III-D.2)."""
        written = match.boxes[[i for _, i in match.writing]]
        return positive_boxes(written, self.config.positives)

    def write(self, match: Match, support: Tensor) -> None:
        """Update scores (Eq. 8) and identifiers (Eq. 2) of the slots that write.

        Args:
            match: of this frame.
            support: (S, P, D) embeddings at `support_boxes`.
        """
        self._move([*match.sighted, *match.writing], match)
        if match.writing:
            self._learn(match, support)
        self._limit()

    def _learn(self, match: Match, support: Tensor) -> None:
        slots = [slot for slot, _ in match.writing]
        rows = [i for _, i in match.writing]
        looked, boxes, base = match.reading.looked, match.boxes, match.base
        frame = FrameSamples.of(looked.embeddings)
        excluded = own_proposals(boxes[rows], looked.proposals)
        update(
            [slot.ridge for slot in slots],
            [self._samples(frame, *own) for own in zip(excluded, support, strict=True)],
        )
        learnt = identifiers([slot.ridge for slot in slots], self.config.ridge)
        known = {slot.id for slot in self.slots}
        for slot, row, identifier in zip(slots, rows, learnt, strict=True):
            self._remember(slot, base[row])
            slot.identifier = identifier
            if slot.id not in known:
                self.slots.append(slot)

    def labels(self) -> dict[int, int]:
        """Slot id → foreground class its memory score votes for."""
        return {slot.id: int(foreground(slot.score, self.kind).argmax()) for slot in self.slots}

    def existing(self) -> frozenset[int]:
        """Ids of the slots that are sure enough to be reported."""
        rule = self.config.existence
        return frozenset(
            slot.id for slot in self.slots if rule is None or slot.existence(rule) >= rule.threshold
        )

    def _identifiers(self) -> Tensor:
        """(K, D) γ of all slots."""
        known = [slot.identifier for slot in self.slots]
        return torch.stack(known) if known else torch.zeros(0, self.dim, dtype=torch.float64)

    def _slot_scores(self) -> Tensor:
        """(K, C) or (K, C + 1) what Eq. 6 gathers."""
        if not self.slots:
            return torch.zeros(0, self.columns, dtype=torch.float64)
        if self.config.existence is not None:
            return existence_scores(self.slots, self.config.existence, self.kind)
        return torch.stack([slot.score for slot in self.slots])

    def _move_on(self, reading: Reading) -> None:
        """Take over what the reading knows of time and places; slots retire by it."""
        self.clock, self.scene = reading.clock, reading.scene
        for k, slot in enumerate(self.slots):
            slot.track = reading.track[k]

    def _known(
        self, reading: Reading, rows: Tensor, sure: Tensor, may_write: Tensor, shown: Tensor
    ) -> dict[int, Slot]:
        """Detection (0..M-1) → the slot it belongs to."""
        config = self.config
        odds = log_odds(reading.exponents[rows])
        gain = odds - config.gate
        allowed = odds >= config.gate
        if config.existence is None:
            may_match = may_write | (shown > config.write_threshold)
        else:
            # A box is a slot's object, or another one, or none at all.
            gain = gain + torch.logit(sure, eps=1e-6)[:, None]
            may_match = may_write
        allowed = allowed & (gain >= 0) & may_match[:, None]
        return {row: self.slots[k] for row, k in assign(gain, allowed)}

    def _reported(self, reading: Reading, known: Tensor) -> Tensor:
        """The re-weighted scores; where existence counts, of the boxes that slots were found in.

        A slot's object is in one box, so what speaks for that box speaks for no other beside it.
        """
        if self.config.existence is None:
            return reading.reweighted
        scores = reading.looked.base.double().clone()
        scores[known] = reading.reweighted[known]
        return scores

    def _admitted(self, newcomers: Tensor, sure: Tensor, matched: int) -> list[int]:
        """Rows of the (M,) newcomers for which there is room: slots not matched make some."""
        rows = newcomers.nonzero().flatten()
        if self.config.max_slots is not None:
            rows = rows[sure[rows].argsort(descending=True, stable=True)]
            rows = rows[: self.config.max_slots - matched].sort().values
        return [int(row) for row in rows]

    def _samples(self, frame: FrameSamples, excluded: Tensor, positives: Tensor) -> SupportSamples:
        eligible = int((~excluded).sum())
        weight = min(1.0, self.config.negatives / max(eligible, 1))
        return SupportSamples(frame, excluded.nonzero().flatten(), positives, weight)

    def _remember(self, slot: Slot, base: Tensor) -> None:
        """Eq. 8, and what the box says of the slot's existence."""
        slot.score = remembered(slot.score, base, slot.matches, self.config)
        slot.matches += 1
        if self.config.existence is not None:
            slot.vouch(float(foreground(base, self.kind).max()), self.config.existence)

    def _move(self, pairs: list[tuple[Slot, int]], match: Match) -> None:
        """Note where the slots are now."""
        settings = self.config.motion or Motion()
        boxes = match.boxes
        # After a cut an old position means nothing; a new slot has its box already.
        followed = [(slot, row) for slot, row in pairs if slot.matches and slot.scene == self.scene]
        if followed:
            before = motion.stack([slot.track for slot, _ in followed])
            after = motion.correct(before, boxes[[row for _, row in followed]], settings)
            for k, (slot, _) in enumerate(followed):
                slot.track = after[k]
        for slot, row in pairs:
            if slot.scene != self.scene:
                slot.track = motion.begin(boxes[[row]], settings)[0]
            slot.seen, slot.scene = self.clock.frames, self.scene

    def _new_slot(self, box: Tensor, reading: Reading) -> Slot:
        settings = self.config.motion or Motion()
        slot = Slot(
            id=self.next_id,
            score=torch.zeros(self.columns, dtype=torch.float64),
            ridge=RunningRidge(self.dim, self.config.buffer),
            identifier=torch.zeros(self.dim, dtype=torch.float64),
            track=motion.begin(box[None], settings)[0],
            seen=reading.clock.frames,
            scene=reading.scene,
        )
        self.next_id += 1
        return slot

    def _awaited(self, clock: Clock) -> Tensor:
        """(K,) bool: not away for too long; what was seen in the last frame never is."""
        rule = self.config.existence
        if rule is None:
            return torch.ones(len(self.slots), dtype=torch.bool)
        away = (clock.frames - slot.seen <= slot.patience(rule) for slot in self.slots)
        seen = (slot.seen == self.clock.frames for slot in self.slots)
        return torch.tensor([*map(or_, away, seen)], dtype=torch.bool)

    def _limit(self) -> None:
        """Let slots go that have not been seen for long, or are too many."""
        limit = self.config.max_slots
        if self.config.existence is not None:
            awaited = self._awaited(self.clock).tolist()
            self.slots = [slot for slot, kept in zip(self.slots, awaited, strict=True) if kept]
        if limit is not None and len(self.slots) > limit:
            latest = sorted(self.slots, key=lambda slot: slot.seen, reverse=True)[:limit]
            kept = {slot.id for slot in latest}
            self.slots = [slot for slot in self.slots if slot.id in kept]
