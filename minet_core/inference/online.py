"""A detector with the paper's memory (§III-C), online: a frame in, its result out."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from minet_core.boxes import NO_TRACK
from minet_core.config import MemoryConfig
from minet_core.inference.candidates import by_crops, likely, suppressed, with_planted
from minet_core.inference.prompted.anchors import FIRST
from minet_core.inference.prompted.planting import NO_PLANTING, Planted, Planting
from minet_core.inference.reporting import Candidates, Observed, Reporting
from minet_core.inference.score_frames import ScoredFrame
from minet_core.inference.sights import Eyes, Known, Sight
from minet_core.inference.timings import StageClock
from minet_core.inference.tracklets import TrackletLinker
from minet_core.memory import DynamicMemory, Looked, Match
from minet_core.memory.snapshot import restore_memory, save_memory
from minet_core.models.detector import BaseDetections, FeatureMap, Frame
from minet_core.models.zoo import Model
from minet_core.options import MIN_SCORE
from minet_core.results import FrameDetections
from minet_core.scores import ScoreKind, foreground
from minet_core.video.placement import Placement, placed_in


class OnlineDetector:
    """One video, frame by frame; `save` returns its state.

    Args:
        model: detector and embedder.
        config: the memory's settings; None for the plain detector, with the same suppression but
            no track ids.
        score: minimum re-weighted score to report. It changes no id.
        keep: label ids to report, or None for all. It changes no id either.
        clock: counts the time of each stage.
        vectors: whether to report the scores of all classes.
        plan: a person's annotations of the video. To track only these objects, use the settings of
            `prompts.following`.
        link: whether to collect tracklets, for `TrackletLinker` to join at the end.

    Attributes:
        eyes: look at the frames; they change nothing that is remembered of objects.
        memory: of this video, None without.
        linker: collects tracklets, None without `link`.
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
        plan: Planting = NO_PLANTING,
        link: bool = False,
    ) -> None:
        self.model = model
        self.memory = (
            DynamicMemory(config, *_score_layout(model), model.embedder.dim) if config else None
        )
        self.unusable = 0
        self._nms = (config or MemoryConfig()).nms
        self._clock = clock or StageClock()
        self._plan = plan
        self._reporting = Reporting(
            model, self.memory, plan, score=score, keep=keep, vectors=vectors
        )
        if self.memory is not None:
            self.memory.next_id = max(plan.above, *plan.ids, 0) + 1
        self._looked: Looked | None = None
        self._promoted: dict[int, int] = {}
        rule = config.existence if config else None
        self.linker = TrackletLinker(rule) if link and rule else None
        if self.linker is not None:
            self.linker.held = plan.ids
        self.eyes = Eyes(model, self._clock, config)
        self._size: tuple[int, int] | None = None

    @property
    def warnings(self) -> list[str]:
        """Problems so far that did not stop the detection, a line each."""
        stored = self.model.stored
        lines = [*([] if stored is None else stored.warnings), *self.eyes.warnings]
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
            time: seconds, greater than for the frame before.
        """
        return self.reported(self.observe(image, frame=frame, pts=pts, time=time))

    def observe(self, image: Frame, *, frame: int, pts: int | None, time: float) -> Observed:
        """Process the next frame like `update`, and also keep boxes that may become a track."""
        return self.judge(self.eyes.see(image, frame), frame=frame, pts=pts, time=time)

    def judge(self, sight: Sight, *, frame: int, pts: int | None, time: float) -> Observed:
        """Run the memory on the sight of the next frame."""
        base, scores, found = self._look(sight, frame, time)
        observed, rows = self._reporting.observe(base, scores, found, (frame, pts, time))
        if self.linker is not None and self.memory is not None:
            self._gather(self.linker, self.memory, observed.detections, rows, sight.camera)
        return observed

    def reported(self, observed: Observed) -> FrameDetections:
        """The online result: slots that count as objects, and boxes that reach the score."""
        return self._reporting.reported(observed)

    def step(
        self, image: Frame, *, frame: int, time: float, base: BaseDetections | None = None
    ) -> ScoredFrame:
        """Process the next frame and return every box with all its scores, reported or not.

        Args:
            image: (height, width, 3) RGB.
            frame: its index, for the result.
            time: seconds, greater than for the frame before.
            base: the detector's output for this frame, if it is known already.
        """
        sight = self.eyes.see(image, frame, Known(base))
        base, scores, found = self._look(sight, frame, time)
        kind = self.model.score_kind
        tracks = np.full(len(base), NO_TRACK, dtype=np.int64)
        tracks[found.rows.numpy()] = self._reporting.names(found.slots)
        return ScoredFrame(
            frame,
            boxes=base.boxes.double().numpy(),
            scores=foreground(scores, kind).double().numpy(),
            base=foreground(base.scores, kind).double().numpy(),
            track_ids=tracks,
        )

    def _look(
        self, sight: Sight, frame: int, time: float
    ) -> tuple[BaseDetections, Tensor, Candidates]:
        """Base detections, re-weighted scores, and detections after suppression."""
        base = sight.base
        self.unusable += sight.dropped
        if self.memory is None:
            scores = base.scores.double()
            rows, _ = self._left(base, scores, None)
            slots = torch.full((len(rows),), NO_TRACK)
            return base, scores, Candidates(rows, slots, torch.ones(len(rows), dtype=torch.bool))
        planted = self._planted(self.memory, sight, frame)
        if planted is not None:
            base = planted.base
        match = self._remember(self.memory, sight, base, time, planted)
        wanted = ~match.duplicates | torch.tensor(base.final)
        if self._plan.only:
            wanted = match.track_ids != NO_TRACK
        drawn = planted.drawn if planted else 0
        return base, match.scores, Candidates(match.rows, match.track_ids, wanted, drawn)

    def _planted(self, memory: DynamicMemory, sight: Sight, frame: int) -> Planted | None:
        """A person's annotations of the frame."""
        known = self._plan.at(frame, sight.base, sight.size)
        if known is None and memory.clock.time is None:
            known = self._plan.at(FIRST, sight.base, sight.size)
        return known

    def save(self) -> dict[str, Any]:
        """The whole state, as plain values and tensors that `torch.save` can write."""
        return {
            "memory": None if self.memory is None else save_memory(self.memory),
            "eyes": self.eyes.save(),
            "unusable": self.unusable,
            "linker": self.linker.save() if self.linker else None,
            "size": self._size,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Resume from a state of `save`, with the same model and settings."""
        if self.memory is not None:
            restore_memory(self.memory, state["memory"])
        self.eyes.restore(state["eyes"])
        self.unusable = state["unusable"]
        if self.linker is not None:
            self.linker.restore(state["linker"])
        self._size = state.get("size")

    def _remember(
        self,
        memory: DynamicMemory,
        sight: Sight,
        base: BaseDetections,
        time: float,
        planted: Planted | None,
    ) -> Match:
        """Read, re-weight, suppress, match, embed the support boxes, write.

        Of crops, only boxes are embedded that may be matched: those that suppression leaves by
        their base scores. They stand for their support boxes.

        The memory's boxes are all in pixels of the first frame, for frames of any size.
        """
        features, place = sight.features, self._place(sight.size)
        assert features is not None
        crops = by_crops(features, memory.config)
        asked, embedded, left = base.proposals, None, None
        if crops:
            with self._clock.stage("memory"):
                left = rows, pairs = self._left(base, base.scores, planted)
            embedded = likely(base, rows, self.model.score_kind, memory.config, pairs)
            asked = base.boxes[embedded]
        with self._clock.stage("identify"):
            embeddings = self.model.embedder.embed(features, asked)
        with self._clock.stage("memory"):
            boxes = base.boxes
            if place is not None:
                boxes, asked = place.inside(boxes), place.inside(asked)
            self._looked = Looked(asked, embeddings, boxes, base.scores, embedded)
            reading = memory.read(self._looked, time, cut=sight.cut, camera=sight.camera)
            rows, pairs = left or self._left(base, reading.reweighted, planted)
            match = memory.match(reading, rows, pairs, planted.absent if planted else ())
            self._promoted = match.promoted
        learnt = None if crops else self._support(memory, match, features, place)
        with self._clock.stage("memory"):
            memory.write(match, learnt)
        return match

    def _support(
        self, memory: DynamicMemory, match: Match, features: FeatureMap, place: Placement | None
    ) -> Tensor:
        """(S, P, D) embeddings of the support boxes."""
        support = memory.support_boxes(match)
        if place is not None:
            support = place.back(support)
        with self._clock.stage("identify"):
            learnt = self.model.embedder.embed(features, support.flatten(0, 1))
        return learnt.view(*support.shape[:2], memory.dim)

    def _place(self, size: tuple[int, int]) -> Placement | None:
        """The map from a frame of another size to the first frame."""
        self._size = self._size or size
        return placed_in(size, self._size)

    def _left(
        self, base: BaseDetections, scores: Tensor, planted: Planted | None
    ) -> tuple[Tensor, list[tuple[int, int]]]:
        """Rows that remain, a person's first; and the person's as `DynamicMemory.match` wants."""
        rows = suppressed(base, scores, self.model.score_kind, self._nms)
        return (rows, []) if planted is None else with_planted(rows, planted)

    def _gather(
        self,
        linker: TrackletLinker,
        memory: DynamicMemory,
        found: FrameDetections,
        rows: Tensor,
        camera: Tensor | None,
    ) -> None:
        """Pass the frame to the linker."""
        assert self._looked is not None
        known = {slot.id: slot.identifier.float().numpy() for slot in memory.slots}
        tracked = torch.from_numpy(found.track_ids != NO_TRACK)
        embeddings = torch.zeros(len(rows), memory.dim)
        embeddings[tracked] = self._looked.embeddings_of(rows[tracked])
        linker.add(
            memory.scene,
            found.track_ids,
            found.boxes,
            found.label_ids,
            found.base_scores,
            embeddings.numpy(),
            known,
            {slot.id for slot in memory.slots if slot.moved},
            self._promoted,
            None if camera is None else camera.numpy(),
        )


def _score_layout(model: Model) -> tuple[ScoreKind, int]:
    """Meaning and number of the score columns."""
    kind = model.score_kind
    return kind, len(model.classes) + (kind is ScoreKind.SOFTMAX)
