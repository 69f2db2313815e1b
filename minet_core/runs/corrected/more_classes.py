"""What was seen, with columns for the classes that only a person knows."""

from dataclasses import dataclass, replace

import torch

from minet_core.detections.edited_result import Corrections
from minet_core.inference.sights import Sight
from minet_core.models.detector import BaseDetections
from minet_core.models.zoo import Model
from minet_core.runs.sight_file import SightFile
from minet_core.scores import ScoreKind


class _MoreClasses:
    """A detector that knows a person's classes beside its own; it is asked for nothing else."""

    def __init__(self, own: Model, more: tuple[str, ...]) -> None:
        self.classes: tuple[str, ...] = (*own.classes, *more)
        self.score_kind: ScoreKind = own.score_kind

    def detect(self, frames: object) -> list[BaseDetections]:
        raise NotImplementedError("everything was seen already")


def knowing(model: Model, said: Corrections) -> Model:
    """The model with the classes that a person has named and it does not know."""
    named = *said.anchors.labels.values(), *(track.label for track in said.tracks.values())
    more = tuple(dict.fromkeys(label for label in named if label not in model.classes))
    return replace(model, detector=_MoreClasses(model, more), stored=None) if more else model


def padded(sight: Sight, model: Model) -> Sight:
    """The sight with a score of 0 for classes that the model did not know."""
    base = sight.base
    columns = len(model.classes) + (model.score_kind is ScoreKind.SOFTMAX)
    if columns == base.scores.shape[1]:
        return sight
    more = torch.zeros(len(base), columns - base.scores.shape[1])
    return replace(sight, base=replace(base, scores=torch.cat([base.scores, more], dim=1)))


@dataclass(frozen=True, slots=True)
class PaddedSights:
    """Sights for a detector with more classes."""

    sights: SightFile
    model: Model

    @property
    def frames(self) -> list[int]:
        """Indices of the frames that were looked at."""
        return self.sights.frames

    def sight(self, place: int) -> Sight:
        """What was seen in one of them, by its place among them."""
        return padded(self.sights.sight(place), self.model)
