"""Variants of a sequence that are worth the same: a figure of one run alone varies by points."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.identities.data import Sequence


@dataclass(frozen=True, slots=True)
class Replicate:
    """One way to show a sequence.

    Attributes:
        name: for tables.
        stride: every n-th frame is shown.
        backwards: from the last frame to the first.
        pace: how much faster the stamps run than the frames were taken; changes no picture.
        jitter: each side of a box moves by a normal deviate of this share of the box's size.
        seed: of the jitter.
    """

    name: str
    stride: int = 1
    backwards: bool = False
    pace: float = 1.0
    jitter: float = 0.0
    seed: int = 0

    def frames(self, sequence: Sequence) -> NDArray[np.int64]:
        """The frames that are shown, in order."""
        frames = np.arange(0, len(sequence), self.stride)
        return frames[::-1] if self.backwards else frames

    def time(self, sequence: Sequence, place: int) -> float:
        """Seconds of the frame that is shown at a 0-based place."""
        return place * self.stride / (sequence.rate * self.pace)

    def moved(self, boxes: NDArray[np.float64], frame: int) -> NDArray[np.float64]:
        """Boxes (N, 4) of a frame after the jitter."""
        if not self.jitter or not len(boxes):
            return boxes
        size = boxes[:, 2:] - boxes[:, :2]
        noise = np.random.default_rng((self.seed, frame)).normal(size=boxes.shape)
        jittered: NDArray[np.float64] = boxes + self.jitter * noise * np.tile(size, 2)
        return jittered


PLAIN = Replicate("as it is")
REPLICATES = (
    PLAIN,
    Replicate("every 2nd", stride=2),
    Replicate("every 3rd", stride=3),
    Replicate("backwards", backwards=True),
    Replicate("half pace", pace=0.5),
    *(Replicate(f"jitter {seed}", jitter=0.01, seed=seed) for seed in (1, 2, 3)),
)
