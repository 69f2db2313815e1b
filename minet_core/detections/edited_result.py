"""What a person has said by edits of a result.

What was drawn is certain, and what was decided: on both sides of a merge, a split or a swap the
boxes and whose they are; the boxes of an answered doubt; what is gone or hidden. All other boxes of
tracks stay where they were left, since a person has seen them; tracks in which they have had a hand
are looked for where they have none.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minet_core.detections.anchor_file import read_anchors
from minet_core.formats.annotations import Sizes, Track
from minet_core.formats.edits import Edit, EditsFile, Sheet, TrackRows, apply_edits
from minet_core.formats.minet.edited import result_facts, sheet_of, sizes_of
from minet_core.formats.minet.reader import columns_of, looked_at_by
from minet_core.formats.minet.result_json import read_json
from minet_core.inference.prompted.anchors import Anchor, Anchors, Box
from minet_core.options import CORRECTIONS
from minet_core.video.placement import placed_in

_Key = tuple[int, Box]
"""A row: its frame, and its box to a hundredth of a pixel."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """What a person has said of a video.

    Attributes:
        anchors: what a run has to keep.
        tracks: id → the track as it was when the person had ended; it stays so.
        carried: edits that say what no run can find: texts, where objects are covered, and which
            doubts are answered.
        more: whether tracks that are not there are looked for: nobody has seen a result without.
    """

    anchors: Anchors
    tracks: Mapping[int, Track] = field(default_factory=dict)
    carried: tuple[Edit, ...] = ()
    more: bool = False


def edited_result(result: Path, edits: EditsFile) -> Corrections:
    """What a person has said by edits of a result, and by those that it was made with.

    Raises:
        InputError: the result cannot be read, or is another one.
    """
    header, rows, _ = read_json(result)
    columns = columns_of(rows)
    edits.check(result_facts(header, columns))
    sheet = sheet_of(header, columns, looked_at_by(header, columns))
    before = read_anchors(result.with_name(CORRECTIONS))
    sheet.hidden |= _by_track(before.hidden, sheet)
    said = _Said.of(before)
    for edit in edits.edits:
        said.take(sheet, edit)
    anchors = said.anchors(sheet)
    sizes, whole = sizes_of(header), (sheet.width, sheet.height)
    own = {
        frame: tuple(a._replace(box=_back(a.box, sizes.get(frame), whole)) for a in row)
        for frame, row in anchors.boxes.items()
    }
    tracks = {track: _left(track, sheet, sizes) for track in sheet.tracks}
    carried = *_carried(sheet), *(edit for edit in edits.edits if edit.do == "confirm")
    return Corrections(replace(anchors, boxes=own), tracks, carried)


def _by_track(hidden: Mapping[int, frozenset[int]], sheet: Sheet) -> dict[int, frozenset[int]]:
    """Frame → ids, turned into id → frames."""
    frames: dict[int, set[int]] = defaultdict(set)
    for frame, ids in hidden.items():
        for track in ids & sheet.tracks.keys():
            frames[track].add(frame)
    return {track: frozenset(own) for track, own in frames.items()}


def _left(number: int, sheet: Sheet, sizes: Sizes) -> Track:
    """A track as the person has left it, its boxes in pixels of their own pictures."""
    rows, whole = sheet.tracks[number], (sheet.width, sheet.height)
    boxes = rows.boxes.copy()
    for place, frame in enumerate(rows.frames.tolist() if sizes else ()):
        boxes[place] = _back(tuple(boxes[place].tolist()), sizes.get(frame), whole)
    return Track(
        number,
        sheet.classes[int(rows.labels[-1])],
        rows.frames,
        boxes,
        rows.scores,
        keyframes=rows.keyframes,
        occluded=rows.occluded,
    )


def _carried(sheet: Sheet) -> Iterator[Edit]:
    for track, text in sheet.texts.items():
        yield Edit("text", (track,), text=text)
    for track, rows in sheet.tracks.items():
        marks = np.flatnonzero(np.diff(np.concatenate([[0], rows.occluded, [0]])))
        for one, two in marks.reshape(-1, 2).tolist():
            first, last = int(rows.frames[one]), int(rows.frames[two - 1])
            yield Edit("occluded", (track,), first=first, last=last, occluded=True)


class _Said:
    """Gathers what edits say, row by row; whose a row is, is known when all are done."""

    def __init__(self) -> None:
        self.decided: set[_Key] = set()
        self.named: set[_Key] = set()
        self.gone: dict[int, list[Box]] = defaultdict(list)

    @classmethod
    def of(cls, before: Anchors) -> "_Said":
        """What was said before the result was made."""
        said = cls()
        for frame, row in before.boxes.items():
            for anchor in row:
                said.decided.add((frame, anchor.box))
                if anchor.id in before.labels:
                    said.named.add((frame, anchor.box))
        for frame, boxes in before.gone.items():
            said.gone[frame] += boxes
        return said

    def take(self, sheet: Sheet, edit: Edit) -> None:
        """Take in an edit, and do it."""
        fits = all(track in sheet.tracks for track in edit.tracks)
        is_new = edit.do == "box" and not fits
        before = {
            t: sheet.tracks[t] for t in (*edit.tracks, edit.into, edit.other) if t in sheet.tracks
        }
        if apply_edits(sheet, [edit]):
            return
        seams = _SEAMS.get(edit.do)
        keys = set(seams(before, edit)) if seams is not None else set()
        self.decided |= keys
        if edit.do == "class":
            self.named |= keys
        if edit.do == "delete":
            for frame, box in _stretch(before, edit):
                self.gone[frame].append(box)
            for track in before.keys() & sheet.tracks.keys():
                gone = {*before[track].frames.tolist()} - {*sheet.tracks[track].frames.tolist()}
                sheet.hidden[track] = sheet.hidden.get(track, frozenset()) | gone
        if is_new:
            rows = sheet.tracks[edit.tracks[0]]
            self.named |= set(_keys(rows, rows.drawn))

    def anchors(self, sheet: Sheet) -> Anchors:
        """All that was said, with the ids that tracks have in the end."""
        boxes: dict[int, list[Anchor]] = defaultdict(list)
        labels: dict[int, str] = {}
        for track, rows in sheet.tracks.items():
            every = np.ones(len(rows), np.bool_)
            keys = list(_keys(rows, every))
            own = np.array([key in self.decided for key in keys]) | rows.drawn
            for place in np.flatnonzero(own):
                boxes[keys[place][0]].append(Anchor(track, keys[place][1]))
                if keys[place] in self.named:
                    labels[track] = sheet.classes[rows.labels[place]]
        hidden: dict[int, set[int]] = defaultdict(set)
        for track, frames in sheet.hidden.items():
            for frame in frames:
                hidden[frame].add(track)
        return Anchors(
            {frame: tuple(row) for frame, row in sorted(boxes.items())},
            labels,
            {frame: tuple(row) for frame, row in sorted(self.gone.items()) if row},
            {frame: frozenset(ids) for frame, ids in sorted(hidden.items())},
        )


def _key(rows: TrackRows, place: int) -> _Key:
    x1, y1, x2, y2 = rows.boxes[place].round(2).tolist()
    return int(rows.frames[place]), (x1, y1, x2, y2)


def _keys(rows: TrackRows, chosen: NDArray[np.bool_]) -> Iterator[_Key]:
    return (_key(rows, int(place)) for place in np.flatnonzero(chosen))


def _around(rows: TrackRows, frame: int) -> Iterator[_Key]:
    """The last row before a frame, and the first from it on."""
    place = int(np.searchsorted(rows.frames, frame))
    yield from (_key(rows, near) for near in (place - 1, place) if 0 <= near < len(rows))


def _merged(tracks: dict[int, TrackRows], edit: Edit) -> Iterator[_Key]:  # noqa: ARG001
    """Where one track is followed by another."""
    order = sorted(
        (int(frame), track, place)
        for track, rows in tracks.items()
        for place, frame in enumerate(rows.frames)
    )
    for (_, one, i), (_, two, j) in pairwise(order):
        if one != two:
            yield _key(tracks[one], i)
            yield _key(tracks[two], j)


def _at_frame(tracks: dict[int, TrackRows], edit: Edit) -> Iterator[_Key]:
    for rows in tracks.values():
        yield from _around(rows, edit.frame)


def _at_ends(tracks: dict[int, TrackRows], edit: Edit) -> Iterator[_Key]:
    for rows in tracks.values():
        yield from (
            _key(rows, p)
            for f in (edit.first, edit.last)
            if (p := rows.place_of(f or 0)) is not None
        )


def _beside(tracks: dict[int, TrackRows], edit: Edit) -> Iterator[_Key]:
    """The rows before a stretch and after it."""
    for rows in tracks.values():
        one = int(np.searchsorted(rows.frames, edit.first or 0)) - 1
        two = int(np.searchsorted(rows.frames, edit.last or 0, side="right"))
        yield from (_key(rows, near) for near in (one, two) if 0 <= near < len(rows))


def _surest(tracks: dict[int, TrackRows], _: Edit) -> Iterator[_Key]:
    """One row tells whose the class, the id or the text is."""
    for rows in tracks.values():
        yield _key(rows, int(rows.scores.argmax()))


def _stretch(tracks: dict[int, TrackRows], edit: Edit) -> Iterator[_Key]:
    for rows in tracks.values():
        inside = rows.frames >= (edit.first or 0)
        if edit.last is not None:
            inside &= rows.frames <= edit.last
        yield from _keys(rows, inside)


_SEAMS: dict[str, Callable[[dict[int, TrackRows], Edit], Iterable[_Key]]] = {
    "merge": _merged,
    "split": _at_frame,
    "swap": _at_frame,
    "confirm": _at_frame,
    "hide": _beside,
    "fill": _at_ends,
    "class": _surest,
    "id": _surest,
    "text": _surest,
    "occluded": _stretch,
}
"""Kind of an edit → the rows of its tracks of which it says whose they are."""


def _back(box: Box, size: tuple[int, int] | None, whole: tuple[int, int]) -> Box:
    """A box in pixels of its own picture, where that has another size than the video."""
    place = None if size is None else placed_in(size, whole)
    if place is None:
        return box
    a, b, c, d = place.back(np.array(box)).tolist()
    return a, b, c, d
