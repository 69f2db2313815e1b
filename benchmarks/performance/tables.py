"""Tables II to V of the paper beside one pass of the paper's network over the same frames."""

from collections.abc import Iterator
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import torch

from benchmarks.frame_time import sure
from benchmarks.performance.rows import Row, cpu
from minet_core.config import PAPER
from minet_core.datasets.imagenet.classes import VID_WNIDS
from minet_core.datasets.vocabulary import map_classes
from minet_core.evaluation.eval_config import Offline
from minet_core.evaluation.paper import paper_variants
from minet_core.evaluation.passes import Passes
from minet_core.models.detector import BaseDetections, Frame
from minet_core.models.faster_rcnn.network import build_rcnn
from minet_core.models.faster_rcnn.rcnn_config import RCNN_CONFIGS
from minet_core.models.faster_rcnn.windowed import rcnn_detector
from minet_core.models.zoo import Model

OBJECTS = 3


class Sure:
    """A network of random weights that is sure of the first boxes.

    Args:
        network: whose boxes, scores and embeddings it gives.
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        self.classes, self.score_kind, self.dim = network.classes, network.score_kind, network.dim
        self.features, self.embed = network.features, network.embed

    def detect(self, frames: list[Frame]) -> list[BaseDetections]:
        """Its boxes, of which the first few have a sure class."""
        return [sure(base, OBJECTS) for base in self._network.detect(frames)]


def tables(frames: list[Frame]) -> list[Row]:
    """One row: each model of the tables runs once over the frames, all variants beside it."""
    torch.manual_seed(0)
    network: Any = Sure(
        rcnn_detector(build_rcnn(RCNN_CONFIGS["minet-r101"], tuple(VID_WNIDS.values())))
    )
    model = Model("minet-r101", network, network)
    video: Any = _Video(frames)
    # Of two models: without the meta loss rows (a) and (c), with it all others.
    rows = [[v for v in paper_variants(PAPER) if v.trained is trained] for trained in (False, True)]
    names = map_classes(model.classes, model.classes)

    def every_row() -> None:
        for variants in rows:
            passes = Passes(model, variants, names, len(model.classes), Offline())
            for _ in passes.go(video):
                pass

    def detector() -> None:
        for _ in rows:
            for frame in frames:
                network.detect([frame])

    network.detect(frames[:1])
    own, alone = cpu(every_row), cpu(detector)
    return [Row("Tables II to V / a pass of each network", own / alone, 1.2)]


class _Video(SimpleNamespace):
    """Frames, as a video of a dataset gives them."""

    def __init__(self, frames: list[Frame]) -> None:
        super().__init__(name="frames", frame_rate=Fraction(25))
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def images(self) -> Iterator[tuple[int, Frame]]:
        yield from enumerate(self._frames)

    def images_backward(self) -> Iterator[tuple[int, Frame]]:
        yield from reversed(list(enumerate(self._frames)))
