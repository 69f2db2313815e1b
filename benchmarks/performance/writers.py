"""Writing rows, beside the detector that finds them."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.performance.rows import Row, ratio
from minet_core import DetectOptions, FrameDetections, VideoDetector
from minet_core.formats import WRITERS, VideoFacts
from minet_core.models.detector import Frame
from minet_core.options import FORMATS
from minet_core.publishing import complete_text
from minet_core.results import Totals

BOXES = 100
_FACTS = VideoFacts({"path": "a", "width": 640, "height": 540}, "a", {"stride": 1}, ("thing",))


def writers(frames: list[Frame], repeats: int) -> list[Row]:
    """JSON, CSV and MOT of crowded frames against a whole run of as many."""
    found = [_crowd(number) for number in range(len(frames))]

    def write() -> None:
        with TemporaryDirectory() as folder:
            for name, file_name in FORMATS.items():
                totals = Totals()
                with complete_text(Path(folder) / file_name) as file:
                    writer = WRITERS[name](file, _FACTS)
                    writer.begin()
                    for one in found:
                        writer.write(one)
                        totals.add(one)
                    writer.end(totals)

    def detect() -> None:
        detector = VideoDetector(options=DetectOptions(device="cpu"))
        for number, frame in enumerate(frames):
            detector.detect(frame, time=number / 25)

    name = f"JSON, CSV and MOT of {BOXES} boxes per frame / finding boxes"
    return [Row(name, ratio(write, detect, repeats), 0.02)]


def _crowd(frame: int) -> FrameDetections:
    """Boxes that walk: of objects that leap, most of the time would go to doubts about leaps."""
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 500, (BOXES, 2)) + frame * rng.uniform(-2, 2, (BOXES, 2))
    return FrameDetections(
        frame,
        frame,
        frame / 25,
        boxes=np.hstack([corners, corners + 40]),
        scores=rng.uniform(size=BOXES),
        base_scores=rng.uniform(size=BOXES),
        label_ids=np.zeros(BOXES, np.int64),
        track_ids=np.arange(BOXES),
        track_labels=np.zeros(BOXES, np.int64),
        classes=("thing",),
    )
