"""How the boxes of a made-up scene look: embeddings of objects that are much alike."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from benchmarks.made_scenes.sightings import PASSING, STANDING, Sighting
from benchmarks.made_scenes.worlds import Floats
from minet_core.models.detector import BaseDetections, FeatureMap, Frame
from minet_core.scores import ScoreKind

DIM = 16
_ALIKE, _NOISE, _CHANGE = 0.6, 0.55, 0.15
"""Share of a look that all objects have; noise of each box; how an object's own look changes."""


def looks(shown: Sequence[Sighting], seed: int) -> list[Floats]:
    """(N, DIM) of each frame: of a half hidden object in part the look of what hides it."""
    chance = np.random.default_rng((seed, 99))
    common = _unit(chance.normal(size=DIM))
    changes: dict[int, Floats] = {}
    made = []
    for sighting in shown:
        rows = zip(sighting.owners, sighting.seen, sighting.covers, strict=True)
        vectors = []
        for owner, seen, cover in ((int(o), float(s), int(c)) for o, s, c in rows):
            if owner == PASSING:
                vector = chance.normal(size=DIM) / 4 + 0.3 * common
            elif owner == STANDING:
                vector = _own(seed, STANDING) + 0.2 * chance.normal(size=DIM) / 4
            else:
                change = 0.97 * changes.get(owner, 0 * common)
                changes[owner] = change + _CHANGE * chance.normal(size=DIM) / 4
                own = _own(seed, owner) + changes[owner]
                hides = _own(seed, cover) if cover >= 0 else 0 * common
                mixed = seen * own + (1 - seen) * hides
                vector = _ALIKE * common + np.sqrt(1 - _ALIKE**2) * mixed
                vector = vector + _NOISE * chance.normal(size=DIM) / 4
            vectors.append(_unit(vector))
        made.append(np.array(vectors).reshape(-1, DIM))
    return made


def _own(seed: int, owner: int) -> Floats:
    return _unit(np.random.default_rng((seed, 5, owner + 10)).normal(size=DIM))


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)


class MadeDetector:
    """A detector that says what the sightings say, frame after frame."""

    classes = ("object",)
    score_kind = ScoreKind.SIGMOID

    def __init__(self, shown: Sequence[Sighting]) -> None:
        self._shown = iter(shown)

    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:  # noqa: ARG002
        """Of the next frame."""
        sighting = next(self._shown)
        boxes = torch.from_numpy(sighting.boxes).float().view(-1, 4)
        scores = torch.from_numpy(sighting.scores).float().view(-1, 1)
        return [BaseDetections(boxes, boxes, scores, final=True)]


class MadeEmbedder:
    """An embedder that looks at boxes of sightings; shifted boxes look as those they are from."""

    dim = DIM

    def __init__(self, shown: Sequence[Sighting], seed: int) -> None:
        self._boxes = [torch.from_numpy(one.boxes).float().view(-1, 4) for one in shown]
        self._looks = [torch.from_numpy(look).float() for look in looks(shown, seed)]
        self._frame = -1

    def features(self, frame: Frame) -> FeatureMap:  # noqa: ARG002
        """Of the next frame: none, it only counts."""
        self._frame += 1
        return FeatureMap(torch.zeros(0), 1.0)

    def embed(self, features: FeatureMap, boxes: Tensor) -> Tensor:  # noqa: ARG002
        """(N, DIM) of the nearest box of the frame, by its corners."""
        known = self._boxes[self._frame]
        if not len(boxes):
            return torch.zeros(0, DIM)
        apart = (boxes[:, None] - known[None]).square().sum(dim=2)
        return self._looks[self._frame][apart.argmin(dim=1)]
