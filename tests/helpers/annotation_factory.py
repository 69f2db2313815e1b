"""Annotations that tests make for themselves, by hand or by hypothesis."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from hypothesis import strategies as st

from minet_core.export_options import ExportOptions
from minet_core.formats.annotations import NO_LOOSE_BOXES, LooseBoxes, Track, VideoAnnotations
from minet_core.formats.exporters import EXPORTERS

WIDTH, HEIGHT = 640, 480
INSTANCES = "annotations/instances_train.json"
"""Where the data sets of one json have it."""


def a_track(
    number: int,
    label: str,
    frames: Sequence[int],
    boxes: Sequence[Sequence[float]] | None = None,
    *,
    scores: Sequence[float] | None = None,
    keyframes: Sequence[bool] | None = None,
    occluded: Sequence[bool] | None = None,
) -> Track:
    """A track; by default its box moves a pixel a frame, its scores are 1, each box is drawn."""
    count = len(frames)
    moving = [[10.0 + frame, 20, 50 + frame, 60] for frame in frames]
    return Track(
        number,
        label,
        np.array(frames, np.int64),
        np.array(moving if boxes is None else boxes, np.float64).reshape(-1, 4),
        np.array([1.0] * count if scores is None else scores, np.float64),
        np.array([True] * count if keyframes is None else keyframes, np.bool_),
        np.array([False] * count if occluded is None else occluded, np.bool_),
    )


def loose_boxes(*boxes: tuple[int, str, Sequence[float], float]) -> LooseBoxes:
    """From (frame, label, box, score), in order of frames."""
    frames, labels, sides, scores = zip(*boxes, strict=True)
    return LooseBoxes(np.array(frames), tuple(labels), np.array(sides, float), np.array(scores))


def a_video(*tracks: Track, **facts: Any) -> VideoAnnotations:
    """A video of 20 frames with these tracks, and whatever else is given."""
    usual: dict[str, Any] = {
        "name": "street",
        "source": "street.mp4",
        "width": WIDTH,
        "height": HEIGHT,
        "frames": 20,
        "frame_rate": Fraction(30000, 1001),
        "variable_rate": False,
        "step": 1,
        "classes": tuple(dict.fromkeys(track.label for track in tracks)),
        "loose": NO_LOOSE_BOXES,
    }
    return VideoAnnotations(**{**usual, **facts}, tracks=tracks)


def export(folder: Path, name: str, *annotations: VideoAnnotations, **options: Any) -> Path:
    """Write a format into a new folder inside `folder`: that folder, or the format's one file."""
    exporter = EXPORTERS[name]
    place = folder / f"{name}-{len(list(folder.iterdir()))}"
    place.mkdir()
    place = place / f"{annotations[0].name}{exporter.suffix}" if exporter.suffix else place
    made = exporter.write(annotations, place, ExportOptions(**options))
    assert all(path.exists() for path in made)
    return place


def export_with_pictures(folder: Path, name: str, *annotations: VideoAnnotations) -> Path:
    """The same of a data set, with a black picture for each frame."""
    options = ExportOptions(frames="png")
    place, path_of = export(folder, name, *annotations, frames="png"), EXPORTERS[name].pictures
    assert path_of is not None
    for video in annotations:
        black = np.zeros((video.height, video.width, 3), np.uint8)
        for frame in video.looked_at:
            path = place / path_of(video, frame, options)
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), black)
    return place


LABELS = st.text(st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S"]), min_size=1)
"""Names in any script, that lists can hold."""


def sides(highest: int) -> st.SearchStrategy[tuple[float, float]]:
    """Two sides of a box inside a frame, in hundredths of a pixel, at least a pixel apart."""
    hundredths = st.integers(0, highest * 100)
    pairs = st.tuples(hundredths, hundredths).filter(lambda pair: abs(pair[0] - pair[1]) >= 100)
    return pairs.map(lambda pair: (min(pair) / 100, max(pair) / 100))


@st.composite
def boxes(draw: st.DrawFn) -> list[float]:
    (x1, x2), (y1, y2) = draw(sides(WIDTH)), draw(sides(HEIGHT))
    return [x1, y1, x2, y2]


@st.composite
def videos(draw: st.DrawFn) -> VideoAnnotations:
    """Gaps, tracks of one frame, tracks to the last frame, ids with holes, none at all, strides."""
    step, start, count = draw(st.sampled_from([1, 1, 3])), draw(st.integers(0, 2)), 8
    looked_at = range(start, start + count * step, step)
    classes = tuple(draw(st.lists(LABELS, min_size=1, max_size=3, unique=True)))
    ids = sorted(draw(st.sets(st.integers(1, 1000), max_size=4)))
    frames = st.sets(st.sampled_from(looked_at), min_size=1).map(sorted)
    tracks = [_track(draw, number, classes, draw(frames)) for number in ids]
    alone = st.tuples(st.sampled_from(looked_at), st.sampled_from(classes), boxes(), scores())
    loose = sorted(draw(st.lists(alone, max_size=3)), key=lambda box: box[0])
    return a_video(
        *tracks,
        classes=classes,
        loose=loose_boxes(*loose) if loose else NO_LOOSE_BOXES,
        step=step,
        start=start,
        stop=looked_at[-1] + 1,
        frames=draw(st.sampled_from([None, looked_at[-1] + 1])),
    )


def scores() -> st.SearchStrategy[float]:
    """To the digits that files have."""
    return st.integers(0, 1_000_000).map(lambda millionths: millionths / 1_000_000)


def _track(draw: st.DrawFn, number: int, classes: tuple[str, ...], frames: list[int]) -> Track:
    def each(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=len(frames), max_size=len(frames)))

    return a_track(
        number,
        draw(st.sampled_from(classes)),
        frames,
        each(boxes()),
        scores=each(scores()),
        keyframes=each(st.booleans()),
        occluded=each(st.booleans()),
    )
