"""The sight of a frame: everything that tracking needs from its pixels.

From sights alone, tracks can be found again without the video, the detector and the identify
network.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from minet_core.config import MemoryConfig
from minet_core.inference.camera import CameraMotion
from minet_core.inference.cuts import CutDetector
from minet_core.inference.timings import StageClock
from minet_core.models.batches import features_of
from minet_core.models.detector import BaseDetections, Cropping, FeatureMap, Frame
from minet_core.models.zoo import Model

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sight:
    """The sight of one frame.

    Attributes:
        size: its width and height in pixels.
        base: the detector's output, finite.
        features: source of embeddings; None if no embeddings are needed.
        cut: whether a new scene begins with it.
        camera: (2, 3) affine map from pixels of the frame before to its own, if known.
        dropped: number of boxes for which the model gave NaN or infinity.
    """

    size: Size
    base: BaseDetections
    features: FeatureMap | None
    cut: bool = False
    camera: Tensor | None = None
    dropped: int = 0


class Known(NamedTuple):
    """What the networks have said of a frame already; None where they are still to be asked."""

    base: BaseDetections | None = None
    features: FeatureMap | None = None


NOTHING_KNOWN = Known()


class Sights(Protocol):
    """The sights of a video, by frame; they need not be in memory."""

    @property
    def frames(self) -> Sequence[int]:
        """Indices of the processed frames, in order."""
        ...

    def sight(self, place: int) -> Sight:
        """The sight of a frame, by its position in `frames`."""
        ...


class Eyes:
    """Runs detector and embedder on one video, frame by frame.

    Args:
        model: detector and embedder.
        clock: counts the time of each stage.
        config: settings of the memory that needs them; None without a memory.

    Attributes:
        model: as given.
    """

    def __init__(self, model: Model, clock: StageClock, config: MemoryConfig | None) -> None:
        self.model = model
        self._clock = clock
        self._remembers = config is not None
        self._crops = config is not None and config.crops
        self._follows = config is not None and config.motion is not None and config.motion.camera
        self._cuts = CutDetector()
        self._camera = CameraMotion()

    @property
    def warnings(self) -> list[str]:
        """Problems so far, a line each."""
        return self._camera.warnings

    def ask(self, images: Sequence[Frame], frames: Sequence[int]) -> list[Known]:
        """Ask the networks about several frames at once; `see` has no need to ask them again.

        Args:
            images: (height, width, 3) RGB.
            frames: the index of each.
        """
        model = self.model
        with self._clock.stage("detector"):
            if model.stored is None:
                found = model.detector.detect(images)
            else:
                found = [model.detect(*each) for each in zip(images, frames, strict=True)]
        if not self._remembers:
            return list(map(Known, found))
        with self._clock.stage("identify"):
            return list(map(Known, found, self._features(images)))

    def see(self, image: Frame, frame: int, known: Known = NOTHING_KNOWN) -> Sight:
        """The sight of the next frame.

        Args:
            image: (height, width, 3) RGB.
            frame: its index.
            known: the networks' output, if `ask` was called.
        """
        with self._clock.stage("detector"):
            found = self.model.detect(image, frame) if known.base is None else known.base
            fine = found.finite()
        size = image.shape[1], image.shape[0]
        sight = Sight(size, fine, None, dropped=len(found) - len(fine))
        if not self._remembers:
            return sight
        with self._clock.stage("identify"):
            features = known.features or self._features([image])[0]
        with self._clock.stage("memory"):
            cut = self._cuts.is_cut(image)
            camera = self._camera.update(image) if self._follows else None
        return replace(sight, features=features, cut=cut, camera=None if cut else camera)

    def _features(self, images: Sequence[Frame]) -> list[FeatureMap]:
        embedder = self.model.embedder
        if self._crops and isinstance(embedder, Cropping):
            return [embedder.picture(image) for image in images]
        return features_of(embedder, images)

    def save(self) -> dict[str, Any]:
        """The state after the last frame."""
        seen, grey = self._cuts.thumbnail, self._camera.grey
        return {
            "thumbnail": None if seen is None else torch.from_numpy(seen),
            "grey": None if grey is None else torch.from_numpy(grey),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Replace the state by one of `save`."""
        seen, grey = state["thumbnail"], state["grey"]
        self._cuts.thumbnail = None if seen is None else np.asarray(seen)
        self._camera.grey = None if grey is None else np.asarray(grey)
