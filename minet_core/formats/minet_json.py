"""result.json: everything of one video; docs/result-format.md states the schema."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from minet_core._version import __version__
from minet_core.files import complete_text
from minet_core.formats.base import VideoFacts
from minet_core.results import COLUMNS, FrameDetections, Tracklet, TrackletTable

SCHEMA = "minet-result"
SCHEMA_VERSION = 1


class JsonWriter:
    """Streams rows, a line each; the tracklets and counts that need them all come last."""

    def __init__(self, file: TextIO, facts: VideoFacts) -> None:
        self._file = file
        self._classes = facts.classes
        self._table = TrackletTable()
        self._frames = self._rows = self._without_track = 0
        header = {
            "schema": SCHEMA,
            "version": SCHEMA_VERSION,
            "minet": __version__,
            "video": facts.video,
            "model": facts.model,
            "settings": facts.settings,
            "classes": facts.classes,
            "columns": COLUMNS,
        }
        file.write(_dump(header)[:-1] + ',\n"rows": [')

    def write(self, detections: FrameDetections) -> None:
        """Add one frame."""
        for row in detections.rows():
            self._file.write((",\n" if self._rows else "\n") + _dump(row))
            self._rows += 1
            self._without_track += row[3] is None
        self._frames += 1
        self._table.add(detections)

    def close(self) -> None:
        """Complete the document."""
        tracklets = [self._tracklet(t) for t in self._table.tracklets()]
        lines = ",\n".join(_dump(t) for t in tracklets)
        counts = {
            "frames": self._frames,
            "rows": self._rows,
            "rows_without_track": self._without_track,
        }
        self._file.write(f'\n],\n"tracklets": [\n{lines}\n],\n"counts": {_dump(counts)}}}\n')

    def _tracklet(self, tracklet: Tracklet) -> dict[str, Any]:
        return {
            "track_id": tracklet.id,
            "label": self._classes[tracklet.label_id],
            "label_id": tracklet.label_id,
            "score": round(tracklet.score, 6),
            "first_frame": tracklet.first_frame,
            "last_frame": tracklet.last_frame,
            "boxes": tracklet.boxes,
            "gaps": tracklet.gaps,
        }


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


@contextmanager
def write_json(path: Path, facts: VideoFacts) -> Iterator[JsonWriter]:
    """Open a result.json."""
    with complete_text(path) as file:
        writer = JsonWriter(file, facts)
        yield writer
        writer.close()
