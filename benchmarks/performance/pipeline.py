"""The pipeline without its model: how much of decoding, drawing and encoding is hidden."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import torch

from benchmarks.performance.rows import Row
from minet_core import DetectOptions, annotate
from minet_core.inference.timings import StageClock
from minet_core.models.detector import BaseDetections, Frame
from minet_core.models.zoo import Model
from minet_core.scores import ScoreKind

THREADS = (("decode",), ("detector", "identify", "memory"), ("draw", "encode", "write"))
"""Stages that run one after the other, a thread each."""


class Sure:
    """One box in the middle of each frame, at no cost."""

    classes = ("thing",)
    score_kind = ScoreKind.SIGMOID

    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        """A box a frame."""
        found = []
        for frame in frames:
            height, width = frame.shape[:2]
            box = torch.tensor([[width * 0.4, height * 0.4, width * 0.6, height * 0.6]])
            found.append(BaseDetections(box, box, torch.tensor([[0.9]])))
        return found


def pipeline(video: Path, folder: Path, frames: int, repeats: int) -> list[Row]:
    """Wall of a whole run against its busiest thread."""
    model: Any = Model("stub", Sure(), None)  # type: ignore[arg-type]
    options = DetectOptions(
        memory=False, link=False, overwrite=True, max_frames=frames, formats=("json",)
    )
    shares = []
    for _ in range(repeats):
        clock = StageClock()
        with patch("minet_core.runs.opened_video.StageClock", lambda clock=clock: clock):
            summary = annotate(video, folder / "pipeline", model, options)
        busiest = max(sum(map(clock.seconds, stages)) for stages in THREADS)
        shares.append(summary.seconds / busiest)
    return [Row("pipeline with a stub / its busiest thread, wall", median(shares), 1.05)]
