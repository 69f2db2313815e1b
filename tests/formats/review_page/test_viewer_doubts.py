"""Doubtful places in the review edited."""

from itertools import pairwise
from typing import Any

from edit_page import choose, done, ids
from edits_data import ROWS


def open_doubts(tab) -> list[list[Any]]:
    return tab.get("viewer.doubts.open.map((doubt) => [doubt.kind, doubt.tracks])")


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
    edited.get("(viewer.doubts.doubt = viewer.data.doubts.find((d) => d.kind === 'object'), null)")
    edited.get("(viewer.doubts.draw(), null)")
    (track,) = edited.get("viewer.doubts.doubt.tracks")
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
    assert shown == ["G", "S", "X", "Del", "C", "I", "T", "A", "H", "O", "F", "D", "E", "U", "Y"]
    assert len(ROWS) == edited.get("viewer.data.length")
