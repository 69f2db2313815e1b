"""The dynamic memory alone: made-up boxes and embeddings, no picture."""

from itertools import count

import torch
from torch import Tensor

from benchmarks.performance.rows import Row, Work, ratio
from minet_core import load_model
from minet_core.config import VIDEO
from minet_core.memory import DynamicMemory, Looked
from minet_core.memory.identifier import closed_form
from minet_core.models.detector import Frame
from minet_core.scores import ScoreKind

PROPOSALS, DIM, CLASSES = 300, 256, 80
SIDE = 40.0
"""Of an object's box, in pixels; objects stand apart."""


class Scene:
    """Objects in rows that tremble, among weak proposals without embeddings, all of them known.

    Args:
        slots: how many objects.
    """

    def __init__(self, slots: int) -> None:
        self._noise = torch.Generator().manual_seed(slots)
        self._slots = slots
        places = torch.arange(slots)
        corners = torch.stack([places % 16, places // 16], dim=1) * 2 * SIDE
        self._boxes = torch.cat([corners, corners + SIDE], dim=1)
        self._looks = self._random(slots, DIM)
        self._memory = DynamicMemory(VIDEO, ScoreKind.SIGMOID, CLASSES, DIM)
        self._frames = count()
        for _ in range(2 * VIDEO.buffer + 5):
            self.step()
        assert len(self._memory.slots) == slots, len(self._memory.slots)

    def step(self) -> None:
        """Read, match and write one frame; embeddings are given."""
        memory, looked = self._memory, self._looked()
        reading = memory.read(looked, next(self._frames) / 25)
        memory.write(memory.match(reading, torch.arange(self._slots)))

    def directly(self) -> None:
        """The identifiers of all slots from the samples of their windows, as Eq. 2 is printed."""
        rows = VIDEO.buffer * (VIDEO.negatives + VIDEO.positives)
        labels = torch.zeros(rows)
        labels[: VIDEO.buffer * VIDEO.positives] = 1
        for _ in range(self._slots):
            closed_form(self._random(rows, DIM), labels, VIDEO.ridge)

    def _looked(self) -> Looked:
        weak = PROPOSALS - self._slots
        corners = torch.rand(weak, 2, generator=self._noise) * 600
        boxes = torch.cat([self._boxes, torch.cat([corners, corners + SIDE], dim=1)])
        boxes = boxes + torch.randn(boxes.shape, generator=self._noise)
        looks = self._looks + 0.3 * self._random(self._slots, DIM)
        scores = torch.full((PROPOSALS, CLASSES), 0.01)
        scores[: self._slots, 0] = 0.9
        rows = torch.arange(self._slots)
        looks = torch.nn.functional.normalize(looks, dim=1)
        return Looked(boxes[rows], looks, boxes, scores, embedded=rows)

    def _random(self, rows: int, columns: int) -> Tensor:
        made = torch.randn(rows, columns, generator=self._noise)
        return torch.nn.functional.normalize(made)


def memory(frames: list[Frame], repeats: int) -> list[Row]:
    """Rows at 20 and at 100 slots."""
    detector = load_model(device="cpu").detector
    few, many = Scene(20), Scene(100)

    def ten(work: Work) -> Work:
        return lambda: [work() for _ in range(10)]

    def detect() -> None:
        for index in range(10):
            detector.detect([frames[index % len(frames)]])

    return [
        Row("memory at 20 slots / detector's call", ratio(ten(few.step), detect, repeats), 0.1),
        Row("memory at 20 slots / direct solve", ratio(few.step, few.directly, repeats), 0.1),
        Row("memory at 100 slots / at 20", ratio(ten(many.step), ten(few.step), repeats), 5.0),
    ]
