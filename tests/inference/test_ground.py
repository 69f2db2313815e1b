"""Places in the first picture of a scene, under camera motions that are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minet_core.inference.ground import Ground

BOX = np.array([100.0, 50.0, 140.0, 130.0])
MOTIONS = st.tuples(
    st.floats(0.8, 1.25), st.floats(-0.3, 0.3), st.floats(-50, 50), st.floats(-50, 50)
)


def affine(zoom: float, turn: float, x: float, y: float) -> np.ndarray:
    sine, cosine = zoom * np.sin(turn), zoom * np.cos(turn)
    return np.array([[cosine, -sine, x], [sine, cosine, y]])


@given(st.lists(MOTIONS, max_size=15))
def test_what_stands_still_stays_where_it_was(motions: list[tuple[float, ...]]) -> None:
    ground, centre, size = Ground(), np.array([120.0, 90.0]), np.array([40.0, 80.0])
    before = ground.place(BOX)
    for motion in motions:
        camera = affine(*motion)
        centre = camera[:, :2] @ centre + camera[:, 2]
        size = motion[0] * size
        ground.follow(camera)
    after = ground.place(np.concatenate([centre - size / 2, centre + size / 2]))
    assert after == pytest.approx(before, rel=1e-6, abs=1e-6)


def test_an_unknown_motion_is_none() -> None:
    ground = Ground()
    ground.follow(None)
    assert ground.place(BOX) == (120.0, 90.0, pytest.approx(np.sqrt(3200)))


def test_zooming_for_ever_makes_no_number_too_large() -> None:
    ground = Ground()
    for _ in range(10_000):
        ground.follow(affine(1.3, 0.0, 9.0, -4.0))
    assert np.isfinite(ground.place(BOX)).all()
