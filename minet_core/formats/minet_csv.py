"""detections.csv: one row a detection, the columns of `minet_core.results.COLUMNS`."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minet_core.files import TextFile, complete_text
from minet_core.formats.base import VideoFacts
from minet_core.results import COLUMNS, FrameDetections


class CsvWriter:
    """Writes the header at once and each frame's rows as they come; null is an empty field."""

    def __init__(self, file: TextFile) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def write(self, detections: FrameDetections) -> None:
        """Add one frame."""
        self._writer.writerows(detections.rows())


@contextmanager
def write_csv(path: Path, facts: VideoFacts) -> Iterator[CsvWriter]:  # noqa: ARG001
    """Open a detections.csv."""
    with complete_text(path) as file:
        yield CsvWriter(file)
