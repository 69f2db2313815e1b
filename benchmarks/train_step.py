"""What meta-learning costs: a training step with the identify head's branch beside one without.

    python benchmarks/train_step.py
    python benchmarks/train_step.py --model minet-r101 --shorter 600 --device cuda --steps 20

Both steps are those of `minet train` on one pair of noise with four boxes: losses, gradients, SGD.
They are taken in turn on the same network, and the ratio of the medians is compared with --bar.
On a CPU it counts processor time of one thread, which other programs disturb least. Without
arguments it measures minet-tiny at its own size and minet-r50 at a small one, in a minute.
"""

import argparse
import statistics
import sys
import time
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from minet_core.models.faster_rcnn.network import build_rcnn
from minet_core.models.faster_rcnn.rcnn_config import RCNN_CONFIGS, RcnnConfig
from minet_core.training.data.pairs import Pair, View
from minet_core.training.data.samples import Sample, make_sample
from minet_core.training.objectives import DetectorTask
from minet_core.training.settings import TrainConfig

CLASSES = 30
SMALL = 160
"""Shorter side at which minet-r50 is measured where nothing else is asked for."""
WITH, WITHOUT = True, False


def main() -> int:
    """Measure, say so, and fail if the bar is not met."""
    arguments = _arguments()
    if arguments.model is None:
        cases = [("minet-tiny", None), ("minet-r50", SMALL)]
    else:
        cases = [(arguments.model, arguments.shorter)]
    torch.set_num_threads(1)
    worst = 0.0
    for name, shorter in cases:
        config = _smaller(RCNN_CONFIGS[name], shorter)
        ratio = measure(config, torch.device(arguments.device), arguments.steps)
        worst = max(worst, ratio)
    if worst > arguments.bar:
        print(f"a ratio of {worst:.2f} is above the bar of {arguments.bar}")
        return 1
    return 0


def measure(config: RcnnConfig, device: torch.device, steps: int) -> float:
    """Time of a step with the branch to one without; both are printed."""
    torch.manual_seed(0)
    network = build_rcnn(config, [f"class {number}" for number in range(CLASSES)]).to(device)
    sample = _sample(config).to(device)
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-5, momentum=0.9)
    tasks = {meta: DetectorTask(network, TrainConfig(meta=meta)) for meta in (WITHOUT, WITH)}
    times: dict[bool, list[float]] = {WITHOUT: [], WITH: []}
    for step in range(steps + 2):
        for meta in (WITHOUT, WITH) if step % 2 else (WITH, WITHOUT):
            seconds = _step(tasks[meta], optimiser, sample, device)
            if step >= 2:  # the first ones also set things up
                times[meta].append(seconds)
    without, beside = (statistics.median(times[meta]) for meta in (WITHOUT, WITH))
    size = "×".join(map(str, sample.images[0].shape[:0:-1]))
    print(
        f"{config.architecture}, two frames of {size}: {without:.3f} s a step without "
        f"meta-learning, {beside:.3f} s with it, ratio {beside / without:.2f} "
        f"({steps} steps each)"
    )
    return beside / without


def _step(
    task: DetectorTask, optimiser: torch.optim.Optimizer, sample: Sample, device: torch.device
) -> float:
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    torch.manual_seed(0)  # the same anchors and regions for either
    _wait(device)
    start = clock()
    total: Tensor = sum(task.losses(sample).values(), start=torch.zeros((), device=device))
    optimiser.zero_grad()
    torch.autograd.backward(total)
    optimiser.step()
    _wait(device)
    return clock() - start


def _sample(config: RcnnConfig) -> Sample:
    """A pair with four objects of a fifth to a third of the picture."""
    height, width = config.shorter, config.shorter * 4 // 3
    shares = [[0.1, 0.1, 0.3, 0.35], [0.4, 0.2, 0.7, 0.5], [0.6, 0.6, 0.85, 0.9], [0, 0.6, 0.2, 1]]
    boxes = np.array(shares, np.float32) * np.array([width, height] * 2, np.float32)
    image = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    view = View(image, boxes, np.arange(4), np.arange(4))
    generator = torch.Generator().manual_seed(0)
    return make_sample(Pair(view, view, "noise"), TrainConfig(), generator)


def _smaller(config: RcnnConfig, shorter: int | None) -> RcnnConfig:
    if shorter is None:
        return config
    return replace(config, shorter=shorter, longer=shorter * config.longer // config.shorter)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=RCNN_CONFIGS, help="one alone, instead of two")
    parser.add_argument("--shorter", type=int, help="shorter side of its pictures")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, default=9, help="steps of either kind")
    parser.add_argument("--bar", type=float, default=1.3, help="ratio that fails")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
