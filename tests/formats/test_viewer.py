from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from browser import Tab
from video_factory import grey_of, write_grey_video, write_video
from viewer_data import HOSTILE, data_of, many, write_page

from minet_core.formats.review_page.page import PageVideo
from minet_core.video import open_video

ROWS = [
    *((i, 1, "car", 0.9, (8.0, 8, 24, 24)) for i in range(20)),
    *((i, 2, "dog", 0.4, (30.0 + i, 20, 44.0 + i, 40)) for i in (5, 6, 7, 11, 12, 13)),
    *((i, 3, "car" if i < 22 else "bus", 0.6, (2.0, 30, 12, 44)) for i in range(18, 28)),
    (9, -1, "cat", 0.5, (50, 2, 60, 10)),
]


@pytest.fixture(scope="module")
def context(browser) -> Iterator[Any]:
    # Conditions are evaluated in the page, which its own content policy would forbid.
    context = browser.new_context(viewport={"width": 1000, "height": 640}, bypass_csp=True)
    yield context
    context.close()


@pytest.fixture
def tab(context) -> Iterator[Tab]:
    """A tab in which nothing may go wrong unseen."""
    tab = Tab(context.new_page())
    yield tab
    tab.page.close()
    assert tab.complaints == []


@pytest.fixture
def clip(tmp_path):
    return write_grey_video(tmp_path / "clip.mp4", 30)


@pytest.fixture
def page(tmp_path, clip):  # noqa: ARG001
    return write_page(tmp_path, data_of(ROWS), ["clip.mp4"])


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
    box = next(row[4] for row in ROWS if row[:2] == (frame, track))
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


def shown(tab) -> list[int]:
    ids: list[int] = tab.get("viewer.store.tracks.map((track) => track.id)")
    return ids


def test_filters_filter_list_timeline_and_boxes(tab, page):
    tab.open(page, "#frame=9")
    assert tab.get("viewer.overlay.rows().length") == 2
    tab.page.click("#classes >> text=dog")
    tab.settle()
    assert shown(tab) == [2]
    assert tab.page.locator('[role="option"]').count() == 1
    assert tab.get("viewer.timeline.layout.bars.length") == 1
    assert tab.get("viewer.overlay.rows().length") == 0
    tab.page.click("#clear-filters")
    assert shown(tab.settle()) == [1, 2, 3]


def test_filter_by_length_and_score(tab, page):
    tab.open(page)
    for field, value, ids in [
        ("#min-length", "10", [1, 3]),
        ("#max-length", "6", [2]),
        ("#min-score", "0.5", [1, 3]),
        ("#max-score", "0.5", [2]),
    ]:
        tab.page.fill(field, value)
        assert shown(tab.settle()) == ids
        assert tab.page.inner_text("#filter-count") == f"{len(ids)} of 3 tracklets"
        tab.page.fill(field, "")


def test_filter_by_what_went_wrong(tab, page):
    tab.open(page)
    tab.page.click("#having >> text=gaps")
    assert shown(tab.settle()) == [2]
    tab.page.click("#having >> text=class changes")
    assert shown(tab.settle()) == [2, 3]


def test_filter_that_lets_nothing_through_says_so(tab, page):
    tab.open(page)
    tab.page.fill("#min-length", "999")
    tab.settle()
    assert tab.page.locator("#list-empty").is_visible()


def test_link_brings_back_what_was_seen(tab, page):
    tab.open(page)
    tab.page.click("#classes >> text=car")
    tab.page.fill("#min-length", "20")
    tab.page.select_option("#sort", "low")
    tab.page.locator("#min-length").blur()
    tab.press("ArrowDown", "ArrowRight", "ArrowRight")
    tab.wait("location.hash.includes('frame=2') && location.hash.includes('track=1')")
    link = tab.page.url
    again = Tab(tab.page.context.new_page())
    again.page.goto(link)
    again.settle()
    assert (again.frame, again.track, shown(again)) == (2, 1, [1])
    assert again.page.input_value("#sort") == "low"
    assert again.complaints == []


def test_link_that_makes_no_sense_opens_all_the_same(tab, page):
    tab.open(page, "#frame=1e9&track=77&class=unicorn&sort=toString&minScore=x&with=__proto__")
    assert (tab.frame, tab.track, shown(tab)) == (29, None, [1, 2, 3])


def test_missing_frames_of_the_chosen_tracklet_are_guessed(tab, page):
    tab.open(page, "#frame=9&track=2")
    box = tab.get("viewer.overlay.missingBox(viewer.store.state.track, 9)")
    assert box == pytest.approx([39, 20, 53, 40], abs=0.1)


def test_zoom_follows_the_chosen_tracklet(tab, page):
    tab.open(page, "#frame=6&track=2")
    tab.press("z")
    place = tab.get("viewer.overlay.place(viewer.data.box(viewer.data.byId.get(2).from + 1))")
    size = tab.get("[viewer.overlay.canvas.clientWidth, viewer.overlay.canvas.clientHeight]")
    assert max(place["width"] / size[0], place["height"] / size[1]) > 0.39
    assert 0 < place["left"] < place["left"] + place["width"] < size[0]


def test_source_that_does_not_play_gives_way_to_the_annotated_video(tab, tmp_path):
    (tmp_path / "source.avi").write_bytes(b"no video")
    write_grey_video(tmp_path / "annotated.mp4", 10)
    videos = [PageVideo("source.avi"), PageVideo("annotated.mp4", annotated=True)]
    rows = [(i, 1, "car", 0.9, (8.0, 8, 24, 24)) for i in range(20, 30)]
    data = data_of(rows)
    tab.open(write_page(tmp_path, replace(data, first=20), videos))
    assert "annotated video" in tab.page.inner_text("#notice")
    tab.press("ArrowRight", "ArrowRight")
    assert tab.shows(22, drawn=2)
    assert tab.get("viewer.overlay.rows().length") == 0
    tab.press("ArrowDown")
    assert tab.get("viewer.overlay.rows().length") == 1


def test_page_without_a_video_still_steps_and_plays(tab, tmp_path):
    tab.open(write_page(tmp_path, data_of(ROWS), ["gone.mp4"]))
    tab.complaints.clear()  # that gone.mp4 is gone
    assert "empty picture" in tab.page.inner_text("#notice")
    tab.press("ArrowRight")
    assert tab.frame == 1
    tab.page.keyboard.press("Space")
    tab.wait("!viewer.store.state.playing && viewer.store.state.frame === 29")


def test_video_can_be_brought_to_the_page(tab, tmp_path, clip):
    tab.open(write_page(tmp_path, data_of(ROWS)))
    tab.page.set_input_files("#file", clip)
    tab.wait("viewer.player.media === viewer.player.video && viewer.player.ready").settle()
    tab.press("Shift+ArrowRight")
    assert tab.shows(10)
    assert tab.page.locator("#notice").is_hidden()


def test_another_video_is_told_by_its_shape(tab, tmp_path):
    write_video(tmp_path / "wide.mp4", [np.full((36, 96, 3), grey_of(0), np.uint8)] * 5)
    tab.open(write_page(tmp_path, data_of(ROWS), ["wide.mp4"]))
    assert "another shape" in tab.page.inner_text("#notice")


def test_names_and_labels_run_nothing(tab, tmp_path):
    rows = [(i, i + 1, text, 0.9, (8.0, 8, 24, 24)) for i, text in enumerate(HOSTILE)]
    name = " ".join(HOSTILE)
    tab.open(write_page(tmp_path, replace(data_of(rows), name=name, note=name)))
    for i, text in enumerate(HOSTILE):
        tab.press("ArrowDown")
        tab.page.hover(
            "#bars", position=tab.get(f"viewer.timeline.pointOf(viewer.data.tracks[{i}], {i})")
        )
        assert tab.page.inner_text("#chosen-name").split() == f"{text} {i + 1}".split()
    assert tab.get("window.hit === undefined")
    assert tab.page.locator("img").count() == 0
    assert tab.page.inner_text("#name").split() == name.split()


def test_thousands_of_tracklets_stay_quick_to_use(tab, tmp_path):
    tab.open(write_page(tmp_path, many(tracks=2000, length=50, frames=1500)))
    assert tab.page.inner_text("#summary").startswith("2,000 tracklets")
    assert tab.page.locator('[role="option"]').count() < 60
    tab.press("ArrowDown", "ArrowDown", "n", "n", "ArrowRight")
    tab.page.locator("#list").evaluate("(list) => list.scrollTop = list.scrollHeight")
    last = tab.get("viewer.store.tracks[1999].id")
    tab.page.wait_for_selector(f"#row-{last}")
    tab.page.click(f"#row-{last}")
    tab.settle()
    assert tab.track == last
    at = tab.get("viewer.timeline.pointOf(viewer.store.state.track, viewer.store.state.frame)")
    height = tab.get("viewer.timeline.canvas.clientHeight")
    assert 0 <= at["y"] <= height
    assert tab.get("viewer.timeline.canvas.height <= 2 * viewer.timeline.canvas.clientHeight")
    tab.page.click("#classes >> nth=0 >> button >> nth=0")
    assert len(shown(tab.settle())) == 200


def test_what_can_be_used_has_a_name(tab, page):
    tab.open(page, "#track=1")
    nameless = tab.get(
        """[...document.querySelectorAll("button, input:not([type=file]), select, [role]")]
        .filter((e) => !(e.getAttribute("aria-label") || e.getAttribute("aria-labelledby")
            || e.labels?.length || e.textContent.trim())).map((e) => e.outerHTML)"""
    )
    assert [name for name in nameless if 'role="status"' not in name] == []
