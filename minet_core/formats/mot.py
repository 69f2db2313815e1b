"""mot.txt: MOTChallenge results, 10 columns, 1-based frames.

    frame, id, left, top, width, height, conf, -1, -1, -1

Coordinates are pixels with the origin at 0, as today's writers and TrackEval have it. Rows without
a track cannot be told apart there, so they are left out and counted.
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minet_core.files import TextFile, complete_text
from minet_core.formats.base import VideoFacts
from minet_core.results import FrameDetections


class MotWriter:
    """Writes each frame's rows as they come.

    Attributes:
        left_out: rows without a track id.
    """

    def __init__(self, file: TextFile) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self.left_out = 0

    def write(self, detections: FrameDetections) -> None:
        """Add one frame."""
        for frame, _, _, track, _, _, score, _, x1, y1, x2, y2 in detections.rows():
            if track is None:
                self.left_out += 1
                continue
            size = round(x2 - x1, 2), round(y2 - y1, 2)
            self._writer.writerow((frame + 1, track, x1, y1, *size, score, -1, -1, -1))


@contextmanager
def write_mot(path: Path, facts: VideoFacts) -> Iterator[MotWriter]:  # noqa: ARG001
    """Open a mot.txt."""
    with complete_text(path) as file:
        yield MotWriter(file)
