import numpy as np
import pytest
from export_data import HEIGHT, WIDTH, track_of, tracks
from hypothesis import given
from hypothesis import strategies as st

from minet_core.exports.keyframes import thin, tolerance
from minet_core.formats.annotations import Track
from minet_core.formats.interpolation import Keyframes, between, fill


def moving(boxes: np.ndarray, **columns) -> Track:
    return track_of(1, list(range(len(boxes))), boxes=np.asarray(boxes, float), **columns)


def drift(count: int, slope: float = 3.0) -> np.ndarray:
    return np.array([[slope * i, 10, slope * i + 40, 60] for i in range(count)])


def drawn(track: Track) -> np.ndarray:
    """Boxes as a tool draws them from the keyframes alone."""
    known = track.keyframes
    return between(track.frames, track.frames[known], track.boxes[known])


@given(track=st.integers(1, 3).flatmap(lambda step: tracks(1, 40, step)), step=st.integers(1, 3))
def test_no_edge_moves_farther_than_the_tolerance(track, step):
    thinned = thin(track, step)
    assert (np.abs(drawn(thinned) - track.boxes) <= tolerance(track.boxes) + 1e-9).all()
    np.testing.assert_allclose(drawn(thinned), thinned.boxes)
    assert (thinned.boxes[:, 2:] > thinned.boxes[:, :2]).all()


@given(track=tracks(1, 40))
def test_lines_stay_in_the_picture(track):
    thinned = thin(track, 1, size=(WIDTH, HEIGHT))
    assert (np.abs(drawn(thinned) - track.boxes) <= tolerance(track.boxes) + 1e-9).all()
    assert thinned.boxes.min() >= -1e-9
    assert (thinned.boxes <= np.array([WIDTH, HEIGHT] * 2) + 1e-9).all()


@given(noise=st.integers(0, 2**32 - 1), size=st.floats(2, 300), wobble=st.floats(0, 30))
def test_no_edge_of_a_long_track_does(noise, size, wobble):
    rng = np.random.default_rng(noise)
    corner = rng.normal(0, wobble, (300, 2)).cumsum(axis=0)
    boxes = np.hstack([corner, corner + size + rng.normal(0, 0.1 * size, (300, 2)).clip(-1, 1)])
    thinned = thin(moving(boxes), 1)
    assert (np.abs(drawn(thinned) - boxes) <= tolerance(boxes) + 1e-9).all()


def test_even_motion_needs_its_ends_only():
    assert np.flatnonzero(thin(moving(drift(2000)), 1).keyframes).tolist() == [0, 1999]


def test_trembling_within_the_tolerance_makes_no_keyframes():
    rng = np.random.default_rng(0)
    boxes = drift(500) + rng.uniform(-0.9, 0.9, (500, 4))
    assert thin(moving(boxes), 1).keyframes.sum() < 10


def test_turn_makes_a_keyframe_near_it():
    there, back = drift(50), drift(50)[::-1]
    keyframes = np.flatnonzero(thin(moving(np.vstack([there, back])), 1).keyframes)
    assert len(keyframes) <= 5
    assert min(abs(keyframes - 50)) <= 2


def test_stretch_keeps_its_first_and_last_box():
    track = track_of(1, [0, 1, 2, 7, 8, 9, 20])
    thinned = thin(track, 1)
    assert thinned.frames[thinned.keyframes].tolist() == [0, 2, 7, 9, 20]
    np.testing.assert_array_equal(thinned.boxes[[0, 3, 6]], track.boxes[[0, 3, 6]])


def test_change_of_occlusion_is_a_keyframe():
    occluded = np.array([False, False, True, True, False, False])
    thinned = thin(moving(drift(6), occluded=occluded), 1)
    assert np.flatnonzero(thinned.keyframes).tolist() == [0, 2, 4, 5]


def test_every_other_keyframe_is_kept_as_it_is():
    boxes = np.random.default_rng(1).uniform([0, 0, 60, 60], [50, 50, 99, 99], (7, 4))
    thinned = thin(moving(boxes), 1, every=2)
    assert np.flatnonzero(thinned.keyframes).tolist() == [0, 2, 4, 6]
    np.testing.assert_array_equal(thinned.boxes[::2], boxes[::2])
    np.testing.assert_allclose(thinned.boxes[1], (boxes[0] + boxes[2]) / 2)


def test_only_keyframes_count():
    boxes = np.vstack([drift(3), [[500, 0, 600, 9]], drift(6)[4:]])
    keyframes = np.array([True, False, False, False, False, True])
    thinned = thin(moving(boxes, keyframes=keyframes), 1)
    assert np.flatnonzero(thinned.keyframes).tolist() == [0, 5]
    assert thinned.boxes[3, 0] == pytest.approx(9)


def entries(frames: list[int], visible: list[bool]) -> Keyframes:
    count = len(frames)
    boxes = np.array([[frame, 0, frame + 5, 5] for frame in frames], float)
    yes, no = np.ones(count, np.bool_), np.zeros(count, np.bool_)
    return Keyframes(np.array(frames), boxes, np.array(visible), no, yes, np.ones(count))


@pytest.mark.parametrize(
    ("frames", "visible", "stop", "expected"),
    [
        pytest.param([2, 6], [True, False], None, [2, 4], id="ends before the invisible one"),
        pytest.param([2, 6], [True, True], None, [2, 4, 6], id="ends at the last"),
        pytest.param([2, 6], [True, True], 9, [2, 4, 6, 8], id="goes on to the end"),
        pytest.param([2, 4, 8], [False, False, True], None, [8], id="begins invisible"),
        pytest.param([2, 5], [True, False], None, [2, 4], id="ends between steps"),
    ],
)
def test_fill_has_a_row_for_each_frame_seen(frames, visible, stop, expected):
    track = fill(1, "dog", entries(frames, visible), 2, stop)
    assert track is not None
    assert track.frames.tolist() == expected
    np.testing.assert_allclose(track.boxes[:, 0].clip(max=frames[-1]), track.boxes[:, 0])


def test_fill_of_what_is_never_seen_is_nothing():
    assert fill(1, "dog", entries([2, 6], [False, False]), 1, None) is None
