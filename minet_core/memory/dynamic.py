"""The dynamic memory: read, match, write (§III-C, §III-D).

The memory uses only tensors: no video, no detector, no embedder. The steps of a frame are

    reading = memory.read(frame, time)            # Eq. 5–7; changes nothing
    rows = ...                                    # suppression of reading.reweighted
    match = memory.match(reading, rows)           # boxes to slots, and new slots
    support = memory.support_boxes(match)         # embed them
    memory.write(match, support_embeddings)       # Eq. 8, Eq. 2

Everything runs on the CPU: K slots and N boxes make small matrices, and the sums are float64.
"""

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from minet_core.boxes import NO_TRACK
from minet_core.config import MemoryConfig
from minet_core.memory.association import (
    admitted,
    duplicates_of,
    matched,
    newcomers,
    sureness,
)
from minet_core.memory.clock import Clock
from minet_core.memory.equations import (
    association_weights,
    exponents,
    memory_scores,
    remembered,
    reweight,
)
from minet_core.memory.frame import Considered, Looked, Match, Reading
from minet_core.memory.identifier import FrameSamples, identifiers, update
from minet_core.memory.places import begun, expected, follow
from minet_core.memory.returns import suitors, take_back
from minet_core.memory.slots import Slot, awaited, identifiers_of, kept, scores_of
from minet_core.memory.support import positive_boxes, support_samples
from minet_core.memory.tentative import Tentative, TentativeTracks
from minet_core.scores import ScoreKind, foreground


class DynamicMemory:
    """The slots of one video and the steps of a frame. Only `match` and `write` change the state.

    Args:
        config: thresholds, terms and limits.
        kind: meaning of the score columns.
        columns: C + 1 or C.
        dim: length of an embedding.

    Attributes:
        slots: all current slots.
        tentative: tracks of weak boxes that no slot has.
        next_id: id of the next slot.
        clock: at the last frame.
        scene: number of the current scene, from 0.
    """

    def __init__(self, config: MemoryConfig, kind: ScoreKind, columns: int, dim: int) -> None:
        self.config = config
        self.kind = kind
        self.columns = columns
        self.dim = dim
        self.slots: list[Slot] = []
        self.tentative = TentativeTracks()
        self.next_id = 1
        self.clock = Clock()
        self.scene = 0

    def read(
        self, looked: Looked, time: float, *, cut: bool = False, camera: Tensor | None = None
    ) -> Reading:
        """Associate N boxes with the slots, and re-weight their scores (Eq. 5–7).

        Args:
            looked: detections and embeddings of the frame.
            time: seconds; not less than for the frame before.
            cut: whether a new scene begins: then old positions do not count.
            camera: (2, 3) affine map from pixels of the frame before to this frame, if known.
        """
        config, slots, rows = self.config, self.slots, looked.embedded
        clock, scene = self.clock.at(time), self.scene + cut
        boxes, base = looked.boxes, looked.base
        if rows is not None:
            boxes, base = boxes[rows], base[rows]
        appearance = looked.embeddings.double() @ identifiers_of(slots, self.dim).T
        passed = clock.frames - self.clock.frames
        track, position = expected(slots, boxes, passed, scene, camera, config.motion)
        weak = expected(self.tentative.current, looked.boxes, passed, scene, camera, config.motion)
        logits = exponents(appearance, config)
        logits[:, 1:] += position
        logits[:, 1:][:, ~awaited(slots, clock.frames, self.clock.frames, config)] = -torch.inf
        known = scores_of(slots, self.columns, config, self.kind)
        scores = memory_scores(association_weights(logits), known, self.kind)
        reweighted = reweight(base, scores, self.kind)
        if rows is not None:
            count = len(looked.boxes)
            position = position.new_zeros(count, len(slots)).index_copy_(0, rows, position)
            alone = exponents(position.new_full((count, len(slots)), -torch.inf), config)
            logits = alone.index_copy_(0, rows, logits)
            reweighted = looked.base.double().index_copy(0, rows, reweighted)
        return Reading(looked, clock, scene, track, position, logits, reweighted, *weak)

    def match(
        self,
        reading: Reading,
        rows: Tensor,
        planted: Sequence[tuple[int, int]] = (),
        absent: Collection[int] = (),
    ) -> Match:
        """Match each detection to a slot, or open a new one.

        A detection may match if its base or its re-weighted score exceeds the write threshold. It
        writes only if its base score exceeds it. It opens a slot if its base score exceeds the
        open threshold.

        Args:
            reading: of this frame, with an unchanged memory.
            rows: (M,) rows of its boxes that survived suppression.
            planted: a person's boxes: pairs of an index of `rows` and the id of its slot, below
                `next_id`. A missing slot is opened; the slot is held.
            absent: ids of slots that, according to a person, are in none of these boxes.
        """
        self._move_on(reading)
        seen = self._considered(reading, rows)
        owner, pairs = self._known(reading, seen, planted, absent)
        free = torch.tensor([i not in owner for i in range(len(rows))], dtype=torch.bool)
        duplicates = duplicates_of(seen.boxes, seen.shown, free, self.config.duplicate_iou)
        may_write = seen.sure > self.config.write_threshold
        may_write[[place for place, _ in planted]] = True
        may_open = newcomers(seen, free, self.config.open_threshold, self.config)
        if not self.config.overlap:
            may_open &= ~duplicates
        weak = self._weak(reading, seen, free, may_open) if self.config.tentative else {}
        promoted: dict[int, int] = {}
        for i in admitted(may_open, seen.sure, len(owner), self.config.max_slots):
            owner[i] = slot = self._new_slot(seen.boxes[i], reading)
            slot.suitors = suitors(self.slots, reading.position[rows[i]], self.scene)
            if i in weak:
                slot.track, promoted[slot.id] = weak[i].track, weak[i].id
        number = {i: one.id for i, one in weak.items()} | {i: one.id for i, one in owner.items()}
        ids = torch.tensor([number.get(i, NO_TRACK) for i in range(len(rows))], dtype=torch.int64)
        duplicates[list(number)] = False
        writing = tuple((slot, i) for i, slot in sorted(owner.items()) if may_write[i])
        sighted = tuple((slot, i) for i, slot in sorted(owner.items()) if not may_write[i])
        scores = self._reported(reading, rows[[row for row, _ in pairs]])
        return Match(reading, rows, ids, duplicates, writing, sighted, scores, promoted)

    def support_boxes(self, match: Match) -> Tensor:
        """(S, P, 4) support boxes of the S writing slots (§III-D.2)."""
        written = match.boxes[[i for _, i in match.writing]]
        return positive_boxes(written, self.config.positives)

    def write(self, match: Match, support: Tensor | None = None) -> None:
        """Update scores (Eq. 8) and identifiers (Eq. 2) of the writing slots.

        Args:
            match: of this frame.
            support: (S, P, D) embeddings at `support_boxes`; None: those of the boxes themselves
                stand for all of their shifted copies.
        """
        pairs = [*match.sighted, *match.writing]
        follow(pairs, match.boxes, self.clock.frames, self.scene, self.config.motion)
        if match.writing:
            self._learn(match, support)
            self._score(match)
            self.slots = take_back(self.slots, [slot for slot, _ in match.writing], self.config)
        self.slots = kept(self.slots, self.clock.frames, self.config)

    def labels(self) -> dict[int, int]:
        """Slot id → foreground class with the highest memory score."""
        return {slot.id: int(foreground(slot.score, self.kind).argmax()) for slot in self.slots}

    def names(self) -> dict[int, int]:
        """Slot id → reported id, of the slots that are confident enough to be reported."""
        rule = self.config.existence
        return {
            slot.id: slot.name
            for slot in self.slots
            if rule is None or slot.held or slot.existence(rule) >= rule.threshold
        }

    def _considered(self, reading: Reading, rows: Tensor) -> Considered:
        boxes = reading.looked.boxes[rows]
        classes = foreground(reading.looked.base[rows].double(), self.kind)
        shown = foreground(reading.reweighted[rows], self.kind).amax(dim=1)
        sure = sureness(boxes, classes.amax(dim=1), self.config)
        return Considered(rows, boxes, classes, sure, shown)

    def _known(
        self,
        reading: Reading,
        seen: Considered,
        planted: Sequence[tuple[int, int]],
        absent: Collection[int],
    ) -> tuple[dict[int, Slot], list[tuple[int, int]]]:
        """Boxes of known objects: row → slot; and the matched pairs of a row and a slot's place."""
        owner = {place: self._held(seen.boxes[place], one, reading) for place, one in planted}
        taken = {slot.id for slot in owner.values()}.union(absent)
        logits = _without(reading.exponents[seen.rows], list(owner), self.slots, taken)
        pairs = matched(logits, seen.sure, seen.shown, self.config)
        return owner | {row: self.slots[k] for row, k in pairs}, pairs

    def _weak(
        self, reading: Reading, seen: Considered, free: Tensor, may_open: Tensor
    ) -> dict[int, Tentative]:
        """Tentative tracks with a box in this frame: row → track."""
        config, now, scene = self.config, reading.clock.frames, reading.scene
        # A score of just the threshold may exceed it here only, in double precision.
        embedded = reading.looked.have_embeddings(seen.rows)
        able = free & embedded & (seen.sure > config.write_threshold)
        known = self.tentative.follow(reading, seen, able, config)
        left = free & ~may_open
        left[list(known)] = False
        begins = newcomers(seen, left, config.write_threshold, config) & embedded
        new = begins.nonzero().flatten()
        patience = config.existence.first_patience if config.existence else 0.0
        taken = [one for row, one in known.items() if may_open[row]]
        self.tentative.end(taken, now, scene, patience)
        begun = self.tentative.begin(seen.boxes[new], now, scene, config.motion)
        return known | dict(zip(new.tolist(), begun, strict=True))

    def _move_on(self, reading: Reading) -> None:
        """Take over time and positions from the reading."""
        self.clock, self.scene = reading.clock, reading.scene
        for k, slot in enumerate(self.slots):
            slot.track = reading.track[k]

    def _new_slot(self, box: Tensor, reading: Reading, number: int | None = None) -> Slot:
        track = begun(box[None], self.config.motion)[0]
        own = self.next_id if number is None else number
        slot = Slot.empty(own, self.columns, self.dim, self.config.buffer, track)
        slot.seen = slot.opened = reading.clock.frames
        slot.scene = reading.scene
        self.next_id += number is None
        return slot

    def _held(self, box: Tensor, number: int, reading: Reading) -> Slot:
        """The slot of an object that a person has marked."""
        known = (slot for slot in self.slots if slot.id == number)
        slot = next(known, None) or self._new_slot(box, reading, number)
        slot.held = True
        return slot

    def _reported(self, reading: Reading, known: Tensor) -> Tensor:
        """The re-weighted scores; with existence, only of matched boxes.

        A slot's object is in one box only, so its evidence does not raise other boxes beside it.
        """
        if self.config.existence is None:
            return reading.reweighted
        scores = reading.looked.base.double().clone()
        scores[known] = reading.reweighted[known]
        return scores

    def _learn(self, match: Match, support: Tensor | None) -> None:
        """Solve new identifiers of the writing slots (Eq. 2)."""
        ridges, rows = [slot.ridge for slot, _ in match.writing], [i for _, i in match.writing]
        looked = match.reading.looked
        if support is None:
            own = looked.embeddings_of(match.rows[rows])
            support = own[:, None].expand(-1, self.config.positives, -1)
        frame, limit = FrameSamples.of(looked.embeddings), self.config.negatives
        samples = support_samples(match.boxes[rows], looked.proposals, frame, support, limit)
        update(ridges, samples)
        learnt = identifiers(ridges, self.config.ridge)
        for (slot, _), identifier in zip(match.writing, learnt, strict=True):
            slot.identifier = identifier

    def _score(self, match: Match) -> None:
        """Update memory scores of all writing slots (Eq. 8), and add new slots to the memory."""
        base, known = match.base, {slot.id for slot in self.slots}
        for slot, row in match.writing:
            slot.score = remembered(slot.score, base[row], slot.matches, self.config)
            slot.matches += 1
            slot.evidence.add(float(foreground(base[row], self.kind).max()))
            if slot.id not in known:
                self.slots.append(slot)


def _without(
    exponents: Tensor, rows: list[int], slots: Sequence[Slot], taken: Collection[int]
) -> Tensor:
    """(M, K + 1) exponents in which these rows, and slots with these ids, match nothing."""
    if not rows and not taken:
        return exponents
    exponents = exponents.clone()
    exponents[rows, 1:] = -torch.inf
    exponents[:, [k + 1 for k, slot in enumerate(slots) if slot.id in taken]] = -torch.inf
    return exponents
