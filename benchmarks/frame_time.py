"""Milliseconds a frame of the paper's network with its memory, beside the paper's 133.

    python benchmarks/frame_time.py --model minet-r101 --device cuda

On a CPU it is CPU time that counts, summed over threads, since other programs do not change it;
OMP_NUM_THREADS=1 makes that the time of one idle core.

Random weights and noise: what is timed is the work, not what is found. As no score of random
weights is above 0.1, the memory is given as many sure boxes a frame as `--objects` says, in the
place of the detector's best. The paper's figure, of a Titan V, says neither how many objects there
were nor whether reading the picture is in it; here it is not.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from minet_core.config import PAPER
from minet_core.datasets.imagenet.classes import VID_WNIDS
from minet_core.inference.online import OnlineDetector
from minet_core.models.detector import BaseDetections, Frame
from minet_core.models.faster_rcnn.network import build_rcnn
from minet_core.models.faster_rcnn.rcnn_config import RCNN_CONFIGS
from minet_core.models.faster_rcnn.windowed import rcnn_detector
from minet_core.models.zoo import Model

PUBLISHED = 133.0


def main() -> None:
    """Time frames and tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", choices=RCNN_CONFIGS, default="minet-r101")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--objects", type=int, default=3)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    network = build_rcnn(RCNN_CONFIGS[arguments.model], tuple(VID_WNIDS.values()))
    detector = rcnn_detector(network, arguments.device)
    model = Model(arguments.model, detector, detector)
    online = OnlineDetector(model, PAPER)
    frames = np.random.default_rng(0).integers(0, 255, (4, 720, 1280, 3), dtype=np.uint8)
    clock = time.process_time if arguments.device == "cpu" else time.perf_counter
    before: list[Frame] = []
    detect, whole = [], []
    for index in range(arguments.frames + 2):
        frame = frames[index % len(frames)].copy()
        began = clock()
        model.surround(frame, before[-model.window[0] :] if model.window[0] else [], [])
        base = sure(detector.detect([frame])[0], arguments.objects)
        seen = clock()
        online.step(frame, frame=index, time=index / 25, base=base)
        if index >= 2:  # the first ones are slower
            detect.append(1000 * (seen - began))
            whole.append(1000 * (clock() - began))
        before.append(frame)
    tell(arguments.model, arguments.device, detect, whole)


def sure(base: BaseDetections, objects: int) -> BaseDetections:
    """The detections with a sure class for the first boxes."""
    scores = torch.full_like(base.scores, 0.05 / base.scores.shape[1])
    scores[:, 0] = 0.95
    scores[:objects] = 0.1 / base.scores.shape[1]
    scores[:objects, 1] = 0.9
    return replace(base, scores=scores / scores.sum(dim=1, keepdim=True))


def tell(model: str, device: str, detect: Sequence[float], whole: Sequence[float]) -> None:
    """Print the medians."""
    detector, total = statistics.median(detect), statistics.median(whole)
    device = f"CPU, {torch.get_num_threads()} threads" if device == "cpu" else device
    print(f"{model} on {device}, a frame of 1280 × 720, median of {len(whole)}")
    print(f"detector {detector:8.1f} ms")
    print(f"memory   {total - detector:8.1f} ms, with its embeddings")
    print(f"both     {total:8.1f} ms; the paper, on a Titan V: {PUBLISHED:.0f} ms")


if __name__ == "__main__":
    main()
