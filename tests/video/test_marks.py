"""Reading that begins with a frame of an earlier reading: the same frames, times and pixels."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from video_factory import write_video

from minet_core.video import open_video

FRAMES = 40
CODECS: dict[str, dict[str, Any]] = {
    # References over keyframes in both directions.
    "open.mp4": {"options": {"x264-params": "open-gop=1:keyint=10:bframes=4:ref=5"}},
    "open.ts": {"options": {"x264-params": "open-gop=1:keyint=10:bframes=4:ref=5"}},
    # Pictures that are refreshed little by little.
    "refresh.mp4": {"options": {"x264-params": "intra-refresh=1:keyint=10:bframes=0"}},
    # Presentation times that FFmpeg makes up: no frame is found by them.
    "old.avi": {"codec": "mpeg4", "options": {"bf": "2", "g": "10"}},
    "uneven.mkv": {"pts": [i + (i > 20) * 7 for i in range(FRAMES)]},
}


@pytest.fixture(scope="module")
def images():
    ground = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    return [np.roll(ground, (i, 2 * i), (0, 1)) for i in range(FRAMES)]


def seen(reader):
    frames = [(f.index, f.pts, f.time, f.image.tobytes()) for f in reader]
    return frames, reader.end, reader.warnings


@pytest.mark.parametrize("name", CODECS)
def test_frames_are_those_of_a_reading_from_the_beginning(images, tmp_path, name):
    path, marks, frames = write_video(tmp_path / name, images, **CODECS[name]), [], []
    with open_video(path) as reader:
        for frame in reader:
            marks.append(reader.mark(frame))
            frames.append((frame.index, frame.pts, frame.time, frame.image.tobytes()))
        facts = reader.end, reader.warnings
    for first in (1, 17, FRAMES - 1):
        with open_video(path, mark=marks[first], start=first) as reader:
            assert seen(reader) == (frames[first:], *facts)


def test_what_is_left_out_is_not_read(images, tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", images, options={"x264-params": "keyint=10"})
    with open_video(path) as reader:
        mark = [reader.mark(frame) for frame in reader][25]
    decoded = []
    monkeypatch.setattr("minet_core.video.reading.video_reader.digest", lambda _: decoded.append(0))
    with open_video(path, mark=replace(mark, digest=None), start=25, max_frames=1) as reader:
        assert [frame.index for frame in reader] == [25]
    assert len(decoded) == 1  # the frame itself, found by its time


def test_another_picture_at_that_time_is_not_taken(images, tmp_path):
    path = write_video(tmp_path / "a.mp4", images)
    with open_video(path) as reader:
        marks = [reader.mark(frame) for frame in reader]
    wrong = replace(marks[9], digest=marks[8].digest, index=30)
    with open_video(path, mark=wrong, start=9, end=11) as reader:
        assert [frame.index for frame in reader] == [9, 10]
