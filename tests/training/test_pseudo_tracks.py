"""Pseudo-tracks: certain stretches are linked, doubtful ones end."""

import numpy as np
from numpy.typing import NDArray

from minet_core.training.data.pseudo_tracks import LinkRules, Stretch, certain_stretches

Boxes = NDArray[np.float64]


def box(x: float, y: float = 0.0, side: float = 20.0) -> Boxes:
    return np.array([x, y, x + side, y + side])


def stretches(frames: list[list[Boxes]], score: float = 0.8, **rules: float) -> list[Stretch]:
    boxes = [np.array(rows).reshape(-1, 4) for rows in frames]
    scores = [np.full(len(rows), score) for rows in boxes]
    return certain_stretches(boxes, scores, LinkRules(**rules))  # type: ignore[arg-type]


def test_objects_apart_are_a_stretch_each() -> None:
    found = stretches([[box(3 * t), box(200 - 3 * t, 50)] for t in range(10)])
    assert [stretch.frames for stretch in found] == [list(range(10))] * 2
    assert [set(stretch.rows) for stretch in found] == [{0}, {1}]


def test_a_fast_object_is_expected_where_its_motion_takes_it() -> None:
    # from its fourth frame on it moves by more than half its side: overlap alone would lose it
    places = np.cumsum([0, 5, 8, 11, 14, 14, 14, 14])
    (found,) = stretches([[box(x)] for x in places])
    assert found.frames == list(range(8))


def test_a_stretch_ends_where_two_boxes_compete() -> None:
    apart = [[box(0), box(100)] for _ in range(8)]
    doubtful = [[box(0), box(1)]]
    found = stretches(apart + doubtful + apart)
    assert found
    assert all(8 not in stretch.frames for stretch in found)
    crossing = [s for s in found if s.rows[0] == 0]
    assert [s.frames for s in crossing] == [list(range(8)), list(range(9, 17))]


def test_a_short_absence_is_bridged_and_a_long_one_is_not() -> None:
    seen, gone = [[box(0)]] * 6, [[]]
    assert [s.frames[-1] for s in stretches(seen + gone * 3 + seen, absence=4)] == [14]
    assert [s.frames[-1] for s in stretches(seen + gone * 4 + seen, absence=4)] == [5, 15]


def test_short_and_weak_stretches_are_left_out() -> None:
    assert stretches([[box(0)]] * 5) == []
    assert stretches([[box(0)]] * 20, score=0.35) == []
    assert stretches([[box(0)]] * 20, score=0.2) == []


def test_one_object_never_has_two_rows_in_a_frame() -> None:
    generator = np.random.default_rng(0)
    frames = [[box(*generator.uniform(0, 60, 2)) for _ in range(6)] for _ in range(40)]
    for stretch in stretches(frames, boxes=2):
        assert (np.diff(stretch.frames) > 0).all()
