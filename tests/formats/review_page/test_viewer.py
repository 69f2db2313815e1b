from fractions import Fraction

import numpy as np
import pytest
from browser import Tab
from video_factory import write_grey_video, write_video
from viewer_data import WATCHED, data_of, write_page

from minet_core.video import open_video


@pytest.fixture
def page(tmp_path, clip):  # noqa: ARG001
    return write_page(tmp_path, data_of(WATCHED), ["clip.mp4"])


def test_page_opens_under_its_own_policy(browser, page):
    context = browser.new_context()
    tab = Tab(context.new_page())
    tab.page.goto(page.as_uri())
    tab.page.wait_for_selector('[role="option"]')
    assert tab.page.title() == "clip.mp4 · minet"
    context.close()
    assert tab.complaints == []


def test_video_plays_to_its_end_and_numbers_follow_its_pictures(tab, page):
    tab.open(page)
    note = "seen.push(viewer.store.state.frame)"
    tab.get(f"(window.seen = [], viewer.store.on(['frame'], () => {note}), null)")
    tab.get("(viewer.player.setSpeed(0.25), null)")  # a busy browser leaves pictures out
    tab.page.click("#play")
    tab.wait("seen.includes(29) && !viewer.store.state.playing").settle()
    assert tab.shows(29)
    assert tab.get("seen") == sorted(tab.get("seen"))
    assert len(set(tab.get("seen"))) > 1
    note = "window.sought = viewer.player.video.currentTime"
    tab.get(f"(viewer.player.video.onseeking = () => {{ {note} }}, null)")
    tab.page.click("#play")
    tab.wait("window.sought < 0.1")  # from the beginning


def test_frame_steps_show_the_frames_they_say(tab, page):
    tab.open(page)
    steps = [("ArrowRight", 1), ("Shift+ArrowRight", 11), ("ArrowLeft", 10), ("End", 29)]
    for key, frame in [*steps, ("ArrowRight", 29), ("Home", 0)]:
        tab.press(key)
        assert tab.shows(frame)


def test_uneven_times_show_the_frames_they_say(tab, tmp_path):
    pts = [0, 1, 2, 10, 11, 13, 30, 31, 60, 61]
    write_grey_video(tmp_path / "clip.mp4", 10, pts=pts, time_base=Fraction(1, 25), rate=25)
    rows = [(i, 1, "car", 0.9, (8.0, 8, 24, 24)) for i in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)]
    data = data_of(rows, last=9, times=[p / 25 for p in pts])
    tab.open(write_page(tmp_path, data, ["clip.mp4"]))
    for frame in (3, 8, 2):
        tab.page.fill("#frame", str(frame))
        tab.page.keyboard.press("Enter")
        tab.settle()
        assert tab.shows(frame)


CALLBACK = "HTMLVideoElement.prototype.requestVideoFrameCallback"


@pytest.mark.parametrize(
    "browser_has",
    ["", f"delete {CALLBACK}", f"{CALLBACK} = () => 0"],
    ids=["", "no time of pictures", "a tab that is not shown"],
)
def test_video_that_starts_after_its_sound_shows_the_frames_it_says(tab, tmp_path, browser_has):
    tab.page.add_init_script(browser_has)
    pts = [i + 10 for i in range(10)]
    write_grey_video(tmp_path / "clip.mp4", 10, pts=pts, audio_seconds=1.0)
    with open_video(tmp_path / "clip.mp4") as reader:
        times, start = [frame.time for frame in reader], reader.info.start_time
    rows = [(i, 1, "car", 0.9, (8.0, 8, 24, 24)) for i in range(10)]
    data = data_of(rows, last=9, times=times, start_time=start)
    tab.open(write_page(tmp_path, data, ["clip.mp4"]))
    for key, frame in [("ArrowRight", 1), ("End", 9)]:
        tab.press(key)
        assert tab.shows(frame)


def edges(line, colour: str) -> tuple[float, float]:
    """Centre of the first and of the last stroke of a colour along a line of pixels."""
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    places = np.flatnonzero(np.abs(line.astype(int) - rgb).max(axis=1) < 40)
    strokes = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    return float(strokes[0].mean()) + 0.5, float(strokes[-1].mean()) + 0.5


@pytest.mark.parametrize(("frame", "track"), [(0, 1), (6, 2), (20, 3)])
def test_boxes_are_where_the_data_says(tab, page, frame, track):
    tab.open(page, f"#frame={frame}")
    box = next(row[4] for row in WATCHED if row[:2] == (frame, track))
    x1, y1, x2, y2 = (round(place, 3) for place in tab.place_of(box, (64, 48)))
    assert x2 - x1 > 40
    colour = tab.get(f"viewer.data.colour(viewer.data.byId.get({track}))")
    left, top = round(x1) - 9, round(y1) + 9
    screen = tab.screen((left, top, x2 + 9, y2 + 9))
    across = edges(screen[len(screen) // 2], colour)
    down = edges(screen[:, screen.shape[1] // 2], colour)
    assert (left + across[0], left + across[1], top + down[1]) == pytest.approx((x1, x2, y2), abs=1)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_boxes_are_upright_on_a_rotated_video(tab, tmp_path, rotation):
    image = np.full((48, 64, 3), 40, np.uint8)
    image[8:24, 8:32] = 220
    write_video(tmp_path / "clip.mp4", [image] * 5, rotation=rotation)
    with open_video(tmp_path / "clip.mp4") as reader:
        upright = next(iter(reader)).image
    ys, xs = np.nonzero(upright[:, :, 0] > 130)
    box = (float(xs.min()), float(ys.min()), float(xs.max() + 1), float(ys.max() + 1))
    size = (upright.shape[1], upright.shape[0])
    data = data_of([(0, 1, "car", 0.9, box)], last=4, size=size)
    tab.open(write_page(tmp_path, data, ["clip.mp4"]))
    tab.page.select_option("#boxes-shown", "none")
    left, top, right, bottom = map(round, tab.place_of((0, 0, *size), size))
    ys, xs = np.nonzero(tab.settle().screen((left, top, right, bottom))[:, :, 0] > 130)
    found = [left + xs.min(), top + ys.min(), left + xs.max() + 1, top + ys.max() + 1]
    assert found == pytest.approx(tab.place_of(box, size), abs=(right - left) / size[0])


def test_click_on_the_timeline_jumps_to_that_frame_of_the_tracklet(tab, page):
    tab.open(page)
    at = tab.get("viewer.timeline.pointOf(viewer.data.byId.get(2), 12)")
    tab.page.click("#bars", position=at)
    tab.settle()
    assert tab.shows(12)
    assert tab.track == 2
    assert tab.page.inner_text("#chosen-name") == "dog 2"


def test_click_on_a_box_chooses_it_and_beside_it_plays(tab, page):
    tab.open(page)
    place = tab.get("viewer.overlay.place(viewer.data.box(viewer.data.byId.get(1).from))")
    tab.page.click("#boxes", position={"x": place["left"] + 9, "y": place["top"] + 9})
    assert tab.settle().track == 1
    tab.page.click("#boxes", position={"x": 5, "y": 5})
    tab.wait("viewer.store.state.frame > 0")


def test_click_on_the_chart_jumps_along_the_tracklet(tab, page):
    tab.open(page, "#track=2")
    assert tab.frame == 5
    box = tab.page.locator("#chart").bounding_box()
    tab.page.click("#chart", position={"x": box["width"] - 9, "y": 40})
    tab.settle()
    assert tab.frame == 13
    assert "score 0.40" in tab.page.inner_text("#chart-read")
    assert "detector alone 0.20" in tab.page.inner_text("#chart-read")


def test_keys_leaf_through_tracklets_and_their_ends(tab, page):
    tab.open(page)
    visited = []
    for key in ("ArrowDown", "ArrowDown", "]", "[", "ArrowDown", "ArrowUp", "Escape"):
        tab.press(key)
        visited.append((tab.track, tab.frame))
    assert visited == [(1, 0), (2, 5), (2, 13), (2, 5), (3, 18), (2, 5), (None, 5)]


def test_keys_stop_at_every_event(tab, page):
    tab.open(page)
    visited = []
    for _ in range(6):
        tab.press("n")
        visited.append((tab.track, tab.frame))
    assert visited == [(2, 5), (2, 8), (2, 13), (3, 18), (1, 19), (3, 22)]
    tab.press("p", "p")
    assert (tab.track, tab.frame) == (3, 18)
    tab.press("Shift+N", "Shift+N")
    assert (tab.track, tab.frame) == (3, 27)
    tab.page.select_option("#stops", "gap")
    tab.page.locator("#stops").blur()
    tab.press("Home", "n")
    assert (tab.track, tab.frame) == (2, 8)


def test_space_plays_wherever_the_focus_is_but_on_a_button(tab, page):
    tab.open(page)
    tab.page.focus("#list")
    tab.page.keyboard.press("Space")
    tab.wait("viewer.store.state.frame > 0")
    tab.page.focus("#play")
    tab.page.keyboard.press("Space")  # the button's own press, once and not twice
    tab.wait("!viewer.store.state.playing")


def test_digits_in_a_field_are_no_shortcuts(tab, page):
    tab.open(page)
    tab.press("/")
    tab.page.keyboard.type("3")
    tab.settle()
    assert (tab.track, tab.frame) == (3, 18)
    assert tab.get("document.activeElement.id") == "find"


def test_help_lists_the_keys_and_closes(tab, page):
    tab.open(page)
    tab.page.keyboard.press("?")
    assert tab.page.locator("#help").is_visible()
    assert tab.page.locator("#help-keys dt").count() == tab.get("viewer.keys.length")
    tab.page.keyboard.press("Escape")
    assert not tab.page.locator("#help").is_visible()
