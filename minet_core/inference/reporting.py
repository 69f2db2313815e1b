"""Decide which boxes of a frame to report, with which class and id."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from minet_core.boxes import NO_TRACK
from minet_core.inference.prompted.planting import Planting
from minet_core.memory import DynamicMemory
from minet_core.models.detector import BaseDetections
from minet_core.models.zoo import Model
from minet_core.results import FrameDetections
from minet_core.scores import foreground


class Candidates(NamedTuple):
    """Detections after suppression: (M,) rows of the frame's boxes, slot ids, may be reported.

    The first `drawn` rows of the frame are a person's.
    """

    rows: Tensor
    slots: Tensor
    wanted: Tensor
    drawn: int = 0


class Observed(NamedTuple):
    """A frame before the decision which slots to report.

    Attributes:
        detections: every box that has a slot or reaches the score; track ids are slot ids.
        names: (N,) online id of each row, NO_TRACK while its slot does not count as an object.
    """

    detections: FrameDetections
    names: NDArray[np.int64]


class Reporting:
    """From candidates to rows of a result, without changing the memory.

    Args:
        model: gives the meaning of scores.
        memory: gives the slots, None without.
        plan: a person's annotations of the video.
        score: minimum re-weighted score to report.
        keep: label ids to report, or None for all.
        vectors: whether to report the scores of all classes.
    """

    def __init__(
        self,
        model: Model,
        memory: DynamicMemory | None,
        plan: Planting,
        *,
        score: float,
        keep: frozenset[int] | None,
        vectors: bool,
    ) -> None:
        self._model = model
        self._memory = memory
        self._plan = plan
        self._score = score
        self._keep = keep
        self._vectors = vectors

    def names(self, slots: Tensor) -> NDArray[np.int64]:
        """(M,) reported id of each slot, NO_TRACK if it does not yet count as an object."""
        names = self._memory.names() if self._memory else {}
        return np.array([names.get(slot, NO_TRACK) for slot in slots.tolist()], dtype=np.int64)

    def observe(
        self,
        base: BaseDetections,
        scores: Tensor,
        found: Candidates,
        stamp: tuple[int, int | None, float],
    ) -> tuple[Observed, Tensor]:
        """Detections of the requested classes with a slot or enough score, best first.

        Args:
            base: the detector's output for the frame.
            scores: (N, C) re-weighted.
            found: detections after suppression.
            stamp: the frame's index, timestamp and time.

        Returns:
            The rows of the result, and (M,) their rows of the frame's boxes.
        """
        classes = foreground(scores[found.rows], self._model.score_kind)
        best = classes.max(dim=1)
        drawn = found.rows < found.drawn
        best_scores = torch.where(drawn, 1.0, best.values)
        order = self._shown(found, best.indices, best_scores).nonzero().flatten()
        order = order[best_scores[order].argsort(descending=True, stable=True)]
        rows, slots = found.rows[order], found.slots[order]
        labels = self._labels(best.indices[order], slots)
        own = foreground(base.scores, self._model.score_kind)
        detections = FrameDetections(
            *stamp,
            boxes=base.boxes[rows].double().numpy(),
            scores=best_scores[order].numpy(),
            base_scores=torch.where(drawn[order], 1.0, own[rows, labels].double()).numpy(),
            label_ids=labels.numpy(),
            track_ids=slots.numpy(),
            track_labels=self._votes(slots, labels),
            classes=self._model.classes,
            score_vectors=classes[order].numpy() if self._vectors else None,
        )
        return Observed(detections, self.names(slots)), rows

    def reported(self, observed: Observed) -> FrameDetections:
        """The online result: slots that count as objects, and boxes that reach the score."""
        found = observed.detections
        labels = np.where(observed.names != NO_TRACK, found.track_labels, found.label_ids)
        named = replace(found, track_ids=observed.names, track_labels=labels)
        return named[found.scores >= self._score]

    def _shown(self, found: Candidates, labels: Tensor, scores: Tensor) -> Tensor:
        """(M,) bool."""
        shown = found.wanted & ((scores >= self._score) | (found.slots != NO_TRACK))
        if self._keep is not None:
            held = torch.isin(found.slots, torch.tensor(sorted(self._plan.ids)))
            shown &= held | torch.isin(labels, torch.tensor(sorted(self._keep)))
        return shown

    def _labels(self, labels: Tensor, slots: Tensor) -> Tensor:
        """(M,) label ids; a person's class replaces the detector's."""
        columns = self._plan.columns
        if not columns:
            return labels
        pairs = zip(slots.tolist(), labels.tolist(), strict=True)
        return torch.tensor([columns.get(slot, label) for slot, label in pairs], dtype=torch.int64)

    def _votes(self, slots: Tensor, labels: Tensor) -> NDArray[np.int64]:
        """(M,) label id that each slot's boxes have voted for, or that a person has set."""
        votes = self._memory.labels() if self._memory else {}
        votes |= self._plan.columns
        pairs = zip(slots.tolist(), labels.tolist(), strict=True)
        return np.array([votes.get(slot, label) for slot, label in pairs], dtype=np.int64)
