"""detections.csv: one row a detection, the columns of `minet_core.results.COLUMNS`."""

import csv

from minet_core.files import TextFile
from minet_core.formats.base import VideoFacts
from minet_core.results import COLUMNS, FrameDetections, Totals


class CsvWriter:
    """Writes a header line, and each frame's rows as they come; null is an empty field."""

    def __init__(self, file: TextFile, facts: VideoFacts) -> None:  # noqa: ARG002
        self._writer = csv.writer(file, lineterminator="\n")

    def begin(self) -> None:
        """Write the header line."""
        self._writer.writerow(COLUMNS)

    def resume(self, totals: Totals) -> None:
        """Go on after the rows of these totals."""

    def write(self, detections: FrameDetections) -> None:
        """Add one frame."""
        self._writer.writerows(detections.rows())

    def end(self, totals: Totals) -> None:
        """Nothing comes after the rows."""
