"""Editing in the review page, by mouse and by keys, and that it does what Python does."""

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from browser import Tab
from edits_data import ROWS, edits, entries, result_of, sheet_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from video_factory import write_video

from minet_core.formats import read_json
from minet_core.formats.edits import Sheet, apply_edits, read_edits
from minet_core.formats.minet.reader import from_result
from minet_core.formats.review_page.columns import data_of_result
from minet_core.formats.review_page.page import PageVideo, write_html


@pytest.fixture(scope="module")
def context(browser):
    context = browser.new_context(viewport={"width": 1000, "height": 640}, bypass_csp=True)
    yield context
    context.close()


@pytest.fixture
def tab(context):
    tab = Tab(context.new_page())
    yield tab
    tab.page.close()
    assert tab.complaints == []


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("street")
    path = result_of(folder)
    write_video(folder / "clip.mp4", [np.full((36, 64, 3), 90, np.uint8)] * 12)
    write_html(folder / "report.html", data_of_result(read_json(path)), [PageVideo("clip.mp4")])
    return path


@pytest.fixture
def page(result, tab):
    """The page, opened, with nothing done yet."""
    path = result.with_name("report.html")
    tab.open(path)
    tab.get("(localStorage.clear(), null)")
    tab.page.reload()
    return tab.settle()


def done(tab) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tab.get("viewer.editor.history.edits")
    return found


def ids(tab) -> list[int]:
    found: list[int] = tab.get("viewer.data.tracks.map((track) => track.id)")
    return found


def choose(tab, *tracks: int) -> None:
    """The last one is chosen, the others are selected by Ctrl and a click in the list."""
    for track in tracks[:-1]:
        tab.page.click(f"#row-{track}", modifiers=["Control"])
    tab.page.click(f"#row-{tracks[-1]}")
    tab.settle()


def go(tab, frame: int) -> None:
    tab.get(f"(viewer.player.seek({frame}), null)")
    tab.settle()


def answer(tab, text: str) -> None:
    tab.page.fill("#ask-value", text)
    tab.page.keyboard.press("Enter")
    tab.settle()


def as_rows(sheet: Sheet) -> dict[str, Any]:
    return {
        str(track): [
            [frame, sheet.classes[label], bool(key), bool(hidden), bool(drawn)]
            for frame, label, key, hidden, drawn in zip(
                *(rows.frames, rows.labels, rows.keyframes, rows.occluded, rows.drawn), strict=True
            )
        ]
        for track, rows in sheet.tracks.items()
    }


IN_PAGE = """(edits) => {
  const sheet = viewer.editor.base.copy();
  const skipped = [...applyEdits(sheet, edits)];
  const nameOf = (row) => sheet.classes[row.label];
  const flags = (row) => [row.frame, nameOf(row), row.keyframe, row.occluded, row.drawn];
  const rows = [...sheet.tracks].map(([id, rows]) => [id, rows.map(flags)]);
  const sides = (row) => [...row.box, row.score];
  const numbers = [...sheet.tracks].map(([id, rows]) => [id, rows.map(sides)]);
  const [all, told] = [Object.fromEntries(rows), Object.fromEntries(numbers)];
  return { skipped, rows: all, numbers: told, texts: [...sheet.texts].sort() };
}"""


def test_page_and_python_do_the_same(page):
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(entries(), min_size=1, max_size=8))
    def same(given_entries):
        sheet = sheet_of()
        skipped = apply_edits(sheet, edits(*given_entries))
        seen = page.page.evaluate(IN_PAGE, given_entries)
        assert seen["skipped"] == [list(entry) for entry in skipped]
        assert seen["rows"] == as_rows(sheet)
        assert dict(seen["texts"]) == sheet.texts
        for track, rows in sheet.tracks.items():
            told = np.array(seen["numbers"][str(track)])
            np.testing.assert_allclose(told[:, :4], rows.boxes, atol=0.05)
            np.testing.assert_allclose(told[:, 4], rows.scores, atol=0.011)

    same()


def keys(*pressed: str):
    return lambda tab: tab.press(*pressed)


def click(button: str):
    return lambda tab: tab.page.click(f"#edit-{button}")


@pytest.mark.parametrize("way", [keys, click], ids=["keys", "mouse"])
@pytest.mark.parametrize(
    ("tracks", "frame", "name", "said", "expected"),
    [
        pytest.param((3, 1), 0, "g", None, [
            {"do": "merge", "tracks": [3], "into": 1, "class": "person"}], id="merge"),
        pytest.param((2,), 5, "s", None, [
            {"do": "split", "track": 2, "frame": 5, "new": 5}], id="split"),
        pytest.param((1, 2), 4, "x", None, [
            {"do": "swap", "track": 1, "with": 2, "frame": 4}], id="swap"),
        pytest.param((1, 4), 2, "Delete", None, [{"do": "delete", "tracks": [1, 4]}], id="delete"),
        pytest.param((4,), 2, "c", "tram", [
            {"do": "class", "tracks": [4], "class": "tram"}], id="class"),
        pytest.param((4,), 2, "i", "17", [{"do": "id", "track": 4, "new": 17}], id="id"),
        pytest.param((4,), 2, "t", "a dog?", [
            {"do": "text", "tracks": [4], "text": "a dog?"}], id="text"),
        pytest.param((2,), 3, "h", None, [
            {"do": "hide", "tracks": [2], "from": 3, "to": 3}], id="hide"),
        pytest.param((2,), 3, "o", None, [
            {"do": "occluded", "tracks": [2], "from": 3, "to": 3, "occluded": True}],
            id="occluded"),
    ],
)  # fmt: skip
def test_edit_by_keys_and_by_mouse(page, way, tracks, frame, name, said, expected):
    choose(page, *tracks)
    go(page, frame)
    way(name if way is keys else name.lower())(page)
    if said is not None:
        answer(page, said)
    assert done(page.settle()) == expected
    before = ids(page)
    page.press("u")
    assert (done(page), ids(page)) == ([], [1, 2, 3, 4])
    page.press("y")
    assert (done(page), ids(page)) == (expected, before)


def test_stretch_goes_from_the_mark_to_where_one_went(page):
    choose(page, 2)
    go(page, 6)
    page.press("a", "ArrowLeft", "ArrowLeft", "Shift+Delete")
    assert done(page) == [{"do": "delete", "tracks": [2], "from": 4, "to": 6}]
    assert page.get("viewer.data.byId.get(2).gaps") == [[4, 6]]
    page.press("f")
    assert done(page)[1] == {"do": "fill", "track": 2, "from": 3, "to": 7}
    assert page.get("viewer.data.byId.get(2).gaps") == []


def test_lane_dragged_onto_another_merges(page):
    def point(track: int, frame: int):
        box = page.page.locator("#bars").bounding_box()
        at = page.get(f"viewer.timeline.pointOf(viewer.data.byId.get({track}), {frame})")
        return box["x"] + at["x"], box["y"] + at["y"]

    page.page.mouse.move(*point(4, 2))
    page.page.mouse.down()
    page.page.mouse.move(*point(1, 2), steps=5)
    page.page.mouse.up()
    assert done(page.settle()) == [{"do": "merge", "tracks": [4], "into": 1, "class": "person"}]
    assert page.track == 1


def drag(tab, *points: tuple[float, float]) -> None:
    """Press at a point of the video, in its pixels, and let go at the last one."""
    for i, (x, y) in enumerate(points):
        at = tab.place_of((x, y, x, y), (640, 360))[:2]
        tab.page.mouse.move(*at, steps=4 if i else 1)
        if i == 0:
            tab.page.mouse.down()
    tab.page.mouse.up()
    tab.settle()


def test_box_is_moved_and_resized_by_the_mouse(page):
    choose(page, 1)
    go(page, 2)
    drag(page, (24, 50), (44, 60))
    drag(page, (54, 80), (74, 100))
    moved, resized = (edit["box"] for edit in done(page))
    assert moved == pytest.approx([34, 40, 54, 80], abs=2.5)
    assert resized == pytest.approx([34, 40, 74, 100], abs=3.5)
    assert page.get("viewer.editor.box") == resized


def test_box_is_moved_and_resized_by_keys_and_that_is_one_edit(page):
    choose(page, 1)
    go(page, 2)
    page.press("Alt+ArrowRight", "Alt+ArrowRight", "Alt+ArrowDown", "Alt+Shift+ArrowRight")
    (edit,) = done(page)
    assert edit["box"] == pytest.approx([16, 31, 37, 71], abs=0.05)
    page.press("u")
    assert page.get("viewer.editor.box") == pytest.approx([14, 30, 34, 70], abs=0.05)


def test_box_is_drawn_into_a_gap_and_fills_it(page):
    choose(page, 3, 1)
    page.press("g")
    go(page, 7)
    page.press("d")
    drag(page, (40, 40), (60, 80))
    edit = done(page)[1]
    assert (edit["do"], edit["track"], edit["frame"], edit["fill"]) == ("box", 1, 7, True)
    assert page.get("viewer.data.byId.get(1).gaps") == []


@pytest.mark.parametrize("way", [keys, click], ids=["keys", "mouse"])
def test_gap_is_filled_without_drawing(page, way):
    choose(page, 3, 1)
    page.press("g")
    go(page, 6)
    way("f")(page)
    assert done(page.settle())[1] == {"do": "fill", "track": 1, "from": 5, "to": 8}
    assert page.get("viewer.data.byId.get(1).gaps") == []


def test_new_object_is_drawn_by_keys_alone(page):
    go(page, 2)
    page.page.keyboard.press("e")
    answer(page, "tram")
    page.press("Enter", "Alt+Shift+ArrowRight")
    (edit,) = done(page)
    assert edit == {
        **{"do": "box", "track": 5, "frame": 2, "class": "tram", "fill": True},
        "box": [256, 144, 385, 216],
    }
    assert page.page.inner_text("#chosen-name") == "tram 5"


def test_twenty_edits_are_there_after_closing_without_saving(page, context):
    choose(page, 2)
    go(page, 3)
    for _ in range(20):
        page.press("o")
    page.press("u")
    again = Tab(context.new_page())
    again.page.goto(page.page.url)
    again.settle()
    assert done(again) == done(page)
    assert len(done(again)) == 19
    again.press("y")
    assert len(done(again)) == 20
    assert again.page.locator("#done-list li").count() == 20
    again.page.close()
    assert again.complaints == []


def test_any_entry_can_be_taken_back_and_what_needs_it_is_told(page):
    choose(page, 2)
    go(page, 5)
    page.press("s")
    page.page.click("#row-5")
    page.press("o")
    page.page.click("#done-list li:nth-child(1) .back")
    page.settle()
    assert ids(page) == [1, 2, 3, 4]
    line = page.page.locator("#done-list li.skipped .jump")
    assert line.get_attribute("title") == "Changes nothing any more: there is no track 5"
    page.press("u")
    assert ids(page) == [1, 2, 3, 4, 5]
    go(page, 0)
    page.page.click("#done-list li:nth-child(1) .jump")
    page.settle()
    assert (page.frame, page.track) == (5, 5)


def test_saved_edits_are_what_python_reads_and_come_back_into_the_page(page, result, tmp_path):
    choose(page, 3, 1)
    page.press("g")
    with page.page.expect_download() as download:
        page.press("w")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == "edits.json"
    video = from_result(result, edits=read_edits(path))
    assert [track.id for track in video.tracks] == [1, 2, 4]
    page.press("u")
    page.page.set_input_files("#edits-file", path)
    page.wait("viewer.data.tracks.length === 3")
    document = json.loads(path.read_text())
    document["result"]["tracks"] = 9
    path.write_text(json.dumps(document))
    page.page.set_input_files("#edits-file", path)
    page.wait("!document.getElementById('notice').hidden")
    assert "edits of another result: tracks 9, here 4" in page.page.inner_text("#notice")


def test_edit_that_cannot_be_done_says_why_and_is_not_kept(page):
    choose(page, 1)
    page.press("s")
    said = page.page.inner_text("#edit-said")
    assert (said, done(page)) == ("Not done: track 1 has no box before frame 0", [])
    page.press("Escape", "g")
    assert "Select 2 tracklets to merge" in page.page.inner_text("#edit-said")


def test_several_are_selected_by_dots_and_by_shift(page):
    page.page.click("#row-1 .dot")
    page.page.click("#row-4 .dot")
    assert page.settle().get("[...viewer.store.state.selected]") == [1, 4]
    page.press("Escape")
    page.page.click("#row-1")
    page.page.click("#row-3", modifiers=["Shift"])
    assert len(page.settle().get("[...viewer.store.state.selected]")) >= 3


def test_keys_of_edits_are_on_the_page(page):
    shown = page.page.locator("#edit-buttons kbd").all_inner_texts()
    assert shown == ["G", "S", "X", "Del", "C", "I", "T", "A", "H", "O", "F", "D", "E", "U", "Y"]
    assert len(ROWS) == page.get("viewer.data.length")


def open_doubts(tab) -> list[list[Any]]:
    return tab.get("viewer.doubts.open.map((doubt) => [doubt.kind, doubt.tracks])")


def test_doubts_are_walked_from_the_worst_and_one_key_decides(page):
    asked = open_doubts(page)
    chances = page.get("viewer.data.doubts.map((doubt) => doubt.chance)")
    assert chances == sorted(chances, reverse=True)
    assert page.page.inner_text("#doubt-count") == f"{len(asked)} of {len(asked)} left"
    page.press("q")
    worst = page.get("viewer.doubts.doubt")
    assert page.page.inner_text("#doubt-place") == f"1 of {len(asked)}"
    assert (page.frame, page.track) == (worst["frame"], worst["tracks"][-1])
    assert page.page.locator("#pair canvas").count() >= 2
    page.press("3")
    assert (
        page.get("viewer.doubts.doubt.frame") != worst["frame"] or open_doubts(page)[0] != asked[0]
    )
    assert open_doubts(page)[-1] == asked[0]
    second = page.get("viewer.doubts.doubt")
    page.press("1")
    assert done(page)[0]["do"] in ("confirm", "merge")
    assert [second["kind"], second["tracks"]] not in open_doubts(page)
    page.press("u")
    assert len(open_doubts(page)) == len(asked)


def test_answer_that_it_is_another_one_mends_it(page):
    page.get("(viewer.doubts.doubt = viewer.data.doubts.find((d) => d.kind === 'object'), null)")
    page.get("(viewer.doubts.draw(), null)")
    (track,) = page.get("viewer.doubts.doubt.tracks")
    page.page.click("#doubt-no")
    assert done(page.settle()) == [{"do": "delete", "tracks": [track]}]
    assert track not in ids(page)


def test_a_doubt_pushes_the_other_parts_down_and_covers_none(page):
    choose(page, 2)
    page.press("q")
    parts = page.get(
        """[...document.querySelectorAll("#side > *")].filter((part) => part.offsetHeight).map(
        (part) => [part.offsetTop, part.offsetHeight, part.scrollHeight])"""
    )
    assert len(parts) == 5
    for (top, height, content), (following, *_) in pairwise(parts):
        assert top + height <= following + 1
        assert content <= height + 1
    page.press("Escape")
    assert page.page.locator("#doubt-body").is_hidden()
