"""The bundled networks: the detector's call beside its network alone, and identify beside both."""

from typing import Any, cast

import torch

from benchmarks.performance.rows import Row, ratio
from minet_core import load_model
from minet_core.config import VIDEO
from minet_core.inference.candidates import likely, suppressed
from minet_core.models.detector import Frame


def networks(frames: list[Frame], repeats: int) -> list[Row]:
    """Rows on one frame after the other."""
    model = load_model(device="cpu")
    detector, embedder = cast(Any, model.detector), cast(Any, model.embedder)
    prepared = [detector._resized([frame]) for frame in frames]
    bases = [detector.detect([frame])[0] for frame in frames]
    kind = model.score_kind
    left = [suppressed(base, base.scores, kind, VIDEO.nms) for base in bases]
    asked = [
        base.boxes[likely(base, rows, kind, VIDEO)] for base, rows in zip(bases, left, strict=True)
    ]

    def network() -> None:
        for picture in prepared:
            detector._network(picture)

    def call() -> None:
        for frame in frames:
            detector.detect([frame])

    def identify() -> None:
        for frame, boxes in zip(frames, asked, strict=True):
            embedder.embed(embedder.picture(frame), boxes)

    with torch.no_grad():
        return [
            Row("detector's call / its network alone", ratio(call, network, repeats), 1.15),
            Row("identify / detector's call", ratio(identify, call, repeats), 0.5),
        ]
