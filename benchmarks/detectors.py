"""What memory does with the detections of any detector: the table of docs/detectors.md.

    python -m benchmarks.detectors ROOT... --cache DIR --models minet-nano yolox_nano.onnx

Roots are folders of sequences in MOTChallenge's layout, or sequences; models are what `--model` of
`minet detect` takes. Of each sequence and model: AP50 without memory and with it, as it is known at
once; then IDF1, HOTA and ids per object without memory, with it (`online`, as `--no-link` writes)
and of a whole file (`linked`). Identities without memory are those of SORT on the same boxes, from
0.3 on, if the package `trackers` is there. Each network runs once, into the cache.
"""

import argparse
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from benchmarks.identities.data import Sequence, sequences
from benchmarks.identities.precision import scored
from benchmarks.identities.replicates import PLAIN
from benchmarks.identities.runs import PeerSettings, minet, peer
from benchmarks.identities.scores import score
from minet_core.config import VIDEO
from minet_core.models.zoo import Model, load_model

KIND = "bundled"
"""The kind of boxes that come from a model; here the model is any."""
WITHOUT = "SORT"
SORT = PeerSettings(floor=0.3)


@dataclass(frozen=True, slots=True)
class Row:
    """One model on one sequence, in percent but for ids.

    Attributes:
        precision: AP50 without memory and with it.
        identities: way → IDF1, HOTA and ids per true object.
    """

    precision: tuple[float, ...]
    identities: dict[str, tuple[float, ...]]


def main() -> None:
    """Print a table a model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("roots", nargs="+")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--models", nargs="+", required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for name in arguments.models:
        model = load_model(name, device="cpu")
        rows: list[Row] = []
        print(f"\n{Path(name).name}\n")
        for sequence in sequences(arguments.roots, arguments.cache, name):
            row = measured(sequence, model)
            if not rows:
                print("| | AP50 without → with |", " | ".join(row.identities), "|")
                print("|---" * (2 + len(row.identities)) + "|")
            rows.append(row)
            print(line(sequence.name, row), flush=True)
        print(line("mean", mean(rows)), flush=True)


def measured(sequence: Sequence, model: Model) -> Row:
    """A sequence as it is, with memory and without."""
    precision = tuple(scored(sequence, KIND, model, config)[0] for config in (None, VIDEO))
    found = minet(sequence, PLAIN, KIND, model, VIDEO)
    if find_spec("trackers"):
        found = {WITHOUT: peer(WITHOUT, SORT, sequence, PLAIN, KIND, model), **found}
    figures = {way: score(sequence, PLAIN, boxes) for way, boxes in found.items()}
    return Row(precision, {way: (one.idf1, one.hota, one.ids) for way, one in figures.items()})


def mean(rows: list[Row]) -> Row:
    """The mean of all sequences."""
    ways = rows[0].identities
    return Row(
        tuple(np.mean([row.precision for row in rows], axis=0)),
        {way: tuple(np.mean([row.identities[way] for row in rows], axis=0)) for way in ways},
    )


def line(name: str, row: Row) -> str:
    """One row of the table."""
    without, memory = row.precision
    cells = [f"{one[0]:.1f} / {one[1]:.1f} / {one[2]:.2f}" for one in row.identities.values()]
    return " | ".join([f"| {name}", f"{without:.1f} → {memory:.1f}", *cells]) + " |"


if __name__ == "__main__":
    main()
