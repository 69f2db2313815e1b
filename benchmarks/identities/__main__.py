"""Identities of MINet beside SORT, ByteTrack, OC-SORT and BoT-SORT, on the same boxes.

    python -m benchmarks.identities MOT17/train TUD-Campus --cache ~/.cache/identities

Roots are folders of sequences in MOTChallenge's layout, or sequences. Every sequence is shown as
it is and in replicates (every 2nd and 3rd frame, backwards, stamps at half the pace, boxes moved
by 1 % with three seeds), with three kinds of boxes: the bundled detector's, those of another
detector (det/det.txt), and the true ones. All boxes go to every tracker as they are; only the
bundled detector's go through its usual suppression before the peers see them, as peers expect it.

The peers are those of the package `trackers` (pip install trackers supervision) with the settings
they come with. Each is tried with boxes from 0.1 and from 0.3 on, and with and without the video's
frame rate, on the sequences as they are; what gives its best mean IDF1 counts. `MINet linked` is
what `minet detect` writes of a file, `MINet online` what it does with --no-link. Rows with a track
id count, whatever their score.

--terms shows what each term of the association earns. --ap shows in their place what memory does to
scores: AP50 with it and without, and of ten bins of scores how many boxes are right.

Networks run once, into the cache. So do runs: one whose code, settings and data are those of a run
before is read from there, and a command that was stopped goes on where it was.
"""

import argparse
import warnings
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import torch

from benchmarks.identities.data import Sequence, sequences
from benchmarks.identities.kept import code_of_minet, code_of_peers, kept
from benchmarks.identities.precision import Precision, precision
from benchmarks.identities.precision import show as show_precision
from benchmarks.identities.replicates import PLAIN, REPLICATES, Replicate
from benchmarks.identities.runs import KINDS, PEER_SETTINGS, PEERS, PeerSettings, minet, peer
from benchmarks.identities.scores import METRICS, Figures, score
from minet_core.config import PAPER, VIDEO, Existence, MemoryConfig, Motion
from minet_core.models.zoo import Model, load_model

MINET = "MINet"
TERMS: Mapping[str, MemoryConfig] = {
    "without appearance": replace(VIDEO, scale=0.0),
    "without position": replace(VIDEO, motion=None),
    "without camera": replace(VIDEO, motion=Motion(camera=False)),
    "without unrest": replace(VIDEO, motion=Motion(learning=0.0)),
    "without shared evidence": replace(VIDEO, overlap=0.0),
    "without existence": replace(
        VIDEO, existence=Existence(sightings=1, threshold=0.0, first_patience=45.0)
    ),
    "without tentative tracks": replace(VIDEO, tentative=False),
    "without returns": replace(VIDEO, return_gate=None),
    "paper": PAPER,
}
"""Name of a row → settings of the memory."""

Job = tuple[str, str, str, Replicate, MemoryConfig | PeerSettings]
"""Tracker, kind of boxes, sequence, replicate, settings."""
Key = tuple[str, str, str, str]
"""Row of a table, kind of boxes, sequence, replicate."""
Table = dict[Key, Figures]


def main() -> None:
    """Print the tables."""
    asked = arguments()
    names = [sequence.name for sequence in sequences(asked.roots, asked.cache)]
    shown = REPLICATES if asked.replicates else (PLAIN,)
    rows = {MINET: VIDEO, **(TERMS if asked.terms else {})}
    with ProcessPoolExecutor(asked.jobs, initializer=_begin, initargs=(asked,)) as pool:
        for kind in asked.boxes:
            if asked.ap:
                found = pool.map(_precision, names, [kind] * len(names))
                show_precision(kind, dict(zip(names, found, strict=True)))
                continue
            settings = _best_settings(kind, names, pool)
            jobs = [
                (name, kind, sequence, replicate, own)
                for name, own in {**rows, **settings}.items()
                for sequence, replicate in product(names, shown)
            ]
            show(kind, _gathered(pool.map(_run, jobs)), names)


def _begin(asked: argparse.Namespace) -> None:
    """Once in every process."""
    global _ASKED
    _ASKED = asked
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")


_ASKED = argparse.Namespace()


@cache
def _known() -> tuple[dict[str, Sequence], Model]:
    known = {sequence.name: sequence for sequence in sequences(_ASKED.roots, _ASKED.cache)}
    return known, load_model(device="cpu")


def _run(job: Job) -> Table:
    """One tracker over one replicate of a sequence: a row, or two of MINet."""
    name, kind, sequence_name, replicate, settings = job
    known, model = _known()
    sequence = known[sequence_name]

    def run() -> dict[str, Figures]:
        if isinstance(settings, PeerSettings):
            found = {name: peer(name, settings, sequence, replicate, kind, model)}
        else:
            found = minet(sequence, replicate, kind, model, settings)
        return {way: score(sequence, replicate, boxes) for way, boxes in found.items()}

    is_peer = isinstance(settings, PeerSettings)
    code = code_of_peers() if is_peer else code_of_minet()
    what = (code, sequence.key, kind, replicate, name if is_peer else MINET, settings)
    figures = kept(_ASKED.cache / "runs", what, run)
    return {
        (way if is_peer else f"{name}, {way}", kind, sequence_name, replicate.name): found
        for way, found in figures.items()
    }


def _precision(name: str, kind: str) -> Precision:
    known, model = _known()
    return precision(known[name], kind, model)


def _gathered(parts: Iterable[Table]) -> Table:
    return {key: figures for part in parts for key, figures in part.items()}


def _best_settings(
    kind: str, names: list[str], pool: ProcessPoolExecutor
) -> dict[str, PeerSettings]:
    """Of each peer, the settings with its best mean IDF1 on the sequences as they are."""
    if find_spec("trackers") is None:
        print("the package `trackers` is missing, so MINet runs alone: pip install trackers")
        return {}
    best: dict[str, tuple[float, PeerSettings]] = {}
    for name, settings in product(PEERS, PEER_SETTINGS):
        jobs = [(name, kind, sequence, PLAIN, settings) for sequence in names]
        table = _gathered(pool.map(_run, jobs))
        mean = float(np.mean([figures.idf1 for figures in table.values()]))
        if name not in best or mean > best[name][0]:
            best[name] = mean, settings
    return {name: settings for name, (_, settings) in best.items()}


def show(kind: str, table: Table, names: list[str]) -> None:
    """Print the means, the margins over the best peer, and each sequence."""
    rows = list(dict.fromkeys(key[0] for key in table))
    means = {row: _mean(table, row) for row in rows}
    print(f"\n{kind} boxes, mean of {len(table) // len(rows)} runs of {len(names)} sequences")
    print(f"{'':36}" + "".join(f"{metric:>8}" for metric in METRICS))
    for row in rows:
        print(f"{row:36}" + "".join(f"{value:8.2f}" for value in means[row]))
    peers = [row for row in rows if row in PEERS]
    if peers:
        best = max(peers, key=lambda name: means[name][2])
        for row in (row for row in rows if row.startswith(MINET)):
            print(f"{row} less {best}: " + _margins(table, row, best, names))
    print(f"\n{'IDF1 / HOTA':24}" + "".join(f"{row[:14]:>16}" for row in rows))
    for name in names:
        cells = (_mean(table, row, name) for row in rows)
        print(f"{name:24}" + "".join(f"{cell[2]:9.1f} /{cell[0]:5.1f}" for cell in cells))


def _mean(table: Table, row: str, sequence: str | None = None) -> tuple[float, ...]:
    of = [f.row() for k, f in table.items() if k[0] == row and sequence in (None, k[2])]
    return tuple(float(value) for value in np.mean(of, axis=0))


def _margins(table: Table, row: str, other: str, names: list[str]) -> str:
    """Mean difference in IDF1 and HOTA with 95 % intervals, sequences drawn with replacement."""
    mine = np.array([_mean(table, row, name) for name in names])
    theirs = np.array([_mean(table, other, name) for name in names])
    draws = np.random.default_rng(0).integers(0, len(names), (10_000, len(names)))
    parts = []
    for metric in ("IDF1", "HOTA"):
        column = METRICS.index(metric)
        differences = (mine - theirs)[:, column]
        low, high = np.percentile(differences[draws].mean(axis=1), [2.5, 97.5])
        parts.append(f"{metric} {differences.mean():+.1f} ({low:+.1f} … {high:+.1f})")
    return ", ".join(parts)


def arguments() -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("roots", nargs="+", help="folders of sequences, or sequences")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what networks say")
    parser.add_argument("--boxes", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--replicates", action="store_true", help="show each sequence eight times")
    parser.add_argument("--terms", action="store_true", help="each term off, and the paper")
    parser.add_argument("--ap", action="store_true", help="scores in place of identities")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
