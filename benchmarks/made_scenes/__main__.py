"""Identities in made-up scenes of boxes, MINet beside SORT, ByteTrack and OC-SORT.

    python -m benchmarks.made_scenes --cache ~/.cache/identities

Fast birds, vehicles that hide each other, a camera that swings: what the sequences with truth do
not show. Boxes come as three detectors would make them (all true ones, a good and a poor one), at
every frame and at every 3rd. Looks are made up too, of objects that are much alike: the figures say
how the terms of place, existence and time hold elsewhere, and nothing of the identify network.
No setting was chosen by them.

Peers have the settings they come with, and boxes from 0.1 or from 0.3 on, whichever is better on
the mean. No picture is shown, so that nobody can follow the camera, and BoT-SORT is not run.
"""

import argparse
import warnings
from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import torch

from benchmarks.identities.kept import code_of_minet, code_of_peers, kept
from benchmarks.identities.runs import PEERS
from benchmarks.identities.scores import METRICS, Figures
from benchmarks.made_scenes.looks import MadeDetector, MadeEmbedder
from benchmarks.made_scenes.sightings import LEVELS, Level, Sighting, sightings
from benchmarks.made_scenes.worlds import WORLDS
from minet_core.config import VIDEO
from minet_core.evaluation.frames import EvalFrame, FoundBoxes, TrueBoxes
from minet_core.evaluation.tracks.metrics import TrackingAccumulator
from minet_core.inference.online import OnlineDetector
from minet_core.inference.tracklets import linked
from minet_core.models.zoo import Model
from minet_core.options import DetectOptions
from minet_core.results import FrameDetections

STRIDES = (1, 3)
FLOORS = (0.1, 0.3)
RIVALS = ("SORT", "ByteTrack", "OC-SORT")
_CLASSES = ("object",)
_VERSION = 1
"""Of the scenes, to be raised where they change."""

Key = tuple[str, str, int, int]
"""World, level, stride, seed."""
Table = dict[tuple[str, Key], Figures]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True, help="folder for figures of runs")
    parser.add_argument("--worlds", nargs="+", choices=tuple(WORLDS), default=tuple(WORLDS))
    parser.add_argument("--seeds", type=int, default=2, help="scenes of each world (default: 2)")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    levels = {level.name: level for level in LEVELS}
    table: Table = {}
    codes = {"MINet": code_of_minet(), "peers": code_of_peers()}
    for key, name in product(product(asked.worlds, levels, STRIDES, range(asked.seeds)), codes):
        what = ("made scenes", _VERSION, codes[name], name, key)
        rows = kept(asked.cache / "runs", what, partial(_run, name, key, levels[key[1]]))
        table.update({(row, key): figures for row, figures in rows.items()})
    show(table)


def _run(name: str, key: Key, level: Level) -> dict[str, Figures]:
    """MINet, or all peers, over one scene."""
    world, _, stride, seed = key
    made = list(sightings(world, seed, level))[::stride]
    found = minet(made, seed) if name == "MINet" else peers(made)
    return {row: score(made, boxes) for row, boxes in found.items()}


def minet(shown: Sequence[Sighting], seed: int) -> dict[str, list[FoundBoxes]]:
    """What `minet detect` would report, `online` and `linked`."""
    model = Model("made", MadeDetector(shown), MadeEmbedder(shown, seed))
    least = DetectOptions().score
    online = OnlineDetector(model, VIDEO, score=least, link=True)
    blank = np.zeros((36, 64, 3), np.uint8)
    observed = [
        online.observe(blank, frame=place, pts=None, time=place / 25) for place in range(len(shown))
    ]
    tracks = online.linker.tracks() if online.linker else {}
    return {
        "MINet, online": [_found(online.reported(one)) for one in observed],
        "MINet, linked": [_found(linked(one.detections, tracks, least)) for one in observed],
    }


def _found(rows: FrameDetections) -> FoundBoxes:
    return FoundBoxes(rows.boxes, rows.track_labels, rows.scores, rows.track_ids)


def peers(shown: Sequence[Sighting]) -> dict[str, list[FoundBoxes]]:
    """What peers report, with boxes from each floor on."""
    import supervision
    import trackers

    found = {}
    for name, floor in product(RIVALS, FLOORS):
        tracker, frames = getattr(trackers, PEERS[name])(), []
        for sighting in shown:
            keep = sighting.scores >= floor
            given = supervision.Detections(
                xyxy=sighting.boxes[keep].reshape(-1, 4),
                confidence=sighting.scores[keep],
                class_id=np.zeros(keep.sum(), dtype=int),
            )
            rows = tracker.update(given)
            rows = rows[rows.tracker_id >= 0] if len(rows) else rows
            columns = (rows.xyxy, rows.class_id, rows.confidence, rows.tracker_id)
            frames.append(FoundBoxes.of(*columns) if len(rows) else FoundBoxes.of([], [], []))
        found[f"{name} {floor}"] = frames
    return found


def score(shown: Sequence[Sighting], found: Sequence[FoundBoxes]) -> Figures:
    """Figures of one scene."""
    tracking = TrackingAccumulator(_CLASSES)
    frames = []
    for place, (one, boxes) in enumerate(zip(shown, found, strict=True)):
        truth = TrueBoxes.of(one.true_boxes, np.zeros(len(one.true_ids), np.int64), one.true_ids)
        frames.append(EvalFrame("made", place, truth, boxes))
    tracking.add_video("made", frames)
    got = tracking.result().overall
    ids = {int(i) for boxes in found for i in boxes.track_ids if i >= 0}
    return Figures(
        hota=100 * got.hota,
        ass_a=100 * got.ass_a,
        idf1=100 * got.idf1,
        mota=100 * got.mota,
        ids=len(ids) / got.true_tracks,
    )


def show(table: Table) -> None:
    """Print the means of worlds, of levels and of strides; of each peer the better floor."""
    rows = list(dict.fromkeys(row for row, _ in table))
    keys = list(dict.fromkeys(key for _, key in table))
    mean = {row: float(np.mean([table[row, key].idf1 for key in keys])) for row in rows}
    best = [max((f"{name} {floor}" for floor in FLOORS), key=mean.__getitem__) for name in RIVALS]
    rows = [row for row in rows if row.startswith("MINet")] + best
    print(f"{'IDF1 / HOTA / ids':20}" + "".join(f"{row:>21}" for row in rows))
    groups = {
        f"{level.name} {world}": [key for key in keys if key[:2] == (world, level.name)]
        for level, world in product(LEVELS, dict.fromkeys(key[0] for key in keys))
    }
    groups |= {level.name: [key for key in keys if key[1] == level.name] for level in LEVELS}
    groups |= {f"every {n}": [key for key in keys if key[2] == n] for n in STRIDES}
    for name, own in groups.items():
        columns = (np.mean([table[row, key].row() for key in own], axis=0) for row in rows)
        idf1, hota, ids = (METRICS.index(metric) for metric in ("IDF1", "HOTA", "ids"))
        cells = (f"{one[idf1]:9.1f} /{one[hota]:5.1f} /{one[ids]:4.2f}" for one in columns)
        print(f"{name:20}" + "".join(cells))


if __name__ == "__main__":
    main()
