"""The memory of a run, camera included, beside other trackers on the same boxes and pictures."""

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torchvision.ops import batched_nms

from benchmarks.performance.rows import Row
from minet_core import load_model
from minet_core.config import VIDEO
from minet_core.inference.online import OnlineDetector
from minet_core.inference.timings import StageClock
from minet_core.models.detector import BaseDetections, Detector, Frame
from minet_core.models.zoo import Model

FLOOR, NMS = 0.1, 0.45


class Replay:
    """A detector that has seen the frames before.

    Args:
        of: what it repeats.
        bases: what that said of each frame, in order.
    """

    def __init__(self, of: Detector, bases: list[BaseDetections]) -> None:
        self.classes, self.score_kind = of.classes, of.score_kind
        self._bases = iter(bases)

    def detect(self, frames: list[Frame]) -> list[BaseDetections]:
        """Of the next frames."""
        return [next(self._bases) for _ in frames]


def association(frames: list[Frame], repeats: int) -> list[Row]:
    """Rows on consecutive frames; none without the package `trackers`."""
    try:
        import supervision
        import trackers
    except ImportError:
        return []
    model = load_model(device="cpu")
    bases = [model.detector.detect([frame])[0] for frame in frames]
    boxes = []
    for base in bases:
        best = base.scores.max(dim=1)
        rows = (best.values > FLOOR).nonzero().flatten()
        rows = rows[batched_nms(base.boxes[rows], best.values[rows], best.indices[rows], NMS)]
        own = base.boxes[rows].numpy(), best.values[rows].numpy(), best.indices[rows].numpy()
        boxes.append(supervision.Detections(xyxy=own[0], confidence=own[1], class_id=own[2]))
    bgr = [np.ascontiguousarray(frame[..., ::-1]) for frame in frames]

    def minet() -> float:
        clock = StageClock()
        replay: Any = Replay(model.detector, bases)
        online = OnlineDetector(
            Model(model.name, replay, model.embedder), VIDEO, link=True, clock=clock
        )
        for number, frame in enumerate(frames):
            online.observe(frame, frame=number, pts=None, time=number / 25)
        return clock.seconds("memory")

    def peer(name: str, *, pictures: bool) -> Callable[[], float]:
        def run() -> float:
            tracker = getattr(trackers, name)()
            started = perf_counter()
            for picture, own in zip(bgr, boxes, strict=True):
                tracker.update(own, **({"frame": picture} if pictures else {}))
            return perf_counter() - started

        return run

    byte, bot = peer("ByteTrackTracker", pictures=False), peer("BoTSORTTracker", pictures=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    runs = [(minet(), byte(), bot()) for _ in range(repeats + 1)][1:]
    torch.set_num_threads(threads)
    own, bytetrack, botsort = (median(column) for column in zip(*runs, strict=True))
    return [
        Row("memory in a run / BoT-SORT", own / botsort, 0.5),
        Row("memory in a run / ByteTrack", own / bytetrack),
    ]
