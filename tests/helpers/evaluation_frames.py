"""Frames for the metrics, written as short as they can be."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minet_core.evaluation.frames import EvalFrame, FoundBoxes, TrueBoxes

Box = tuple[float, float, float, float]


def frame(
    truth: Sequence[tuple[Any, ...]] = (),
    found: Sequence[tuple[Any, ...]] = (),
    number: int = 0,
    video: str = "v",
) -> EvalFrame:
    """A frame of true (box, class, track[, ignored]) and found (box, class, score[, track])."""
    return EvalFrame(
        video,
        number,
        TrueBoxes.of(
            [t[0] for t in truth],
            [t[1] for t in truth],
            [t[2] for t in truth],
            [len(t) > 3 and t[3] for t in truth],
        ),
        FoundBoxes.of(
            [f[0] for f in found],
            [f[1] for f in found],
            [f[2] for f in found],
            [f[3] if len(f) > 3 else -1 for f in found],
        ),
    )


def at(x: float, y: float = 0, side: float = 30) -> Box:
    """A square box with its upper left corner at (x, y)."""
    return (x, y, x + side, y + side)


@st.composite
def random_frames(draw: st.DrawFn, classes: int = 2) -> list[EvalFrame]:
    """A few crowded frames: detections are shaken true boxes and boxes from nowhere."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return [_random_frame(random, number, classes) for number in range(draw(st.integers(1, 5)))]


def _random_frame(random: np.random.Generator, number: int, classes: int) -> EvalFrame:
    true, stray = int(random.integers(0, 6)), int(random.integers(0, 5))
    boxes = _random_boxes(random, true)
    again = np.repeat(np.arange(true), random.integers(0, 4, true))
    shaken = boxes[again] + random.normal(0, 4, (len(again), 4))
    shaken[:, 2:] = np.maximum(shaken[:, 2:], shaken[:, :2])
    found = np.concatenate([shaken, _random_boxes(random, stray)])
    labels = random.integers(0, classes, true)
    found_labels = np.concatenate([labels[again], random.integers(0, classes, stray)])
    return EvalFrame(
        "random",
        number,
        TrueBoxes.of(boxes, labels, np.arange(true)),
        FoundBoxes.of(found, found_labels, random.random(len(found))),
    )


def _random_boxes(random: np.random.Generator, count: int) -> np.ndarray:
    corners = random.uniform(0, 60, (count, 2))
    return np.concatenate([corners, corners + random.uniform(5, 50, (count, 2))], axis=1)
