"""Whether the memory's own doubts find errors that the doubts of a result do not.

    python -m benchmarks.doubts.margins TRACKED TUD-Campus TUD-Stadtmitte --cache DIR

When the memory matches a box and a slot, it knows by how much the log-odds of the pair exceed those
of the slot with another box, and of the box with another slot (close), and the gate (over). A match
with a small margin is a doubt: is the track still the same? Of those that no other doubt of the
track is near, so many are wrong.
"""

import warnings
from collections import defaultdict
from collections.abc import Sequence as Rows
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import torch

from benchmarks.doubts.__main__ import arguments
from benchmarks.doubts.truth import NEAR, Run, is_wrong, run_of
from benchmarks.identities.data import sequences
from benchmarks.identities.replicates import PLAIN
from benchmarks.identities.runs import minet
from minet_core.box_tensors import box_iou
from minet_core.config import VIDEO
from minet_core.formats.doubts import Doubt, doubts_of
from minet_core.memory.dynamic import DynamicMemory
from minet_core.memory.equations import log_odds
from minet_core.memory.frame import Match
from minet_core.models.zoo import load_model

LIMITS = (1.0, 2.0, 4.0, 8.0)
_NONE = -99.0


class Margin(NamedTuple):
    """Of one matched box, in log-odds."""

    box: tuple[float, ...]
    close: float
    over: float


class _Watched:
    """`DynamicMemory.match` that notes the margins of every frame."""

    def __init__(self) -> None:
        self.frames: list[list[Margin]] = []
        self._match = DynamicMemory.match

    def __call__(self, memory: DynamicMemory, reading: Any, rows: Any, *rest: Any) -> Match:
        slots = [slot.id for slot in memory.slots]
        match = self._match(memory, reading, rows, *rest)
        odds, boxes = log_odds(reading.exponents[rows]), match.boxes
        same = box_iou(boxes, boxes) >= 0.5
        noted = []
        for row, number in enumerate(match.track_ids.tolist()):
            if number in slots:
                k = slots.index(number)
                others, boxes_beside = odds[row].clone(), odds[:, k].clone()
                others[k], boxes_beside[same[row]] = _NONE, _NONE
                rival = max(float(others.max()), float(boxes_beside.max()))
                own = float(odds[row, k])
                noted.append(Margin(_key(boxes[row].tolist()), own - rival, own - VIDEO.gate))
        self.frames.append(noted)
        return match


def _key(box: Rows[float]) -> tuple[float, ...]:
    return tuple(round(float(side), 1) for side in box)


def doubted(run: Run, frames: list[list[Margin]], kind: str, limit: float) -> list[Doubt]:
    """Matches with a margin below a limit, near no other doubt of the track or each other."""
    known = {(f, margin.box): margin for f, row in enumerate(frames) for margin in row}
    taken: dict[int, list[int]] = defaultdict(list)
    for doubt in doubts_of(run.tracks, run.size, run.last):
        for track in doubt.tracks if doubt.kind != "object" else ():
            taken[track].append(doubt.frame)
    found = []
    for track, seen in run.tracks.items():
        keys = zip(seen.frames.tolist(), map(_key, seen.boxes), strict=True)
        rows = [(known.get(key), i) for i, key in enumerate(keys)]
        low = sorted((getattr(m, kind), i) for m, i in rows if m and i and getattr(m, kind) < limit)
        for _, i in low:
            frame = int(seen.frames[i])
            if all(abs(frame - other) > NEAR for other in taken[track]):
                taken[track].append(frame)
                found.append(Doubt("match", frame, int(seen.frames[i - 1]), (track,), 0.0, ()))
    return found


def main() -> None:
    """Print how many of the memory's doubts are wrong, by kind and limit."""
    asked = arguments()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    model = load_model(device="cpu")
    answers: dict[tuple[str, float], list[bool]] = defaultdict(list)
    for sequence in sequences(asked.roots, asked.cache):
        for boxes in ("bundled", "foreign") if sequence.foreign is not None else ("bundled",):
            watched = _Watched()
            with patch.object(DynamicMemory, "match", lambda *a, w=watched: w(*a)):
                found = minet(sequence, PLAIN, boxes, model, VIDEO)["linked"]
            run = run_of(sequence, found)
            for kind in ("close", "over"):
                for limit in LIMITS:
                    known = (is_wrong(run, d) for d in doubted(run, watched.frames, kind, limit))
                    answers[kind, limit] += [answer for answer in known if answer is not None]
    for (kind, limit), own in answers.items():
        share = np.mean(own) if own else 0.0
        print(f"{kind} < {limit:g}: {len(own)} with an answer, {share:.0%} wrong")


if __name__ == "__main__":
    main()
