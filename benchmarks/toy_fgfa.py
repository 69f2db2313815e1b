"""FGFA beside the plain detector on the toy dataset, in pairs over seeds (§IV-H without memory).

    python -m benchmarks.toy_fgfa --out toy-fgfa --seeds 3

For each seed minet-tiny learns to detect. From there it goes on twice, on the same pairs and for as
many steps: as it is, and with aggregation (a learnt correlation, two neighbours a frame). What is
trained with aggregation is measured with windows of 4 and 4, 1 and 1, and of each frame alone. The
toy's videos have blur, occlusion and flicker. AP50 in percent on videos it did not learn from,
without memory; intervals are Student's t over the seeds, at 95 %.

Stopped at any moment, it goes on when started again.
"""

import argparse
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from benchmarks.toy_ablation import CLASSES, WIDTH, Lines, Scores, interval
from minet_core.datasets import make_toy, open_dataset
from minet_core.models.faster_rcnn.windowed import rcnn_detector
from minet_core.models.network_file import load_rcnn
from minet_core.models.zoo import Model
from minet_core.training.output_folder import LAST
from minet_core.training.settings import TINY, TrainConfig
from minet_core.training.train import train
from minet_core.training.validation import precision

WINDOWS = ((4, 4), (1, 1), (0, 0))
PLAIN = "plain"
AGGREGATED = (("aggregation", "correlation"), ("window", [4, 4]))
"""Settings of the network that aggregates frames."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the trainings have in common.

    Attributes:
        out: folder of everything.
        steps: of the training that both begin with.
        more: steps that each goes on for.
    """

    out: Path
    steps: int
    more: int

    @property
    def data(self) -> Path:
        """The toy dataset."""
        return self.out / "toy"

    def scores(self, seed: int) -> Scores:
        """AP50 of every row for one seed; what is done already is read."""
        kept = self.out / f"seed{seed}.json"
        if not kept.exists():
            base = self._trained(f"seed{seed}-base", self.steps, self._config(seed))
            further = self._config(seed, model=str(base))
            plain = self._trained(f"seed{seed}-plain", self.more, further)
            aggregated = replace(further, network=AGGREGATED, neighbours=2)
            fgfa = self._trained(f"seed{seed}-fgfa", self.more, aggregated)
            found = {PLAIN: self._measured(plain)}
            found |= {f"FGFA, window {w[0]} and {w[1]}": self._measured(fgfa, w) for w in WINDOWS}
            kept.write_text(json.dumps(found))
        scores: Scores = json.loads(kept.read_text())
        return scores

    def _config(self, seed: int, model: str = TINY.model) -> TrainConfig:
        data = ((f"toy:{self.data}", 1.0),)
        return replace(
            TINY,
            model=model,
            data=data,
            seed=seed,
            meta=False,
            shorter=WIDTH * 3 // 4,
            longer=WIDTH,
        )

    def _trained(self, name: str, steps: int, config: TrainConfig) -> Path:
        milestones = (steps * 3 // 4, steps * 11 // 12)
        config = replace(config, steps=steps, milestones=milestones)
        folder = self.out / name
        if train(config, folder, Lines(name), device="cpu", resume=True).stopped:
            sys.exit(130)
        return folder / LAST

    def _measured(self, weights: Path, window: tuple[int, int] | None = None) -> float:
        network = load_rcnn(weights)
        if window is not None:
            network.config = replace(network.config, window=window)
        detector = rcnn_detector(network)
        dataset = open_dataset(f"toy:{self.data}", "val")
        return 100 * precision(Model("toy", detector, detector), dataset, memory=False).value


def main() -> None:
    """Train, measure and tell, as far as it is not done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("toy-fgfa"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=700, help="of the training before")
    parser.add_argument("--more", type=int, default=400, help="of each of the two")
    parser.add_argument("--objects", type=int, nargs=2, default=(1, 2), help="in a video")
    parser.add_argument("--val", type=int, default=20, help="videos to measure on")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    plan = Plan(arguments.out, arguments.steps, arguments.more)
    if not plan.data.exists():
        objects = (arguments.objects[0], arguments.objects[1])
        sizes = {"train": 80, "val": arguments.val, "frames": 24, "size": WIDTH}
        make_toy(plan.data, seed=1, classes=CLASSES, objects=objects, **sizes)
    found: list[Scores] = []
    for seed in range(arguments.seeds):
        found.append(plan.scores(seed))
        report(found)


def report(found: list[Scores]) -> None:
    """Print the rows and what each gains over the plain detector, of the seeds up to now."""
    print(f"\n{len(found)} seeds, AP50 in percent, 95 % interval")
    for row in found[0]:
        mean, half = interval([scores[row] for scores in found])
        gain, spread = interval([scores[row] - scores[PLAIN] for scores in found])
        margins = ["" if each is None else f" ± {each:.1f}" for each in (half, spread)]
        each = ", ".join(f"{scores[row]:.1f}" for scores in found)
        print(f"{row:22}{mean:6.1f}{margins[0]}  {gain:+5.1f}{margins[1]}   ({each})", flush=True)


if __name__ == "__main__":
    main()
