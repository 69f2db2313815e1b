"""Frame in, result out: a detector with the paper's memory (§III-C), online."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from minet_core.boxes import NO_TRACK
from minet_core.config import MemoryConfig
from minet_core.inference.camera import CameraMotion
from minet_core.inference.cuts import CutDetector
from minet_core.inference.prompt_detections import Drawn
from minet_core.inference.score_frames import ScoredFrame
from minet_core.inference.timings import StageClock
from minet_core.inference.tracklets import TrackletLinker
from minet_core.memory import DynamicMemory, Looked, Match, Reading
from minet_core.memory.snapshot import restore_memory, save_memory
from minet_core.models.detector import BaseDetections, Frame
from minet_core.models.zoo import Model
from minet_core.options import MIN_SCORE
from minet_core.results import FrameDetections
from minet_core.scores import ScoreKind, best_class_rows, classwise_nms, foreground
from minet_core.video.placement import Placement, placed_in

PAIR_FLOOR = 0.001
"""(box, class) pairs below this score are never looked at again."""


class _Candidates(NamedTuple):
    """Detections after suppression: (M,) rows of the frame's boxes, slot ids, fit to show."""

    rows: Tensor
    slots: Tensor
    wanted: Tensor


class Observed(NamedTuple):
    """A frame before it is decided which slots are reported.

    Attributes:
        detections: every box that has a slot or reaches the score; track ids are slot ids.
        names: (N,) id that a row is reported under at once, NO_TRACK while its slot does not count
            as an object.
    """

    detections: FrameDetections
    names: NDArray[np.int64]


class OnlineDetector:
    """One video, frame by frame; its state is what `save` returns.

    Args:
        model: detector and embedder.
        config: the memory's settings, or None to do without memory: the plain detector with
            the same suppression, and no track ids.
        score: detections below this re-weighted score are not reported. It changes no id.
        keep: label ids to report, or None for all. It changes no id either.
        clock: where to count time.
        vectors: whether to report the score of every class beside that of the best.
        drawn: objects that the user drew in the first frame. Only these are followed, and
            reported; the settings are best those of `prompts.following`.

        link: whether to gather what `TrackletLinker` needs to join tracklets at the end.

    Attributes:
        memory: of this video, None without.
        linker: gathers tracklets, None where they are not to be joined.
        unusable: boxes that were dropped because the model gave NaN or infinity for them.
    """

    def __init__(
        self,
        model: Model,
        config: MemoryConfig | None,
        *,
        score: float = MIN_SCORE,
        keep: frozenset[int] | None = None,
        clock: StageClock | None = None,
        vectors: bool = False,
        drawn: Drawn | None = None,
        link: bool = False,
    ) -> None:
        self.model = model
        self.memory = (
            DynamicMemory(config, *_score_layout(model), model.embedder.dim) if config else None
        )
        self.unusable = 0
        self._score = score
        self._keep = keep
        self._nms = (config or MemoryConfig()).nms
        self._clock = clock or StageClock()
        self._vectors = vectors
        self._drawn = drawn
        self._embeddings = torch.zeros(0, 0)
        rule = config.existence if config else None
        self.linker = TrackletLinker(rule) if link and rule else None
        self._cuts = CutDetector()
        self._camera = CameraMotion()
        self._size: tuple[int, int] | None = None

    @property
    def warnings(self) -> list[str]:
        """What was wrong up to now without stopping the detection, a line each."""
        stored = self.model.stored
        lines = [*([] if stored is None else stored.warnings), *self._camera.warnings]
        if self.unusable:
            dropped = f"boxes dropped for which the model gave NaN or infinity: {self.unusable}"
            lines = [dropped, *lines]
        return lines

    def update(self, image: Frame, *, frame: int, pts: int | None, time: float) -> FrameDetections:
        """Detect in the next frame.

        Args:
            image: (height, width, 3) RGB.
            frame: its index, for the result.
            pts: its timestamp, for the result.
            time: seconds, later than the frame before.
        """
        return self.reported(self.observe(image, frame=frame, pts=pts, time=time))

    def observe(self, image: Frame, *, frame: int, pts: int | None, time: float) -> Observed:
        """Look at the next frame, as `update`, and keep what may be a track one day."""
        base, scores, found = self._look(image, frame, time, None)
        return self._observed(base, scores, found, (frame, pts, time))

    def reported(self, observed: Observed) -> FrameDetections:
        """What is known at once: slots that count as objects, and boxes that reach the score."""
        found = observed.detections
        labels = np.where(observed.names != NO_TRACK, found.track_labels, found.label_ids)
        named = replace(found, track_ids=observed.names, track_labels=labels)
        return named[found.scores >= self._score]

    def step(
        self, image: Frame, *, frame: int, time: float, base: BaseDetections | None = None
    ) -> ScoredFrame:
        """Look at the next frame and return every box with all its scores, reported or not.

        Args:
            image: (height, width, 3) RGB.
            frame: its index, for the result.
            time: seconds, later than the frame before.
            base: what the detector says of this frame, where it was asked already.
        """
        base, scores, found = self._look(image, frame, time, base)
        kind = self.model.score_kind
        tracks = np.full(len(base), NO_TRACK, dtype=np.int64)
        tracks[found.rows.numpy()] = self._names(found.slots)
        return ScoredFrame(
            frame,
            boxes=base.boxes.double().numpy(),
            scores=foreground(scores, kind).double().numpy(),
            base=foreground(base.scores, kind).double().numpy(),
            track_ids=tracks,
        )

    def _look(
        self, image: Frame, frame: int, time: float, found: BaseDetections | None
    ) -> tuple[BaseDetections, Tensor, _Candidates]:
        """Base detections, re-weighted scores, and what is left after suppression."""
        with self._clock.stage("detector"):
            if found is None:
                found = self.model.detect(image, frame)
            base = found.finite()
            self.unusable += len(found) - len(base)
        if self.memory is None:
            scores = base.scores.double()
            rows = self._suppress(base, scores)
            slots = torch.full((len(rows),), NO_TRACK)
            return base, scores, _Candidates(rows, slots, torch.ones(len(rows), dtype=torch.bool))
        planted = 0
        if self._drawn is not None and self.memory.next_id == 1:
            base = self._drawn.before(base, image.shape[1], image.shape[0])
            planted = len(self._drawn)
        scores, match = self._remember(self.memory, image, base, time, planted)
        wanted = ~match.duplicates | torch.tensor(base.final)
        if self._drawn is not None:
            wanted = match.track_ids != NO_TRACK
        return base, scores, _Candidates(match.rows, match.track_ids, wanted)

    def save(self) -> dict[str, Any]:
        """All it has learnt, as plain values and tensors that `torch.save` can write."""
        seen = self._cuts.thumbnail
        return {
            "memory": None if self.memory is None else save_memory(self.memory),
            "thumbnail": None if seen is None else torch.from_numpy(seen),
            "grey": None if self._camera.grey is None else torch.from_numpy(self._camera.grey),
            "unusable": self.unusable,
            "linker": self.linker.save() if self.linker else None,
            "size": self._size,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Resume after the frames of a state of `save`, made with the same model and settings."""
        if self.memory is not None:
            restore_memory(self.memory, state["memory"])
        seen = state["thumbnail"]
        self._cuts.thumbnail = None if seen is None else seen.numpy()
        grey = state["grey"]
        self._camera.grey = None if grey is None else grey.numpy()
        self.unusable = state["unusable"]
        if self.linker is not None:
            self.linker.restore(state["linker"])
        self._size = state.get("size")

    def _remember(
        self,
        memory: DynamicMemory,
        image: Frame,
        base: BaseDetections,
        time: float,
        planted: int,
    ) -> tuple[Tensor, Match]:
        """Read, re-weight, suppress, match, embed the support boxes, write.

        The first `planted` boxes are objects by the user's word: nothing to suppress or match.
        The memory's boxes are all in pixels of the first frame, whatever size the others have.
        """
        boxes, proposals = base.boxes, base.proposals
        if (place := self._place(image)) is not None:
            boxes, proposals = place.inside(boxes), place.inside(proposals)
        with self._clock.stage("identify"):
            features = self.model.embedder.features(image)
            embeddings = self.model.embedder.embed(features, base.proposals)
        with self._clock.stage("memory"):
            looked = Looked(proposals, embeddings, boxes, base.scores)
            reading = self._read(memory, looked, image, time)
            if planted:
                match = memory.plant(reading, planted)
            else:
                match = memory.match(reading, self._suppress(base, reading.reweighted))
            support = memory.support_boxes(match)
            support = support if place is None else place.back(support)
        with self._clock.stage("identify"):
            learnt = self.model.embedder.embed(features, support.flatten(0, 1))
        with self._clock.stage("memory"):
            memory.write(match, learnt.view(*support.shape[:2], memory.dim))
        self._embeddings = embeddings
        return match.scores, match

    def _read(self, memory: DynamicMemory, looked: Looked, image: Frame, time: float) -> Reading:
        cut = self._cuts.is_cut(image)
        motion = memory.config.motion
        camera = self._camera.update(image) if motion is not None and motion.camera else None
        return memory.read(looked, time, cut=cut, camera=None if cut else camera)

    def _place(self, image: Frame) -> Placement | None:
        """How a frame of another size lies in the first one."""
        size = image.shape[1], image.shape[0]
        self._size = self._size or size
        return placed_in(size, self._size)

    def _suppress(self, base: BaseDetections, scores: Tensor) -> Tensor:
        """Rows that are left; boxes that are final, such as a person's own, stay."""
        classes = foreground(scores, self.model.score_kind)
        if base.final:
            return (classes.amax(dim=1) > PAIR_FLOOR).nonzero().flatten()
        rows, labels = classwise_nms(base.boxes, classes, self._nms, PAIR_FLOOR)
        return best_class_rows(rows, labels, classes)

    def _names(self, slots: Tensor) -> NDArray[np.int64]:
        """(M,) the id that each slot is reported under, NO_TRACK for what is no object by now."""
        names = self.memory.names() if self.memory else {}
        return np.array([names.get(slot, NO_TRACK) for slot in slots.tolist()], dtype=np.int64)

    def _observed(
        self,
        base: BaseDetections,
        scores: Tensor,
        found: _Candidates,
        stamp: tuple[int, int | None, float],
    ) -> Observed:
        """What has a slot or is above the score, of the classes asked for, best first."""
        kind = self.model.score_kind
        classes = foreground(scores[found.rows], kind)
        best = classes.max(dim=1)
        shown = found.wanted & ((best.values >= self._score) | (found.slots != NO_TRACK))
        if self._keep is not None:
            shown &= torch.isin(best.indices, torch.tensor(sorted(self._keep)))
        order = shown.nonzero().flatten()
        order = order[best.values[order].argsort(descending=True, stable=True)]
        rows, labels, slots = found.rows[order], best.indices[order], found.slots[order]
        votes = self.memory.labels() if self.memory else {}
        pairs = zip(slots.tolist(), labels.tolist(), strict=True)
        detections = FrameDetections(
            *stamp,
            boxes=base.boxes[rows].double().numpy(),
            scores=best.values[order].numpy(),
            base_scores=foreground(base.scores, kind)[rows, labels].double().numpy(),
            label_ids=labels.numpy(),
            track_ids=slots.numpy(),
            track_labels=np.array([votes.get(t, c) for t, c in pairs], dtype=np.int64),
            classes=self.model.classes,
            score_vectors=classes[order].numpy() if self._vectors else None,
        )
        if self.linker is not None and self.memory is not None:
            self._gather(self.linker, self.memory, detections, rows)
        return Observed(detections, self._names(slots))

    def _gather(
        self, linker: TrackletLinker, memory: DynamicMemory, found: FrameDetections, rows: Tensor
    ) -> None:
        """Show the linker the frame."""
        known = {slot.id: slot.identifier.float().numpy() for slot in memory.slots}
        linker.add(
            memory.scene,
            found.track_ids,
            found.boxes,
            found.label_ids,
            found.base_scores,
            self._embeddings[rows].numpy(),
            known,
        )


def _score_layout(model: Model) -> tuple[ScoreKind, int]:
    """What the score columns mean, and how many there are."""
    kind = model.score_kind
    return kind, len(model.classes) + (kind is ScoreKind.SOFTMAX)
