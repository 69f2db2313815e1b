"""How often an identifier of a true box chooses its object's proposal later on: the paper's Fig. 5.

    python benchmarks/association.py --data toy:toy --model run/last.safetensors

For each track an identifier is learnt from its first true box. In every later frame, of all
proposals the one with the highest association is taken: right if it overlaps the object by half.
"""

import argparse

import numpy as np

from minet_core.config import PAPER
from minet_core.datasets import open_dataset
from minet_core.evaluation.tracks.chosen_proposals import Chosen, chosen
from minet_core.models.zoo import load_model

REACHES = (1, 5, 10, 30)


def main() -> None:
    """Choose and tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--model", default="minet-nano")
    parser.add_argument("--identify", help="as in `minet detect`: a file, or fc6")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    dataset = open_dataset(arguments.data, arguments.split)
    model = load_model(arguments.model, identify=arguments.identify, device=arguments.device)
    found: list[Chosen] = []
    for video in dataset.videos:
        found += chosen(video, model, PAPER, inclusive=dataset.inclusive)
    print(f"{dataset.name}: {len(found)} choices for true boxes of later frames")
    first = 1
    for last in (*REACHES, None):
        rows = [each for each in found if first <= each.after <= (last or each.after)]
        if rows:
            right = np.mean([each.iou >= 0.5 for each in rows])
            span = f"{first} to {last}" if last else f"{first} and more"
            print(f"{span:>12} frames after: {100 * right:5.1f} % right, of {len(rows)}")
        first = (last or first) + 1


if __name__ == "__main__":
    main()
