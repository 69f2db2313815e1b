"""A run around what a person has said: it holds, tracks go both ways, the rest is found anew."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from coloured_squares import FRAMES, box_at, colour_model, write_pictures

from minet_cli.main import run
from minet_core.formats import read_json
from minet_core.formats.edits import Edit, read_edits, write_edits
from minet_core.formats.minet.edited import result_facts
from minet_core.formats.minet.reader import columns_of
from minet_core.models import zoo

OUT = Path("out/pictures")
MIDDLE = (60.0, 2.0, 90.0, 22.0)
"""A place where the detector sees nothing."""
SIDES = ["frame", "x1", "y1", "x2", "y2"]


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_pictures(tmp_path / "pictures")
    use(monkeypatch)


def use(monkeypatch, **options) -> None:
    monkeypatch.setattr(zoo, "load_model", lambda *_, **__: colour_model(**options))


def detect(*arguments: str) -> int:
    return run(["detect", "pictures", "-o", "out", "--no-video", "--quiet", *arguments])


def rows(folder: Path = OUT) -> Any:
    return read_json(folder / "result.json").rows


def track_of(table: Any, name: str, frame: int) -> int:
    """The id of the row that has a square in a frame."""
    x1, y1, *_ = box_at(name, frame)
    there = table[
        (table.frame == frame) & ((table.x1 - x1).abs() < 3) & ((table.y1 - y1).abs() < 3)
    ]
    return int(there.track_id.iloc[0])


def edit(*edits: Edit, folder: Path = OUT) -> str:
    header, table, _ = read_json(folder / "result.json")
    write_edits(folder / "edits.json", result_facts(header, columns_of(table)), edits)
    return str(folder / "edits.json")


def go_on(*edits: Edit) -> Any:
    assert detect("--corrections", edit(*edits), "--overwrite") == 0
    return rows()


def prompt(*boxes: tuple[int, int, str]) -> None:
    sides = ("x1", "y1", "x2", "y2")
    entries = [
        {"frame": frame, "id": number, **dict(zip(sides, box_at(name, frame), strict=True))}
        for frame, number, name in boxes
    ]
    Path("prompts.json").write_text(json.dumps(entries))


class TestPrompts:
    def test_objects_are_followed_both_ways_from_any_frame_and_no_others_are(self):
        prompt((8, 7, "red"), (20, 7, "red"), (14, 3, "green"))
        assert detect("--prompts", "prompts.json") == 0
        table = rows()
        assert set(table.track_id) == {3, 7}
        for frame in range(FRAMES):
            assert track_of(table, "red", frame) == 7
            assert track_of(table, "green", frame) == 3

    def test_mot_text_is_read_too(self):
        x1, y1, x2, y2 = box_at("blue", 9)
        Path("gt.txt").write_text(f"10,4,{x1},{y1},{x2 - x1},{y2 - y1},1,-1,-1,-1\n")
        assert detect("--prompts", "gt.txt") == 0
        assert rows().track_id.tolist() == [4] * FRAMES

    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            ({"frame": 99}, "in frames that are not processed"),
            ({"frame": -2}, "a frame or an id that is none"),
            ({"id": 0}, "a frame or an id that is none"),
            ({"label": "persn"}, "no class 'persn'"),
            ({"x1": 500, "x2": 600}, "lies outside the frame"),
        ],
    )
    def test_mistakes_are_one_line(self, entry, message, capfd):
        whole = {"frame": 3, "id": 1, "x1": 4, "y1": 4, "x2": 20, "y2": 20, **entry}
        Path("prompts.json").write_text(json.dumps([whole]))
        assert detect("--prompts", "prompts.json") != 0
        assert message in capfd.readouterr().err
        assert not OUT.exists()

    def test_an_object_twice_in_a_frame_is_refused(self, capfd):
        prompt((3, 1, "red"), (3, 1, "green"))
        assert detect("--prompts", "prompts.json") == 2
        assert "object 1 is twice in frame 3" in capfd.readouterr().err


class TestCorrections:
    @pytest.fixture(autouse=True)
    def first_run(self, monkeypatch):
        """What it has kept is enough to go on from: the detector is asked no more."""
        assert detect("--keep") == 0
        use(monkeypatch, blind=True)

    def test_what_was_drawn_holds_to_the_pixel(self):
        table = go_on(Edit("box", (50,), frame=6, box=MIDDLE, label="dog"))
        (drawn,) = table[table.track_id == 50].itertuples()
        assert (drawn.frame, drawn.x1, drawn.y1, drawn.x2, drawn.y2) == (6, *MIDDLE)
        assert (drawn.label, drawn.score, drawn.interpolated) == ("dog", 1, 0)

    def test_a_split_holds_on_both_sides_and_the_rest_keeps_its_ids(self):
        before = rows()
        red, green, blue = (track_of(before, name, 4) for name in ("red", "green", "blue"))
        table = go_on(Edit("split", (red,), frame=12, new=40))
        for frame in range(FRAMES):
            assert track_of(table, "red", frame) == (red if frame < 12 else 40)
            assert track_of(table, "green", frame) == green
            assert track_of(table, "blue", frame) == blue

    def test_a_swap_that_a_person_made_is_not_mended(self):
        before = rows()
        red, green = track_of(before, "red", 4), track_of(before, "green", 4)
        table = go_on(Edit("swap", (red,), other=green, frame=10))
        assert track_of(table, "red", 9) == red
        assert track_of(table, "red", 10) == green
        assert track_of(table, "green", 10) == red

    def test_a_class_that_no_model_knows_goes_to_every_box(self):
        red = track_of(rows(), "red", 4)
        table = go_on(Edit("class", (red,), label="fire engine"))
        assert set(table[table.track_id == red].label) == {"fire engine"}
        assert "fire engine" in read_json(OUT / "result.json").header["classes"]

    def test_what_is_deleted_or_hidden_does_not_come_back(self):
        before = rows()
        red, blue = track_of(before, "red", 4), track_of(before, "blue", 4)
        table = go_on(
            Edit("delete", (blue,)),
            Edit("hide", (red,), first=5, last=9),
        )
        assert not ((table.y1 > 80) & (table.x1 > 60)).any()
        there = table[table.track_id == red].frame.tolist()
        assert there == [*range(5), *range(10, FRAMES)]

    def test_what_nobody_touched_stays_to_the_pixel(self):
        before = rows()
        red = track_of(before, "red", 4)
        table = go_on(Edit("split", (red,), frame=12, new=40))
        others = (each[each.track_id != red].reset_index(drop=True) for each in (before, table))
        one, two = ((t[t.track_id != 40][[*SIDES, "track_id", "score"]]) for t in others)
        assert sorted(one.itertuples(index=False)) == sorted(two.itertuples(index=False))

    def test_a_box_that_was_deleted_stays_away_until_it_is_drawn_again(self):
        red = track_of(rows(), "red", 4)
        table = go_on(Edit("delete", (red,), first=6, last=7))
        assert table[table.track_id == red].frame.tolist() == [*range(6), *range(8, FRAMES)]
        table = go_on(Edit("box", (red,), frame=6, box=box_at("red", 6), label="dog"))
        assert table[table.track_id == red].frame.tolist() == [*range(7), *range(8, FRAMES)]

    def test_a_stretch_that_was_filled_stays_filled(self):
        one = Edit("box", (50,), frame=2, box=MIDDLE, label="dog")
        two = Edit("box", (50,), frame=20, box=(62, 2, 92, 22), label="dog", fill=True)
        table = go_on(one, two)
        own = table[table.track_id == 50]
        assert own.frame.tolist() == list(range(2, 21))
        assert own.interpolated.tolist() == [0, *[1] * 17, 0]
        assert own.x1.tolist()[9] == pytest.approx(61, abs=0.2)

    def test_going_on_again_keeps_what_was_said_before(self):
        red = track_of(rows(), "red", 4)
        go_on(Edit("split", (red,), frame=12, new=40))
        table = go_on(Edit("box", (50,), frame=6, box=MIDDLE, label="dog"))
        assert track_of(table, "red", 11) == red
        assert track_of(table, "red", 12) == 40
        assert table[table.track_id == 50].frame.tolist() == [6]

    def test_the_result_before_is_set_aside_and_texts_go_on(self):
        before = (OUT / "result.json").read_bytes()
        red = track_of(rows(), "red", 4)
        edits = (
            Edit("text", (red,), text="loud"),
            Edit("occluded", (red,), first=3, last=5, occluded=True),
        )
        go_on(*edits)
        assert (OUT / "before-1/result.json").read_bytes() == before
        assert read_edits(OUT / "before-1/edits.json").edits == edits
        assert set(read_edits(OUT / "edits.json").edits) == set(edits)
        assert (
            run(["export", str(OUT), "--edits", str(OUT / "edits.json"), "--to", "cvat", "-o", "x"])
            == 0
        )

    def test_edits_of_another_result_are_refused_and_nothing_is_lost(self, capfd):
        given = edit(Edit("split", (1,), frame=12, new=40))
        before = (OUT / "result.json").read_bytes()
        text = (OUT / "edits.json").read_text()
        (OUT / "edits.json").write_text(text.replace('"boxes": ', '"boxes": 1'))
        assert detect("--corrections", given, "--overwrite") == 2
        assert "edits of another result" in capfd.readouterr().err
        assert (OUT / "result.json").read_bytes() == before
        assert not (OUT / "before-1").exists()

    def test_a_result_is_replaced_only_when_that_is_asked_for(self, capfd):
        assert detect("--corrections", edit(Edit("delete", (1,)))) == 5
        assert "--overwrite" in capfd.readouterr().err

    @pytest.mark.parametrize(
        ("to", "pattern"), [("cvat", "*.xml"), ("label-studio", "tasks.json"), ("mot-gt", "gt.txt")]
    )
    def test_annotations_of_other_tools_tell_by_what_differs(self, to, pattern):
        red, blue = (track_of(rows(), name, 4) for name in ("red", "blue"))
        assert run(["export", str(OUT), "--to", to, "-o", "mended", "--keyframes", "all"]) == 0
        (file,) = Path("mended").rglob(pattern)
        without_track(file, blue)
        assert detect("--corrections", str(file), "--overwrite") == 0
        table = rows()
        assert not ((table.y1 > 80) & (table.x1 > 60)).any()
        assert track_of(table, "red", 12) == red


def without_track(file: Path, track: int) -> None:
    """Take a track out of CVAT's XML, of Label Studio's tasks or of MOTChallenge's text."""
    text = file.read_text()
    if file.suffix == ".xml":
        text = re.sub(rf'<track id="{track}" .*?</track>', "", text, flags=re.DOTALL)
    elif file.suffix == ".txt":
        lines = text.splitlines(keepends=True)
        text = "".join(line for line in lines if line.split(",")[1] != str(track))
    else:
        (task,) = json.loads(text)
        (proposed,) = task.pop("predictions")
        kept = [region for region in proposed["result"] if region["id"] != f"t{track}"]
        text = json.dumps([{**task, "annotations": [{"result": kept}]}])
    assert text != file.read_text()
    file.write_text(text)


def test_without_anything_kept_all_is_seen_first_and_kept():
    assert detect() == 0
    red = track_of(rows(), "red", 4)
    table = go_on(Edit("split", (red,), frame=12, new=40))
    assert track_of(table, "red", 12) == 40
    assert (OUT / "sights.bin").stat().st_size > 0


def test_options_that_exclude_each_other_are_refused(capfd):
    prompt((3, 1, "red"))
    assert detect("--prompts", "prompts.json", "--corrections", "prompts.json") == 3
    assert "exclude each other" in capfd.readouterr().err
