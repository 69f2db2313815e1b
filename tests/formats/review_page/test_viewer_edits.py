"""Editing in the review edited, by mouse and by keys, and that it does what Python does."""

import json
from typing import Any

import numpy as np
import pytest
from browser import Tab
from edit_page import answer, choose, done, go, ids
from edits_data import edits, entries, sheet_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minet_core.formats.edits import Sheet, apply_edits, read_edits
from minet_core.formats.minet.reader import from_result


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


def test_page_and_python_do_the_same(edited):
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(entries(), min_size=1, max_size=8))
    def same(given_entries):
        sheet = sheet_of()
        skipped = apply_edits(sheet, edits(*given_entries))
        seen = edited.page.evaluate(IN_PAGE, given_entries)
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
def test_edit_by_keys_and_by_mouse(edited, way, tracks, frame, name, said, expected):
    choose(edited, *tracks)
    go(edited, frame)
    way(name if way is keys else name.lower())(edited)
    if said is not None:
        answer(edited, said)
    assert done(edited.settle()) == expected
    before = ids(edited)
    edited.press("u")
    assert (done(edited), ids(edited)) == ([], [1, 2, 3, 4])
    edited.press("y")
    assert (done(edited), ids(edited)) == (expected, before)


def test_stretch_goes_from_the_mark_to_where_one_went(edited):
    choose(edited, 2)
    go(edited, 6)
    edited.press("a", "ArrowLeft", "ArrowLeft", "Shift+Delete")
    assert done(edited) == [{"do": "delete", "tracks": [2], "from": 4, "to": 6}]
    assert edited.get("viewer.data.byId.get(2).gaps") == [[4, 6]]
    edited.press("f")
    assert done(edited)[1] == {"do": "fill", "track": 2, "from": 3, "to": 7}
    assert edited.get("viewer.data.byId.get(2).gaps") == []


def test_lane_dragged_onto_another_merges(edited):
    def point(track: int, frame: int):
        box = edited.page.locator("#bars").bounding_box()
        at = edited.get(f"viewer.timeline.pointOf(viewer.data.byId.get({track}), {frame})")
        return box["x"] + at["x"], box["y"] + at["y"]

    edited.page.mouse.move(*point(4, 2))
    edited.page.mouse.down()
    edited.page.mouse.move(*point(1, 2), steps=5)
    assert edited.page.inner_text("#tip") == "car 4 into person 1"
    edited.page.mouse.up()
    assert edited.page.locator("#tip").is_hidden()
    assert done(edited.settle()) == [{"do": "merge", "tracks": [4], "into": 1, "class": "person"}]
    assert edited.track == 1


def drag(tab, *points: tuple[float, float]) -> None:
    """Press at a point of the video, in its pixels, and let go at the last one."""
    for i, (x, y) in enumerate(points):
        at = tab.place_of((x, y, x, y), (640, 360))[:2]
        tab.page.mouse.move(*at, steps=4 if i else 1)
        if i == 0:
            tab.page.mouse.down()
    tab.page.mouse.up()
    tab.settle()


def test_box_is_moved_and_resized_by_the_mouse(edited):
    choose(edited, 1)
    go(edited, 2)
    drag(edited, (24, 50), (44, 60))
    drag(edited, (54, 80), (74, 100))
    moved, resized = (edit["box"] for edit in done(edited))
    assert moved == pytest.approx([34, 40, 54, 80], abs=2.5)
    assert resized == pytest.approx([34, 40, 74, 100], abs=3.5)
    assert edited.get("viewer.editor.box") == resized


def test_box_is_moved_and_resized_by_keys_and_that_is_one_edit(edited):
    choose(edited, 1)
    go(edited, 2)
    edited.press("Alt+ArrowRight", "Alt+ArrowRight", "Alt+ArrowDown", "Alt+Shift+ArrowRight")
    (edit,) = done(edited)
    assert edit["box"] == pytest.approx([16, 31, 37, 71], abs=0.05)
    edited.press("u")
    assert edited.get("viewer.editor.box") == pytest.approx([14, 30, 34, 70], abs=0.05)


def test_box_is_drawn_into_a_gap_and_fills_it(edited):
    choose(edited, 3, 1)
    edited.press("g")
    go(edited, 7)
    edited.press("d")
    drag(edited, (40, 40), (60, 80))
    edit = done(edited)[1]
    assert (edit["do"], edit["track"], edit["frame"], edit["fill"]) == ("box", 1, 7, True)
    assert edited.get("viewer.data.byId.get(1).gaps") == []


@pytest.mark.parametrize("way", [keys, click], ids=["keys", "mouse"])
def test_gap_is_filled_without_drawing(edited, way):
    choose(edited, 3, 1)
    edited.press("g")
    go(edited, 6)
    way("f")(edited)
    assert done(edited.settle())[1] == {"do": "fill", "track": 1, "from": 5, "to": 8}
    assert edited.get("viewer.data.byId.get(1).gaps") == []


def test_box_is_put_into_a_gap_by_keys_alone(edited):
    choose(edited, 3, 1)
    edited.press("g")
    go(edited, 7)
    edited.press("d", "Enter")
    assert done(edited)[1]["fill"] is True
    assert edited.get("viewer.data.byId.get(1).gaps") == []


def test_new_object_is_drawn_by_the_mouse_and_undone_by_it(edited):
    go(edited, 2)
    edited.page.click("#edit-e")
    answer(edited, "tram")
    drag(edited, (400, 40), (460, 80))
    (edit,) = done(edited)
    assert (edit["track"], edit["class"]) == (5, "tram")
    assert edit["box"] == pytest.approx([400, 40, 460, 80], abs=3)
    edited.page.click("#edit-u")
    assert ids(edited.settle()) == [1, 2, 3, 4]
    edited.page.click("#edit-y")
    assert ids(edited.settle()) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("button", "do"), [("h", "hide"), ("shift-delete", "delete")])
def test_stretch_is_marked_and_taken_out_by_the_mouse(edited, button, do):
    choose(edited, 2)
    go(edited, 6)
    edited.page.click("#edit-a")
    go(edited, 4)
    edited.page.click(f"#edit-{button}")
    assert done(edited.settle()) == [{"do": do, "tracks": [2], "from": 4, "to": 6}]


def test_new_object_is_drawn_by_keys_alone(edited):
    go(edited, 2)
    edited.page.keyboard.press("e")
    answer(edited, "tram")
    edited.press("Enter", "Alt+Shift+ArrowRight")
    (edit,) = done(edited)
    assert edit == {
        **{"do": "box", "track": 5, "frame": 2, "class": "tram", "fill": True},
        "box": [256, 144, 385, 216],
    }
    assert edited.page.inner_text("#chosen-name") == "tram 5"


TWENTY: list[dict[str, Any]] = [
    {"do": "merge", "tracks": [3], "into": 1, "class": "person"},
    {"do": "box", "track": 1, "frame": 7, "box": [40, 30, 60, 70], "class": "person", "fill": True},
    {"do": "split", "track": 2, "frame": 6, "new": 9},
    {"do": "swap", "track": 1, "with": 9, "frame": 10},
    {"do": "hide", "tracks": [9], "from": 8, "to": 9},
    {"do": "fill", "track": 9, "from": 7, "to": 10},
    {"do": "delete", "tracks": [2], "from": 1, "to": 2},
    {"do": "id", "track": 4, "new": 30},
    {"do": "class", "tracks": [30], "class": "tram"},
    {"do": "text", "tracks": [30], "text": "a tram?"},
    {"do": "confirm", "tracks": [30], "frame": 2, "doubt": "object"},
    *({"do": "occluded", "tracks": [1], "from": i, "to": i, "occluded": True} for i in range(8)),
    {"do": "delete", "tracks": [30]},
]


def test_twenty_edits_are_there_after_closing_without_saving(edited, context):
    for edit in TWENTY:
        edited.get(f"(viewer.editor.do({json.dumps(edit)}), null)")
    assert done(edited) == TWENTY
    edited.press("u")
    again = Tab(context.new_page())
    again.page.goto(edited.page.url)
    again.settle()
    assert done(again) == TWENTY[:-1]
    rows = "[...viewer.editor.sheet.tracks, ...viewer.editor.sheet.texts]"
    assert again.get(rows) == edited.get(rows)
    again.press("y")
    assert done(again) == TWENTY
    assert again.page.locator("#done-list li").count() == 20
    again.page.close()
    assert again.complaints == []


def test_any_entry_can_be_taken_back_and_what_needs_it_is_told(edited):
    choose(edited, 2)
    go(edited, 5)
    edited.press("s")
    edited.page.click("#row-5")
    edited.press("o")
    edited.page.click("#done-list li:nth-child(1) .back")
    edited.settle()
    assert ids(edited) == [1, 2, 3, 4]
    line = edited.page.locator("#done-list li.skipped .jump")
    assert line.get_attribute("title") == "Changes nothing any more: there is no track 5"
    edited.press("u")
    assert ids(edited) == [1, 2, 3, 4, 5]
    go(edited, 0)
    edited.page.click("#done-list li:nth-child(1) .jump")
    edited.settle()
    assert (edited.frame, edited.track) == (5, 5)


def test_saved_edits_are_what_python_reads_and_come_back_into_the_page(edited, result, tmp_path):
    choose(edited, 3, 1)
    edited.press("g")
    with edited.page.expect_download() as download:
        edited.press("w")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == "edits.json"
    video = from_result(result, edits=read_edits(path))
    assert [track.id for track in video.tracks] == [1, 2, 4]
    edited.press("u")
    edited.page.set_input_files("#edits-file", path)
    edited.wait("viewer.data.tracks.length === 3")
    document = json.loads(path.read_text())
    document["result"]["tracks"] = 9
    path.write_text(json.dumps(document))
    edited.page.set_input_files("#edits-file", path)
    edited.wait("!document.getElementById('notice').hidden")
    assert "edits of another result: tracks 9, here 4" in edited.page.inner_text("#notice")


def test_edit_that_cannot_be_done_says_why_and_is_not_kept(edited):
    choose(edited, 1)
    edited.press("s")
    said = edited.page.inner_text("#edit-said")
    assert (said, done(edited)) == ("Not done: track 1 has no box before frame 0", [])
    edited.press("Escape", "g")
    assert "Select 2 tracklets to merge" in edited.page.inner_text("#edit-said")


def test_several_are_selected_by_dots_and_by_shift(edited):
    edited.page.click("#row-1 .dot")
    edited.page.click("#row-4 .dot")
    assert edited.settle().get("[...viewer.store.state.selected]") == [1, 4]
    edited.press("Escape")
    edited.page.click("#row-1")
    edited.page.click("#row-3", modifiers=["Shift"])
    assert len(edited.settle().get("[...viewer.store.state.selected]")) >= 3
