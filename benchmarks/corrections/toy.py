"""Toy videos, and a detector for them that errs as detectors do."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.corrections.truth import Truth
from minet_core.datasets import make_toy, open_dataset
from minet_core.datasets.dataset import VideoTruth
from minet_core.evaluation.predictions.convert import true_boxes

_MISSED, _HIDDEN, _STRAY = 0.1, 0.02, 0.02
"""Shares of boxes that are missed, with which one is missed for long, and that are of nothing."""

_LONG = 12
"""Frames."""


def toys(folder: Path, count: int, frames: int = 100) -> Iterator[tuple[str, Path, Path, Truth]]:
    """Name, pictures, detections and truth of toy videos, the same every time.

    Args:
        folder: where they are made.
        count: of videos.
        frames: of each.
    """
    if count == 0:
        return
    made = folder / "toy"
    if not made.exists():
        make_toy(made, train=1, val=count, frames=frames)
    dataset = open_dataset(f"toy:{made}")
    for number, video in enumerate(dataset.videos[:count]):
        place = folder / f"toy-{number}"
        pictures = place / "pictures"
        if not pictures.exists():
            pictures.mkdir(parents=True)
            for index, picture in video.images():
                cv2.imwrite(str(pictures / f"{index:06}.png"), picture[:, :, ::-1])
        shown = [true_boxes(video.frame(i), inclusive=dataset.inclusive) for i in range(len(video))]
        detections = place / "det.txt"
        detections.write_text("\n".join(_found(video, number)) + "\n")
        yield place.name, pictures, detections, Truth.of(shown, video.size)


def _found(video: VideoTruth, seed: int) -> Iterator[str]:
    """Lines of MOTChallenge's det.txt: the truth with noise, and some boxes of nothing."""
    random = np.random.default_rng(seed)
    width, height = video.size
    hidden: dict[int, int] = {}
    for index in range(len(video)):
        truth = video.frame(index)
        for track, (x1, y1, x2, y2) in zip(truth.track_ids, truth.boxes, strict=True):
            if random.random() < _HIDDEN:
                hidden[int(track)] = index + _LONG
            is_missed = random.random() < _MISSED or index < hidden.get(int(track), 0)
            noise = random.normal(0, 0.06, 4) * [x2 - x1, y2 - y1, x2 - x1, y2 - y1]
            score = 0.15 if is_missed else random.uniform(0.5, 0.95)
            if is_missed and random.random() < 0.5:
                continue  # the other half is seen, though weakly
            a, b, c, d = np.array([x1, y1, x2, y2]) + noise
            yield f"{index + 1},-1,{a:.1f},{b:.1f},{c - a:.1f},{d - b:.1f},{score:.3f}"
        if random.random() < _STRAY * len(truth):
            x, y = random.uniform(0, width - 40), random.uniform(0, height - 40)
            yield f"{index + 1},-1,{x:.1f},{y:.1f},40,40,{random.uniform(0.3, 0.7):.3f}"
