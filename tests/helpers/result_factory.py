"""Results of a run, made up, and the files that minet writes of them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minet_core.boxes import NO_TRACK
from minet_core.formats import WRITERS, VideoFacts
from minet_core.formats.minet.result_json import JsonWriter
from minet_core.options import FORMATS
from minet_core.publishing import complete_text
from minet_core.results import FrameDetections, Totals

CLASSES = ("person", "car")


VIDEO = {
    "path": "clips/street.mp4",
    "width": 640,
    "height": 360,
    "frame_rate": "25",
    "duration": 2.0,
}


SETTINGS = {"start": None, "end": None, "stride": 1, "max_frames": None}


def frame_of(
    frame: int,
    tracks: Sequence[int] = (),
    labels: Sequence[int] | None = None,
    scores: Sequence[float] | None = None,
    votes: Sequence[int] | None = None,
    **facts: Any,
) -> FrameDetections:
    """Detections whose box is [track, frame, track + 10, frame + 10]."""
    count = len(tracks)
    label_ids = np.array(labels if labels is not None else [0] * count, np.int64)
    return FrameDetections(
        **{"frame": frame, "pts": frame * 10, "time": frame / 25, **facts},
        boxes=np.array([[t, frame, t + 10, frame + 10] for t in tracks], float).reshape(-1, 4),
        scores=np.array(scores if scores is not None else [0.5] * count, float),
        base_scores=np.full(count, 0.4),
        label_ids=label_ids,
        track_ids=np.array(tracks, np.int64),
        track_labels=label_ids if votes is None else np.array(votes, np.int64),
        classes=CLASSES,
    )


FRAMES = [
    frame_of(0, [1, 2], labels=[0, 1], scores=[0.9, 1 / 3]),
    frame_of(1),
    frame_of(2, [NO_TRACK, 1], pts=None, votes=[0, 1]),
    frame_of(4, [1], scores=[0.7]),
]


def facts(**video: Any) -> VideoFacts:
    about = {"path": "clip.mp4", "width": 640, "height": 360, **video}
    return VideoFacts(about, "stub", {"score": 0.3, "stride": 1}, CLASSES)


def write(
    folder: Path,
    name: str,
    frames: Iterable[FrameDetections] = FRAMES,
    about: VideoFacts | None = None,
) -> Path:
    path = folder / FORMATS[name]
    totals = Totals()
    with complete_text(path) as file:
        writer = WRITERS[name](file, about or facts())
        writer.begin()
        for frame in frames:
            writer.write(frame)
            totals.add(frame)
        writer.end(totals)
    return path


def write_result(
    folder: Path, *frames: FrameDetections, video: Any = None, **settings: Any
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    facts = VideoFacts(
        {**VIDEO, **(video or {})}, "stub", {**SETTINGS, **settings}, ("person", "car")
    )
    totals = Totals()
    path = folder / "result.json"
    with complete_text(path) as file:
        writer = JsonWriter(file, facts)
        writer.begin()
        for frame in frames:
            writer.write(frame)
            totals.add(frame)
        writer.end(totals)
    return path
