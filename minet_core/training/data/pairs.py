"""What a training step sees: two pictures of one scene, and what is in them (§III-B.1).

Whatever the data are, they come as pairs: two frames of a video, a still image and itself, or two
frames that were composed. A pair is a function of the generator alone, so a training that is
stopped goes on with the pairs it would have had.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from minet_core.models.detector import Frame


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One picture of a pair, a row a box.

    Attributes:
        image: (height, width, 3) RGB.
        boxes: (N, 4) float32 xyxy in pixels of the image, of positive area.
        label_ids: (N,) int64 index into the classes of the training; -1 where unknown.
        track_ids: (N,) int64, the same object in both views, and nothing else, has the same.
    """

    image: Frame
    boxes: NDArray[np.float32]
    label_ids: NDArray[np.int64]
    track_ids: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two pictures of one scene: I_t and I_{t+τ}.

    Attributes:
        support: the view whose boxes the identifier learns from.
        query: the view in which it has to find the object.
        name: what it is made of, for messages: a file or video, with its frames.
        complete: whether every object of the classes is annotated, so that what is not is
            background. Without it the pair trains the identify head alone.
    """

    support: View
    query: View
    name: str
    complete: bool = True

    def shared(self) -> NDArray[np.int64]:
        """Track ids of the objects that appear in both views."""
        return np.intersect1d(self.support.track_ids, self.query.track_ids)


class PairSource(Protocol):
    """Anything that training pairs can be drawn from."""

    @property
    def name(self) -> str:
        """What it was opened as."""
        ...

    @property
    def notes(self) -> list[str]:
        """What was left out of what was drawn up to now, a line a kind."""
        ...

    def draw(self, generator: torch.Generator) -> Pair:
        """A pair with at least one co-appearing object; the generator decides which.

        Raises:
            InputError: a picture of it cannot be read, or this video has no co-appearing object.
        """
        ...
