"""The bundled networks: the detector's call beside its network alone, and identify beside both."""

from typing import Any, cast

import torch

from benchmarks.performance.rows import Row, ratio
from minet_core import load_model
from minet_core.config import VIDEO
from minet_core.memory.support import positive_boxes
from minet_core.models.detector import Frame

OBJECTS = 6
"""Slots that learn in each frame."""


def networks(frames: list[Frame], repeats: int) -> list[Row]:
    """Rows on one frame after the other."""
    model = load_model(device="cpu")
    detector, embedder = cast(Any, model.detector), model.embedder
    prepared = [detector._resized([frame]) for frame in frames]
    bases = [detector.detect([frame])[0] for frame in frames]

    def network() -> None:
        for picture in prepared:
            detector._network(picture)

    def call() -> None:
        for frame in frames:
            detector.detect([frame])

    def identify() -> None:
        for frame, base in zip(frames, bases, strict=True):
            features = embedder.features(frame)
            embedder.embed(features, base.proposals)
            embedder.embed(
                features, positive_boxes(base.boxes[:OBJECTS], VIDEO.positives).flatten(0, 1)
            )

    with torch.no_grad():
        return [
            Row("detector's call / its network alone", ratio(call, network, repeats), 1.15),
            Row("identify / detector's call", ratio(identify, call, repeats), 0.5),
        ]
