import subprocess
import sys
from itertools import pairwise

import cv2
import numpy as np
import pytest

from minet_core.errors import MinetError
from minet_core.video.drawing.overlay import Overlay
from minet_core.video.drawing.palette import PALETTE, UNTRACKED, colour_of, text_colour_on

BACKGROUND = 90


def picture(height=240, width=320) -> np.ndarray:
    return np.full((height, width, 3), BACKGROUND, np.uint8)


def draw(image, boxes, labels=None, scores=None, track_ids=None, overlay=None) -> np.ndarray:
    count = len(boxes)
    return (overlay or Overlay()).draw(
        image,
        np.array(boxes, np.float32).reshape(-1, 4),
        labels or ["person"] * count,
        scores if scores is not None else [0.5] * count,
        track_ids if track_ids is not None else list(range(count)),
    )


def touched(image) -> np.ndarray:
    """(height, width) mask of what is not background any more."""
    return (image != BACKGROUND).any(axis=2)


def drawn_in(image, colour) -> np.ndarray:
    return (image == np.array(colour, np.uint8)).all(axis=2)


def test_box_is_outlined_in_the_tracks_colour():
    image = draw(picture(), [[100, 80, 180, 200]], track_ids=[5])
    box = drawn_in(image, colour_of(5))
    assert box[80:201, 100].all()
    assert box[80:201, 180].all()
    assert box[200, 100:181].all()
    assert not touched(image)[110:190, 110:170].any()


def test_image_given_is_left_alone():
    image = picture()
    drawn = draw(image, [[100, 80, 180, 200]])
    assert (image == BACKGROUND).all()
    assert (drawn.shape, drawn.dtype) == (image.shape, np.uint8)
    assert not np.shares_memory(drawn, image)


def test_nothing_to_draw_changes_nothing():
    np.testing.assert_array_equal(draw(picture(), []), picture())


def test_untracked_is_grey_and_has_no_number():
    image = draw(picture(), [[100, 80, 180, 200]], track_ids=[-1])
    assert drawn_in(image, UNTRACKED)[80:201, 100].all()
    numbered = draw(picture(), [[100, 80, 180, 200]], track_ids=[123])
    assert touched(numbered)[:79].sum() > touched(image)[:79].sum()


def test_tag_sits_on_the_box_and_holds_text():
    image = draw(picture(), [[100, 80, 180, 200]], track_ids=[0])
    rows, columns = np.nonzero(touched(image)[:78])
    assert columns.min() in (99, 100)
    assert 60 < rows.min() < 70
    tag = image[rows.min() : 79, columns.min() : columns.max() + 1]
    assert drawn_in(tag, text_colour_on(colour_of(0))).any()


@pytest.mark.parametrize(
    "box",
    [
        pytest.param([100, 0, 180, 200], id="top"),
        pytest.param([100, 6, 180, 200], id="near-top"),
        pytest.param([280, 80, 319, 200], id="right"),
        pytest.param([-50, -40, 20, 60], id="beyond-top-left"),
        pytest.param([300, 220, 500, 400], id="beyond-bottom-right"),
    ],
)
def test_tag_stays_inside_the_frame(box):
    whole = draw(picture(), [[100, 80, 180, 200]], labels=["traffic light"])
    image = draw(picture(), [box], labels=["traffic light"])
    assert ink(image) == ink(whole) > 20


def ink(image, track_id: int = 0) -> int:
    """Pixels of the letters on a track's tag: cut off or covered text has fewer."""
    return int(drawn_in(image, text_colour_on(colour_of(track_id))).sum())


@pytest.mark.parametrize("shape", [(16, 16), (240, 320), (2160, 3840)])
def test_letters_follow_the_frame(shape):
    height, width = shape
    box = np.array([0.3 * width, 0.4 * height, 0.6 * width, 0.9 * height])
    image = draw(picture(*shape), [box], labels=["x"], scores=[float("nan")], track_ids=[-1])
    rows = np.nonzero(touched(image)[:, round(box[0]) + 1])[0]
    assert image.shape == (*shape, 3)
    if height > 16:
        tag_height = round(box[1]) - rows.min()
        assert 0.02 * height < tag_height < 0.08 * height


@pytest.mark.parametrize(
    "label", ["Fußgänger", "行人", "пешеход", "two\nlines", "", "x" * 500, "\0"]
)
def test_any_label_can_be_drawn(label):
    image = draw(picture(), [[100, 80, 180, 200]], labels=[label])
    assert touched(image)[:79].any()
    assert not touched(image)[203:].any()


def test_letters_that_an_older_opencv_lacks_become_question_marks(monkeypatch):
    monkeypatch.delattr(cv2, "FontFace", raising=False)
    strange = draw(picture(), [[100, 80, 180, 200]], labels=["行人"])
    plain = draw(picture(), [[100, 80, 180, 200]], labels=["??"])
    np.testing.assert_array_equal(strange, plain)
    assert drawn_in(plain[:79], colour_of(0)).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_box_that_is_not_finite_is_left_out(bad):
    good = [100, 80, 180, 200]
    both = draw(picture(), [[10, bad, 50, 60], good], track_ids=[1, 2])
    np.testing.assert_array_equal(both, draw(picture(), [good], track_ids=[2]))


def test_score_that_is_not_finite_is_not_shown():
    with_score = draw(picture(), [[100, 80, 180, 200]], scores=[0.5])
    without = draw(picture(), [[100, 80, 180, 200]], scores=[np.nan])
    assert 0 < ink(without) < ink(with_score)


def test_nearer_object_is_drawn_over_the_one_behind():
    near, far = [100, 80, 180, 200], [104, 80, 184, 150]
    alone = draw(picture(), [near], track_ids=[1])
    assert text_colour_on(colour_of(1)) != text_colour_on(colour_of(2))
    for boxes, ids in (([near, far], [1, 2]), ([far, near], [2, 1])):
        image = draw(picture(), boxes, track_ids=ids)
        assert ink(image, 1) == ink(alone, 1) > 20


def test_two_thousand_boxes():
    random = np.random.default_rng(0)
    corners = random.uniform(-50, 400, (2000, 2))
    boxes = np.hstack([corners, corners + random.uniform(0, 100, (2000, 2))])
    assert touched(draw(picture(), boxes)).any()


class TestTrails:
    def test_lead_from_where_a_track_was(self):
        overlay = Overlay(trails=10)
        for left in (20, 120, 220):
            image = draw(picture(), [[left, 80, left + 40, 200]], overlay=overlay)
        trail = touched(image)[198:203]
        assert trail[:, 40:220].any(axis=0).all()
        assert not trail[:, :36].any()

    def test_fade_into_the_past(self):
        overlay = Overlay(trails=40)
        for left in range(20, 240, 10):
            image = draw(picture(), [[left, 80, left + 40, 200]], overlay=overlay)
        strength = np.abs(image[200].astype(int) - BACKGROUND).sum(axis=1)
        assert 0 < strength[50] < strength[130] < strength[220]

    def test_are_forgotten_after_their_length(self):
        overlay = Overlay(trails=3)
        for left in range(20, 240, 20):
            image = draw(picture(), [[left, 80, left + 40, 200]], overlay=overlay)
        # The last box is at 220, its foot at 240: three steps of 20 back.
        columns = np.nonzero(touched(image)[200, :218])[0]
        assert columns.min() == pytest.approx(180, abs=3)

    def test_of_untracked_objects_do_not_exist(self):
        overlay = Overlay(trails=10)
        for left in (20, 220):
            image = draw(picture(), [[left, 80, left + 40, 200]], track_ids=[-1], overlay=overlay)
        assert not touched(image)[:, :218].any()

    def test_are_off_by_default(self):
        overlay = Overlay()
        for left in (20, 220):
            image = draw(picture(), [[left, 80, left + 40, 200]], overlay=overlay)
        assert not touched(image)[:, :218].any()


# How the three kinds of colour blindness see linear RGB (Machado, Oliveira and Fernandes, 2009).
VISION = {
    "normal": np.eye(3),
    "no-red": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "no-green": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "no-blue": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def lab_as_seen(colour, vision) -> np.ndarray:
    """CIELAB of an sRGB colour as an eye sees it: distances in it are differences one notices."""
    value = np.array(colour) / 255
    linear = np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)
    seen = np.clip(np.array(vision) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ seen / (0.9505, 1, 1.089)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


class TestPalette:
    @pytest.mark.parametrize("vision", VISION.values(), ids=VISION)
    def test_ids_that_follow_each_other_differ_to_every_eye(self, vision):
        seen = [lab_as_seen(colour_of(i), vision) for i in range(len(PALETTE) + 2)]
        assert min(np.linalg.norm(a - b) for a, b in pairwise(seen)) > 25
        assert min(np.linalg.norm(a - b) for a, b in zip(seen, seen[2:], strict=False)) > 25

    def test_has_as_many_colours_as_it_says(self):
        assert len(set(PALETTE)) == len(PALETTE) == 21
        assert UNTRACKED not in PALETTE

    def test_is_stable(self):
        assert colour_of(0) == colour_of(21) == (213, 94, 0)
        assert colour_of(-1) == UNTRACKED

    @pytest.mark.parametrize("colour", [*PALETTE, UNTRACKED])
    def test_text_contrast_is_readable(self, colour):
        def luminance(c):
            value = np.array(c) / 255
            linear = np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)
            return linear @ (0.2126, 0.7152, 0.0722)

        dark, light = sorted([luminance(colour), luminance(text_colour_on(colour))])
        assert (light + 0.05) / (dark + 0.05) > 4.5  # WCAG's level AA


def test_missing_opencv_is_one_line_that_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MinetError, match="opencv-python-headless") as caught:
        draw(picture(), [[100, 80, 180, 200]])
    assert "\n" not in str(caught.value)


def test_opencv_is_not_loaded_before_something_is_drawn():
    modules = "minet_core.video, minet_core.video.drawing.overlay, sys"
    code = f"import {modules}; print('cv2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_interpolated_box_is_dashed():
    box = [[100, 80, 180, 200]]
    image = Overlay().draw(picture(), np.array(box), ["person"], [0.5], [5], [True])
    right = drawn_in(image, colour_of(5))[80:201, 180]
    assert 0.3 < right.mean() < 0.8
    whole = Overlay().draw(picture(), np.array(box), ["person"], [0.5], [5], [False])
    np.testing.assert_array_equal(whole, draw(picture(), box, track_ids=[5]))
