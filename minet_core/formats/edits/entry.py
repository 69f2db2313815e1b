"""One edit, as it stands in edits.json; docs/review.md lists them for readers of the file.

`review_page/viewer/editing/edits.js` writes and applies the same ones: whoever changes one changes
both.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from minet_core.formats.annotations import MOST_FRAMES

KINDS: dict[str, tuple[str, ...]] = {
    "merge": ("tracks", "into", "class"),
    "split": ("track", "frame", "new"),
    "swap": ("track", "with", "frame"),
    "delete": ("tracks", "from?", "to?"),
    "class": ("tracks", "class"),
    "id": ("track", "new"),
    "hide": ("tracks", "from", "to"),
    "box": ("track", "frame", "box", "class", "fill?"),
    "fill": ("track", "from", "to"),
    "occluded": ("tracks", "from", "to", "occluded"),
    "text": ("tracks", "text"),
    "confirm": ("tracks", "frame", "doubt"),
}
"""What an edit does → its fields beside `do`; those with a question mark may be missing."""

LARGEST_ID = 1_000_000_000
LONGEST_CLASS = 64
LONGEST_TEXT = 1000
LARGEST_SIDE = 1e6

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit; a field that its kind does not have is as below.

    Attributes:
        do: its kind, of `KINDS`.
        tracks: ids of the tracks it is about; where its kind has one `track`, that one.
        into: id of the track that the others become part of.
        new: id that was free.
        other: id of the track to swap with.
        frame: 0-based, where it happens, or from which on.
        first: first frame of a stretch, None: from the beginning.
        last: its last frame, None: to the end.
        label: name of a class.
        box: x1, y1, x2, y2 in pixels of the video, as the page shows it.
        fill: whether frames between the box and the next ones of its track get boxes too.
        occluded: whether something hides a part of the object.
        text: free.
        doubt: kind of the doubt that was answered.
    """

    do: str
    tracks: tuple[int, ...]
    into: int = 0
    new: int = 0
    other: int = 0
    frame: int = 0
    first: int | None = None
    last: int | None = None
    label: str = ""
    box: tuple[float, float, float, float] = (0, 0, 0, 0)
    fill: bool = False
    occluded: bool = False
    text: str = ""
    doubt: str = ""

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        entries: dict[str, Any] = {"do": self.do}
        for field in KINDS[self.do]:
            name = field.rstrip("?")
            value = self.tracks[0] if name == "track" else getattr(self, _ATTRIBUTES[name])
            if not (field.endswith("?") and (value is None or value is False)):
                entries[name] = list(value) if isinstance(value, tuple) else value
        return entries


_ATTRIBUTES = {
    **{name: name for name in ("tracks", "into", "new", "frame", "box", "fill", "occluded")},
    **{"text": "text", "doubt": "doubt"},
    **{"track": "tracks", "with": "other", "from": "first", "to": "last", "class": "label"},
}
"""Name of a field → name of the attribute."""


def edit_of(document: object) -> Edit:
    """The edit of a JSON value.

    Raises:
        ValueError: it is none; the message goes on after "edit 3".
    """
    if not isinstance(document, dict) or document.get("do") not in KINDS:
        raise ValueError(f"does nothing that is known (known: {', '.join(KINDS)})")
    given: Mapping[str, Any] = document
    fields = KINDS[given["do"]]
    values: dict[str, Any] = {}
    for field in fields:
        name = field.rstrip("?")
        if name in given:
            values[_ATTRIBUTES[name]] = _checked(name, given[name])
        elif name == field:
            raise ValueError(f"({given['do']}) has no {name!r}")
    stray = given.keys() - {field.rstrip("?") for field in fields} - {"do"}
    if stray:
        raise ValueError(f"({given['do']}) has {min(stray)!r}, which is unknown")
    return _consistent(Edit(given["do"], **values))


def _consistent(edit: Edit) -> Edit:
    if len(set(edit.tracks)) < len(edit.tracks) or {edit.into, edit.other} & set(edit.tracks):
        raise ValueError(f"({edit.do}) names a track twice")
    if edit.first is not None and edit.last is not None and edit.first > edit.last:
        raise ValueError(f"({edit.do}) goes from frame {edit.first} back to {edit.last}")
    return edit


def _checked(name: str, value: Any) -> Any:
    """A field's value, of the type that the field has.

    Raises:
        ValueError: it is another.
    """
    good, read = _TYPES[name]
    if not good(value):
        raise ValueError(f"has a {name!r} that makes no sense: {str(value)[:60]!r}")
    return read(value)


def is_class(name: str) -> bool:
    """Whether a new class can be called so, in every format but those with rules of their own."""
    plain = name == name.strip() and not _CONTROLS.search(name)
    return plain and 0 < len(name) <= LONGEST_CLASS


def _is_name(value: Any) -> bool:
    """Whether it may be a class of a result, which a model has named as it likes."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_id(value: Any) -> bool:
    return _is_whole(value, 1, LARGEST_ID)


def _is_frame(value: Any) -> bool:
    return _is_whole(value, 0, MOST_FRAMES)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_ids(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(map(_is_id, value))


def _is_box(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 4:
        return False
    if not all(isinstance(side, int | float) and not isinstance(side, bool) for side in value):
        return False
    x1, y1, x2, y2 = value
    return all(math.isfinite(s) and abs(s) <= LARGEST_SIDE for s in value) and x1 < x2 and y1 < y2


def _is_text(value: Any) -> bool:
    plain = isinstance(value, str) and len(value) <= LONGEST_TEXT
    return plain and not _CONTROLS.search(value.replace("\n", ""))


def _same(value: Any) -> Any:
    return value


def _one(value: int) -> tuple[int]:
    return (value,)


_TYPES: dict[str, tuple[Callable[[Any], bool], Callable[[Any], Any]]] = {
    **dict.fromkeys(("into", "new", "with"), (_is_id, _same)),
    **dict.fromkeys(("frame", "from", "to"), (_is_frame, _same)),
    **dict.fromkeys(("fill", "occluded"), (_is_flag, _same)),
    **dict.fromkeys(("text", "doubt"), (_is_text, _same)),
    "track": (_is_id, _one),
    "tracks": (_is_ids, tuple),
    "class": (_is_name, _same),
    "box": (_is_box, tuple),
}
"""Name of a field → whether a value can be its, and how it is kept."""
