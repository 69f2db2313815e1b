"""What it brings to answer doubts truly, and to mend nothing else."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks.doubts.truth import IGNORED, Run, is_wrong
from minet_core.formats.doubts import LEAST, Doubt
from minet_core.formats.edits import Edit, Sheet, TrackRows, apply_edits


def sheet_of(run: Run) -> Sheet:
    """The run's tracks for edits; each row's score is its true id, which edits leave alone."""
    tracks = {}
    for track, seen in run.tracks.items():
        yes = np.ones(len(seen.frames), np.bool_)
        true = run.true[track].astype(np.float64)
        tracks[track] = TrackRows(seen.frames, seen.boxes, true, seen.labels, yes, ~yes, ~yes)
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
