"""mot.txt: MOTChallenge results, 10 columns, 1-based frames.

    frame, id, left, top, width, height, conf, -1, -1, -1

Coordinates are pixels with the origin at 0, as today's writers and TrackEval have it. Rows without
a track cannot be told apart there, so they are left out; `Totals` counts them. Interpolated rows
look like the others.
"""

import csv
from collections.abc import Iterable

from minet_core.files import TextFile
from minet_core.formats.minet.result_csv import PICTURE
from minet_core.formats.writers import VideoFacts
from minet_core.results import FrameDetections, Totals
from minet_core.text import shown


class MotWriter:
    """Writes each frame's rows as they come."""

    def __init__(self, file: TextFile, facts: VideoFacts) -> None:  # noqa: ARG002
        self._writer = csv.writer(file, lineterminator="\n")

    def begin(self) -> None:
        """Nothing comes before the rows."""

    def resume(self, totals: Totals) -> None:
        """Go on after the rows of these totals."""

    def write(self, detections: FrameDetections) -> None:
        """Add one frame."""
        for frame, _, _, track, _, _, score, _, x1, y1, x2, y2, _ in detections.rows():
            if track is not None:
                size = round(x2 - x1, 2), round(y2 - y1, 2)
                self._writer.writerow((frame + 1, track, x1, y1, *size, score, -1, -1, -1))

    def end(self, totals: Totals) -> None:
        """Nothing comes after the rows."""


def write_pictures(file: TextFile, pictures: Iterable[tuple[int, str]]) -> None:
    """Write the table that lies beside MOTChallenge results of a folder of pictures.

    Args:
        file: to write to.
        pictures: frame, from 0, and the name of its picture.

    Raises:
        OutputError: it cannot be written.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("frame", PICTURE))
    writer.writerows((frame + 1, shown(name)) for frame, name in pictures)
