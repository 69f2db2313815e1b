"""result.json: everything of one video; docs/result-format.md states the schema."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from minet_core._version import __version__
from minet_core.errors import InputError
from minet_core.files import TextFile
from minet_core.formats.doubts import Doubt
from minet_core.formats.minet.result_doubts import DOUBTS, carried, document_of, doubts_in
from minet_core.formats.writers import VideoFacts
from minet_core.results import COLUMNS, FrameDetections, Totals, Tracklet, rows_to_pandas

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "minet-result"
SCHEMA_VERSION = 1


class JsonWriter:
    """Streams rows, a line each; tracklets, doubts and counts, which need them all, come last."""

    def __init__(self, file: TextFile, facts: VideoFacts) -> None:
        self._file = file
        self._facts = facts
        self._has_rows = False

    def begin(self) -> None:
        """Write the header."""
        header = {
            "schema": SCHEMA,
            "version": SCHEMA_VERSION,
            "minet": __version__,
            "video": self._facts.video,
            "model": self._facts.model,
            "settings": self._facts.settings,
            "classes": self._facts.classes,
            "columns": COLUMNS,
        }
        if self._facts.score_vectors is not None:
            header["score_vectors"] = self._facts.score_vectors
        if self._facts.scenes:
            header["scenes"] = self._facts.scenes
        entries = [f"{_dump(name)}: {_dump(value)}" for name, value in header.items()]
        self._file.write("{" + ",\n".join(entries) + ',\n"rows": [')

    def resume(self, totals: Totals) -> None:
        """Go on after the rows of these totals."""
        self._has_rows = totals.rows > 0

    def write(self, detections: FrameDetections) -> None:
        """Add one frame."""
        if lines := ",\n".join(map(_dump, detections.rows())):
            self._file.write((",\n" if self._has_rows else "\n") + lines)
            self._has_rows = True

    def end(self, totals: Totals) -> None:
        """Complete the document."""
        lines = ",\n".join(_dump(self._tracklet(t)) for t in totals.table.tracklets())
        doubts = ",\n".join(_dump(document_of(doubt)) for doubt in self._doubts(totals))
        last: dict[str, Any] = {"counts": totals.counts, "end": totals.end and round(totals.end, 6)}
        if totals.sizes:
            last["sizes"] = totals.sizes
        entries = ",\n".join(f"{_dump(name)}: {_dump(value)}" for name, value in last.items())
        lists = f'"tracklets": [\n{lines}\n],\n"{DOUBTS}": [\n{doubts}\n]'
        self._file.write(f"\n],\n{lists},\n{entries}}}\n")

    def _doubts(self, totals: Totals) -> list[Doubt]:
        video, last = self._facts.video, totals.table.last_frame
        size, step = (video["width"], video["height"]), self._facts.settings["stride"]
        return [] if last is None else doubts_in(self._file.lines(), size, last, step)

    def _tracklet(self, tracklet: Tracklet) -> dict[str, Any]:
        return {
            "track_id": tracklet.id,
            "label": self._facts.classes[tracklet.label_id],
            "label_id": tracklet.label_id,
            "score": round(tracklet.score, 6),
            "first_frame": tracklet.first_frame,
            "last_frame": tracklet.last_frame,
            "boxes": tracklet.boxes,
            "gaps": tracklet.gaps,
        }


_dump = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


class StoredResult(NamedTuple):
    """A result.json, read back.

    Attributes:
        header: everything but rows and tracklets: video, model, settings, classes, doubts (see
            `read_doubts`), counts, and sizes of frames that are not of the video's.
        rows: a data frame of `COLUMNS`, one row a detection.
        tracklets: by id.
    """

    header: dict[str, Any]
    rows: "pd.DataFrame"
    tracklets: list[Tracklet]


def read_json(path: str | Path) -> StoredResult:
    """Read a result.json.

    Raises:
        InputError: the file is missing or incomplete, is something else, or has another version
            of the schema.
    """
    document = _load(Path(path))
    if document.get("schema") != SCHEMA:
        raise InputError(f"{path}: not a result of minet detect (no schema {SCHEMA!r})")
    if (version := document.get("version")) != SCHEMA_VERSION:
        raise InputError(
            f"{path}: has version {version} of the schema; "
            f"this minet ({__version__}) reads version {SCHEMA_VERSION}"
        )
    try:
        columns = document.get("columns", COLUMNS)
        rows = rows_to_pandas([tuple(row) for row in document.pop("rows")], columns)
        tracklets = [_read_tracklet(entry) for entry in document.pop("tracklets")]
        list(carried(document.get(DOUBTS, ())))
    except (KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path}: damaged, its rows, tracklets or doubts do not read ({reason})"
        ) from None
    return StoredResult(document, rows, tracklets)


def _load(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise InputError(f"{path}: not JSON, or only half of it ({error})") from None
    return document if isinstance(document, dict) else {}


def _read_tracklet(entry: dict[str, Any]) -> Tracklet:
    return Tracklet(
        id=int(entry["track_id"]),
        label_id=int(entry["label_id"]),
        first_frame=int(entry["first_frame"]),
        last_frame=int(entry["last_frame"]),
        boxes=int(entry["boxes"]),
        score=float(entry["score"]),
        gaps=[(first, last) for first, last in entry["gaps"]],
    )
