import csv
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from result_factory import CLASSES, FRAMES, facts, frame_of, write

from minet_core.boxes import NO_TRACK
from minet_core.errors import InputError, OutputError
from minet_core.files import TextFile
from minet_core.formats import WRITERS, read_json
from minet_core.formats.minet.result_json import SCHEMA, SCHEMA_VERSION
from minet_core.options import FORMATS
from minet_core.publishing import complete_text
from minet_core.results import COLUMNS, Totals, TrackletTable

SCHEMA_PAGE = Path(__file__).parents[2] / "docs" / "result-format.md"

MOT_COLUMNS = ["frame", "id", "left", "top", "width", "height", "conf", "x", "y", "z"]


@pytest.fixture
def result(tmp_path):
    return write(tmp_path, "json")


def test_every_format_has_a_writer():
    assert WRITERS.keys() == FORMATS.keys()


def test_json_and_csv_carry_the_same_rows(tmp_path):
    rows = read_json(write(tmp_path, "json")).rows
    types = {"pts": "Int64", "track_id": "Int64"}
    pd.testing.assert_frame_equal(rows, pd.read_csv(write(tmp_path, "csv"), dtype=types))
    assert len(rows) == 5


def test_mot_carries_the_rows_with_a_track_one_frame_on(tmp_path):
    rows = read_json(write(tmp_path, "json")).rows.dropna(subset="track_id")
    mot = pd.read_csv(write(tmp_path, "mot"), names=MOT_COLUMNS)
    assert mot.frame.tolist() == [frame + 1 for frame in rows.frame]
    assert mot.id.tolist() == rows.track_id.tolist()
    np.testing.assert_allclose(mot.conf, rows.score)
    np.testing.assert_allclose(mot[["left", "top"]], rows[["x1", "y1"]])
    np.testing.assert_allclose(mot.width, rows.x2 - rows.x1)
    np.testing.assert_allclose(mot.height, rows.y2 - rows.y1)


def test_mot_has_ten_columns_and_no_header(tmp_path):
    lines = write(tmp_path, "mot").read_text().splitlines()
    assert lines[0] == "1,1,1.0,0.0,10.0,10.0,0.9,-1,-1,-1"
    assert {line.count(",") for line in lines} == {9}


def test_null_is_an_empty_field_in_csv(tmp_path):
    with write(tmp_path, "csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (rows[2]["pts"], rows[2]["track_id"]) == ("", "")


@pytest.mark.parametrize("name", FORMATS)
def test_video_without_detections_makes_a_valid_file(tmp_path, name):
    path = write(tmp_path, name, [frame_of(0), frame_of(1)])
    if name == "json":
        header, rows, tracklets = read_json(path)
        assert (len(rows), tracklets, header["counts"]["frames"]) == (0, [], 2)
    else:
        assert len(path.read_text().splitlines()) == (name == "csv")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("done", range(len(FRAMES) + 1))
def test_writing_that_goes_on_makes_the_same_file(tmp_path, name, done):
    whole = write(tmp_path, name).read_bytes()
    path, totals = tmp_path / "part", Totals()
    file = TextFile(path)
    writer = WRITERS[name](file, facts())
    writer.begin()
    for frame in FRAMES[:done]:
        writer.write(frame)
        totals.add(frame)
    length, state = file.sync(), json.loads(json.dumps(totals.save()))
    for frame in FRAMES[done:]:
        writer.write(frame)  # and is killed: this does not count
    file.close()

    totals = Totals()
    totals.restore(state)
    file = TextFile(path, keep=length)
    writer = WRITERS[name](file, facts())
    writer.resume(totals)
    for frame in FRAMES[done:]:
        writer.write(frame)
        totals.add(frame)
    writer.end(totals)
    file.complete()
    assert path.read_bytes() == whole


def test_json_reads_back_what_went_in(result):
    header, rows, tracklets = read_json(result)
    table = TrackletTable()
    for frame in FRAMES:
        table.add(frame)
    assert tracklets == [replace(t, score=round(t.score, 6)) for t in table.tracklets()]
    assert rows.x1.tolist() == [1, 2, NO_TRACK, 1, 1]
    assert header["video"] == {"path": "clip.mp4", "width": 640, "height": 360}
    assert header["classes"] == list(CLASSES)
    assert header["counts"] == {
        "frames": 4,
        "rows": 5,
        "rows_without_track": 1,
        "rows_interpolated": 0,
    }


def test_json_has_a_row_on_each_line(result):
    lines = result.read_text(encoding="utf-8").splitlines()
    start = lines.index('"rows": [')
    assert [json.loads(line.rstrip(","))[0] for line in lines[start + 1 : start + 6]] == [
        *(0, 0, 2, 2, 4)
    ]


def test_file_name_that_is_not_utf8_reads_back(tmp_path):
    name = os.fsdecode(b"caf\xe9 \xe2\x98\x95.mp4")
    header = read_json(write(tmp_path, "json", about=facts(path=name))).header
    assert header["video"]["path"] == name


def test_number_that_json_cannot_hold_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        write(tmp_path, "json", [frame_of(0, [1], scores=[float("nan")])])
    assert list(tmp_path.iterdir()) == []


def edit(path: Path, **changes) -> Path:
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**document, **changes}), encoding="utf-8")
    return path


def test_reader_refuses_another_version(result):
    with pytest.raises(InputError, match=r"has version 2 of the schema; .* reads version 1"):
        read_json(edit(result, version=2))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param("", "not JSON, or only half", id="empty"),
        pytest.param('{"schema": "minet-result", "rows": [[1,', "only half of it", id="half"),
        pytest.param("[1, 2]", "not a result of minet", id="other JSON"),
        pytest.param('{"schema": "coco"}', "not a result of minet", id="other schema"),
    ],
)
def test_reader_says_what_is_wrong(tmp_path, content, message):
    path = tmp_path / "result.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        read_json(path)
    assert "\n" not in str(caught.value)


def test_reader_refuses_bytes_that_are_not_text(tmp_path):
    path = tmp_path / "result.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not JSON"):
        read_json(path)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"rows": [[1, 2]]}, id="short rows"),
        pytest.param({"rows": 3}, id="no rows"),
        pytest.param({"tracklets": [{"track_id": 1}]}, id="short tracklets"),
    ],
)
def test_reader_refuses_damaged_contents(result, changes):
    with pytest.raises(InputError, match="damaged"):
        read_json(edit(result, **changes))


def test_text_is_complete_or_not_there(tmp_path):
    path = tmp_path / "a.txt"

    def write_and_fail() -> None:
        with complete_text(path) as file:
            file.write("half")
            assert not path.exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_fail()
    assert list(tmp_path.iterdir()) == []
    with complete_text(path) as file:
        file.write("whole")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "whole"


def test_error_of_the_caller_is_not_taken_for_one_of_the_file(tmp_path):
    with pytest.raises(ConnectionResetError), complete_text(tmp_path / "a.txt"):
        raise ConnectionResetError


def test_place_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(OutputError, match="cannot write"), complete_text(tmp_path / "no" / "a.txt"):
        pass


def columns_on_page(heading: str) -> list[str]:
    """First cells of the table under a heading of the schema page."""
    section = SCHEMA_PAGE.read_text(encoding="utf-8").split(f"## {heading}", 1)[1]
    cells = re.findall(r"^\| `(.+?)` \|", section.split("\n## ", 1)[0], re.MULTILINE)
    return [name for cell in cells for name in cell.split("`, `")]


def test_schema_page_lists_the_columns():
    assert tuple(columns_on_page("Rows")) == COLUMNS


def test_schema_page_lists_the_keys(result):
    document = json.loads(result.read_text(encoding="utf-8"))
    names = [*document, *document["tracklets"][0], *document["doubts"][0]]
    listed = columns_on_page(f"result.json: schema `{SCHEMA}`, version {SCHEMA_VERSION}")
    some = {"sizes", "scenes"}  # of pictures of many sizes, and of a video in scenes
    assert [name for name in listed if name not in some] == names


def test_schema_page_says_how_to_read_each_file(tmp_path, monkeypatch):
    for name in FORMATS:
        write(tmp_path, name)
    monkeypatch.chdir(tmp_path)
    _, page = SCHEMA_PAGE.read_text(encoding="utf-8").split("## How to read them")
    with_pandas, with_minet = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    scope: dict[str, pd.DataFrame] = {}
    exec(with_pandas, scope)
    assert [len(scope[name]) for name in ("detections", "rows", "tracks")] == [5, 5, 4]
    exec(with_minet, scope)
    assert len(scope["tracklets"]) == 2
