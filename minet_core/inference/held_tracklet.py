"""What is held of one tracklet until the video ends; it does not grow with its length."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SAMPLES = 8
"""Embeddings that are kept of a tracklet, from its whole length."""

Vector = NDArray[np.float32]


@dataclass(slots=True)
class Held:
    """What is held of one tracklet.

    Attributes:
        id: of its slot.
        first: (frame, scene) of its first box; frames are counted as they are looked at.
        last: of its last box.
        first_box: (4,) xyxy.
        last_box: (4,) xyxy.
        boxes: how many it has.
        best: its best base scores, descending.
        votes: label id → sum of scores.
        identifier: (D,) γ, as learnt from all its boxes.
        samples: of its boxes' (D,) embeddings, every `stride`-th.
        stride: see there.
    """

    id: int
    first: tuple[int, int]
    last: tuple[int, int]
    first_box: list[float]
    last_box: list[float]
    boxes: int = 0
    best: list[float] = field(default_factory=list)
    votes: dict[int, float] = field(default_factory=dict)
    identifier: Vector = field(default_factory=lambda: np.zeros(0, np.float32))
    samples: list[Vector] = field(default_factory=list)
    stride: int = 1

    @property
    def label(self) -> int:
        """Label id that most of its scores speak for."""
        return max(self.votes, key=self.votes.__getitem__)

    def sample(self, embedding: Vector) -> None:
        """Keep an embedding now and then, so that those kept span the tracklet evenly."""
        if self.boxes % self.stride == 0:
            self.samples.append(embedding)
            if len(self.samples) > _SAMPLES:
                self.samples, self.stride = self.samples[::2], 2 * self.stride


def plain(held: Held) -> dict[str, Any]:
    """As plain values: arrays would need numpy's types to be allowed when they are loaded."""
    entry = asdict(held)
    entry["identifier"] = held.identifier.tolist()
    entry["samples"] = [sample.tolist() for sample in held.samples]
    return entry


def from_plain(entry: dict[str, Any]) -> Held:
    """What `plain` made."""
    arrays = {
        "identifier": np.array(entry["identifier"], np.float32),
        "samples": [np.array(sample, np.float32) for sample in entry["samples"]],
        "first": tuple(entry["first"]),
        "last": tuple(entry["last"]),
    }
    return Held(**{**entry, **arrays})
