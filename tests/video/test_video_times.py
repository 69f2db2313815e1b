"""Times of frames whose timestamps are missing, repeat, fall back or leap."""

from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from av.format import ContainerFormat
from hypothesis import given
from hypothesis import strategies as st
from video_factory import index_of, write_grey_video

from minet_core.video import open_video
from minet_core.video.reading.timing import StreamClock

Stamps = list[int | None]


def times(stamps: Stamps, container: str = "matroska", start: int | None = 0) -> list[float]:
    """Times of frames with these pts, one tick a second, one frame a second."""
    second = Fraction(1)
    rates = {"average_rate": second, "guessed_rate": None, "base_rate": None}
    stream: Any = SimpleNamespace(
        start_time=start, time_base=second, duration=None, frames=0, index_entries=[], **rates
    )
    clock = StreamClock(stream, ContainerFormat(container, "r"))
    frames: list[Any] = [SimpleNamespace(pts=stamp, dts=stamp) for stamp in stamps]
    return [clock.read(*pair)[1] for pair in pairwise([*frames, None])]


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        pytest.param([0, 1, 5, 6], [0, 1, 5, 6], id="a pause stays"),
        pytest.param([0, 1, 9000, 3, 4], [0, 1, 2, 3, 4], id="leaps and comes back"),
        pytest.param([0, 1, 2, 9000, 9001], [0, 1, 2, 9000, 9001], id="leaps and stays"),
        pytest.param([9000, 1, 2], [0, 1, 2], id="the first leaps"),
        pytest.param([0, 2**60, 2, 3], [0, 1, 2, 3], id="beyond any video"),
        pytest.param([0, 1, 1, 2, 3], [0, 1, 1.5, 2, 3], id="repeats"),
        pytest.param([0, 1, 0, 3, 4], [0, 1, 2, 3, 4], id="falls back and recovers"),
        pytest.param([5, 6, 8, 0, 1, 3, 4], [5, 6, 8, 9, 10, 12, 13], id="falls back and stays"),
        pytest.param([0, -1, -2, -3], [0, 1, 2, 3], id="always backwards"),
        pytest.param([0, 0, 0, 0], [0, 1, 2, 3], id="all the same"),
        pytest.param([None, None, None], [0, 1, 2], id="none at all"),
        pytest.param([0, None, 2, 3], [0, 1, 2, 3], id="one missing"),
        pytest.param([0, 4, None, 5], [0, 4, 4.5, 5], id="missing where frames are dense"),
        pytest.param([-3, 0, 1], [0, 0.5, 1], id="before the start"),
    ],
)
def test_time_goes_on(stamps: Stamps, expected: list[float]) -> None:
    assert times(stamps) == expected


def test_clock_of_a_broadcast_starts_anew_at_a_splice() -> None:
    assert times([0, 1, 9000, 9001, 9003, 20, 21], "mpegts") == [0, 1, 2, 3, 5, 6, 7]


def test_short_pause_of_a_broadcast_stays() -> None:
    assert times([0, 1, 9, 10], "mpegts") == [0, 1, 9, 10]


def test_avi_counts_from_its_first_decoding_time() -> None:
    assert times([7, 8, 9], "avi", start=None) == [0, 1, 2]


@given(st.lists(st.none() | st.integers(-50, 50) | st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_time_only_moves_forward(stamps: Stamps) -> None:
    for container in ("matroska", "mpegts"):
        found = times(stamps, container)
        assert all(later > earlier for earlier, later in pairwise([-1.0, *found]))


@given(st.lists(st.integers(1, 100), min_size=1), st.integers(0, 1000))
def test_timestamps_that_advance_are_times(steps: list[int], start: int) -> None:
    stamps: Stamps = [start + sum(steps[:i]) for i in range(len(steps))]
    assert times(stamps, start=start) == [stamp - start for stamp in stamps if stamp is not None]


def test_one_leap_in_a_file_moves_no_other_frame(tmp_path) -> None:
    path = tmp_path / "a.ts"
    write_grey_video(path, 20, options={"bf": "0"})
    _move_pts(path, packet=8, ticks=90_000 * 3600)
    with open_video(path) as reader:
        frames = list(reader)
    assert [index_of(frame.image) for frame in frames] == list(range(20))
    assert [frame.time for frame in frames] == pytest.approx([i / 25 for i in range(20)])
    assert frames[8].pts == 8 * 3600 + 90_000 * 3600


def _move_pts(path, packet: int, ticks: int) -> None:
    """Add to the presentation time that a picture of a transport stream carries."""
    data, at = bytearray(path.read_bytes()), -1
    for _ in range(packet + 1):
        at = data.index(b"\0\0\1\xe0", at + 1)
    field = at + 9
    assert data[at + 7] >> 6 == 2, "a pts, and no dts"
    old = int.from_bytes(data[field : field + 5])
    pts = (old >> 33 & 7) << 30 | (old >> 17 & 0x7FFF) << 15 | (old >> 1 & 0x7FFF)
    pts += ticks
    new = 0x21 << 32 | (pts >> 30 & 7) << 33 | (pts >> 15 & 0x7FFF) << 17 | 1 << 16
    data[field : field + 5] = (new | (pts & 0x7FFF) << 1 | 1).to_bytes(5)
    path.write_bytes(data)
