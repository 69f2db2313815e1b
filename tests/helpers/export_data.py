"""Annotations that tests make for themselves, by hand and by hypothesis."""

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minet_core.formats.annotations import NO_LOOSE_BOXES, LooseBoxes, Track, VideoAnnotations

WIDTH, HEIGHT = 640, 360

# What XML and lists of names can hold: no control characters, no surrogates, and not blank.
LABELS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=8,
).filter(lambda text: text.strip() == text)


def track_of(number: int, frames: list[int], label: str = "dog", **columns: Any) -> Track:
    """A track with a box of 20×10 pixels that moves a pixel to the right in a frame."""
    rows = np.array(frames, np.int64)
    boxes = np.stack([rows, 0 * rows + 30, rows + 20, 0 * rows + 40], axis=1).astype(np.float64)
    given = {
        "boxes": boxes,
        "scores": np.full(len(rows), 0.75),
        "keyframes": np.ones(len(rows), np.bool_),
        "occluded": np.zeros(len(rows), np.bool_),
    }
    return Track(number, label, rows, **{**given, **columns})


def loose_of(frames: list[int], label: str = "cat") -> LooseBoxes:
    boxes = np.tile([5.0, 6.0, 25.0, 46.0], (len(frames), 1))
    scores = np.full(len(frames), 0.5)
    return LooseBoxes(np.array(frames, np.int64), (label,) * len(frames), boxes, scores)


def video_of(*tracks: Track, frames: int | None = 50, **facts: Any) -> VideoAnnotations:
    known = {
        "name": "street",
        "source": "clips/street.mp4",
        "width": WIDTH,
        "height": HEIGHT,
        "frame_rate": Fraction(25),
        "variable_rate": False,
        "step": 1,
        "classes": tuple(dict.fromkeys(track.label for track in tracks)) or ("dog",),
        "loose": NO_LOOSE_BOXES,
    }
    return VideoAnnotations(frames=frames, tracks=tracks, **{**known, **facts})


@st.composite
def tracks(draw: Any, number: int, frames: int, step: int = 1) -> Track:
    """A track with gaps, on frames in steps; every box is inside the picture."""
    places = draw(st.sets(st.integers(0, (frames - 1) // step), min_size=1, max_size=12))
    rows = np.array(sorted(places), np.int64) * step
    sides = st.tuples(
        st.integers(0, 60_000), st.integers(0, 30_000), st.integers(0, 3999), st.integers(0, 5999)
    )
    corners = np.array(draw(st.lists(sides, min_size=len(rows), max_size=len(rows)))) / 100
    corners[:, 2:] += corners[:, :2] + 0.01
    flags = st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))
    return track_of(
        number, rows.tolist(), draw(LABELS), boxes=corners, occluded=np.array(draw(flags))
    )


@st.composite
def videos(draw: Any, step: int | None = None) -> VideoAnnotations:
    """A video with some tracks, whose ids have holes."""
    frames = draw(st.integers(1, 40))
    steps = draw(st.integers(1, 3)) if step is None else step
    ids = draw(st.sets(st.integers(1, 99), max_size=4))
    made = [draw(tracks(number, frames, steps)) for number in sorted(ids)]
    stop = 1 + (frames - 1) // steps * steps
    return video_of(*made, frames=frames, step=steps, stop=stop)


def assert_same(tracks: tuple[Track, ...], expected: tuple[Track, ...], precision: float) -> None:
    assert [(t.id, t.label) for t in tracks] == [(t.id, t.label) for t in expected]
    for track, other in zip(tracks, expected, strict=True):
        assert track.frames.tolist() == other.frames.tolist()
        np.testing.assert_allclose(track.boxes, other.boxes, atol=precision)
