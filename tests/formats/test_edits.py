import json
import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from edits_data import ROWS, edits, entries, facts_in, result_of, sheet_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minet_cli.main import run
from minet_core.export_options import ExportOptions
from minet_core.exports import export
from minet_core.formats.cvat.reader import read_cvat
from minet_core.formats.edits import Sheet, apply_edits, read_edits, write_edits
from minet_core.formats.edits.entry import edit_of
from minet_core.formats.exporters import EXPORTERS
from minet_core.formats.minet.reader import from_result
from minet_core.formats.readers import read_annotations


def applied(*given_entries, rows=ROWS):
    sheet = sheet_of(rows)
    return sheet, apply_edits(sheet, edits(*given_entries))


def frames(sheet, track):
    return sheet.tracks[track].frames.tolist()


def lefts(sheet, track):
    return sheet.tracks[track].boxes[:, 0].tolist()


def test_merge_makes_one_track_of_one_class():
    sheet, _ = applied({"do": "merge", "tracks": [3, 4], "into": 1, "class": "car"})
    assert sheet.tracks.keys() == {1, 2}
    assert frames(sheet, 1) == [0, 1, 2, 3, 4, 5, 8, 9, 10, 11]
    assert set(sheet.tracks[1].labels.tolist()) == {1}
    assert lefts(sheet, 1)[2] == 14  # its own box stays


def test_merge_prefers_what_was_detected():
    rows = [(0, 1, 0, 10, False), (1, 1, 0, 20, True), (1, 2, 0, 90, False), (0, 2, 0, 80, True)]
    sheet, _ = applied({"do": "merge", "tracks": [2], "into": 1, "class": "car"}, rows=rows)
    assert lefts(sheet, 1) == [10, 90]


def test_split_and_merge_are_each_others_inverse():
    split = {"do": "split", "track": 2, "frame": 5, "new": 9}
    sheet, _ = applied(split)
    assert (frames(sheet, 2), frames(sheet, 9)) == ([*range(5)], [*range(5, 12)])
    again, _ = applied(split, {"do": "merge", "tracks": [9], "into": 2, "class": "person"})
    assert lefts(again, 2) == lefts(sheet_of(), 2)


def test_swap_exchanges_what_comes_later():
    swap = {"do": "swap", "track": 1, "with": 2, "frame": 4}
    sheet, _ = applied(swap)
    assert lefts(sheet, 1) == [10, 12, 14, 16, *(100 + 2 * i for i in range(4, 12))]
    assert lefts(sheet, 2) == [100, 102, 104, 106, 18, 20]
    twice, _ = applied(swap, swap)
    assert lefts(twice, 1) == lefts(sheet_of(), 1)


def test_delete_takes_a_track_or_a_stretch():
    assert 4 not in applied({"do": "delete", "tracks": [4]})[0].tracks
    sheet, _ = applied({"do": "delete", "tracks": [1, 2], "from": 2, "to": 4})
    assert frames(sheet, 1) == [0, 1, 5]
    assert frames(sheet, 2) == [0, 1, *range(5, 12)]


def test_class_and_id_change():
    sheet, _ = applied(
        {"do": "class", "tracks": [1, 4], "class": "tram"}, {"do": "id", "track": 4, "new": 7}
    )
    assert sheet.classes == ["person", "car", "tram"]
    assert sheet.tracks.keys() == {1, 2, 3, 7}
    assert set(sheet.tracks[7].labels.tolist()) == {2}


def test_moved_box_takes_interpolated_neighbours_with_it():
    sheet, _ = applied(
        {"do": "box", "track": 2, "frame": 5, "box": [200, 30, 220, 70], "class": "car"}
    )
    rows = sheet.tracks[2]
    assert lefts(sheet, 2)[3:7] == [106, 153, 200, 112]
    assert rows.keyframes[3:7].tolist() == [True, False, True, True]
    assert (rows.scores[5], rows.labels[5], rows.drawn[5]) == (1, 0, True)


def test_box_in_a_gap_fills_it_from_both_sides():
    bridge = {"do": "merge", "tracks": [3], "into": 1, "class": "person"}
    box = {"do": "box", "track": 1, "frame": 7, "box": [40, 30, 60, 70], "class": "person"}
    assert frames(applied(bridge, box)[0], 1) == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11]
    sheet, _ = applied(bridge, {**box, "fill": True})
    assert frames(sheet, 1) == [*range(12)]
    assert lefts(sheet, 1)[5:9] == [20, 30, 40, 26]


def test_box_of_a_new_id_is_a_new_track():
    first = {"do": "box", "track": 9, "frame": 2, "box": [-10, 0, 20, 20], "class": "tram"}
    second = {**first, "frame": 6, "box": [40, 0, 60, 20], "fill": True}
    sheet, _ = applied(first, second)
    assert frames(sheet, 9) == [2, 3, 4, 5, 6]
    assert lefts(sheet, 9) == [0, 10, 20, 30, 40]
    assert sheet.classes[sheet.tracks[9].labels[3]] == "tram"


def test_gap_is_filled_between_two_boxes():
    bridge = {"do": "merge", "tracks": [3], "into": 1, "class": "person"}
    sheet, _ = applied(bridge, {"do": "fill", "track": 1, "from": 5, "to": 8})
    assert lefts(sheet, 1)[5:9] == [20, 22, 24, 26]
    assert sheet.tracks[1].keyframes.tolist() == [True] * 6 + [False] * 2 + [True] * 4


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"do": "merge", "tracks": [9], "into": 1, "class": "car"}, "there is no track 9"),
        ({"do": "merge", "tracks": [1], "into": 9, "class": "car"}, "there is no track 9"),
        ({"do": "split", "track": 1, "frame": 0, "new": 9}, "track 1 has no box before frame 0"),
        ({"do": "split", "track": 1, "frame": 6, "new": 9}, "track 1 has no box from frame 6"),
        ({"do": "split", "track": 1, "frame": 3, "new": 2}, "there is a track 2 already"),
        ({"do": "id", "track": 1, "new": 2}, "there is a track 2 already"),
        ({"do": "class", "tracks": [1], "class": "a\nb"}, "a new class cannot be called so"),
        ({"do": "class", "tracks": [1], "class": " a"}, "a new class cannot be called so"),
        ({"do": "swap", "track": 1, "with": 4, "frame": 7}, "no box from frame 7 on"),
        ({"do": "hide", "tracks": [1], "from": 6, "to": 9}, "no box from frame 6 to 9"),
        ({"do": "fill", "track": 1, "from": 2, "to": 7}, "track 1 has no box in frame 7"),
        (
            {"do": "box", "track": 1, "frame": 12, "box": [0, 0, 9, 9], "class": "car"},
            "frame 12 was not processed",
        ),
        (
            {"do": "box", "track": 1, "frame": 1, "box": [650, 0, 700, 9], "class": "car"},
            "the box is outside the picture",
        ),
    ],
)
def test_edit_that_does_not_fit_changes_nothing_and_says_why(entry, reason):
    sheet, skipped = applied({"do": "confirm", "tracks": [1], "frame": 0, "doubt": "gap"}, entry)
    assert skipped == [(2, reason)]
    assert lefts(sheet, 1) == lefts(sheet_of(), 1)


@given(entries())
def test_edit_reads_back_as_it_was_written(entry):
    edit = edit_of(entry)
    assert edit_of(json.loads(json.dumps(edit.document()))) == edit


@pytest.mark.parametrize(
    "entry",
    [
        [],
        {"do": "explode", "tracks": [1]},
        {"do": "delete"},
        {"do": "delete", "tracks": []},
        {"do": "delete", "tracks": [1, 1]},
        {"do": "delete", "tracks": [1], "colour": "red"},
        {"do": "delete", "tracks": [1], "from": 5, "to": 4},
        {"do": "merge", "tracks": [1], "into": 1, "class": "car"},
        {"do": "id", "track": 1, "new": 0},
        {"do": "id", "track": True, "new": 2},
        {"do": "class", "tracks": [1], "class": ""},
        {"do": "box", "track": 1, "frame": 0, "box": [5, 5, 5, 9], "class": "car"},
        {"do": "box", "track": 1, "frame": 0, "box": [1, 1, float("inf"), 9], "class": "car"},
        {"do": "text", "tracks": [1], "text": "\x00"},
    ],
)
def test_what_is_no_edit_is_refused(entry):
    with pytest.raises(ValueError, match=r".+"):
        edit_of(entry)


@given(st.lists(entries(), max_size=8), st.integers(0, 8))
def test_what_is_left_out_is_as_if_it_had_not_been_done(given_entries, at):
    """Undo: a list without its last entries is the same as one that never had them."""
    done = edits(*given_entries)
    one, two = sheet_of(), sheet_of()
    apply_edits(one, done[:at])
    skipped = apply_edits(two, done[:at])
    rest = apply_edits(two, done[at:])
    whole = sheet_of()
    assert apply_edits(whole, done) == [
        *skipped,
        *(entry._replace(number=entry.number + len(done[:at])) for entry in rest),
    ]
    assert {t: lefts(two, t) for t in two.tracks} == {t: lefts(whole, t) for t in whole.tracks}
    for rows in whole.tracks.values():
        assert (np.diff(rows.frames) > 0).all()
        assert (rows.boxes[:, 2:] > rows.boxes[:, :2]).all()
    assert lefts(sheet_of(), 2) == [100 + 2 * i for i in range(12)]


def moved(entry: dict[str, Any], side: int) -> dict[str, Any]:
    """The edit with ids of one side: odd for 1, even for 2; equal ones become one."""
    names = ("track", "tracks", "into", "with", "new")
    own = {name: entry[name] for name in names if name in entry}
    return entry | {
        name: list(dict.fromkeys(2 * i + side for i in value))
        if isinstance(value, list)
        else 2 * value + side
        for name, value in own.items()
    }


def all_of(sheet: Sheet) -> dict[int, list[Any]]:
    return {
        track: [
            *(rows.frames.tolist(), rows.boxes.tolist(), rows.scores.tolist()),
            *([sheet.classes[label] for label in rows.labels], rows.drawn.tolist()),
            *(rows.occluded.tolist(), sheet.texts.get(track), sheet.hidden.get(track, frozenset())),
        ]
        for track, rows in sorted(sheet.tracks.items())
    }


@given(st.lists(entries(), max_size=5), st.lists(entries(), max_size=5), st.randoms())
def test_order_matters_only_among_edits_of_the_same_tracks(ones, others, random):
    one = [moved(entry, 1) for entry in ones]
    other = [moved(entry, 2) for entry in others]
    rows = [
        (frame, 2 * track + side, label, left, drawn)
        for side in (1, 2)
        for frame, track, label, left, drawn in ROWS
        if track > 0
    ]
    places = sorted(random.sample(range(len(one) + len(other)), len(one)))
    mixed, rest = list(other), iter(one)
    for place in places:
        mixed.insert(place, next(rest))
    sheets = [sheet_of(rows), sheet_of(rows)]
    for sheet, given_entries in zip(sheets, ([*one, *other], mixed), strict=True):
        apply_edits(sheet, edits(*given_entries))
    assert all_of(sheets[0]) == all_of(sheets[1])


@pytest.mark.parametrize("to", EXPORTERS)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(given_entries=st.lists(entries(), min_size=1, max_size=6))
def test_no_edit_makes_an_export_invalid(tmp_path, to, given_entries):
    if to == "parquet":
        pytest.importorskip("pyarrow")
    result, out = result_of(tmp_path / "street"), tmp_path / "out"
    path = tmp_path / "edits.json"
    write_edits(path, facts_in(result), edits(*given_entries))
    shutil.rmtree(out, ignore_errors=True)
    exported = export([result], to, out, ExportOptions(edits=str(path)))
    (video,) = exported.videos
    for track in video.tracks:
        assert set(track.frames.tolist()) <= set(range(12))
        assert (track.boxes >= 0).all()
        assert (track.boxes <= [640, 360, 640, 360]).all()
    read_back = {"cvat": "street.xml", "json": "street.json", "mot": "street.txt"}
    if to in read_back and video.tracks:
        (read,) = read_annotations(out / read_back[to])
        assert sum(map(len, read.tracks)) + len(read.loose) >= sum(map(len, video.tracks))


def edited(tmp_path, *given_entries, **options):
    result, path = result_of(tmp_path / "street"), tmp_path / "edits.json"
    write_edits(path, facts_in(result), edits(*given_entries))
    return export([result], "json", tmp_path / "out", ExportOptions(edits=str(path), **options))


def test_class_of_an_edited_track_is_what_was_said_and_it_is_not_cut(tmp_path):
    rows = [(i, 1, int(i >= 40), 10 + i, False) for i in range(80)]
    result = result_of(tmp_path, rows, 80)
    assert len(from_result(result).tracks) == 2
    path = tmp_path / "edits.json"
    write_edits(path, facts_in(result), edits({"do": "class", "tracks": [1], "class": "tram"}))
    (track,) = from_result(result, edits=read_edits(path)).tracks
    assert (track.label, len(track)) == ("tram", 80)


def test_hidden_stretch_stays_open_and_a_deleted_one_is_closed(tmp_path):
    hide = {"do": "hide", "tracks": [2], "from": 3, "to": 5}
    video = edited(tmp_path, hide, interpolate=True).videos[0]
    assert [len(track) for track in video.tracks if track.id == 2] == [9]
    video = edited(tmp_path, {**hide, "do": "delete"}, interpolate=True, overwrite=True).videos[0]
    assert [len(track) for track in video.tracks if track.id == 2] == [12]


def test_drawn_box_stays_where_it_is_though_lines_are_drawn(tmp_path):
    box = {"do": "box", "track": 2, "frame": 2, "box": [105.5, 30, 125.5, 70], "class": "car"}
    result, path = result_of(tmp_path / "street"), tmp_path / "edits.json"
    write_edits(path, facts_in(result), edits(box))
    export([result], "cvat", tmp_path / "out", ExportOptions(edits=str(path)))
    with (tmp_path / "out/street.xml").open("rb") as file:
        (video,) = read_cvat(file, "street.xml")
    track = next(t for t in video.tracks if 105.5 in t.boxes[:, 0].tolist())
    assert track.boxes[track.frames.tolist().index(2)].tolist() == [105.5, 30, 125.5, 70]


def test_text_and_occlusion_go_to_cvat(tmp_path):
    result, path = result_of(tmp_path / "street"), tmp_path / "edits.json"
    told = edits(
        {"do": "text", "tracks": [1], "text": "limps & <waits>"},
        {"do": "occluded", "tracks": [1], "from": 2, "to": 3, "occluded": True},
    )
    write_edits(path, facts_in(result), told)
    export([result], "cvat", tmp_path / "out", ExportOptions(edits=str(path)))
    with (tmp_path / "out/street.xml").open("rb") as file:
        (video,) = read_cvat(file, "street.xml")
    (track,) = [track for track in video.tracks if track.attributes]
    assert track.attributes[0].values == ("limps & <waits>",)
    assert track.frames[track.occluded].tolist() == [2, 3]
    assert video.kept.labels[0].xml.count("<name>note</name>") == 1


def refused(*arguments):
    return run(["export", *map(str, arguments), "--to", "csv"])


def test_edits_of_another_result_are_refused_with_what_differs(tmp_path, capsys):
    result, path = result_of(tmp_path / "street"), tmp_path / "edits.json"
    facts = facts_in(result)
    for other, words in [
        (replace(facts, width=320), "it had width 320, and this one 640"),
        (
            replace(facts, boxes=7, video="b.mp4"),
            "boxes: 7, and this one 25 (of b.mp4, not street.mp4)",
        ),
        (replace(facts, sha256="0" * 64), "other boxes, of as many tracks"),
    ]:
        write_edits(path, other, edits())
        assert refused(result, "--edits", path, "-o", tmp_path / "out") == 2
        error = capsys.readouterr().err
        assert f"edits of another result: it had {words.removeprefix('it had ')}" in error
        assert len(error.splitlines()) == 1


def test_edits_that_do_not_read_are_refused_in_a_line(tmp_path, capsys):
    result, path = result_of(tmp_path / "street"), tmp_path / "edits.json"
    write_edits(path, facts_in(result), edits({"do": "delete", "tracks": [1]}))
    text = path.read_text()
    for wrong, words in [
        ("{}", "no edits of a review page"),
        (text[:60], "only half of it"),
        (text.replace('"version": 1', '"version": 2'), "has version 2"),
        (text.replace('"delete"', '"explode"'), "edit 1 does nothing that is known"),
        (text.replace('"tracks": [1]', '"tracks": [0]'), "edit 1 has a 'tracks' that makes no"),
        (text.replace('"boxes"', '"bxes"'), "its result has no 'boxes'"),
    ]:
        path.write_text(wrong)
        assert refused(result, "--edits", path, "-o", tmp_path / "out") == 2
        assert words in capsys.readouterr().err


def test_edits_are_for_one_result(tmp_path, capsys):
    path = tmp_path / "edits.json"
    one, two = (result_of(tmp_path / name) for name in ("a", "b"))
    write_edits(path, facts_in(one), edits())
    assert refused(one, two, "--edits", path, "-o", tmp_path / "out") == 3
    assert "--edits is for one result, and there are 2" in capsys.readouterr().err
    (tmp_path / "gt.txt").write_text("1,1,2,3,4,5,1,1,1\n")
    assert refused(tmp_path / "gt.txt", "--edits", path, "-o", tmp_path / "out") == 2
    assert "edits belong to a result.json" in capsys.readouterr().err


def test_edit_that_no_longer_fits_is_told(tmp_path):
    exported = edited(tmp_path, {"do": "delete", "tracks": [1]}, {"do": "delete", "tracks": [1]})
    (line,) = exported.warnings
    assert "no longer fit and change nothing: number 2 (there is no track 1)" in line


def test_pictures_of_other_sizes_take_boxes_where_the_page_shows_them(tmp_path):
    result = result_of(tmp_path)
    document = json.loads(result.read_text())
    result.write_text(json.dumps({**document, "sizes": {"1": [320, 180]}}))
    path = tmp_path / "edits.json"
    box = {"do": "box", "track": 1, "frame": 1, "box": [100, 60, 200, 160], "class": "car"}
    write_edits(path, facts_in(result), edits(box))
    track = next(t for t in from_result(result, edits=read_edits(path)).tracks if t.id == 1)
    assert track.boxes[1].tolist() == [50, 30, 100, 80]


READ_BACK = {
    "cvat": "street.xml",
    "label-studio": "tasks.json",
    "coco-vid": "annotations/instances_train.json",
    "json": "street.json",
}


@pytest.mark.parametrize("to", READ_BACK)
def test_edited_tracks_come_back_from_other_tools(tmp_path, to):
    """Merged, split, drawn, filled, hidden, of a new class: every box, in its track."""
    result, path = result_of(tmp_path / "street"), tmp_path / "edits.json"
    mended = edits(
        {"do": "merge", "tracks": [3], "into": 1, "class": "tram"},
        {"do": "box", "track": 1, "frame": 7, "box": [40, 30, 60, 70], "class": "x", "fill": True},
        {"do": "split", "track": 2, "frame": 6, "new": 9},
        {"do": "hide", "tracks": [9], "from": 8, "to": 9},
        {"do": "id", "track": 4, "new": 30},
        {"do": "box", "track": 31, "frame": 1, "box": [500, 30, 540, 70.5], "class": "kite"},
    )
    write_edits(path, facts_in(result), mended)
    options = ExportOptions(edits=str(path), keyframes="all")
    (video,) = export([result], to, tmp_path / "out", options).videos
    (place,) = (tmp_path / "out").rglob(READ_BACK[to])
    (read,) = read_annotations(place)
    tracks = [track for track in read.tracks if len(track) > 1 or track.label == "kite"]
    assert sorted(track.label for track in tracks) == ["car", "kite", "person", "person", "tram"]
    by_first = {(track.label, round(track.boxes[0, 0])): track for track in tracks}
    for track in video.tracks:
        again = by_first[track.label, round(track.boxes[0, 0])]
        assert again.frames.tolist() == track.frames.tolist()
        np.testing.assert_allclose(again.boxes, track.boxes, atol=0.02)
