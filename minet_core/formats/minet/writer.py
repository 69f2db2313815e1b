"""Annotations in the formats of `minet detect` again: result.json, detections.csv and mot.txt.

The writers are those of `minet detect`, so the columns are the same (see docs/result-format.md).
What annotations do not know is null, and `base_score` is the score. Where nothing tells the frame
rate, seconds are counted at `ASSUMED_RATE`.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from minet_core.boxes import NO_TRACK
from minet_core.export_options import ExportOptions
from minet_core.files import TextFile
from minet_core.formats.annotations import FrameBox, VideoAnnotations
from minet_core.formats.dataset_view import classes_of, looked_at
from minet_core.formats.minet.result_csv import PICTURE
from minet_core.formats.minet.result_json import JsonWriter
from minet_core.formats.mot.result_text import MotWriter, write_pictures
from minet_core.formats.writers import ResultWriter, VideoFacts
from minet_core.publishing import complete_text
from minet_core.results import COLUMNS, FrameDetections, Totals
from minet_core.text import shown

ASSUMED_RATE = Fraction(30)
"""Frames per second where nothing tells, as the readers of data sets have it."""

VIDEO = "video"
"""Column with the name of the video."""

MODEL = "minet export"
"""In the place of a model's name: what is exported may have been edited."""


def write_json(
    annotations: Sequence[VideoAnnotations],
    place: Path,
    options: ExportOptions,  # noqa: ARG001
) -> list[Path]:
    """Write one video as a result.json.

    Raises:
        ConfigError: a name or a frame does not fit, see `sampled`.
        OutputError: it cannot be written.
    """
    return _write(JsonWriter, annotations, place)


def write_csv(
    annotations: Sequence[VideoAnnotations],
    place: Path,
    options: ExportOptions,  # noqa: ARG001
) -> list[Path]:
    """Write one video as a detections.csv with the video's name in front, for joining several.

    Of a folder of pictures the last column tells which picture it is.

    Raises:
        ConfigError: a name or a frame does not fit, see `sampled`.
        OutputError: it cannot be written.
    """
    (video,) = annotations
    with complete_text(place) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((VIDEO, *COLUMNS, *([PICTURE] if video.pictures else [])))
        for detections in frame_detections(video):
            end = [picture_of(video, detections.frame)] if video.pictures else []
            writer.writerows((video.name, *row, *end) for row in detections.rows())
    return [place]


def write_mot(
    annotations: Sequence[VideoAnnotations],
    place: Path,
    options: ExportOptions,  # noqa: ARG001
) -> list[Path]:
    """Write the tracks of one video as MOTChallenge results; boxes of no track are left out.

    Of a folder of pictures a table beside it tells which picture a frame is.

    Raises:
        ConfigError: a name or a frame does not fit, see `sampled`.
        OutputError: it cannot be written.
    """
    (video,) = annotations
    made = _write(MotWriter, annotations, place)
    if video.pictures:
        listed = place.with_suffix(".pictures.csv")
        with complete_text(listed) as file:
            write_pictures(file, sorted(video.pictures.items()))
        made.append(listed)
    return made


def picture_of(video: VideoAnnotations, frame: int) -> str | None:
    """Name of a frame's picture in its folder, None where it has none."""
    name = video.pictures.get(frame)
    return None if name is None else shown(name)


def frame_detections(video: VideoAnnotations) -> Iterator[FrameDetections]:
    """Each frame that was looked at, as `minet detect` reports it: the best score first.

    Raises:
        ConfigError: a name or a frame does not fit, see `sampled`.
    """
    classes = classes_of([video])
    numbers = {name: number for number, name in enumerate(classes)}
    for frame, boxes in looked_at(video):
        time = video.time_of(frame)
        seconds = float(frame / ASSUMED_RATE) if time is None else time
        ordered = sorted(boxes, key=lambda box: -box.score)
        yield _detections(frame, seconds, ordered, numbers, classes)


def _detections(
    frame: int,
    time: float,
    boxes: Sequence[FrameBox],
    numbers: dict[str, int],
    classes: tuple[str, ...],
) -> FrameDetections:
    labels = np.array([numbers[box.label] for box in boxes], np.int64)
    scores = np.array([box.score for box in boxes], np.float64)
    tracks = [NO_TRACK if box.track is None else box.track for box in boxes]
    return FrameDetections(
        frame=frame,
        pts=None,
        time=time,
        boxes=np.array([box.box for box in boxes], np.float64).reshape(-1, 4),
        scores=scores,
        base_scores=scores,
        label_ids=labels,
        track_ids=np.array(tracks, np.int64),
        track_labels=labels,
        classes=classes,
        interpolated=np.array([not box.keyframe for box in boxes], np.bool_),
    )


def _write(
    writer_of: Callable[[TextFile, VideoFacts], ResultWriter],
    annotations: Sequence[VideoAnnotations],
    place: Path,
) -> list[Path]:
    (video,) = annotations
    totals = Totals()
    totals.sizes = dict(video.sizes or {})
    with complete_text(place) as file:
        writer = writer_of(file, _facts(video))
        writer.begin()
        for detections in frame_detections(video):
            writer.write(detections)
            totals.add(detections)
        writer.end(totals)
    return [place]


def _facts(video: VideoAnnotations) -> VideoFacts:
    rate = video.frame_rate or ASSUMED_RATE
    unknown = ("time_base", "rotation", "mirrored", "pixel_aspect", "codec")
    about: dict[str, Any] = {
        "path": video.source,
        "width": video.width,
        "height": video.height,
        "frame_rate": str(rate),
        "duration": None if video.frames is None else float(video.frames / rate),
        "start_time": video.start_time,
        "delay": video.delay,
        "stream": video.stream,
        **dict.fromkeys(unknown),
    }
    if video.of_pictures and video.pictures.keys() == set(range(len(video.pictures))):
        about["pictures"] = [video.pictures[frame] for frame in sorted(video.pictures)]
    settings = {
        "start": video.start or None,
        "end": video.stop,
        "stride": video.step,
        "max_frames": None,
    }
    return VideoFacts(about, MODEL, settings, classes_of([video]))
