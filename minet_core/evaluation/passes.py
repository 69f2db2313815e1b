"""Run a detector once over a video, with every variant of the memory in parallel."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from minet_core.config import MemoryConfig
from minet_core.datasets.dataset import VideoTruth
from minet_core.datasets.vocabulary import ClassMap
from minet_core.errors import InputError
from minet_core.evaluation.eval_config import Offline, Variant
from minet_core.evaluation.predictions.convert import Found, nothing, pairs
from minet_core.inference.offline import merge_passes
from minet_core.inference.online import OnlineDetector
from minet_core.inference.score_frames import ScoredFrame
from minet_core.inference.windows import windows
from minet_core.models.detector import BaseDetections, Cropping, Embedder, FeatureMap, Frame
from minet_core.models.zoo import Model
from minet_core.video.info import Image

FoundOf = Mapping[str, Found]
"""Variant → its detections in a frame."""


ScoredOf = Mapping[str, ScoredFrame]
"""Variant → the whole score vectors of a frame."""


class Passes:
    """All variants over one video; detector and features run once.

    Args:
        model: with boxes of a file, those of this video.
        variants: memories to compare.
        names: the model's classes in the dataset.
        classes: number of the dataset's classes.
        offline: methods that run after the whole video, for variants without their own. They keep
            all score vectors of the video in memory, and for a backward pass its base detections.
    """

    def __init__(
        self,
        model: Model,
        variants: Sequence[Variant],
        names: ClassMap,
        classes: int,
        offline: Offline,
    ) -> None:
        self._asked = model
        self._model = replace(model, embedder=remembering(model.embedder))
        self._memories = {variant.name: variant.memory for variant in variants}
        self._online = self._start()
        self._names = names
        self._classes = classes
        self._offline = {variant.name: variant.offline or offline for variant in variants}
        self._both_ways = {name for name, each in self._offline.items() if each.bidirectional}
        self._bases: dict[int, BaseDetections] = {}

    def go(self, video: VideoTruth) -> Iterator[tuple[int, FoundOf]]:
        """The detections in every frame of a video, in order.

        Raises:
            InputError: none of its pictures can be read.
        """
        whole = any(self._offline.values())
        frames = self._whole(video) if whole else self._forward(video)
        seen = 0
        for number, scored in frames:
            if scored is None:
                yield number, dict.fromkeys(self._online, nothing())
                continue
            seen += 1
            yield number, {name: self._pairs(name, frame) for name, frame in scored.items()}
        if not seen:
            raise InputError(f"{video.name}: no picture of this video can be read")

    @property
    def warnings(self) -> list[str]:
        """Problems of the detections."""
        return next(iter(self._online.values())).warnings

    def _start(self) -> dict[str, OnlineDetector]:
        return {name: OnlineDetector(self._model, m) for name, m in self._memories.items()}

    def _pairs(self, name: str, frame: ScoredFrame) -> Found:
        nms = (self._memories[name] or MemoryConfig()).nms
        return pairs(frame, self._names, self._classes, nms)

    def _forward(self, video: VideoTruth) -> Iterator[tuple[int, ScoredOf | None]]:
        """All frames in order; None for a missing picture."""
        frames = windows(every_frame(video), lambda each: each[1], self._asked.window)
        for (number, image), before, after in frames:
            if image is None:
                yield number, None
                continue
            self._asked.surround(image, before, after)
            base = self._detect(number, image)
            time = float(number / video.frame_rate)
            yield (
                number,
                {
                    name: online.step(image, frame=number, time=time, base=base)
                    for name, online in self._online.items()
                },
            )

    def _detect(self, number: int, image: Image) -> BaseDetections:
        base = self._model.detect(image, number)
        if self._both_ways:
            self._bases[number] = base
        return base

    def _whole(self, video: VideoTruth) -> Iterator[tuple[int, ScoredOf | None]]:
        """Like `_forward`, with the final scores at the end of the video."""
        online = dict(self._forward(video))
        read = {number: scored for number, scored in online.items() if scored is not None}
        backward = self._backward(video, max(read, default=0)) if self._both_ways else {}
        whole = {
            name: self._relink(name, [scored[name] for scored in read.values()], backward)
            for name in self._memories
        }
        by_number = {
            number: {name: frames[i] for name, frames in whole.items()}
            for i, number in enumerate(read)
        }
        return ((number, by_number.get(number)) for number in online)

    def _backward(self, video: VideoTruth, last: int) -> dict[str, list[ScoredFrame]]:
        """The passes with memory from the last read frame to the first, in that order."""
        passes = {
            name: online
            for name, online in self._start().items()
            if online.memory and name in self._both_ways
        }
        frames: dict[str, list[ScoredFrame]] = {name: [] for name in passes}
        before, after = self._asked.window
        for (number, image), later, earlier in windows(
            video.images_backward(), lambda each: each[1], (after, before)
        ):
            base = self._bases.pop(number, None)
            if base is None:
                continue
            self._asked.surround(image, earlier[::-1], later[::-1])
            time = float((last - number) / video.frame_rate)
            for name, online in passes.items():
                frames[name].append(online.step(image, frame=number, time=time, base=base))
        if self._bases:
            number = max(self._bases)
            raise InputError(f"{video.name}, frame {number}: cannot be read a second time")
        return frames

    def _relink(
        self, name: str, frames: list[ScoredFrame], backward: Mapping[str, list[ScoredFrame]]
    ) -> Sequence[ScoredFrame]:
        if name in backward:
            frames = merge_passes(frames, backward[name])
        return self._offline[name].linked(frames)


def every_frame(video: VideoTruth) -> Iterator[tuple[int, Image | None]]:
    """All frames in order, None for frames that cannot be read."""
    expected = 0
    for number, image in video.images():
        yield from ((missing, None) for missing in range(expected, number))
        yield number, image
        expected = number + 1
    yield from ((missing, None) for missing in range(expected, len(video)))


class Remembering:
    """An embedder that computes once what several variants need of a frame."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._frame: Frame | None = None
        self._features: FeatureMap | None = None
        self._boxes: Tensor | None = None
        self._embeddings: Tensor | None = None

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self._embedder.dim

    def features(self, frame: Frame) -> FeatureMap:
        """The frame's feature map, cached for the same array."""
        if self._features is None or frame is not self._frame:
            self._frame, self._features = frame, self._embedder.features(frame)
            self._boxes = self._embeddings = None
        return self._features

    def embed(self, features: FeatureMap, boxes: Tensor) -> Tensor:
        """(N, D) embeddings, cached for the frame's first tensor of boxes."""
        # The first boxes are the proposals, the same tensor for every variant.
        if self._embeddings is None or boxes is not self._boxes:
            embeddings = self._embedder.embed(features, boxes)
            if self._boxes is not None:
                return embeddings
            self._boxes, self._embeddings = boxes, embeddings
        return self._embeddings


class RememberingCrops(Remembering):
    """The same of an embedder that can see boxes alone."""

    def __init__(self, embedder: Cropping) -> None:
        super().__init__(embedder)
        self.picture = embedder.picture


def remembering(embedder: Embedder) -> Remembering:
    """The embedder, which computes once what several variants need of a frame."""
    return RememberingCrops(embedder) if isinstance(embedder, Cropping) else Remembering(embedder)
