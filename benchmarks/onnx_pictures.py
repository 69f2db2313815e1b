"""An ONNX detector by minet beside the same file run by a few plain lines: precision, and time.

    python -m benchmarks.onnx_pictures yolox_nano.onnx IMAGES LABELS [--floor 0.02]

For YOLOX and NanoDet with COCO's 80 classes; IMAGES and LABELS as in scripts/measure_detector.py.
The plain lines decode every cell, keep scores above the floor and suppress class by class. Printed:
AP50 of both in percent, and the median CPU time of `detect` beside that of the session alone, on
the same pictures in turn.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import cv2
import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torchvision.ops import batched_nms

from minet_core.models.detector import Frame
from minet_core.models.onnx.detector import load_onnx
from minet_core.models.onnx.preparation import prepare
from scripts.measure_detector import Pairs, average_precision, match, read_examples

SIDE = 416
NMS = 0.45
NANODET = np.array([[103.53, 116.28, 123.675], [57.375, 57.12, 58.395]], np.float32)

Floats = NDArray[np.float32]
Found = tuple[Floats, Floats]
"""(A, 4) boxes xyxy in pixels of the frame, (A, 80) scores."""


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--floor", type=float, default=0.02, help="scores below are dropped")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    examples = list(read_examples(arguments.images, arguments.labels, {i: i for i in range(80)}))
    ours, plain = by_minet(arguments.model), by_hand(arguments.model)
    for name, detect in (("minet", ours), ("plain", plain)):
        print(f"{name} AP50 {100 * precision(detect, examples, arguments.floor):.2f}")
    times(arguments.model, [frame for frame, _, _ in examples[:60]])


def by_minet(path: Path) -> Callable[[Frame], Found]:
    """As minet reads the file."""
    detector = load_onnx(path)

    def detect(frame: Frame) -> Found:
        (found,) = detector.detect([frame])
        return found.boxes.numpy(), found.scores.numpy()

    return detect


def by_hand(path: Path) -> Callable[[Frame], Found]:
    """By ONNX Runtime and NumPy."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session: Any = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    steps = [(x, y, s) for s in (8, 16, 32) for y in range(SIDE // s) for x in range(SIDE // s)]
    cells = np.array(steps, np.float32)
    stride = cells[:, 2:]

    def detect(frame: Frame) -> Found:
        height, width = frame.shape[:2]
        scale = SIDE / max(height, width)
        size = round(width * scale), round(height * scale)
        nanodet = len(session.get_outputs()) == 2
        left, top = ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2) if nanodet else (0, 0)
        picture = np.full((SIDE, SIDE, 3), 0 if nanodet else 114, np.uint8)
        picture[top : top + size[1], left : left + size[0]] = cv2.resize(frame[..., ::-1], size)
        pixels = picture.astype(np.float32)
        if nanodet:
            pixels = (pixels - NANODET[0]) / NANODET[1]
        outputs = session.run(None, {name: np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])})
        if nanodet:
            scores = 1 / (1 + np.exp(-outputs[0][0]))
            bins = np.exp(outputs[1][0].reshape(len(cells), 4, -1))
            sides = (bins / bins.sum(axis=2, keepdims=True)) @ np.arange(bins.shape[2]) * stride
            middle = (cells[:, :2] + 0.5) * stride
            boxes = np.hstack([middle - sides[:, :2], middle + sides[:, 2:]])
        else:
            table = outputs[0][0]
            scores = table[:, 4:5] * table[:, 5:]
            middle = (table[:, :2] + cells[:, :2]) * stride
            half = np.exp(table[:, 2:4]) * stride / 2
            boxes = np.hstack([middle - half, middle + half])
        ratio = np.array([size[0] / width, size[1] / height] * 2)
        boxes = (boxes - [left, top, left, top]) / ratio
        return boxes.clip(0, [width, height] * 2).astype(np.float32), scores

    return detect


def precision(detect: Callable[[Frame], Found], examples: list[Any], floor: float) -> float:
    """Mean AP50 over the classes that are there."""
    found: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    truths: defaultdict[int, int] = defaultdict(int)
    for frame, true_boxes, true_labels in examples:
        boxes, scores = map(torch.from_numpy, detect(frame))
        rows, labels = (scores > floor).nonzero(as_tuple=True)
        raw = scores[rows, labels]
        kept = batched_nms(boxes[rows], raw, labels, NMS)
        labels, raw = labels[kept], raw[kept]
        found.append((labels, raw, match(boxes[rows][kept], labels, true_boxes, true_labels)))
        for label in true_labels.tolist():
            truths[label] += 1
    columns = [torch.cat(part).numpy() for part in zip(*found, strict=True)]
    pairs = Pairs(columns[0], columns[1].astype(np.float64), columns[2])
    return float(np.mean([average_precision(pairs, one, count) for one, count in truths.items()]))


def times(path: Path, frames: list[Frame]) -> None:
    """Print what a call costs beside its session."""
    detector = load_onnx(path)
    session: Any = detector._graph.session._session
    call: list[float] = []
    alone: list[float] = []
    for frame in frames:
        pictures, _ = prepare([frame], detector.recognised.preparation)
        for spent, run in (
            (call, lambda frame=frame: detector.detect([frame])),
            (
                alone,
                lambda given=pictures: session.run(None, {session.get_inputs()[0].name: given}),
            ),
        ):
            before = process_time()
            run()
            spent.append(process_time() - before)
    ratio = median(a / b for a, b in zip(call, alone, strict=True))
    print(f"call {1000 * median(call):.1f} ms, session {1000 * median(alone):.1f} ms: {ratio:.2f}")


if __name__ == "__main__":
    main()
