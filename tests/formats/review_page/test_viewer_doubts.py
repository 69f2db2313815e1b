"""Doubtful places in the review edited."""

import json
from itertools import pairwise
from typing import Any

import pytest
from edit_page import answer, choose, done, ids
from edits_data import ROWS


def open_doubts(tab) -> list[list[Any]]:
    return tab.get("viewer.doubts.open.map((doubt) => [doubt.kind, doubt.tracks])")


def ask(tab, kind: str, *tracks: int) -> list[int]:
    """Go to the first doubt of a kind, about these tracks if any are given; its tracks."""
    wanted = f"d.kind === '{kind}' && {list(tracks)}.every((id) => d.tracks.includes(id))"
    tab.get(f"(viewer.doubts.asked = viewer.doubts.open.find((d) => {wanted}).place, null)")
    tab.get("(viewer.doubts.draw(), null)")
    found: list[int] = tab.get("viewer.doubts.doubt.tracks")
    return found


def do(tab, **edit: Any) -> None:
    tab.get(f"(viewer.editor.do({json.dumps(edit)}), null)")
    tab.settle()


def test_doubts_are_walked_from_the_worst_and_one_key_decides(edited):
    asked = open_doubts(edited)
    chances = edited.get("viewer.data.doubts.map((doubt) => doubt.chance)")
    assert chances == sorted(chances, reverse=True)
    assert edited.page.inner_text("#doubt-count") == f"{len(asked)} of {len(asked)} left"
    edited.press("q")
    worst = edited.get("viewer.doubts.doubt")
    assert edited.page.inner_text("#doubt-place") == f"1 of {len(asked)}"
    assert (edited.frame, edited.track) == (worst["frame"], worst["tracks"][-1])
    assert edited.page.locator("#pair canvas").count() >= 2
    edited.press("3")
    assert (
        edited.get("viewer.doubts.doubt.frame") != worst["frame"]
        or open_doubts(edited)[0] != asked[0]
    )
    assert open_doubts(edited)[-1] == asked[0]
    second = edited.get("viewer.doubts.doubt")
    edited.press("1")
    assert done(edited)[0]["do"] in ("confirm", "merge")
    assert [second["kind"], second["tracks"]] not in open_doubts(edited)
    edited.press("u")
    assert len(open_doubts(edited)) == len(asked)


def test_answer_that_it_is_another_one_mends_it(edited):
    (track,) = ask(edited, "object")
    edited.page.click("#doubt-no")
    assert done(edited.settle()) == [{"do": "delete", "tracks": [track]}]
    assert track not in ids(edited)


def test_a_doubt_pushes_the_other_parts_down_and_covers_none(edited):
    choose(edited, 2)
    edited.press("q")
    parts = edited.get(
        """[...document.querySelectorAll("#side > *")].filter((part) => part.offsetHeight).map(
        (part) => [part.offsetTop, part.offsetHeight, part.scrollHeight])"""
    )
    assert len(parts) == 5
    for (top, height, content), (following, *_) in pairwise(parts):
        assert top + height <= following + 1
        assert content <= height + 1
    edited.press("Escape")
    assert edited.page.locator("#doubt-body").is_hidden()


def test_keys_of_edits_are_on_the_page(edited):
    shown = edited.page.locator("#edit-buttons kbd").all_inner_texts()
    assert shown == [
        *("G", "S", "X", "Del", "C", "I", "T", "A", "H", "O", "Shift Del", "F", "D", "E", "U", "Y")
    ]
    assert len(ROWS) == edited.get("viewer.data.length")


def test_doubts_go_with_a_track_that_gets_another_id(edited):
    before = open_doubts(edited)
    assert ["parted", [1, 3]] in before
    choose(edited, 3)
    edited.press("i")
    answer(edited, "9")
    renamed = [[kind, [9 if t == 3 else t for t in tracks]] for kind, tracks in before]
    assert open_doubts(edited) == renamed
    assert ask(edited, "parted", 1, 9) == [1, 9]
    edited.press("1")
    assert done(edited)[-1] == {"do": "merge", "tracks": [9], "into": 1, "class": "person"}
    edited.press("u", "u")
    assert open_doubts(edited) == before


def test_answer_stays_when_the_track_gets_another_id(edited):
    ask(edited, "object", 4)
    edited.press("1")
    assert done(edited)[-1]["do"] == "confirm"
    left = len(open_doubts(edited))
    do(edited, do="id", track=4, new=8)
    assert len(open_doubts(edited)) == left
    assert ["object", [8]] not in open_doubts(edited)
    edited.press("u", "u")
    assert ["object", [4]] in open_doubts(edited)


RETURN = {"kind": "return", "before": 10, "frame": 20, "tracks": [1], "chance": 0.3, "place": 0}
MEETING = {**RETURN, "kind": "meeting", "tracks": [1, 2]}
PARTED = {**MEETING, "kind": "parted"}
OBJECT = {**RETURN, "kind": "object", "before": 20}


@pytest.mark.parametrize(
    ("doubt", "edit", "tracks"),
    [
        pytest.param(RETURN, {"do": "split", "track": 1, "frame": 15, "new": 7}, None, id="parts"),
        pytest.param(RETURN, {"do": "split", "track": 1, "frame": 5, "new": 7}, [7], id="later"),
        pytest.param(RETURN, {"do": "split", "track": 1, "frame": 50, "new": 7}, [1], id="earlier"),
        pytest.param(RETURN, {"do": "merge", "tracks": [1], "into": 4}, [4], id="merged"),
        pytest.param(RETURN, {"do": "delete", "tracks": [1], "from": 20, "to": 30}, None, id="cut"),
        pytest.param(RETURN, {"do": "delete", "tracks": [1], "from": 40, "to": 50}, [1], id="end"),
        pytest.param(RETURN, {"do": "delete", "tracks": [1]}, None, id="deleted"),
        pytest.param(MEETING, {"do": "swap", "track": 2, "with": 1, "frame": 18}, None, id="here"),
        pytest.param(
            MEETING, {"do": "swap", "track": 1, "with": 5, "frame": 3}, [5, 2], id="before"
        ),
        pytest.param(PARTED, {"do": "merge", "tracks": [1, 2], "into": 4}, None, id="one"),
        pytest.param(PARTED, {"do": "swap", "track": 1, "with": 2, "frame": 15}, None, id="joined"),
        pytest.param(OBJECT, {"do": "merge", "tracks": [3], "into": 1}, None, id="seen"),
        pytest.param(
            PARTED,
            {"do": "confirm", "tracks": [1, 2], "frame": 20, "doubt": "parted"},
            None,
            id="yes",
        ),
        pytest.param(
            PARTED,
            {"do": "confirm", "tracks": [1, 2], "frame": 20, "doubt": "double"},
            [1, 2],
            id="to another question",
        ),
    ],
)
def test_doubt_follows_its_boxes(edited, doubt, edit, tracks):
    found = edited.get(f"followed({json.dumps(doubt)}, [{json.dumps(edit)}])")
    assert found == (None if tracks is None else {**doubt, "tracks": tracks})


def test_what_a_person_has_drawn_is_not_asked(edited):
    end = {**RETURN, "kind": "end", "frame": 5, "before": 5}
    gap = {**RETURN, "before": 5, "frame": 7}
    stand = f"{json.dumps([end, gap])}.map((doubt) => viewer.doubts.stands(doubt))"
    assert edited.get(stand) == [True, False]
    do(edited, do="box", track=1, frame=7, box=[20, 30, 40, 70])
    assert edited.get(stand) == [False, True]
    do(edited, do="fill", track=1, **{"from": 5, "to": 7})
    assert edited.get(stand) == [False, False]
