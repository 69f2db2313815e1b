"""Edits, applied one after the other. What can no longer be done is left out, and told.

An edit fits when all its tracks are there: when an earlier one is taken back, a later one may lose
what it was about.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from minet_core.formats.edits.drawn_boxes import filled, with_keyframe
from minet_core.formats.edits.entry import Edit, is_class
from minet_core.formats.edits.sheet import Flags, Sheet, TrackRows


class Skipped(NamedTuple):
    """An edit that did not fit.

    Attributes:
        number: its place in the list, from 1.
        reason: in a few words.
    """

    number: int
    reason: str


class _Unfit(Exception):  # noqa: N818
    """An edit that cannot be done; the text is the reason."""


def apply_edits(sheet: Sheet, edits: Iterable[Edit]) -> list[Skipped]:
    """Do them in order.

    Args:
        sheet: is changed.
        edits: as they were read.

    Returns:
        Those that changed nothing because they do not fit.
    """
    skipped = []
    for number, edit in enumerate(edits, 1):
        try:
            if edit.do != "box":
                _require(sheet, edit.tracks)
            _OPERATIONS[edit.do](sheet, edit)
        except _Unfit as unfit:
            skipped.append(Skipped(number, str(unfit)))
    return skipped


def _number_of(sheet: Sheet, label: str) -> int:
    """Index of a class, which is added if it is new."""
    if label not in sheet.classes and not is_class(label):
        raise _Unfit("a new class cannot be called so")
    return sheet.number_of(label)


def _require(sheet: Sheet, tracks: Iterable[int]) -> None:
    for track in tracks:
        if track not in sheet.tracks:
            raise _Unfit(f"there is no track {track}")


def _require_free(sheet: Sheet, track: int) -> None:
    if track in sheet.tracks:
        raise _Unfit(f"there is a track {track} already")


def _stretch(rows: TrackRows, edit: Edit) -> Flags:
    first = rows.frames >= (0 if edit.first is None else edit.first)
    return first if edit.last is None else first & (rows.frames <= edit.last)


def _stretches(sheet: Sheet, edit: Edit) -> dict[int, Flags]:
    """Track → which of its rows (N,) lie in the stretch; at least one of them has some."""
    marked = {track: _stretch(sheet.tracks[track], edit) for track in edit.tracks}
    if not any(rows.any() for rows in marked.values()):
        raise _Unfit(f"no box from frame {edit.first} to {edit.last}")
    return marked


def _merge(sheet: Sheet, edit: Edit) -> None:
    _require(sheet, [edit.into])
    rows = sheet.tracks[edit.into]
    for track in edit.tracks:
        other = sheet.tracks[track]
        # A box that was detected says more than one that was drawn between two.
        better = np.isin(rows.frames, other.frames[other.keyframes]) & ~rows.keyframes
        rows = rows[~better].joined(other)
        hidden = sheet.hidden.get(edit.into, frozenset()) | sheet.hidden.get(track, frozenset())
        sheet.hidden[edit.into] = hidden
        if track in sheet.texts:
            sheet.texts.setdefault(edit.into, sheet.texts[track])
        sheet.put(track, None)
    sheet.put(edit.into, rows.of_class(_number_of(sheet, edit.label)))


def _split(sheet: Sheet, edit: Edit) -> None:
    (track,) = edit.tracks
    _require_free(sheet, edit.new)
    rows = sheet.tracks[track]
    later = rows.frames >= edit.frame
    if later.all() or not later.any():
        side = "before" if later.all() else "from"
        raise _Unfit(f"track {track} has no box {side} frame {edit.frame}")
    hidden = sheet.hidden.get(track, frozenset())
    sheet.hidden[track] = frozenset(frame for frame in hidden if frame < edit.frame)
    sheet.hidden[edit.new] = hidden - sheet.hidden[track]
    sheet.put(track, rows[~later])
    sheet.put(edit.new, rows[later])


def _swap(sheet: Sheet, edit: Edit) -> None:
    (track,) = edit.tracks
    _require(sheet, [edit.other])
    one, two = sheet.tracks[track], sheet.tracks[edit.other]
    late_one, late_two = one.frames >= edit.frame, two.frames >= edit.frame
    if not (late_one.any() or late_two.any()):
        raise _Unfit(f"no box from frame {edit.frame} on")
    hidden = {t: sheet.hidden.pop(t, frozenset()) for t in (track, edit.other)}
    sheet.put(track, one[~late_one].joined(two[late_two]))
    sheet.put(edit.other, two[~late_two].joined(one[late_one]))
    for own, other in ((track, edit.other), (edit.other, track)):
        early = {frame for frame in hidden[own] if frame < edit.frame}
        late = {frame for frame in hidden[other] if frame >= edit.frame}
        if own in sheet.tracks:
            sheet.hidden[own] = frozenset(early | late)


def _delete(sheet: Sheet, edit: Edit) -> None:
    for track, marked in _stretches(sheet, edit).items():
        if marked.any():
            sheet.put(track, sheet.tracks[track][~marked])


def _class(sheet: Sheet, edit: Edit) -> None:
    label = _number_of(sheet, edit.label)
    for track in edit.tracks:
        sheet.put(track, sheet.tracks[track].of_class(label))


def _id(sheet: Sheet, edit: Edit) -> None:
    (track,) = edit.tracks
    _require_free(sheet, edit.new)
    if track in sheet.texts:
        sheet.texts[edit.new] = sheet.texts[track]
    if track in sheet.hidden:
        sheet.hidden[edit.new] = sheet.hidden[track]
    sheet.put(edit.new, sheet.tracks[track])
    sheet.put(track, None)


def _hide(sheet: Sheet, edit: Edit) -> None:
    for track, marked in _stretches(sheet, edit).items():
        rows = sheet.tracks[track]
        first = max(edit.first or 0, int(rows.frames[0]))
        stop = min((edit.last or 0) + 1, sheet.looked_at.stop)
        hidden = frozenset(range(first, stop))
        sheet.hidden[track] = sheet.hidden.get(track, frozenset()) | hidden
        sheet.put(track, rows[~marked])


def _box(sheet: Sheet, edit: Edit) -> None:
    (track,) = edit.tracks
    if edit.frame not in sheet.looked_at:
        raise _Unfit(f"frame {edit.frame} was not processed")
    limits = np.array([sheet.width, sheet.height] * 2, np.float64)
    box = np.asarray(edit.box, np.float64).clip(0, limits)
    if not (box[2:] > box[:2]).all():
        raise _Unfit("the box is outside the picture")
    rows = sheet.tracks.get(track)
    label = _number_of(sheet, edit.label) if rows is None else None
    step = sheet.looked_at.step if edit.fill else None
    sheet.put(track, with_keyframe(rows, edit.frame, box, label, step))


def _fill(sheet: Sheet, edit: Edit) -> None:
    (track,) = edit.tracks
    rows = sheet.tracks[track]
    for frame in (edit.first or 0, edit.last or 0):
        if rows.place_of(frame) is None:
            raise _Unfit(f"track {track} has no box in frame {frame}")
    sheet.put(track, filled(rows, edit.first or 0, edit.last or 0, sheet.looked_at.step))


def _occluded(sheet: Sheet, edit: Edit) -> None:
    for track, marked in _stretches(sheet, edit).items():
        rows = sheet.tracks[track]
        flags = np.where(marked, edit.occluded, rows.occluded)
        sheet.put(track, replace(rows, occluded=flags))


def _text(sheet: Sheet, edit: Edit) -> None:
    for track in edit.tracks:
        if edit.text:
            sheet.texts[track] = edit.text
        else:
            sheet.texts.pop(track, None)


def _confirm(sheet: Sheet, edit: Edit) -> None:
    """Changes nothing: a person has looked, and it is right."""


_OPERATIONS: dict[str, Callable[[Sheet, Edit], None]] = {
    "merge": _merge,
    "split": _split,
    "swap": _swap,
    "delete": _delete,
    "class": _class,
    "id": _id,
    "hide": _hide,
    "box": _box,
    "fill": _fill,
    "occluded": _occluded,
    "text": _text,
    "confirm": _confirm,
}
