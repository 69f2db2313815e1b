"""Doubts that a result.json carries."""

import json
from typing import Any

import pytest
from edits_data import FRAMES, ROWS, Row, result_of

from minet_core.errors import InputError
from minet_core.formats import read_doubts, read_json
from minet_core.formats.doubts import LEAST, MOST
from minet_core.formats.review_page.columns import data_of_result


def changed(path, **entries: Any):
    document = json.loads(path.read_text(encoding="utf-8")) | entries
    kept = {name: value for name, value in document.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")
    return path


def test_result_carries_its_doubts_the_likeliest_first(tmp_path):
    entries = read_json(result_of(tmp_path)).header["doubts"]
    assert all(LEAST <= entry["chance"] <= 1 for entry in entries)
    assert entries == sorted(entries, key=lambda entry: -entry["chance"])
    places = {(e["kind"], *e["tracks"]): (e["before"], e["frame"]) for e in entries}
    assert places["parted", 1, 3] == (5, 8)  # 3 begins where 1 has ended
    assert places["object", 4] == (2, 2)  # and 4 has two boxes


def test_doubts_of_a_result_without_any_are_those_of_its_rows(tmp_path):
    path = result_of(tmp_path)
    carried = read_doubts(path)
    found = read_doubts(changed(path, doubts=None))
    assert [doubt[:4] for doubt in found] == [doubt[:4] for doubt in carried]
    assert [doubt.chance for doubt in found] == pytest.approx(
        [doubt.chance for doubt in carried], abs=5e-4
    )


def test_last_frame_is_the_last_one_looked_at_not_the_last_with_boxes(tmp_path):
    walks = [(i, 1, 0, 300, False) for i in range(6)]
    ends = {doubt.kind for doubt in read_doubts(result_of(tmp_path / "more", walks, 6))}
    assert "end" not in ends
    ends = {doubt.kind for doubt in read_doubts(result_of(tmp_path / "less", walks, 7))}
    assert "end" in ends


def test_frames_that_a_stride_leaves_out_are_no_gap(tmp_path):
    walks = [(i, 1, 0, 10 + i, False) for i in range(0, FRAMES, 2)]
    kinds = {doubt.kind for doubt in read_doubts(result_of(tmp_path, walks, stride=2))}
    assert "return" not in kinds


def test_page_asks_what_the_result_carries(tmp_path):
    asked = {"kind": "leap", "frame": 4, "before": 3, "tracks": [2], "chance": 0.25}
    result = read_json(changed(result_of(tmp_path), doubts=[asked]))
    assert data_of_result(result).document()["doubts"] == [{**asked, "tracks": (2,)}]


def test_kind_that_only_a_later_minet_knows_is_left_out(tmp_path):
    later = {"kind": "mood", "frame": 1, "before": 0, "tracks": [1], "chance": 0.9}
    assert read_doubts(changed(result_of(tmp_path), doubts=[later])) == []


@pytest.mark.parametrize(
    "doubts",
    [
        pytest.param([{"kind": "leap"}], id="without tracks"),
        pytest.param(
            [{"kind": "parted", "frame": 1, "before": 0, "tracks": [1], "chance": 0.5}], id="of one"
        ),
        pytest.param(
            [{"kind": "leap", "frame": 1, "before": 0, "tracks": [1], "chance": 7}], id="chance"
        ),
        pytest.param(3, id="no list"),
    ],
)
def test_damaged_doubts_are_one_line(tmp_path, doubts):
    with pytest.raises(InputError, match="damaged"):
        read_doubts(changed(result_of(tmp_path), doubts=doubts))


def test_number_of_doubts_is_bounded(tmp_path):
    flickers: list[Row] = [
        (frame, 1 + frame // 2 + 600 * column, 0, 30 * column, False)
        for frame in range(0, 1200, 2)
        for column in range(2)
    ]
    assert len(ROWS) < MOST < len({row[1] for row in flickers})
    assert len(read_doubts(result_of(tmp_path, flickers, 1200))) == MOST
