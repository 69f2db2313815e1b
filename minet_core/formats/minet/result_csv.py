"""detections.csv: one row a detection, the columns of `minet_core.results.COLUMNS`.

Of a folder of pictures the last column, `picture`, tells which of them the frame is.
"""

import csv

from minet_core.files import TextFile
from minet_core.formats.writers import VideoFacts
from minet_core.results import COLUMNS, FrameDetections, Totals
from minet_core.text import shown

PICTURE = "picture"
"""Column with the name of a frame's picture in its folder."""


class CsvWriter:
    """Writes a header line, and each frame's rows as they come; null is an empty field."""

    def __init__(self, file: TextFile, facts: VideoFacts) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._pictures = facts.video.get("pictures")

    def begin(self) -> None:
        """Write the header line."""
        self._writer.writerow((*COLUMNS, *([PICTURE] if self._pictures else [])))

    def resume(self, totals: Totals) -> None:
        """Go on after the rows of these totals."""

    def write(self, detections: FrameDetections) -> None:
        """Add one frame."""
        end = (shown(self._pictures[detections.frame]),) if self._pictures else ()
        self._writer.writerows((*row, *end) for row in detections.rows())

    def end(self, totals: Totals) -> None:
        """Nothing comes after the rows."""
