"""Which video is whose: names in paths and addresses of other tools and systems."""

import json
from pathlib import Path

import pytest
from export_command import export, tasks_of
from result_factory import frame_of, write_result
from video_factory import write_grey_video

from minet_core.errors import InputError
from minet_core.exports.media import Media
from minet_core.formats.readers import read_annotations
from minet_core.video.names import likeness, parts_of, stem_of

CAMERAS = {"cam1": 10, "cam2": 30}
"""Folder → frames of the video in it, which is called GH01.mp4 in both."""


@pytest.fixture(autouse=True)
def cameras(tmp_path, monkeypatch):
    """Two videos of one file name, with a result each; they have moved since."""
    monkeypatch.chdir(tmp_path)
    for camera, frames in CAMERAS.items():
        Path("new", camera).mkdir(parents=True)
        write_grey_video(Path("new", camera, "GH01.mp4"), frames)
        result_of(f"old/{camera}/GH01.mp4", frames, Path("results", f"{camera}-GH01"))


def result_of(source: str, frames: int, folder: Path) -> None:
    about = {"path": source, "width": 64, "height": 48, "duration": frames / 25}
    write_result(folder, *(frame_of(i, [1]) for i in range(frames)), video=about)


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("cam1/GH01.mp4", ("cam1", "GH01.mp4")),
        (r"D:\footage\cam1\GH01.mp4", ("D:\\", "footage", "cam1", "GH01.mp4")),
        ("D:/footage/GH01.mp4", ("D:\\", "footage", "GH01.mp4")),
        (r"cam1\GH01.mp4", ("cam1", "GH01.mp4")),
        (r"\\server\share\cam1\GH01.mp4", ("\\\\server\\share\\", "cam1", "GH01.mp4")),
        ("https://host/cam%201/GH01.mp4?key=a/b", ("/", "cam 1", "GH01.mp4")),
        ("http://host/data/local-files/?d=cam1/GH01.mp4", ("cam1", "GH01.mp4")),
        ("/data/upload/12/5f3c2a1b-GH01.mp4", ("GH01.mp4",)),
        ("http://host/data/upload/12/5f3c2a1b-GH01.mp4", ("GH01.mp4",)),
        ("clips/5f3c2a1b-GH01.mp4", ("clips", "5f3c2a1b-GH01.mp4")),
        ("", ()),
    ],
)
def test_path_of_any_system_has_parts(source, parts):
    assert parts_of(source) == parts
    assert stem_of(source) == (Path(parts[-1]).stem if parts else "")


@pytest.mark.parametrize(
    ("named", "source", "expected"),
    [
        ("new/cam1/GH01.mp4", "old/cam1/GH01.mp4", (True, 1)),
        ("new/cam1/GH01.mp4", r"C:\old\cam1\GH01.mp4", (True, 1)),
        ("new/cam1/GH01.avi", "cam1/GH01.mp4", (False, 1)),
        ("new/GH01.mp4", "GH01", (False, 0)),
        ("new/v1.2.mp4", "v1.2", (False, 0)),
        ("new/GH01.mp4", "GH02.mp4", None),
        ("my clip (1).mp4", "/data/upload/3/0a1b2c3d-my_clip_1.mp4", (True, 0)),
    ],
)
def test_likeness_counts_from_the_end(named, source, expected):
    assert likeness(named, source) == expected


def test_each_of_one_name_gets_its_own_pictures():
    videos = [f"--video={path}" for path in ("new/cam2/GH01.mp4", "new/cam1/GH01.mp4")]
    assert export("results", "--to", "yolo", "-o", "out", "--frames", "png", *videos) == 0
    pictures = [path.name for path in Path("out/images/train").iterdir()]
    for camera, frames in CAMERAS.items():
        assert sum(name.startswith(camera) for name in pictures) == frames


def test_video_goes_to_the_source_it_is_most_like():
    media = Media(["new/cam1/GH01.mp4"], sources=["cam2/GH01.mp4", "cam1/GH01.mp4"])
    assert media.find("cam1/GH01.mp4") == "new/cam1/GH01.mp4"
    assert media.find("cam2/GH01.mp4") is None


def test_whole_path_counts_before_all_else():
    media = Media(["new/cam2/GH01.mp4", "./new/cam1/GH01.mp4", "new/cam1/GH01.mp4"])
    assert media.find("new/cam1/GH01.mp4") == "./new/cam1/GH01.mp4"


def test_several_that_may_be_it_are_refused():
    media = Media(["new/cam1/GH01.mp4", "new/cam2/GH01.mp4"])
    line = r"GH01.mp4: new/cam1/GH01.mp4 or new/cam2/GH01.mp4 may be its video"
    with pytest.raises(InputError, match=line):
        media.find("GH01.mp4")


@pytest.mark.parametrize("first", ["cam1/GH01.mp4", "cam2/GH01.mp4"])
def test_one_that_may_be_of_two_is_refused(first, capsys):
    second = {"cam1/GH01.mp4": "cam2/GH01.mp4"}.get(first, "cam1/GH01.mp4")
    tasks = tasks_of(Path("tasks.json"), first, second)
    Path("GH01.mp4").write_bytes(Path("new/cam1/GH01.mp4").read_bytes())
    assert export(tasks, "--to", "csv", "-o", "out", "--video", "GH01.mp4") == 2
    line = f"GH01.mp4: may be the video of {first} or of {second}; --video has to name both"
    assert line in capsys.readouterr().err


def test_file_of_other_videos_is_found_out_whatever_the_order(capsys):
    tasks = tasks_of(Path("tasks.json"), "cam2/GH01.mp4", "new/cam1/GH01.mp4")
    assert export(tasks, "--to", "csv", "-o", "out", "--video", "new/cam1/GH01.mp4") == 2
    assert "may be the video of cam2/GH01.mp4 or of new/cam1/GH01.mp4" in capsys.readouterr().err


def test_uploads_of_label_studio_have_their_own_names():
    write_grey_video(Path("street.mp4"))
    write_grey_video(Path("two cups.mp4"))
    addresses = "/data/upload/1/5f3c2a1b-street.mp4", "/data/upload/1/77aa88bb-two_cups.mp4"
    tasks = tasks_of(Path("tasks.json"), *addresses)
    videos = "--video", "street.mp4", "--video", "two cups.mp4"
    assert export(tasks, "--to", "csv", "-o", "out", *videos) == 0
    assert {path.name for path in Path("out").glob("*.csv")} == {"street.csv", "two_cups.csv"}


def test_windows_path_names_the_video():
    source = r"D:\footage\cam2\GH01.mp4"
    result_of(source, 30, Path("windows"))
    assert export("windows", "--to", "cvat", "-o", "out") == 0
    (again,) = read_annotations(Path("out/windows.xml"))
    assert (again.name, again.source) == ("GH01", source)
    media = Media(["new/cam1/GH01.mp4", "new/cam2/GH01.mp4"])
    assert media.find(source) == "new/cam2/GH01.mp4"


def test_two_videos_of_one_address_are_refused(capsys):
    media = "--media", "https://host/"
    assert export("results", "--to", "label-studio", "-o", "out", *media) == 3
    line = "would both be https://host/GH01.mp4; export each with a --media of its own"
    assert line in capsys.readouterr().err
    assert export("results", "--to", "label-studio", "-o", "out") == 0
    tasks = json.loads(Path("out/tasks.json").read_text(encoding="utf-8"))
    served = [task["data"]["video"].rpartition("=")[2] for task in tasks]
    assert served == ["cam1/GH01.mp4", "cam2/GH01.mp4"]
