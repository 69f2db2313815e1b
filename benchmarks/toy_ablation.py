"""Table III and Table V on the toy dataset: what meta-training and memory do, with intervals.

    python benchmarks/toy_ablation.py --out toy-ablation --seeds 5

For each seed minet-tiny first learns to detect, without the meta loss. As the paper's trainings
begin with an ImageNet backbone, those compared go on from there, on the same pairs and for as many
steps again: without the meta loss, and with it. Each is measured without memory and with it:

    (a) no meta loss, no memory        (b) meta loss, no memory
    (c) no meta loss, memory           (d) meta loss, memory

As in the paper, (c) takes its embeddings from the detect head's first layer (fc6). For Table V, (d)
is measured once more with the decay σ = 0.

What is compared is compared within a seed; intervals are Student's t over the seeds, at 95 %.
Stopped at any moment, it goes on when started again. With `--scratch` the trainings compared begin
with random weights.

`--objects 1 2` makes videos as ImageNet VID mostly has them. With more objects, negatives around
the target alone teach the identify head to lose identity; `--others 0.5` is what helps.

The toy is made easy enough to be learnt in minutes on one core: two shapes, 160 pixels wide.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy import stats

from minet_core.config import PAPER
from minet_core.datasets import make_toy, open_dataset
from minet_core.evaluation.eval_config import EvalOptions, Variant
from minet_core.evaluation.evaluate import evaluate_model
from minet_core.evaluation.predictions.predict import Finder
from minet_core.models.faster_rcnn.fc6 import Fc6Embedder
from minet_core.models.faster_rcnn.windowed import rcnn_detector
from minet_core.models.network_file import load_rcnn
from minet_core.models.zoo import Model
from minet_core.training.output_folder import LAST
from minet_core.training.settings import TINY, TrainConfig, recipe
from minet_core.training.train import train
from minet_core.training.validation import Measured

CLASSES = ("disc", "cross")
WIDTH = 160
VARIANTS = (
    Variant("no memory", None),
    Variant("memory", PAPER),
    Variant("memory, σ = 0", replace(PAPER, decay=0.0)),
)
ROWS = {
    "(a)": ("plain", "no memory"),
    "(b)": ("meta", "no memory"),
    "(c)": ("plain", "memory"),
    "(d)": ("meta", "memory"),
    "(d) σ = 0": ("meta", "memory, σ = 0"),
}
"""Row → which training, measured how."""

DIFFERENCES = (("(a)", "(c)"), ("(b)", "(d)"), ("(a)", "(b)"), ("(a)", "(d)"), ("(d) σ = 0", "(d)"))

Scores = Mapping[str, float]
"""Row → mean AP50."""


class Lines:
    """A line every hundred steps."""

    def __init__(self, name: str) -> None:
        self._name = name

    def note(self, line: str) -> None:
        """Something to know."""
        print(f"{self._name}: {line}", flush=True)

    def begins(self, done: int, config: TrainConfig) -> None:
        """Steps begin."""
        self.note(f"{config.steps} steps, {done} of them done")

    def step(self, done: int, numbers: Mapping[str, float]) -> None:
        """A step is done."""
        if done % 100 == 0:
            self.note(f"step {done}, loss {numbers['loss']:.3f}, {numbers['step_seconds']:.2f} s")

    def measured(self, done: int, found: Measured, *, best: bool) -> None:
        """Nothing is measured on the way."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the trainings have in common.

    Attributes:
        out: folder of everything.
        steps: of each training.
        scratch: whether those compared begin with random weights.
        others: share of negatives around other objects.
        meta_ramp: steps in which the meta loss comes in.
        model: which network.
    """

    out: Path
    steps: int
    scratch: bool
    others: float
    meta_ramp: int
    model: str

    @property
    def data(self) -> Path:
        """The toy dataset."""
        return self.out / "toy"

    def trained(self, name: str, seed: int, begin: Path | None, *, meta: bool) -> Path:
        """Weights of a training, from random weights if there are none to begin with."""
        folder, steps = self.out / f"seed{seed}-{name}", self.steps
        config = replace(
            recipe(self.model),
            model=self.model if begin is None else str(begin),
            data=((f"toy:{self.data}", 1.0),),
            seed=seed,
            meta=meta,
            meta_ramp=self.meta_ramp,
            others=self.others,
            steps=steps,
            milestones=(steps * 3 // 4, steps * 11 // 12),
            shorter=WIDTH * 3 // 4,
            longer=WIDTH,
        )
        if train(config, folder, Lines(folder.name), device="cpu", resume=True).stopped:
            sys.exit(130)
        return folder / LAST

    def scores(self, seed: int) -> Scores:
        """Mean AP50 of every row for one seed; what is done already is read."""
        begin = None if self.scratch else self.trained("base", seed, None, meta=False)
        by_kind = {}
        for kind, meta in (("plain", False), ("meta", True)):
            weights = self.trained(kind, seed, begin, meta=meta)
            path = weights.with_name("scores.json")
            if not path.exists():
                path.write_text(json.dumps(measure(weights, self.data, meta=meta)))
            by_kind[kind] = json.loads(path.read_text())
        return {row: by_kind[kind][variant] for row, (kind, variant) in ROWS.items()}


def main() -> None:
    """Train, measure and tell, as far as it is not done."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("toy-ablation"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=1200, help="of each training")
    parser.add_argument(
        "--objects", type=int, nargs=2, default=(4, 7), help="fewest and most in a video"
    )
    parser.add_argument("--others", type=float, default=0.0, help="as in `minet train`")
    parser.add_argument("--meta-ramp", type=int, default=TINY.meta_ramp, help="likewise")
    parser.add_argument("--model", default=TINY.model, help="or minet-fgfa-tiny, for §IV-H")
    parser.add_argument("--scratch", action="store_true", help="begin with random weights")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    out, steps = arguments.out, arguments.steps
    plan = Plan(
        out, steps, arguments.scratch, arguments.others, arguments.meta_ramp, arguments.model
    )
    if not plan.data.exists():
        objects = (arguments.objects[0], arguments.objects[1])
        make_toy(
            plan.data,
            seed=1,
            classes=CLASSES,
            objects=objects,
            train=80,
            val=20,
            frames=24,
            size=WIDTH,
        )
    found: list[Scores] = []
    for seed in range(arguments.seeds):
        found.append(plan.scores(seed))
        report(arguments.out / "table.json", arguments.steps, found)


def measure(weights: Path, data: Path, *, meta: bool) -> Scores:
    """Mean AP50 of every variant."""
    dataset = open_dataset(f"toy:{data}", "val")
    network = load_rcnn(weights)
    detector = rcnn_detector(network)
    model = Model("toy", detector, detector if meta else Fc6Embedder(detector))
    options = EvalOptions()
    finder = Finder(dataset, lambda _: model, VARIANTS, options.offline)
    result = evaluate_model(dataset, [finder], VARIANTS, options)
    return {name: scores.ap.mean for name, scores in result.variants.items()}


def report(path: Path, steps: int, found: list[Scores]) -> None:
    """Print the table of the seeds up to now, and write it."""
    rows = {row: interval([100 * scores[row] for scores in found]) for row in ROWS}
    differences = {
        f"{before} → {after}": interval(
            [100 * (scores[after] - scores[before]) for scores in found]
        )
        for before, after in DIFFERENCES
    }
    print(f"\n{len(found)} seeds, {steps} steps each: mean AP50 in percent, 95 % interval")
    for name, (mean, half) in (rows | differences).items():
        sign = "+" if "→" in name else ""
        margin = "" if half is None else f" ± {half:.2f}"
        print(f"{name:18} {mean:{sign}7.2f}{margin}", flush=True)
    content = {"steps": steps, "seeds": found, "rows": rows, "differences": differences}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def interval(values: list[float]) -> tuple[float, float | None]:
    """Mean, and half the width of its 95 % interval; none of one value."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, None
    spread = float(stats.sem(values))
    return mean, float(stats.t.ppf(0.975, len(values) - 1)) * spread


if __name__ == "__main__":
    main()
