"""How many of the wrong places of results lie among the first doubts, and the weights of doubts.

    python -m benchmarks.doubts TRACKED TUD-Campus TUD-Stadtmitte --cache DIR

Every sequence is tracked as `minet detect` does, with the bundled detector's boxes and with those
of det/det.txt. Wrong places are: a true object that goes on under another id, a track that goes on
to another true object, and a track of nothing; what happens within `NEAR` frames to the same tracks
is one place. A place is found by a doubt about one of its tracks, at most `NEAR` frames away, whose
question has the answer "wrong" by the truth. Doubts of a sequence are ranked with weights that were
fitted to the other sequences; those printed at the end are fitted to all.

Then somebody who knows the truth answers the first questions, as the page asks them, and nothing
else is mended: IDF1 after so many answers.
"""

import argparse
import warnings
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.doubts.answers import idf1_after, most
from benchmarks.doubts.truth import Run, finds, is_wrong, run_of, wrong_places
from benchmarks.identities.data import sequences
from benchmarks.identities.replicates import PLAIN
from benchmarks.identities.runs import minet
from minet_core.config import VIDEO
from minet_core.formats import doubts
from minet_core.formats.doubts import Doubt, doubts_of
from minet_core.models.zoo import load_model

FIRST = (5, 10, 20, 40)
_RIDGE = 1.0


def fitted(runs: Iterable[Run]) -> dict[str, tuple[float, ...]]:
    """Weights of each kind by logistic regression with a ridge."""
    rows: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    wrong: dict[str, list[bool]] = defaultdict(list)
    for run in runs:
        for doubt in doubts_of(run.tracks, run.size, run.last):
            if (answer := is_wrong(run, doubt)) is not None:
                rows[doubt.kind].append((1.0, *doubt.numbers))
                wrong[doubt.kind].append(answer)
    made = dict(doubts.WEIGHTS)
    for kind in rows.keys() - {"class"}:
        made[kind] = _logistic(np.array(rows[kind]), np.array(wrong[kind], np.float64))
    return made


def _logistic(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, ...]:
    weights = np.zeros(x.shape[1])
    ridge = _RIDGE * np.eye(x.shape[1])
    ridge[0, 0] = 0.1
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (y - chance) - ridge @ weights
        weights += np.linalg.solve((x.T * (chance * (1 - chance))) @ x + ridge, slope)
    return tuple(round(float(w), 2) for w in weights)


def show(runs: list[Run], orders: dict[str, list[list[Doubt]]]) -> None:
    """Print a table: for each order of doubts the share of wrong places among the first ones."""
    places = [wrong_places(run) for run in runs]
    total = sum(map(len, places))
    counts = [len(listed) for listed in orders["fitted"]]
    print(f"runs {len(runs)}, wrong places {total}, doubts {sum(counts)}")
    for name, ranked in orders.items():
        cells = []
        for first in (*FIRST, None):
            found = 0
            for run, listed, own in zip(runs, ranked, places, strict=True):
                asked = [doubt for doubt in listed[:first] if is_wrong(run, doubt)]
                found += sum(any(finds(doubt, place) for doubt in asked) for place in own)
            cells.append(f"{'all' if first is None else first}: {found / max(total, 1):.0%}")
        print(f"{name:10} {'  '.join(cells)}")


def main() -> None:
    """Print the tables and the weights."""
    asked = arguments()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    model = load_model(device="cpu")
    runs = []
    for sequence in sequences(asked.roots, asked.cache):
        for kind in ("bundled", "foreign"):
            if kind == "bundled" or sequence.foreign is not None:
                found = minet(sequence, PLAIN, kind, model, VIDEO)["linked"]
                runs.append(run_of(sequence, found))
    report(runs)


def report(runs: list[Run]) -> None:
    """Print what was found, and the weights fitted to all."""
    ranked: dict[str, list[list[Doubt]]] = defaultdict(list)
    for run in runs:
        others = [other for other in runs if other.name != run.name]
        with patch.object(doubts, "WEIGHTS", fitted(others)):
            listed = doubts_of(run.tracks, run.size, run.last)
        ranked["fitted"].append(listed)
        ranked["by frame"].append(sorted(listed, key=lambda doubt: doubt.frame))
        mixed = np.random.default_rng(0).permutation(len(listed))
        ranked["at random"].append([listed[i] for i in mixed])
    show(runs, ranked)
    for name, orders in ranked.items():
        cells = []
        for count in (0, *FIRST, None):
            pairs = zip(runs, orders, strict=True)
            mean = np.mean([idf1_after(run, listed, count) for run, listed in pairs])
            cells.append(f"{'all' if count is None else count}: {100 * mean:.1f}")
        print(f"IDF1, {name:10} {'  '.join(cells)}")
    best = 100 * np.mean([most(run) for run in runs])
    print(f"IDF1 with every identity right and no false box: {best:.1f}")
    kinds: dict[str, list[bool]] = defaultdict(list)
    for run, listed in zip(runs, ranked["fitted"], strict=True):
        for doubt in listed:
            if (answer := is_wrong(run, doubt)) is not None:
                kinds[doubt.kind].append(answer)
    for kind, answers in sorted(kinds.items()):
        print(f"{kind:10} {len(answers):4} with an answer, {np.mean(answers):.0%} wrong")
    for kind, weights in fitted(runs).items():
        print(f'    "{kind}": {weights},')


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("roots", nargs="+", metavar="ROOT")
    parser.add_argument("--cache", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
