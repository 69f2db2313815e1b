"""Text files as editors and shells of other systems write them."""

from pathlib import Path

import numpy as np
import pytest

from minet_core.datasets.mot.rows import read_mot_rows
from minet_core.datasets.mot.sequence import class_names
from minet_core.datasets.yolo import open_layout
from minet_core.errors import InputError
from minet_core.formats.class_names import read_label_map
from minet_core.inference.prompted.prompts import read_first_boxes
from minet_core.runs.video_inputs import expand
from minet_core.text import read_text

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16"]
"""As editors, Windows and PowerShell write; "utf-16" puts its mark first."""


@pytest.fixture(params=ENCODINGS)
def write(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(name: str, *lines: str) -> Path:
        path = Path(name)
        path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(request.param))
        return path

    return written


def test_list_of_inputs(write):
    for name in ("a.mp4", "b # 2 ü.mp4", "🐶.mp4"):
        Path(name).touch()
    path = write("list.txt", "# of monday", "a.mp4", "b # 2 ü.mp4", "🐶.mp4")
    assert expand([], path) == ["a.mp4", "b # 2 ü.mp4", "🐶.mp4"]


def test_label_map_and_names_of_classes(write):
    assert read_label_map(write("map.txt", "Hund=dog 🐶")).names == {"Hund": "dog 🐶"}
    write("classes.txt", "dög", "🐱")
    assert class_names(Path(), Path()) == open_layout(Path()).classes == ("dög", "🐱")


def test_boxes(write):
    rows = read_mot_rows(write("det.txt", "1,-1,10,20,30,40,0.5"))
    np.testing.assert_array_equal(rows.boxes, [[10, 20, 40, 60]])
    drawn = read_first_boxes(write("drawn.json", '[{"x1":1,"y1":2,"x2":3,"y2":4,"label":"dög"}]'))
    assert (drawn.boxes, drawn.labels) == (((1.0, 2.0, 3.0, 4.0),), ("dög",))


def test_big_endian(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffdög".encode("utf-16-be"))
    assert read_text(tmp_path / "a.txt") == "dög"


def test_names_that_are_no_utf_8_stay_names_of_files(tmp_path):
    name = b"caf\xe9.mp4"
    with open(bytes(tmp_path) + b"/" + name, "wb"):  # noqa: PTH123
        (tmp_path / "list.txt").write_bytes(name + b"\n")
    (found,) = expand([], tmp_path / "list.txt")
    assert Path(found).exists()


def test_half_a_character_is_one_line(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"\xff\xfea\x00b")
    with pytest.raises(InputError, match="not a text file"):
        expand([], tmp_path / "list.txt")
