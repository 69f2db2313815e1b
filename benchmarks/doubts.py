"""How many of the wrong places of results lie among the first doubts, and the weights of doubts.

    python benchmarks/doubts.py TRACKED TUD-Campus TUD-Stadtmitte --cache DIR

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
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from benchmarks.identities.data import Sequence, sequences
from benchmarks.identities.replicates import PLAIN
from benchmarks.identities.runs import minet
from minet_core.boxes import NO_TRACK, box_iou
from minet_core.config import VIDEO
from minet_core.evaluation.frames import FoundBoxes
from minet_core.formats.edits import Edit, Rows, Sheet, apply_edits
from minet_core.formats.review_page import doubts
from minet_core.formats.review_page.doubts import LEAST, Doubt, Seen, doubts_of
from minet_core.models.zoo import load_model

NEAR = 10
"""Frames from a doubt to a wrong place that it is about."""
FIRST = (5, 10, 20, 40)
_WINDOW = 5
_RIDGE = 1.0
NOTHING, IGNORED = -1, -2


@dataclass
class Run:
    """Tracks of one run, and what they are by the truth.

    Attributes:
        name: of the sequence.
        tracks: id → rows.
        true: id → (N,) true id of each row, NOTHING or IGNORED.
        objects: true id → frames with the id of the track that has it.
        boxes: how many true boxes there are.
        size: width and height.
        last: frame.
    """

    name: str
    tracks: dict[int, Seen]
    true: dict[int, NDArray[np.int64]]
    objects: dict[int, list[tuple[int, int]]]
    boxes: int
    size: tuple[int, int]
    last: int


def run_of(sequence: Sequence, found: list[FoundBoxes]) -> Run:
    """A run with each box told what it is, frame by frame, by overlap of 0.5 and more."""
    rows: dict[int, list[tuple[int, NDArray[np.float64], float, int, int]]] = defaultdict(list)
    objects: dict[int, list[tuple[int, int]]] = defaultdict(list)
    last: dict[int, int] = {}
    for frame, (boxes, truth) in enumerate(zip(found, sequence.truth, strict=True)):
        own = np.flatnonzero(boxes.track_ids != NO_TRACK)
        overlap = box_iou(boxes.boxes[own], truth.boxes)
        ids = np.full(len(own), NOTHING)
        covered = (overlap[:, truth.ignore] >= 0.5).any(axis=1)
        ids[covered] = IGNORED
        counted = np.flatnonzero(~truth.ignore)
        held = [
            [last.get(int(t)) == int(boxes.track_ids[i]) for t in truth.track_ids[counted]]
            for i in own
        ]
        # Who has an object keeps it while it covers it, as in MOTA.
        worth = overlap[:, counted] + np.array(held).reshape(len(own), len(counted))
        worth[overlap[:, counted] < 0.5] = 0
        for i, j in zip(*linear_sum_assignment(-worth), strict=True):
            if overlap[i, counted[j]] >= 0.5:
                ids[i] = truth.track_ids[counted[j]]
                last[int(ids[i])] = int(boxes.track_ids[own[i]])
                objects[int(ids[i])].append((frame, int(boxes.track_ids[own[i]])))
        for i, true in zip(own, ids, strict=True):
            row = frame, boxes.boxes[i], float(boxes.scores[i]), int(boxes.label_ids[i]), int(true)
            rows[int(boxes.track_ids[i])].append(row)
    tracks, true_ids = {}, {}
    for track, own_rows in rows.items():
        frames, all_boxes, scores, labels, true = zip(*own_rows, strict=True)
        tracks[track] = Seen(
            np.array(frames), np.array(all_boxes), np.array(scores), np.array(labels)
        )
        true_ids[track] = np.array(true)
    height, width = sequence.images.shape[1:3]
    count = sum(int((~truth.ignore).sum()) for truth in sequence.truth)
    return Run(sequence.name, tracks, true_ids, objects, count, (width, height), len(found) - 1)


def around(run: Run, track: int, before: int, after: int) -> tuple[int, int]:
    """What a track mostly is up to a frame, and from another frame on, in a few rows."""
    frames, true = run.tracks[track].frames, run.true[track]
    early, late = true[frames <= before][-_WINDOW:], true[frames >= after][:_WINDOW]
    return _mostly(early), _mostly(late)


def _mostly(ids: NDArray[np.int64]) -> int:
    return Counter(ids.tolist()).most_common(1)[0][0] if len(ids) else NOTHING


def is_wrong(run: Run, doubt: Doubt) -> bool | None:
    """The answer of the truth; None where it has none."""
    ids = [around(run, track, doubt.before, doubt.frame) for track in doubt.tracks]
    if doubt.kind == "parted":
        one, two = ids[0][0], ids[1][1]
        return None if IGNORED in (one, two) else one == two != NOTHING
    if doubt.kind == "double":
        return is_double(run, doubt.tracks)
    if doubt.kind == "object":
        true = run.true[doubt.tracks[0]]
        return None if (true == IGNORED).mean() > 0.5 else bool((true == NOTHING).mean() > 0.5)
    if doubt.kind == "end":
        seen = [frame for frame, _ in run.objects.get(ids[0][0], ())]
        return None if ids[0][0] < 0 else any(frame > doubt.frame for frame in seen)
    known = [(one, two) for one, two in ids if one >= 0 and two >= 0]
    return any(one != two for one, two in known) if known else None


def is_double(run: Run, tracks: tuple[int, ...]) -> bool | None:
    """Whether two tracks are of one object: one has none of its own while both are there."""
    one, two = (run.tracks[track].frames for track in tracks)
    _, i, j = np.intersect1d(one, two, return_indices=True)
    own, other = _mostly(run.true[tracks[0]][i]), _mostly(run.true[tracks[1]][j])
    return None if IGNORED in (own, other) else NOTHING in (own, other) or own == other


Place = tuple[int, frozenset[int]]
"""Frame, and ids of the tracks."""


def wrong_places(run: Run) -> list[Place]:
    """Where the result is wrong in identity, each place once."""
    found: list[Place] = []
    for seen in run.objects.values():
        for (_, one), (frame, two) in pairwise(seen):
            if one != two:
                found.append((frame, frozenset((one, two))))
    for track, true in run.true.items():
        known = np.flatnonzero(true >= 0)
        changes = known[1:][np.diff(true[known]) != 0]
        found += [(int(run.tracks[track].frames[i]), frozenset((track,))) for i in changes]
        if (true == NOTHING).mean() > 0.5:
            found.append((int(run.tracks[track].frames[0]), frozenset((track,))))
    places: list[Place] = []
    for frame, tracks in sorted(found, key=lambda place: (place[0], sorted(place[1]))):
        if not any(frame - other <= NEAR and tracks & others for other, others in places):
            places.append((frame, tracks))
    return places


def finds(doubt: Doubt, place: Place) -> bool:
    """Whether a doubt is about a place."""
    frame, tracks = place
    near = doubt.before - NEAR <= frame <= doubt.frame + NEAR
    return near and not tracks.isdisjoint(doubt.tracks)


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


def sheet_of(run: Run) -> Sheet:
    """The run's tracks for edits; each row's score is its true id, which edits leave alone."""
    tracks = {}
    for track, seen in run.tracks.items():
        yes = np.ones(len(seen.frames), np.bool_)
        true = run.true[track].astype(np.float64)
        tracks[track] = Rows(seen.frames, seen.boxes, true, seen.labels, yes, ~yes, ~yes)
    return Sheet(*run.size, range(run.last + 1), ["object"], tracks)


def answered(run: Run, doubt: Doubt, sheet: Sheet) -> Edit | None:
    """What the page does when somebody answers who knows the truth; None where all is well."""
    if not is_wrong(run, doubt):
        return None
    one, *others = doubt.tracks
    if doubt.kind in ("parted", "double"):
        return Edit("merge", tuple(others), into=one, label="object")
    if doubt.kind == "meeting":
        return Edit("swap", (one,), other=others[0], frame=doubt.frame)
    if doubt.kind == "object":
        return Edit("delete", (one,))
    if doubt.kind == "end":
        return None  # mended by hand
    return Edit("split", (one,), frame=doubt.frame, new=max(sheet.tracks) + 1000)


def idf1_after(run: Run, ranked: list[Doubt], answers: int | None) -> float:
    """IDF1 after so many answers, of all doubts for None; of tracks that are gone none is asked."""
    sheet, asked = sheet_of(run), 0
    for doubt in ranked:
        if asked == answers:
            break
        if doubt.chance < LEAST or not sheet.tracks.keys() >= set(doubt.tracks):
            continue
        asked += 1
        if (edit := answered(run, doubt, sheet)) is not None:
            apply_edits(sheet, [edit])
    return idf1(sheet, run.boxes)


def idf1(sheet: Sheet, boxes: int) -> float:
    """Share of boxes whose identity is right, each object being one track and each track one."""
    true = [rows.scores[rows.scores != IGNORED] for rows in sheet.tracks.values()]
    objects = sorted({int(i) for ids in true for i in ids if i >= 0})
    counts = np.array([[(ids == i).sum() for i in objects] for ids in true]).reshape(
        len(true), len(objects)
    )
    right = counts[linear_sum_assignment(-counts)].sum()
    return float(2 * right / max(boxes + sum(map(len, true)), 1))


def most(run: Run) -> float:
    """IDF1 of the boxes that are there with every identity right, and without false ones."""
    right = sum(map(len, run.objects.values()))
    return 2 * right / max(run.boxes + right, 1)


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
    print(
        f"IDF1 with every identity right and no false box: {100 * np.mean([most(r) for r in runs]):.1f}"
    )
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
