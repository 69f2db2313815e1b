"""The data of one tracklet that is kept until the video ends; it does not grow with its length."""

from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minet_core.memory.evidence import Evidence

_SAMPLES = 8
"""Number of embeddings kept of a tracklet, from its whole length."""

_GLIMPSES = 8
"""Number of boxes kept of its start, and of its end."""

Vector = NDArray[np.float32]


class Glimpse(NamedTuple):
    """A box of a tracklet, in pixels of the scene's first frame; see `Ground`.

    Attributes:
        frame: number of frames since its first box.
        x: of the centre.
        y: likewise.
        size: √area.
    """

    frame: int
    x: float
    y: float
    size: float


@dataclass(slots=True)
class Held:
    """The kept data of one tracklet.

    Attributes:
        id: of its slot.
        first: (frame, scene) of its first box, in processed frames.
        last: likewise of its last box.
        start: its first boxes.
        end: its last boxes.
        boxes: number of its boxes.
        evidence: base scores of its boxes.
        votes: label id → sum of scores.
        identifier: (D,) γ, learnt from all its boxes.
        samples: every `stride`-th of its boxes' (D,) embeddings.
        stride: see `samples`.
        moved: whether it has moved; see `Slot.moved`.
    """

    id: int
    first: tuple[int, int]
    last: tuple[int, int]
    start: list[Glimpse] = field(default_factory=list)
    end: list[Glimpse] = field(default_factory=list)
    boxes: int = 0
    evidence: Evidence = field(default_factory=Evidence)
    votes: dict[int, float] = field(default_factory=dict)
    identifier: Vector = field(default_factory=lambda: np.zeros(0, np.float32))
    samples: list[Vector] = field(default_factory=list)
    stride: int = 1
    moved: bool = False

    @property
    def label(self) -> int:
        """Label id with the highest sum of scores."""
        return max(self.votes, key=self.votes.__getitem__)

    def pass_by(self, frame: int, place: tuple[float, float, float]) -> None:
        """Keep centre and √area of its first and its last boxes."""
        seen = Glimpse(frame - self.first[0], *place)
        if len(self.start) < _GLIMPSES:
            self.start.append(seen)
        self.end = [*self.end, seen][-_GLIMPSES:]

    def sample(self, embedding: Vector) -> None:
        """Keep some embeddings, evenly spaced over the tracklet."""
        if self.boxes % self.stride == 0:
            self.samples.append(embedding)
            if len(self.samples) > _SAMPLES:
                self.samples, self.stride = self.samples[::2], 2 * self.stride


def plain(held: Held) -> dict[str, Any]:
    """As plain values: to load arrays, numpy's types would have to be allowed."""
    entry = {one.name: getattr(held, one.name) for one in fields(held)}
    entry["evidence"] = held.evidence.plain()
    entry["votes"] = {**held.votes}
    entry["identifier"] = held.identifier.tolist()
    entry["start"], entry["end"] = ([list(one) for one in seen] for seen in (held.start, held.end))
    entry["samples"] = [sample.tolist() for sample in held.samples]
    return entry


def from_plain(entry: dict[str, Any]) -> Held:
    """The inverse of `plain`."""
    scores, *counts = entry["evidence"]
    arrays = {
        "evidence": Evidence([*scores], *counts),
        "votes": {**entry["votes"]},
        "identifier": np.array(entry["identifier"], np.float32),
        "samples": [np.array(sample, np.float32) for sample in entry["samples"]],
        "start": [Glimpse(*one) for one in entry["start"]],
        "end": [Glimpse(*one) for one in entry["end"]],
        "first": tuple(entry["first"]),
        "last": tuple(entry["last"]),
    }
    return Held(**{**entry, **arrays})
