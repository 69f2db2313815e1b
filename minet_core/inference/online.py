"""Frame in, result out: a detector with the paper's memory (§III-C), online."""

import numpy as np
from torch import Tensor

from minet_core.config import MemoryConfig
from minet_core.inference.stages import StageClock
from minet_core.memory import NO_TRACK, DynamicMemory, Match, reweight
from minet_core.models.detector import BaseDetections, Frame
from minet_core.models.zoo import Model
from minet_core.results import FrameDetections
from minet_core.scores import ScoreKind, best_class_rows, classwise_nms, foreground

PAIR_FLOOR = 0.001
"""(box, class) pairs below this score are never looked at again."""


class OnlineDetector:
    """One video, frame by frame; state lives in `memory` alone.

    Args:
        model: detector and embedder.
        config: the memory's settings, or None to do without memory: the plain detector with
            the same suppression, and no track ids.
        score: detections below this re-weighted score are not reported. It changes no id.
        keep: label ids to report, or None for all. It changes no id either.
        clock: where to count time.
    """

    def __init__(
        self,
        model: Model,
        config: MemoryConfig | None,
        *,
        score: float = 0.3,
        keep: frozenset[int] | None = None,
        clock: StageClock | None = None,
    ) -> None:
        self.model = model
        self.memory = (
            DynamicMemory(config, *_score_layout(model), model.embedder.dim) if config else None
        )
        self._score = score
        self._keep = keep
        self._nms = (config or MemoryConfig()).nms
        self._clock = clock or StageClock()

    def update(self, image: Frame, *, frame: int, pts: int | None, time: float) -> FrameDetections:
        """Detect in the next frame.

        Args:
            image: (height, width, 3) RGB.
            frame: its index, for the result.
            pts: its timestamp, for the result.
            time: seconds, later than the frame before.
        """
        with self._clock.stage("detector"):
            base = self.model.detector.detect([image])[0]
        if self.memory is None:
            scores = base.scores.double()
            rows = self._suppress(base.boxes, scores)
            return self._report(base, scores, rows, None, frame, pts, time)
        scores, match = self._remember(self.memory, image, base, time)
        return self._report(base, scores, match.rows, match, frame, pts, time)

    def _remember(
        self, memory: DynamicMemory, image: Frame, base: BaseDetections, time: float
    ) -> tuple[Tensor, Match]:
        """Read, re-weight, suppress, match, embed the support boxes, write."""
        with self._clock.stage("identify"):
            features = self.model.embedder.features(image)
            embeddings = self.model.embedder.embed(features, base.proposals)
        with self._clock.stage("memory"):
            reading = memory.read(embeddings, base.boxes, time)
            scores = reweight(base.scores, reading.scores, memory.kind)
            rows = self._suppress(base.boxes, scores)
            match = memory.match(reading, rows, base.boxes, base.scores, scores, time)
            support = memory.support_boxes(match)
        with self._clock.stage("identify"):
            learnt = self.model.embedder.embed(features, support.flatten(0, 1))
        with self._clock.stage("memory"):
            samples = learnt.view(*support.shape[:2], memory.dim)
            memory.write(match, base.proposals, embeddings, samples)
        return scores, match

    def _suppress(self, boxes: Tensor, scores: Tensor) -> Tensor:
        classes = foreground(scores, self.model.detector.score_kind)
        rows, labels = classwise_nms(boxes, classes, self._nms, PAIR_FLOOR)
        return best_class_rows(rows, labels, classes)

    def _report(
        self,
        base: BaseDetections,
        scores: Tensor,
        rows: Tensor,
        match: Match | None,
        frame: int,
        pts: int | None,
        time: float,
    ) -> FrameDetections:
        """Rows above the score, of the classes asked for, best first; duplicates left out."""
        kind = self.model.detector.score_kind
        best = foreground(scores[rows], kind).max(dim=1)
        labels = best.indices
        shown = best.values >= self._score
        if match is not None:
            shown &= ~match.duplicates
        if self._keep is not None:
            shown &= labels.new_tensor([int(i) in self._keep for i in labels], dtype=shown.dtype)
        order = shown.nonzero().flatten()
        order = order[best.values[order].argsort(descending=True, stable=True)]
        label_ids = labels[order].numpy()
        base_scores = foreground(base.scores[rows], kind).double()[order, labels[order]]
        tracks = match.track_ids[order].numpy() if match else np.full(len(order), NO_TRACK)
        votes = self.memory.labels() if self.memory else {}
        return FrameDetections(
            frame=frame,
            pts=pts,
            time=time,
            boxes=base.boxes[rows[order]].double().numpy(),
            scores=best.values[order].numpy(),
            base_scores=base_scores.numpy(),
            label_ids=label_ids,
            track_ids=tracks,
            track_labels=np.array(
                [votes.get(int(t), int(c)) for t, c in zip(tracks, label_ids, strict=True)],
                dtype=np.int64,
            ),
            classes=self.model.detector.classes,
        )


def _score_layout(model: Model) -> tuple[ScoreKind, int]:
    """What the score columns mean, and how many there are."""
    kind = model.detector.score_kind
    return kind, len(model.detector.classes) + (kind is ScoreKind.SOFTMAX)
