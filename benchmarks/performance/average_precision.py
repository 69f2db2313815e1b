"""Average precision over as many frames as ImageNet VID has, beside pycocotools."""

import contextlib
import io
import resource
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.performance.rows import Row, ratio
from minet_core.evaluation.frames import EvalFrame, FoundBoxes, TrueBoxes
from minet_core.evaluation.precision.average_precision import ApAccumulator

FRAMES, CLASSES, OBJECTS, FOUND = 176_126, 30, 2, 30
SHARE = 20
"""Both are timed on a 20th of the frames; memory is taken on all of them."""


def average_precision(repeats: int) -> list[Row]:
    """Time against pycocotools, and what the full size adds to the peak memory of this process."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _ours(_made(FRAMES))  # first, as the peak of what comes later would hide its own
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
    made = list(_made(FRAMES // SHARE))
    time = ratio(lambda: _ours(iter(made)), lambda: _theirs(made), repeats)
    return [
        Row(f"mAP of {FRAMES // SHARE:,} frames / pycocotools", time, 0.33),
        Row(f"mAP of {FRAMES:,} frames, memory added", grown, 2.0, " GiB"),
    ]


Made = tuple[
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.float64],
]


def _made(frames: int) -> Iterator[Made]:
    """True boxes and labels, found boxes, labels and scores of each frame; objects move little."""
    rng = np.random.default_rng(0)
    for _ in range(frames):
        corners = rng.uniform(0, 400, (OBJECTS, 2))
        true = np.hstack([corners, corners + rng.uniform(40, 200, (OBJECTS, 2))])
        labels = rng.integers(CLASSES, size=OBJECTS)
        near = np.repeat(true, FOUND // OBJECTS, axis=0) + rng.normal(0, 15, (FOUND, 4))
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
        found = np.where(
            rng.random(FOUND) < 0.4,
            labels.repeat(FOUND // OBJECTS),
            rng.integers(CLASSES, size=FOUND),
        )
        yield true, labels, near, found, rng.random(FOUND)


def _ours(made: Iterator[Made]) -> float:
    average = ApAccumulator(tuple(map(str, range(CLASSES))))
    for number, (true, labels, boxes, found, scores) in enumerate(made):
        truth = TrueBoxes.of(true, labels)
        average.add(EvalFrame("v", number, truth, FoundBoxes.of(boxes, found, scores)))
    return average.result().mean


def _theirs(made: list[Made]) -> float:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for image, (true, labels, boxes, own, scores) in enumerate(made, 1):
        for box, label in zip(_sized(true), labels.tolist(), strict=True):
            area = box[2] * box[3]
            truth.append(
                {
                    "id": len(truth) + 1,
                    "image_id": image,
                    "category_id": label,
                    "bbox": box,
                    "area": area,
                    "iscrowd": 0,
                }
            )
        for box, label, score in zip(_sized(boxes), own.tolist(), scores.tolist(), strict=True):
            found.append({"image_id": image, "category_id": label, "bbox": box, "score": score})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": image} for image in range(1, len(made) + 1)],
            "annotations": truth,
            "categories": [{"id": label} for label in range(CLASSES)],
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
        evaluation.params.iouThrs = np.array([0.5])
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    return float(evaluation.eval["precision"].mean())


def _sized(boxes: NDArray[np.float64]) -> list[list[float]]:
    sized: list[list[float]] = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]).tolist()
    return sized
