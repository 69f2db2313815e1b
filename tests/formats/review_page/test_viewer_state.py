"""Filters, links, zoom and videos of the review page."""

from dataclasses import replace

import numpy as np
import pytest
from browser import Tab
from video_factory import grey_of, write_grey_video, write_video
from viewer_data import HOSTILE, WATCHED, data_of, many, write_page

from minet_core.formats.review_page.page import PageVideo


@pytest.fixture
def page(tmp_path, clip):  # noqa: ARG001
    return write_page(tmp_path, data_of(WATCHED), ["clip.mp4"])


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
    tab.open(write_page(tmp_path, data_of(WATCHED), ["gone.mp4"]))
    tab.complaints.clear()  # that gone.mp4 is gone
    assert "empty picture" in tab.page.inner_text("#notice")
    tab.press("ArrowRight")
    assert tab.frame == 1
    tab.page.keyboard.press("Space")
    tab.wait("!viewer.store.state.playing && viewer.store.state.frame === 29")


def test_video_can_be_brought_to_the_page(tab, tmp_path, clip):
    tab.open(write_page(tmp_path, data_of(WATCHED)))
    tab.page.set_input_files("#file", clip)
    tab.wait("viewer.player.media === viewer.player.video && viewer.player.ready").settle()
    tab.press("Shift+ArrowRight")
    assert tab.shows(10)
    assert tab.page.locator("#notice").is_hidden()


def test_another_video_is_told_by_its_shape(tab, tmp_path):
    write_video(tmp_path / "wide.mp4", [np.full((36, 96, 3), grey_of(0), np.uint8)] * 5)
    tab.open(write_page(tmp_path, data_of(WATCHED), ["wide.mp4"]))
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
