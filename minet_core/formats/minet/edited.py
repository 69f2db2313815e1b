"""Rows of a result as they are after edits."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minet_core.formats.annotations import Sizes, Track
from minet_core.formats.attributes import Attribute
from minet_core.formats.cvat.extras import NOTHING, Kept, LabelSpec
from minet_core.formats.edits import EditsFile, Sheet, Skipped, TrackRows, apply_edits
from minet_core.formats.edits.file import ResultFacts, facts_of
from minet_core.text import shown
from minet_core.video.names import parts_of
from minet_core.video.placement import placed_in

Columns = dict[str, NDArray[Any]]

_NAMES = ("frames", "tracks", "labels", "scores", "boxes", "detected", "occluded")
"""Columns that go on: times of frames are taken before."""

TEXT = "note"
"""Attribute of a track, in CVAT, that has what a person wrote of it."""

_TEXT_SPEC = (
    f"<attributes><attribute><name>{TEXT}</name><mutable>False</mutable>"
    "<input_type>text</input_type><default_value></default_value><values></values></attribute>"
    "</attributes>"
)


@dataclass(frozen=True, slots=True)
class Marks:
    """What edits say beside rows.

    Attributes:
        touched: ids of tracks that were changed.
        drawn: id → frames of boxes that a person drew.
        hidden: id → frames in which the object is not to be seen.
        texts: id → what was written of it.
        notes: what the user should know, a line each.
        kept: labels as CVAT is to have them.
    """

    touched: frozenset[int] = frozenset()
    drawn: dict[int, frozenset[int]] = field(default_factory=dict)
    hidden: dict[int, frozenset[int]] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    kept: Kept = NOTHING

    def on(self, track: Track) -> Track:
        """The track with what is said of it."""
        if track.id not in self.touched and track.id not in self.texts:
            return track
        attributes = track.attributes
        if text := self.texts.get(track.id):
            one = Attribute(TEXT, "attribute", (int(track.frames[0]),), (text,))
            attributes = (*attributes, one)
        none: frozenset[int] = frozenset()
        return replace(
            track,
            attributes=attributes,
            drawn=self.drawn.get(track.id, none),
            hidden=self.hidden.get(track.id, none),
        )


NO_MARKS = Marks()
"""Of a result that nobody has edited."""


def sizes_of(header: dict[str, Any]) -> Sizes:
    """Sizes of pictures that have another one than the video."""
    found = header.get("sizes", {})
    return {int(frame): (int(w), int(h)) for frame, (w, h) in dict(found).items()}


def name_of(source: str) -> str:
    """The name of a video without folders; where it has none, all there is."""
    parts = parts_of(source)
    return parts[-1] if parts else source


def result_facts(header: dict[str, Any], columns: Columns) -> ResultFacts:
    """By what edits know the result they belong to."""
    video = header["video"]
    return facts_of(
        name_of(video["path"]),
        (int(video["width"]), int(video["height"])),
        header["classes"],
        (columns["frames"], columns["tracks"], columns["labels"]),
        columns["boxes"],
    )


def edited(
    header: dict[str, Any], columns: Columns, looked_at: range, edits: EditsFile
) -> tuple[Columns, list[str], Marks]:
    """Rows after edits, the classes there are then, and what else the edits say.

    Args:
        header: of the result.
        columns: of its rows; loose boxes, whose track is 0, stay as they are.
        looked_at: frames in which there can be boxes.
        edits: of this very result.

    Raises:
        InputError: they are of another.
    """
    edits.check(result_facts(header, columns))
    size, sizes = _size_of(header), sizes_of(header)
    sheet = sheet_of(header, columns, looked_at)
    skipped = apply_edits(sheet, edits.edits)
    parts = [{name: column[columns["tracks"] == 0] for name, column in columns.items()}]
    parts += (_columns_of(track, rows, sizes, size) for track, rows in sheet.tracks.items())
    joined = {name: np.concatenate([part[name] for part in parts]) for name in _NAMES}
    order = np.argsort(joined["frames"], kind="stable")
    ordered = {name: column[order] for name, column in joined.items()}
    return ordered, sheet.classes, _marks(sheet, skipped, edits)


def sheet_of(header: dict[str, Any], columns: Columns, looked_at: range) -> Sheet:
    """What edits change of a result."""
    size = _size_of(header)
    rows = _rows_of(columns, sizes_of(header), size)
    return Sheet(*size, looked_at, list(header["classes"]), rows)


def _size_of(header: dict[str, Any]) -> tuple[int, int]:
    return int(header["video"]["width"]), int(header["video"]["height"])


def _marks(sheet: Sheet, skipped: list[Skipped], edits: EditsFile) -> Marks:
    notes = []
    if skipped:
        number, reason = skipped[0]
        more = f" and {len(skipped) - 1} more" if len(skipped) > 1 else ""
        notes.append(
            f"{shown(edits.path)}: edits that no longer fit and change nothing: number {number} "
            f"({reason}){more}"
        )
    specs = tuple(LabelSpec(name, None, _TEXT_SPEC) for name in sheet.classes)
    return Marks(
        frozenset(sheet.touched),
        {t: frozenset(rows.frames[rows.drawn].tolist()) for t, rows in sheet.tracks.items()},
        dict(sheet.hidden),
        dict(sheet.texts),
        tuple(notes),
        Kept(specs) if sheet.texts else NOTHING,
    )


def _rows_of(columns: Columns, sizes: Sizes, whole: tuple[int, int]) -> dict[int, TrackRows]:
    """Rows of each track, boxes of pictures of other sizes where a page shows them."""
    boxes = columns["boxes"].copy()
    for frame, size in sizes.items():
        if (place := placed_in(size, whole)) is not None:
            rows = columns["frames"] == frame
            boxes[rows] = place.inside(boxes[rows])
    order = np.argsort(columns["tracks"], kind="stable")
    ids, starts = np.unique(columns["tracks"][order], return_index=True)
    tracks = {}
    for track, rows in zip(ids.tolist(), np.split(order, starts[1:]), strict=True):
        if track > 0:
            names = ("frames", "scores", "labels", "detected", "occluded")
            frames, scores, labels, detected, occluded = (columns[name][rows] for name in names)
            drawn = np.zeros(len(rows), np.bool_)
            tracks[track] = TrackRows(
                frames, boxes[rows], scores, labels, detected, occluded, drawn
            )
    return tracks


def _columns_of(track: int, rows: TrackRows, sizes: Sizes, whole: tuple[int, int]) -> Columns:
    """The inverse, of one track."""
    boxes = rows.boxes.copy()
    for i, frame in enumerate(rows.frames.tolist() if sizes else ()):
        if (place := placed_in(sizes.get(frame, whole), whole)) is not None:
            boxes[i] = place.back(boxes[i])
    return {
        "frames": rows.frames,
        "tracks": np.full(len(rows), track, np.int64),
        "labels": rows.labels,
        "scores": rows.scores,
        "boxes": boxes,
        "detected": rows.keyframes,
        "occluded": rows.occluded,
    }
