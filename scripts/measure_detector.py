"""Measure the bundled detector on labelled pictures, and fit its calibration.

    python scripts/measure_detector.py IMAGES LABELS [--classes FILE]

IMAGES and LABELS are folders with one picture and one YOLO text file (class cx cy w h, relative)
of the same stem. Line i of FILE names class i, and a class counts if the detector knows its name;
without FILE the numbers are the detector's own. Printed: AP50, Platt's a and b, and how often a
score is right before and after.

A detection is one (box, class) pair with a raw score above --floor that class-wise NMS keeps: what
a user would be shown at a low threshold. It is right if it overlaps a still unmatched object of
its class by half, best scores first; that is the event whose probability Platt's sigmoid gives.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import batched_nms, box_iou

from minet_core.evaluation.calibration import fit_platt, log_loss, reliability, scaled
from minet_core.models.detector import Frame
from minet_core.models.nanodet.detector import NanoDetDetector, load_nanodet

WEIGHTS = Path(__file__).parents[1] / "weights" / "minet-nano-detector.safetensors"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """(box, class) pairs of all pictures: class column, raw score, and whether it is right."""

    label: NDArray[np.int64]
    raw: Floats
    right: NDArray[np.bool_]


def main() -> None:
    """Read the arguments, run the detector once over the pictures and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--classes", type=Path)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--size", type=int, default=416)
    parser.add_argument("--nms", type=float, default=0.45, help="IoU of the class-wise NMS")
    parser.add_argument("--floor", type=float, default=0.02, help="raw scores below are dropped")
    parser.add_argument("--only", help="one class instead of all")
    arguments = parser.parse_args()
    detector = load_nanodet(arguments.weights, size=arguments.size)
    a, b = detector.calibration
    detector.calibration = (1.0, 0.0)
    columns = class_columns(arguments.classes, detector.classes, arguments.only)
    examples = read_examples(arguments.images, arguments.labels, columns)
    pairs, truths = collect(detector, examples, arguments.nms, arguments.floor)
    precisions = [average_precision(pairs, label, count) for label, count in truths.items()]
    fitted = fit_platt(pairs.raw, pairs.right)
    losses = [log_loss(pairs.raw, pairs.right, each) for each in ((1, 0), (a, b), fitted)]
    lines = [
        f"{sum(truths.values())} objects of {len(truths)} classes, {len(pairs.raw)} detections",
        f"AP50 {np.mean(precisions):.4f} (area under the all-point envelope, mean over classes)",
        f"fitted a, b = {fitted[0]:.2f}, {fitted[1]:.2f}; the weights file has {a}, {b}",
        "log loss: raw {:.4f}, as in the file {:.4f}, fitted {:.4f}".format(*losses),
        *table("raw score", pairs.raw, pairs.right),
        *table("as in the file", scaled(pairs.raw, (a, b)), pairs.right),
    ]
    print("\n".join(lines))  # noqa: T201


def class_columns(path: Path | None, known: tuple[str, ...], only: str | None) -> dict[int, int]:
    """The detector's column of each class number in the label files; unknown classes are absent."""
    names = path.read_text().split("\n") if path else known
    return {
        number: known.index(name)
        for number, name in enumerate(names)
        if name in known and only in (None, name)
    }


def read_examples(
    images: Path, labels: Path, columns: dict[int, int]
) -> Iterator[tuple[Frame, Tensor, Tensor]]:
    """Each labelled picture (RGB), its (N, 4) boxes xyxy in pixels and their (N) class columns."""
    for path in sorted(images.iterdir()):
        text = labels / f"{path.stem}.txt"
        if not text.is_file():
            continue
        frame = read_frame(path)
        lines = text.read_text().splitlines()
        rows = np.array([line.split() for line in lines], dtype=np.float64).reshape(-1, 5)
        rows = rows[np.isin(rows[:, 0], list(columns))]
        centre, half = rows[:, 1:3], rows[:, 3:5] / 2
        height, width = frame.shape[:2]
        boxes = np.hstack((centre - half, centre + half)) * (width, height, width, height)
        classes = torch.tensor([columns[int(number)] for number in rows[:, 0]], dtype=torch.int64)
        yield frame, torch.from_numpy(boxes).float(), classes


def read_frame(path: Path) -> Frame:
    """One picture in RGB."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"{path} is not a picture")
    return np.ascontiguousarray(picture[:, :, ::-1]).astype(np.uint8)


def collect(
    detector: NanoDetDetector,
    examples: Iterator[tuple[Frame, Tensor, Tensor]],
    nms_iou: float,
    floor: float,
) -> tuple[Pairs, dict[int, int]]:
    """Every pair the detector reports, and how many objects there are of each class."""
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    truths: dict[int, int] = {}
    for frame, true_boxes, true_classes in examples:
        detections = detector.detect([frame])[0]
        rows, labels = (detections.scores > floor).nonzero(as_tuple=True)
        boxes, raw = detections.boxes[rows], detections.scores[rows, labels]
        kept = batched_nms(boxes, raw, labels, nms_iou)
        boxes, labels, raw = boxes[kept], labels[kept], raw[kept]
        found.append((labels, raw, match(boxes, labels, true_boxes, true_classes)))
        for label in true_classes.tolist():
            truths[label] = truths.get(label, 0) + 1
    label, raw, right = (torch.cat(column) for column in zip(*found, strict=True))
    known = torch.isin(label, torch.tensor(list(truths)))
    return Pairs(label[known].numpy(), raw[known].double().numpy(), right[known].numpy()), truths


def match(boxes: Tensor, labels: Tensor, true_boxes: Tensor, true_classes: Tensor) -> Tensor:
    """Which of the boxes, best first, take a free object of their class at an IoU of half."""
    overlaps = box_iou(boxes, true_boxes) * (labels[:, None] == true_classes)
    right = torch.zeros(len(boxes), dtype=torch.bool)
    if not len(true_boxes):
        return right
    for row in range(len(boxes)):
        overlap, taken = overlaps[row].max(dim=0)
        if overlap >= 0.5:
            right[row] = True
            overlaps[:, taken] = 0
    return right


def average_precision(pairs: Pairs, label: int, objects: int) -> float:
    """Area under the precision envelope over recall, at every recall reached (no sampling)."""
    mine = pairs.label == label
    right = pairs.right[mine][np.argsort(-pairs.raw[mine], kind="stable")]
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[right].sum() / objects)


def table(title: str, scores: Floats, right: NDArray[np.bool_]) -> Iterator[str]:
    """Lines of a table: of the detections scored so, how many there are and how many are right."""
    yield f"{title:>14} | detections | mean score | right"
    for each in reliability(scores, right):
        span = f"{each.low:.1f} to {each.low + 0.1:.1f}"
        yield f"{span:>14} | {each.count:10d} | {each.mean:10.3f} | {each.right:5.3f}"


if __name__ == "__main__":
    main()
