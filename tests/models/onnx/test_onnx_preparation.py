"""Frames as networks want them, and boxes back in the frame."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from minet_core.models.onnx.preparation import (
    Canvas,
    Interpolation,
    Order,
    PaddingPlace,
    Preparation,
    Resize,
    prepare,
)

FRAME = np.zeros((20, 40, 3), np.uint8)
FRAME[:] = (10, 20, 30)


def test_order_mean_and_deviation():
    how = Preparation((40, 20), order=Order.BGR, mean=(1, 2, 3), std=(2, 4, 8))
    pictures, _ = prepare([FRAME], how)
    assert pictures.shape == (1, 3, 20, 40)
    assert pictures.dtype == np.float32
    for channel, value in enumerate(((30 - 1) / 2, (20 - 2) / 4, (10 - 3) / 8)):
        assert (pictures[0, channel] == value).all()


@pytest.mark.parametrize(("place", "top"), [(PaddingPlace.CENTRE, 10), (PaddingPlace.CORNER, 0)])
def test_letterbox(place, top):
    how = Preparation((40, 40), std=(1, 1, 1), padding=(7, 8, 9), place=place)
    pictures, fit = prepare([FRAME], how)
    inside = np.zeros((40, 40), bool)
    inside[top : top + 20] = True
    for channel in range(3):
        assert (pictures[0, channel][inside] == FRAME[0, 0, channel]).all()
        assert (pictures[0, channel][~inside] == 7 + channel).all()
    boxes = np.array([[4.0, top + 2, 8, top + 6], [0, 0, 40, 40]], np.float32)
    assert fit.in_frame(boxes).tolist() == [[4, 2, 8, 6], [0, 0, 40, 20]]


@pytest.mark.parametrize("interpolation", Interpolation)
def test_resizing_keeps_the_picture_where_it_is(interpolation):
    frame = np.zeros((40, 80, 3), np.uint8)
    frame[10:20, 20:60] = 200
    how = Preparation((40, 40), interpolation=interpolation, std=(1, 1, 1), padding=(0, 0, 0))
    pictures, fit = prepare([frame], how)
    seen = pictures[0, 0] > 100
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    box = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    assert box == [10, 15, 30, 20]
    assert fit.in_frame(np.array([box], np.float32)).tolist() == [[20, 10, 60, 20]]


def test_stretching_has_two_scales():
    how = Preparation((80, 10), Resize.STRETCH)
    pictures, fit = prepare([FRAME], how)
    assert pictures.shape == (1, 3, 10, 80)
    assert fit.in_frame(np.array([[8, 2, 16, 4]], np.float32)).tolist() == [[4, 4, 8, 8]]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1920, 1080), (640, 360, 640, 384)),
        ((1080, 1920), (360, 640, 384, 640)),
        ((640, 640), (640, 640, 640, 640)),
        ((100, 1), (640, 6, 640, 32)),
    ],
)
def test_padding_no_further_than_a_multiple(size, expected):
    fit = Preparation(multiple=32).fit(*size)
    assert (fit.new_width, fit.new_height, fit.outer_width, fit.outer_height) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [((1000, 500), (200, 100)), ((500, 1000), (100, 200)), ((2000, 500), (250, 62))],
)
def test_edges(size, expected):
    fit = Preparation((250, 100), Resize.EDGES, multiple=1).fit(*size)
    assert (fit.new_width, fit.new_height) == (fit.outer_width, fit.outer_height) == expected


def test_no_resizing():
    pictures, fit = prepare([FRAME], Preparation(resize=Resize.NONE, std=(1, 1, 1)))
    assert pictures.shape == (1, 3, 20, 40)
    assert fit.in_frame(np.array([[1, 2, 3, 4]], np.float32)).tolist() == [[1, 2, 3, 4]]


@pytest.mark.parametrize("how", [Preparation((64, 48)), Preparation((64, 48), multiple=32)])
def test_a_canvas_shows_nothing_of_the_frames_before(how):
    random, canvas = np.random.default_rng(0), Canvas(how)
    for count, height, width in [(1, 20, 40), (1, 20, 40), (1, 40, 20), (2, 40, 20), (1, 9, 90)]:
        frames = list(random.integers(0, 256, (count, height, width, 3), np.uint8))
        (pictures, fit), (fresh, expected) = canvas.prepare(frames), prepare(frames, how)
        assert (pictures == fresh).all()
        assert fit == expected


def test_threads_do_not_share_a_canvas():
    canvas = Canvas(Preparation((40, 20), std=(1, 1, 1)))
    pictures, _ = canvas.prepare([FRAME])
    with ThreadPoolExecutor(1) as other:
        other.submit(canvas.prepare, [FRAME + 1]).result()
    assert (pictures[0, :, 0, 0] == (10, 20, 30)).all()
