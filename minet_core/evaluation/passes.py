"""One video through a detector, and every variant of the memory beside each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from minet_core.config import MemoryConfig
from minet_core.datasets.base import VideoTruth
from minet_core.datasets.vocabulary import ClassMap
from minet_core.errors import InputError
from minet_core.evaluation.eval_config import Variant
from minet_core.evaluation.found import Found, nothing, pairs
from minet_core.inference.online import OnlineDetector
from minet_core.models.detections import StoredDetector
from minet_core.models.detector import Embedder, FeatureMap, Frame
from minet_core.models.zoo import Model
from minet_core.video.info import Image

FoundOf = Mapping[str, Found]
"""Variant → what it found in a frame."""


class Passes:
    """The variants side by side over one video: detector and features run once.

    Args:
        model: with a `StoredDetector`, the one of this video.
        variants: memories to compare.
        names: the model's classes in the dataset.
        classes: how many the dataset has.
    """

    def __init__(
        self, model: Model, variants: Sequence[Variant], names: ClassMap, classes: int
    ) -> None:
        shared = replace(model, embedder=_Remembering(model.embedder))
        self._detector = model.detector
        self._online = {v.name: OnlineDetector(shared, v.memory) for v in variants}
        self._nms = {v.name: (v.memory or MemoryConfig()).nms for v in variants}
        self._names = names
        self._classes = classes

    def go(self, video: VideoTruth) -> Iterator[tuple[int, FoundOf]]:
        """What is found in every frame of a video, in order.

        Raises:
            InputError: not one of its pictures can be read.
        """
        seen = 0
        for number, image in _every_frame(video):
            if image is None:
                yield number, dict.fromkeys(self._online, nothing())
                continue
            seen += 1
            yield number, self._look(number, image, float(number / video.frame_rate))
        if not seen:
            raise InputError(f"{video.name}: not one picture of this video can be read")

    def _look(self, number: int, image: Image, time: float) -> FoundOf:
        if isinstance(self._detector, StoredDetector):
            self._detector.next = number
        base = self._detector.detect([image])[0]
        found = {}
        for name, online in self._online.items():
            frame = online.step(image, frame=number, time=time, base=base)
            found[name] = pairs(frame, self._names, self._classes, self._nms[name])
        return found

    @property
    def warnings(self) -> list[str]:
        """What was wrong with the detections."""
        lines = next(iter(self._online.values())).warnings
        return lines + (
            self._detector.warnings if isinstance(self._detector, StoredDetector) else []
        )


def _every_frame(video: VideoTruth) -> Iterator[tuple[int, Image | None]]:
    """All frames in order, None for those that cannot be read."""
    expected = 0
    for number, image in video.images():
        yield from ((missing, None) for missing in range(expected, number))
        yield number, image
        expected = number + 1
    yield from ((missing, None) for missing in range(expected, len(video)))


class _Remembering:
    """An embedder that does not do twice what several variants ask of one frame."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._frame: Frame | None = None
        self._features: FeatureMap | None = None
        self._boxes: Tensor | None = None
        self._embeddings: Tensor | None = None

    @property
    def dim(self) -> int:
        return self._embedder.dim

    def features(self, frame: Frame) -> FeatureMap:
        if self._features is None or frame is not self._frame:
            self._frame, self._features = frame, self._embedder.features(frame)
            self._boxes = self._embeddings = None
        return self._features

    def embed(self, features: FeatureMap, boxes: Tensor) -> Tensor:
        # The first boxes asked for are the proposals, the same tensor for every variant.
        if self._embeddings is None or boxes is not self._boxes:
            embeddings = self._embedder.embed(features, boxes)
            if self._boxes is not None:
                return embeddings
            self._boxes, self._embeddings = boxes, embeddings
        return self._embeddings
