"""The Kalman filter against one with whole matrices, and what its likelihood promises."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minet_core.config import Motion
from minet_core.memory import motion

SETTINGS = Motion()
START = torch.tensor([[100.0, 50.0, 140.0, 130.0]])


def walked(seed: int, steps: int) -> list[list[float]]:
    chance = np.random.default_rng(seed)
    box, boxes = np.array([120.0, 90.0, 40.0, 80.0]), []
    for _ in range(steps):
        box = box + chance.normal(size=4) * [3, 2, 1, 1]
        centre, size = box[:2], box[2:]
        boxes.append([*(centre - size / 2), *(centre + size / 2)])
    return boxes


def textbook(boxes: list[list[float]], frames: float) -> tuple[np.ndarray, np.ndarray]:
    """The same filter on one state of eight numbers: positions, then velocities."""

    def measured(box: list[float]) -> np.ndarray:
        x1, y1, x2, y2 = box
        return np.array([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1])

    def size(state: np.ndarray) -> float:
        return float(np.sqrt(max(state[2], 1) * max(state[3], 1)))

    start = measured(START[0].tolist())
    mean = np.concatenate([start, np.zeros(4)])
    speeds = np.array([1, 1, 1 / 3, 1 / 3]) * 0.12 * size(start)
    cov = np.diag([(SETTINGS.measurement * size(start)) ** 2] * 4 + list(speeds**2))
    step = np.eye(8)
    step[:4, 4:] = frames * np.eye(4)
    step[4:, 4:] = 0.95**frames * np.eye(4)
    look = np.eye(4, 8)
    for box in boxes:
        mean = step @ mean
        noise = [frames * (SETTINGS.drift * size(mean)) ** 2] * 4
        noise += [frames * (SETTINGS.acceleration * size(mean)) ** 2] * 4
        cov = step @ cov @ step.T + np.diag(noise)
        seen = look @ cov @ look.T + (SETTINGS.measurement * size(mean)) ** 2 * np.eye(4)
        gain = cov @ look.T @ np.linalg.inv(seen)
        mean = mean + gain @ (measured(box) - look @ mean)
        cov = cov - gain @ look @ cov
    return mean, cov


@given(st.integers(0, 1000), st.sampled_from([1.0, 2.5]))
@settings(deadline=None, max_examples=20)
def test_equals_the_textbook(seed: int, frames: float) -> None:
    boxes = walked(seed, 12)
    track = motion.begin(START, SETTINGS)
    for box in boxes:
        track = motion.predict(track, frames, None, SETTINGS)
        track = motion.correct(track, torch.tensor([box]), SETTINGS)
    mean, cov = textbook(boxes, frames)
    got = track.mean[0].T.reshape(-1).numpy()
    np.testing.assert_allclose(got, mean, rtol=1e-9, atol=1e-9)
    for i in range(4):
        block = cov[np.ix_([i, i + 4], [i, i + 4])]
        np.testing.assert_allclose(track.covariance[0, i].numpy(), block, rtol=1e-8, atol=1e-9)


def seen_for(frames: int) -> motion.TrackState:
    """An object that goes 2 pixels a frame to the right."""
    track = motion.begin(START, SETTINGS)
    for i in range(1, frames):
        box = START + torch.tensor([2.0 * i, 0, 2.0 * i, 0])
        track = motion.predict(track, 1, None, SETTINGS)
        track = motion.correct(track, box, SETTINGS)
    return track


def test_goes_on_as_it_went() -> None:
    track = motion.predict(seen_for(20), 1, None, SETTINGS)
    assert track.boxes[0].tolist() == pytest.approx([140, 50, 180, 130], abs=1.5)


def test_likelihood_falls_with_distance_and_with_another_size() -> None:
    track = motion.predict(seen_for(20), 1, None, SETTINGS)
    here = track.boxes[0]
    shifts = [0.0, 10.0, 20.0, 60.0, 200.0]
    boxes = torch.stack([here + torch.tensor([d, 0, d, 0]) for d in shifts])
    ratio = motion.log_ratio(boxes, track, SETTINGS)[:, 0]
    assert bool((ratio.diff() < 0).all())
    wider = torch.stack([here, here + torch.tensor([-20.0, 0, 20.0, 0])])
    ratio = motion.log_ratio(wider, track, SETTINGS)[:, 0]
    assert float(ratio[0]) > float(ratio[1])


def test_says_less_the_longer_an_object_is_out_of_sight() -> None:
    track, at_place, beside = seen_for(20), [], []
    for _ in range(40):
        track = motion.predict(track, 1, None, SETTINGS)
        here = track.boxes[0]
        ratio = motion.log_ratio(torch.stack([here, here + 80]), track, SETTINGS)[:, 0]
        at_place.append(float(ratio[0]))
        beside.append(float(ratio[1]))
    assert at_place == sorted(at_place, reverse=True)
    assert at_place[0] > 5 > beside[0]
    assert at_place[-1] - beside[-1] < (at_place[0] - beside[0]) / 5


@pytest.mark.parametrize("scale", [0.1, 7.0])
def test_the_size_of_the_picture_does_not_matter(scale: float) -> None:
    ratios = []
    for factor in (1.0, scale):
        track = motion.begin(10 * factor * START, SETTINGS)
        track = motion.predict(track, 3, None, SETTINGS)
        boxes = 10 * factor * (START + torch.tensor([[5.0, 3.0, 9.0, 3.0], [50.0, 0, 50.0, 0]]))
        ratios.append(motion.log_ratio(boxes, track, SETTINGS))
    torch.testing.assert_close(ratios[0], ratios[1])


def test_a_camera_s_shift_turn_and_zoom_move_the_prediction() -> None:
    track = seen_for(10)
    affine = torch.tensor([[0.0, -2.0, 30.0], [2.0, 0.0, -5.0]])  # a quarter turn, twice as large
    plain = motion.predict(track, 1, None, SETTINGS)
    moved = motion.predict(track, 1, affine, SETTINGS)
    centre, speed = plain.mean[0, :2, 0], plain.mean[0, :2, 1]
    turned = affine[:, :2].double()
    torch.testing.assert_close(moved.mean[0, :2, 1], turned @ speed)
    torch.testing.assert_close(moved.mean[0, :2, 0], turned @ centre + affine[:, 2])
    torch.testing.assert_close(moved.mean[0, 2:, 0], 2 * plain.mean[0, 2:, 0])
    torch.testing.assert_close(moved.covariance, 4 * plain.covariance)


def test_way_is_what_the_object_went_and_not_what_the_camera_did() -> None:
    size = float((START[0, 2:] - START[0, :2]).prod().sqrt())
    walker, camera = seen_for(30), torch.tensor([[1.2, 0.0, 40.0], [0.0, 1.2, -7.0]])
    way = float(walker.way[0])
    assert way == pytest.approx(2 * 29 / size, rel=0.05)
    for _ in range(5):  # the camera pans and zooms, and the object goes with the picture
        walker = motion.predict(walker, 0.0, camera, SETTINGS)
    assert float(walker.way[0]) == pytest.approx(way)


def after(leaps: list[float], settings: Motion = SETTINGS) -> motion.TrackState:
    """A track of boxes that lie so many pixels beside a line, predicted to the next frame."""
    track = motion.begin(START, settings)
    for i, leap in enumerate(leaps, start=1):
        box = START + torch.tensor([2.0 * i + leap, 0, 2.0 * i + leap, 0])
        track = motion.predict(track, 1, None, settings)
        track = motion.correct(track, box, settings)
    return motion.predict(track, 1, None, settings)


def ratio(track: motion.TrackState, shift: float) -> float:
    """What a track says of a box so many pixels to the right of where it is expected."""
    moved = track.boxes + torch.tensor([shift, 0, shift, 0])
    return float(motion.log_ratio(moved, track, SETTINGS)[0, 0])


def test_an_object_that_leaps_about_may_leap_again() -> None:
    restless, calm = after([25.0, -25.0] * 6), after([0.0] * 12)
    assert ratio(calm, 0) > ratio(restless, 0)
    assert ratio(calm, 40) < ratio(restless, 40)


def test_a_leap_is_forgotten_by_and_by() -> None:
    restless, calm_again = after([25.0, -25.0] * 6), after([25.0, -25.0] * 6 + [0.0] * 30)
    assert float(calm_again.unrest) < float(restless.unrest)
    assert float(calm_again.unrest) == pytest.approx(1.0, abs=0.2)


def test_without_learning_all_objects_are_equally_calm() -> None:
    settings = Motion(learning=0.0)
    assert after([25.0, -25.0] * 6, settings).unrest.tolist() == [1.0]
