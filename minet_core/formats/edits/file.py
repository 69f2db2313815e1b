"""edits.json: which result was edited, and what was done, in order."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minet_core.errors import InputError
from minet_core.formats.edits.entry import Edit, edit_of
from minet_core.publishing import complete_text
from minet_core.text import shown

SCHEMA = "minet-edits"
VERSION = 1
NAME = "edits.json"
"""What a page calls the file that it saves."""


@dataclass(frozen=True, slots=True)
class ResultFacts:
    """By what a result is known.

    Attributes:
        video: name of the video, without folders.
        width: of it in pixels.
        height: likewise.
        boxes: how many rows the result has.
        tracks: how many tracks.
        sha256: of the rows: frames, track ids, classes and boxes, to 0.01 pixels.
    """

    video: str
    width: int
    height: int
    boxes: int
    tracks: int
    sha256: str


def facts_of(
    video: str,
    size: tuple[int, int],
    classes: Sequence[str],
    columns: Sequence[NDArray[np.int64]],
    boxes: NDArray[np.float64],
) -> ResultFacts:
    """The facts of a result.

    Args:
        video: its name.
        size: its width and height.
        classes: of the result.
        columns: (N,) each: frames, track ids, which are below 1 for boxes of no track, and indices
            of classes.
        boxes: (N, 4).
    """
    frames, tracks, labels = columns
    tracks = tracks.clip(min=0)
    digest = hashlib.sha256("\n".join(classes).encode("utf-8", "backslashreplace"))
    for values in (frames, tracks, labels, np.rint(boxes * 100)):
        digest.update(values.astype("<i8").tobytes())
    count = len(np.unique(tracks[tracks > 0]))
    return ResultFacts(video, *size, len(frames), count, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class EditsFile:
    """What stands in edits.json.

    Attributes:
        result: that was edited.
        edits: in order.
        path: of the file, for what is said of it.
    """

    result: ResultFacts
    edits: tuple[Edit, ...]
    path: Path

    def check(self, facts: ResultFacts) -> None:
        """See that they belong to a result.

        Raises:
            InputError: they belong to another; the first thing that differs is told.
        """
        for field in fields(ResultFacts):
            ours, theirs = getattr(facts, field.name), getattr(self.result, field.name)
            if field.name == "video" or ours == theirs:
                continue
            where = f" (of {shown(self.result.video)}, not {shown(facts.video)})"
            where = "" if self.result.video == facts.video else where
            what = f"other boxes, of as many tracks{where}"
            if field.name != "sha256":
                what = f"{_NAMES[field.name]} {theirs}, and this one {ours}{where}"
            raise InputError(f"{shown(self.path)}: edits of another result: it had {what}")


_NAMES = {"width": "width", "height": "height", "boxes": "boxes:", "tracks": "tracks:"}


def read_edits(path: Path) -> EditsFile:
    """Read edits.json.

    Raises:
        InputError: it cannot be read, is something else, or of another version.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{shown(path)}: not UTF-8") from None
    return parse_edits(text, path)


def parse_edits(text: str, path: Path) -> EditsFile:
    """Read the text of an edits.json, which errors call by its path.

    Raises:
        InputError: as `read_edits`.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{shown(path)}: not JSON, or only half of it ({reason})") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise InputError(f"{shown(path)}: no edits of a review page (no schema {SCHEMA!r})")
    if document.get("version") != VERSION:
        raise InputError(
            f"{shown(path)}: has version {document.get('version')!r} of the schema; "
            f"this minet reads version {VERSION}"
        )
    entries = document.get("edits")
    if not isinstance(entries, list):
        raise InputError(f"{shown(path)}: damaged, it has no list of edits")
    edits = []
    for number, entry in enumerate(entries, 1):
        try:
            edits.append(edit_of(entry))
        except ValueError as error:
            raise InputError(f"{shown(path)}: edit {number} {error}") from None
    return EditsFile(_facts(document.get("result"), path), tuple(edits), path)


def _facts(entry: Any, path: Path) -> ResultFacts:
    types = {"video": str, "sha256": str}
    for field in fields(ResultFacts):
        known = entry.get(field.name) if isinstance(entry, dict) else None
        if not isinstance(known, types.get(field.name, int)):
            raise InputError(f"{shown(path)}: damaged, its result has no {field.name!r}")
    return ResultFacts(**{field.name: entry[field.name] for field in fields(ResultFacts)})


def write_edits(path: Path, result: ResultFacts, edits: Sequence[Edit]) -> None:
    """Write edits.json, an edit a line; one that is there is replaced.

    Raises:
        OutputError: it cannot be written.
    """
    lines = ",\n".join(json.dumps(e.document(), ensure_ascii=False) for e in edits)
    with complete_text(path) as file:
        file.write(f'{{"schema": "{SCHEMA}",\n"version": {VERSION},\n')
        file.write(f'"result": {json.dumps(asdict(result), ensure_ascii=False)},\n')
        file.write(f'"edits": [\n{lines}\n]}}\n' if lines else '"edits": []}\n')
