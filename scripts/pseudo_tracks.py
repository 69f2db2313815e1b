"""Make a training set of identities out of footage that nobody has annotated.

    python scripts/pseudo_tracks.py VIDEO... --out DIR [--stride 2] [--model NAME|FILE]

The detector looks at every n-th frame; sure detections are linked by overlap alone, and only the
stretches without doubt are kept (`minet_core/training/data/pseudo_tracks.py`). DIR becomes a
dataset in MOTChallenge's layout, a sequence a video, for `minet train --model identify --data
mot:DIR`. Its frames are not fully annotated: it says nothing of what is no object.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.ops import nms

from minet_core import load_model
from minet_core.models.detector import Detector, Frame
from minet_core.scores import foreground
from minet_core.training.data.pseudo_tracks import Stretch, certain_stretches
from minet_core.video import open_video

SAME_OBJECT = 0.55
"""Of two detections that overlap by more, whatever their classes, the surer one counts."""
LEAST_SCORE = 0.25


def main() -> None:
    """Make a sequence of each video."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stride", type=int, default=2)
    parser.add_argument("--model", default="minet-nano")
    arguments = parser.parse_args()

    detector = load_model(arguments.model).detector
    for video in arguments.videos:
        folder = arguments.out / "train" / video.stem
        if folder.exists():
            raise SystemExit(f"{folder}: is there already")
        stretches = make_sequence(video, folder, detector, arguments.stride)
        count = sum(len(stretch.frames) for stretch in stretches)
        print(f"{video.stem}: {len(stretches)} stretches, {count} boxes")  # noqa: T201


def make_sequence(video: Path, folder: Path, detector: Detector, stride: int) -> list[Stretch]:
    """Write one video's pictures and what is certain in them."""
    pictures = folder / "img1"
    pictures.mkdir(parents=True)
    boxes, scores = [], []
    with open_video(video, stride=stride) as reader:
        for number, frame in enumerate(reader, 1):
            found = detected(detector, frame.image)
            boxes.append(found[0])
            scores.append(found[1])
            cv2.imwrite(
                str(pictures / f"{number:06d}.jpg"),
                frame.image[..., ::-1],
                [cv2.IMWRITE_JPEG_QUALITY, 95],
            )
    stretches = certain_stretches(boxes, scores)
    rows = [
        (frame + 1, track, *as_xywh(boxes[frame][row]), 1, 1, 1)
        for track, stretch in enumerate(stretches, 1)
        for frame, row in zip(stretch.frames, stretch.rows, strict=True)
    ]
    (folder / "gt").mkdir()
    lines = [",".join(f"{value:g}" for value in row) for row in sorted(rows)]
    (folder / "gt/gt.txt").write_text("".join(f"{line}\n" for line in lines))
    (folder / "gt/labels.txt").write_text("object\n")
    return stretches


def detected(detector: Detector, image: Frame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N, 4) boxes of one frame and their (N,) scores, one of each object."""
    (found,) = detector.detect([image])
    best = foreground(found.scores, detector.score_kind).amax(dim=1)
    sure = (best >= LEAST_SCORE).nonzero().flatten()
    rows = sure[nms(found.boxes[sure], best[sure], SAME_OBJECT)]
    return found.boxes[rows].double().numpy(), best[rows].double().numpy()


def as_xywh(box: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Left, top, width and height, to a hundredth of a pixel."""
    left, top, right, bottom = (round(float(v), 2) for v in box)
    return left, top, round(right - left, 2), round(bottom - top, 2)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
