"""Objects with embeddings made for the test, shown to a memory frame by frame."""

import torch
from torch import Tensor

from minet_core.boxes import NO_TRACK
from minet_core.config import MemoryConfig
from minet_core.memory import DynamicMemory, Looked, Match, Reading
from minet_core.scores import ScoreKind, best_class_rows, classwise_nms, foreground

DIM, CLASSES = 32, 5
KINDS = [ScoreKind.SOFTMAX, ScoreKind.SIGMOID]
BASIS = torch.linalg.qr(torch.randn(DIM, DIM, generator=torch.Generator().manual_seed(0))).Q
BETWEEN = DIM
LOOKS = torch.cat([BASIS, (BASIS[:1] + BASIS[1:2]) / 2**0.5])
"""Looks of objects; that of BETWEEN is as much like object 0 as like object 1."""


def scores_of(kind: ScoreKind, labels: list[int], values: list[float]) -> Tensor:
    """Rows that give each label its value, and the rest to nothing in particular."""
    label, value = torch.tensor(labels), torch.tensor(values)[:, None]
    if kind is ScoreKind.SIGMOID:
        return torch.full((len(labels), CLASSES), 0.01).scatter(1, label[:, None], value)
    rest = torch.full((len(labels), CLASSES + 1), 0.002)
    rest[:, :1] = 1 - value - 0.002 * (CLASSES - 1)
    return rest.scatter(1, label[:, None] + 1, value)


class Scene:
    """Frames of objects for a memory: each has a box, a base score and an embedding direction.

    Background proposals with random embeddings are added beside the objects, as detectors do.
    """

    def __init__(self, config: MemoryConfig, kind: ScoreKind = ScoreKind.SIGMOID) -> None:
        columns = CLASSES + (kind is ScoreKind.SOFTMAX)
        self.memory = DynamicMemory(config, kind, columns, DIM)
        self.kind = kind
        self.noise = torch.Generator().manual_seed(7)

    def embed(self, directions: list[int], copies: int) -> Tensor:
        """(N, copies, D) unit vectors scattered around the looks."""
        scatter = torch.randn(len(directions), copies, DIM, generator=self.noise) * 0.02
        return torch.nn.functional.normalize(LOOKS[directions][:, None] + scatter, dim=-1)

    def frame(
        self,
        boxes: list[list[float]],
        directions: list[int],
        time: float,
        *,
        labels: list[int] | None = None,
        values: list[float] | None = None,
        order: Tensor | None = None,
        cut: bool = False,
        final: bool = False,
    ) -> tuple[Reading, Tensor, Match]:
        count, noise = len(boxes), 20
        corner = torch.rand(noise, 2, generator=self.noise) * 100 + 5000
        all_boxes = torch.cat(
            [torch.tensor(boxes).reshape(-1, 4), torch.cat([corner, corner + 30], 1)]
        )
        base = scores_of(
            self.kind,
            (labels or [0] * count) + [0] * noise,
            (values or [0.9] * count) + [0.01] * noise,
        )
        background = torch.randn(noise, DIM, generator=self.noise)
        embeddings = torch.cat(
            [self.embed(directions, 1)[:, 0], torch.nn.functional.normalize(background, dim=1)]
        )
        if order is not None:
            all_boxes, base, embeddings = all_boxes[order], base[order], embeddings[order]
        looked = Looked(all_boxes, embeddings, all_boxes, base)
        reading = self.memory.read(looked, time, cut=cut)
        scores = reading.reweighted
        classes = foreground(scores, self.kind)
        rows = best_class_rows(
            *classwise_nms(all_boxes, classes, self.memory.config.nms, 0.001), classes
        )
        match = self.memory.match(reading, torch.arange(len(boxes)) if final else rows)
        own = [int(i) for i in (match.boxes[[i for _, i in match.writing]]).flatten().tolist()]
        directions_of = {tuple(map(int, b)): d for b, d in zip(boxes, directions, strict=True)}
        written = [directions_of[tuple(own[i : i + 4])] for i in range(0, len(own), 4)]
        count = self.memory.support_boxes(match).shape[1]
        embedded = self.embed(written, count) if written else torch.zeros(0, count, self.memory.dim)
        self.memory.write(match, embedded)
        return reading, scores, match

    def ids(self, match: Match, boxes: list[list[float]]) -> list[int]:
        """Track ids in the order of the boxes; NO_TRACK where a box was suppressed."""
        found = {
            tuple(box.tolist()): int(i) for box, i in zip(match.boxes, match.track_ids, strict=True)
        }
        return [found.get(tuple(torch.tensor(box).tolist()), NO_TRACK) for box in boxes]


def at(x: float, y: float = 100.0) -> list[float]:
    """A 40 × 80 box."""
    return [x, y, x + 40, y + 80]
