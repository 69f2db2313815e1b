"""Somebody who knows the truth and mends a result, one edit after the other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.corrections.faults import faults, is_drawn
from benchmarks.corrections.truth import Truth, right, whose
from benchmarks.doubts.answers import answered
from benchmarks.doubts.truth import Run, is_wrong
from minet_core.formats import read_json
from minet_core.formats.doubts import LEAST, Doubt, SeenTrack, doubts_of
from minet_core.formats.edits import Edit, Sheet, apply_edits, write_edits
from minet_core.formats.minet.edited import result_facts, sheet_of
from minet_core.formats.minet.reader import columns_of, looked_at_by

SECONDS = {"doubt": 3.0, "box": 7.0, "edit": 5.0}
"""What each takes: to look at a doubt and answer it, to draw a box, to do another edit."""

ORDERS = ("worst", "doubts", "frame")


@dataclass
class Annotator:
    """Mends one result.

    Args:
        folder: of the result, which is replaced when tracks are found again.
        truth: of the video.
        order: which fault is next: the worst of all, those that doubts ask about, or by frame.
        go_on: finds tracks again around the edits; None: nobody does.
        every: corrections after which they are found again.
    """

    folder: Path
    truth: Truth
    order: str
    go_on: Callable[[Path], None] | None = None
    every: int = 10
    edits: list[Edit] = field(default_factory=list)
    asked: set[tuple[object, ...]] = field(default_factory=set)
    tried: list[Edit] = field(default_factory=list)
    highest: int = 0
    seconds: float = 0.0
    done: int = 0

    def mend(self, most: int) -> list[tuple[int, float, float]]:
        """(corrections, seconds, share of boxes that are right), after each correction.

        Args:
            most: corrections after which to give up.
        """
        self._open()
        curve = [(0, 0.0, right(self.ids, self.truth))]
        while self.done < most and curve[-1][2] < 1:
            edit = self._next()
            if edit is None:
                break
            self.seconds += SECONDS["box" if edit.do == "box" else "edit"]
            self.done += 1
            self.tried.append(edit)
            self.edits.append(edit)
            apply_edits(self.sheet, [edit])
            if self.go_on is not None and self.done % self.every == 0:
                self._again()
            self._look()
            curve.append((self.done, self.seconds, right(self.ids, self.truth)))
        return curve

    def _open(self) -> None:
        header, rows, _ = read_json(self.folder / "result.json")
        columns = columns_of(rows)
        self.facts = result_facts(header, columns)
        self.sheet: Sheet = sheet_of(header, columns, looked_at_by(header, columns))
        self.last = len(self.truth.frames) - 1
        self.edits = []
        self.label = self._usual()
        self.doubts: list[Doubt] | None = None
        self._look()

    def _usual(self) -> str:
        labels = [int(label) for rows in self.sheet.tracks.values() for label in rows.labels]
        return self.sheet.classes[int(np.bincount(labels).argmax())] if labels else "object"

    def _look(self) -> None:
        self.highest = max(self.highest, *self.sheet.tracks)
        self.ids = whose(self.sheet, self.truth)

    def _again(self) -> None:
        assert self.go_on is not None
        write_edits(self.folder / "edits.json", self.facts, self.edits)
        self.go_on(self.folder)
        self._open()

    def _next(self) -> Edit | None:
        if self.order == "doubts" and (edit := self._by_doubt()) is not None:
            return edit
        known = faults(self.sheet, self.ids, self.truth, self.label, self.highest + 1)
        # What did not help twice never will.
        known = [fault for fault in known if self.tried.count(fault.edit) < 2]
        if not known:
            return None
        if self.order == "worst":
            return max(known, key=lambda fault: (fault.size, -fault.frame)).edit
        return min(known, key=lambda fault: (fault.frame, -fault.size)).edit

    def _by_doubt(self) -> Edit | None:
        """The edit of the next doubt that is right to doubt; each that is asked takes time."""
        if self.doubts is None:
            self.doubts = doubts_of(self._seen(), (self.sheet.width, self.sheet.height), self.last)
        run = self._run()
        while self.doubts:
            doubt = self.doubts.pop(0)
            key = doubt.kind, doubt.frame, doubt.tracks
            gone = not self.sheet.tracks.keys() >= set(doubt.tracks)
            if doubt.chance < LEAST or gone or key in self.asked:
                continue
            self.asked.add(key)
            self.seconds += SECONDS["doubt"]
            if doubt.kind == "object" and is_drawn(self.sheet, doubt.tracks[0]).any():
                continue
            if is_wrong(run, doubt) and (edit := answered(run, doubt, self.sheet)) is not None:
                if edit.do == "merge":
                    return Edit("merge", edit.tracks, into=edit.into, label=self.label)
                return edit
        return None

    def _seen(self) -> dict[int, SeenTrack]:
        return {
            track: SeenTrack(rows.frames, rows.boxes, rows.scores, rows.labels)
            for track, rows in self.sheet.tracks.items()
        }

    def _run(self) -> Run:
        objects: dict[int, list[tuple[int, int]]] = {}
        for track, own in self.ids.items():
            for frame, number in zip(self.sheet.tracks[track].frames, own, strict=True):
                if number >= 0:
                    objects.setdefault(int(number), []).append((int(frame), track))
        ordered = {number: sorted(seen) for number, seen in objects.items()}
        size = self.sheet.width, self.sheet.height
        return Run("", self._seen(), self.ids, ordered, self.truth.boxes, size, self.last)
