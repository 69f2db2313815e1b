import numpy as np
import pytest

from minet_core.formats.doubts import SeenTrack, doubts_of

SIZE = (640, 360)


def seen(frames, lefts, labels=0, score=0.9, top=100.0):
    left = np.array(lefts, np.float64)
    count = len(left)
    boxes = np.stack([left, 0 * left + top, left + 40, 0 * left + top + 80], axis=1)
    every = np.zeros(count, np.int64) + labels
    return SeenTrack(np.array(frames, np.int64), boxes, np.full(count, score), every)


def found(tracks, last=99, step=1):
    return {
        (d.kind, d.tracks): d for d in doubts_of(tracks, SIZE, last, step) if d.kind != "object"
    }


def test_steady_track_to_the_end_leaves_no_doubt_but_whether_it_is_one():
    (doubt,) = doubts_of({1: seen(range(100), range(100, 200))}, SIZE, 99)
    assert (doubt.kind, doubt.tracks) == ("object", (1,))
    assert doubt.chance < 0.1


def test_gap_leap_and_change_of_class_are_doubted_where_they_are():
    frames = [*range(10), *range(20, 100)]
    lefts = [100 + f + (60 if f >= 50 else 0) for f in frames]
    labels = np.array([int(f >= 70) for f in frames])
    doubts = found({1: seen(frames, lefts, labels)})
    places = {kind: (doubt.before, doubt.frame) for (kind, _), doubt in doubts.items()}
    assert places == {"return": (9, 20), "leap": (49, 50), "class": (69, 70)}


def test_frames_left_out_by_a_stride_are_no_gap():
    assert found({1: seen(range(0, 100, 2), range(100, 150))}, step=2) == {}


def test_track_that_ends_and_one_that_begins_nearby_may_be_one():
    one, two = seen(range(40), range(100, 140)), seen(range(45, 100), range(145, 200))
    far = seen(range(45, 100), range(400, 455))
    doubts = found({1: one, 2: two, 3: far})
    near, other = doubts["parted", (1, 2)], doubts["parted", (1, 3)]
    assert (near.before, near.frame) == (39, 45)
    assert near.chance > other.chance


def test_track_that_ends_inside_is_doubted_and_one_at_the_border_is_not():
    inside, border = seen(range(40), range(100, 140)), seen(range(40), range(562, 602))
    assert found({1: inside}).keys() == {("end", (1,))}
    assert found({1: border}) == {}


def test_two_that_cross_may_have_swapped():
    one = seen(range(100), range(100, 300, 2))
    two = seen(range(100), range(300, 100, -2))
    doubt = found({1: one, 2: two})["meeting", (1, 2)]
    assert doubt.before < 50 < doubt.frame


def test_two_on_one_object_are_surer_than_two_that_meet():
    one, two = seen(range(100), range(100, 200)), seen(range(30, 100), range(132, 202))
    (doubt,) = found({1: one, 2: two}).values()
    assert (doubt.kind, doubt.frame) == ("double", 30)
    met = found({1: one, 2: seen(range(30, 100), range(200, 130, -1))})["meeting", (1, 2)]
    assert doubt.chance > 2 * met.chance


def test_two_that_cover_each_other_where_one_ends_are_not_one():
    """Though they do so in all frames that both have: they are long without each other."""
    one, two = seen(range(55), range(100, 155)), seen(range(45, 100), range(147, 202))
    assert ("double", (1, 2)) not in found({1: one, 2: two})


def test_short_and_weak_track_is_doubted_first():
    tracks = {1: seen(range(100), range(100, 200)), 2: seen([50, 51], [400, 401], score=0.35)}
    first = doubts_of(tracks, SIZE, 99)[0]
    assert (first.kind, first.tracks) == ("object", (2,))


@pytest.mark.parametrize("tracks", [{}, {1: seen([0], [100])}])
def test_hardly_anything_is_no_trouble(tracks):
    assert len(doubts_of(tracks, SIZE, 0)) == len(tracks)
