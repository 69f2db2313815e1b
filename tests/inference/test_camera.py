"""The camera's motion, on pictures whose motion is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from minet_core.errors import MinetError
from minet_core.inference import camera
from minet_core.inference.camera import CameraMotion


def scene(left: int, top: int, width: int = 480, height: int = 320) -> NDArray[np.uint8]:
    """A window into a large picture of random bricks."""
    chance = np.random.default_rng(0)
    bricks = chance.integers(0, 256, (60, 60, 3), dtype=np.uint8)
    world = bricks.repeat(16, axis=0).repeat(16, axis=1)
    return np.ascontiguousarray(world[top : top + height, left : left + width])


@pytest.mark.parametrize(("x", "y"), [(0, 0), (12, 0), (-9, 7), (30, -20)])
def test_a_shift_is_found(x: int, y: int) -> None:
    follower = CameraMotion()
    assert follower.update(scene(200, 200)) is None
    affine = follower.update(scene(200 - x, 200 - y))
    assert affine is not None
    corner = affine.numpy() @ [100, 80, 1]
    assert corner.tolist() == pytest.approx([100 + x, 80 + y], abs=1.0)


def test_a_camera_that_stands_still_does_not_follow_slow_walkers() -> None:
    """A third of the picture creeps to the right, by less than a pixel of the compared pictures."""
    follower, place = CameraMotion(), np.array([100.0, 80.0, 1.0])
    for t in range(40):
        picture = scene(200, 200)
        picture[213:] = scene(400 - t, 500)[213:]
        affine = follower.update(picture)
        if affine is not None:
            place[:2] = affine.numpy() @ place
    assert place[:2].tolist() == pytest.approx([100, 80], abs=2.0)


def test_nothing_is_told_of_a_flat_picture() -> None:
    follower = CameraMotion()
    for _ in range(2):
        assert follower.update(np.full((64, 64, 3), 90, np.uint8)) is None


def test_nothing_is_told_over_a_change_of_size() -> None:
    follower = CameraMotion()
    follower.update(scene(0, 0))
    assert follower.update(scene(0, 0, 320, 300)) is None


def test_without_opencv_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise MinetError("cannot draw, OpenCV does not load")

    monkeypatch.setattr(camera, "load_opencv", refuse)
    follower = CameraMotion()
    assert follower.update(scene(0, 0)) is None
    assert follower.update(scene(5, 0)) is None
    assert len(follower.warnings) == 1
