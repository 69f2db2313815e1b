import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from export_command import export, files_in, tasks_of, visible
from export_data import track_of, video_of
from result_factory import frame_of, write_result
from video_factory import index_of, write_grey_video

from minet_cli.main import run
from minet_core.boxes import NO_TRACK
from minet_core.export_options import ExportOptions
from minet_core.exports.inputs import safe_name, unique_names
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.cvat.writer import write_cvat
from minet_core.formats.exporters import EXPORTERS
from minet_core.formats.readers import read_annotations
from minet_core.video import open_video

ROWS = [frame_of(i, [1, 2], labels=[0, 1]) for i in range(10)]


@pytest.fixture
def results(tmp_path):
    """Results of two videos, as minet detect leaves them."""
    for name in ("night", "street"):
        clip = {"path": str(tmp_path / f"{name}.mp4"), "width": 64, "height": 48}
        write_result(tmp_path / "results" / name, *ROWS, video={**clip, "duration": 0.4})
    return tmp_path / "results"


@pytest.fixture
def street(tmp_path, results):
    """The result of a video that is where it was."""
    write_grey_video(tmp_path / "street.mp4")
    return results / "street"


def test_folder_of_results_makes_a_file_for_each_video(results, tmp_path, capsys):
    assert export(results, "--to", "cvat", "-o", tmp_path / "out") == 0
    assert visible(tmp_path / "out") == ["night.xml", "street.xml"]
    printed = capsys.readouterr().out
    assert "person 2, car 2" in printed
    assert "Upload annotations" in printed


def test_labels_of_boxes_without_a_track_are_named_too(tmp_path, capsys):
    video = {"path": "day.mp4", "width": 64, "height": 48}
    write_result(tmp_path / "day", frame_of(0, [NO_TRACK], labels=[1]), video=video)
    assert export(tmp_path / "day", "--to", "cvat", "-o", tmp_path / "out") == 0
    assert "labels    car 1" in capsys.readouterr().out


INTERPOLATED = [frame_of(i, [1], interpolated=np.array([i in (3, 4)])) for i in range(10)]


def test_interpolated_boxes_of_a_result_are_no_keyframes_in_cvat(tmp_path):
    size = {"width": 64, "height": 48}
    write_result(tmp_path / "day", *INTERPOLATED, video={"path": "day.mp4", **size})
    assert export(tmp_path / "day", "--to", "csv", "-o", tmp_path / "out") == 0
    marks = [line.split(",")[-1] for line in (tmp_path / "out/day.csv").read_text().splitlines()]
    assert marks == ["interpolated", *("01"[i in (3, 4)] for i in range(10))]
    every = ("--keyframes", 1, "-o", tmp_path / "out")
    assert export(tmp_path / "day", "--to", "cvat", *every) == 0
    text = (tmp_path / "out/day.xml").read_text()
    found = [i for i in range(10) if f'frame="{i}" keyframe="1"' in text]
    assert found == [0, 1, 2, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("to", ["yolo", "voc", "mot", "mot-gt", "ytvis"])
def test_format_that_cannot_mark_interpolated_boxes_says_so(tmp_path, capsys, to):
    size = {"width": 64, "height": 48}
    write_result(tmp_path / "day", *INTERPOLATED, video={"path": "day.mp4", **size})
    assert export(tmp_path / "day", "--to", to, "-o", tmp_path / "out") == 0
    line = "day: interpolated boxes, which look like the others in this format: 2"
    assert line in capsys.readouterr().err


@pytest.mark.parametrize("to", ["cvat", "label-studio", "mot-gt"])
def test_zip_has_what_the_tool_asks_for(results, tmp_path, to):
    assert export(results / "street", "--to", to, "-o", tmp_path / "a", "--zip") == 0
    (made,) = visible(tmp_path / "a")
    with zipfile.ZipFile(tmp_path / "a" / made) as archive:
        names = archive.namelist()
    expected = {
        "cvat": ["street.xml"],
        "label-studio": ["labelling-config.xml", "tasks.json"],
        "mot-gt": ["gt/gt.txt", "gt/labels.txt"],
    }
    assert sorted(names) == expected[to]


def test_cvat_annotations_become_a_dataset(results, tmp_path):
    export(results / "street", "--to", "cvat", "-o", tmp_path / "street.xml")
    assert export(tmp_path / "street.xml", "--to", "csv", "-o", tmp_path / "out") == 0
    (video,) = read_annotations(tmp_path / "street.xml")
    lines = (tmp_path / "out" / "street.csv").read_text().splitlines()
    assert len(lines) == 1 + video.boxes


def test_mot_for_cvat_counts_from_1(results, tmp_path):
    export(results / "street", "--to", "mot-gt", "-o", tmp_path / "out")
    gt = (tmp_path / "out" / "street" / "gt" / "gt.txt").read_text().splitlines()
    assert gt[:2] == ["1,1,1.0,0.0,10.0,10.0,1,1,1", "1,2,2.0,0.0,10.0,10.0,1,2,1"]
    assert gt[-1].startswith("10,2,")
    labels = (tmp_path / "out" / "street" / "gt" / "labels.txt").read_text()
    assert labels == "person\ncar\n"


def test_pictures_are_the_frames_of_the_video(street, tmp_path):
    out = tmp_path / "out"
    assert export(street, "--to", "mot-gt", "-o", out, "--frames", "png") == 0
    pictures = out / "street" / "img1"
    assert sorted(path.name for path in pictures.iterdir())[0] == "000001.png"
    with open_video(pictures) as reader:
        assert [index_of(frame.image) for frame in reader] == list(range(10))
    assert "seqLength=10" in (out / "street" / "seqinfo.ini").read_text()


def test_video_that_moved_is_named_by_an_option(street, tmp_path, capsys):
    moved = (tmp_path / "street.mp4").rename(tmp_path / "elsewhere.mp4")
    arguments = street, "--to", "mot-gt", "-o", tmp_path / "out", "--frames", "jpg"
    assert export(*arguments) == 2
    assert "--video PATH says where it is" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert export(*arguments, "--video", moved) == 0


def test_another_video_is_refused(street, tmp_path, capsys):
    other = write_grey_video(tmp_path / "other.mp4", 3)
    write_result(street, *ROWS, video={"path": "gone.mp4"})
    code = export(
        street, "--to", "yolo", "-o", tmp_path / "out", "--frames", "jpg", "--video", other
    )
    assert code == 2
    assert "is another video: 64×48 pixels, not 640×360" in capsys.readouterr().err


def test_nothing_is_overwritten_unasked(results, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "street.xml").write_text("mine")
    assert export(results, "--to", "cvat", "-o", out) == 5
    assert "street.xml exists already; --overwrite replaces it" in capsys.readouterr().err
    assert files_in(out) == ["street.xml"]
    assert (out / "street.xml").read_text() == "mine"
    assert export(results, "--to", "cvat", "-o", out, "--overwrite") == 0
    assert "<annotations>" in (out / "street.xml").read_text()


def test_overwriting_takes_away_what_the_earlier_export_made_and_no_more(results, tmp_path):
    out = tmp_path / "out"
    export(results, "--to", "yolo", "-o", out)
    (out / "labels" / "mine.txt").write_text("mine")
    assert export(results / "street", "--to", "yolo", "-o", out, "--overwrite") == 0
    names = visible(out)
    assert "labels/mine.txt" in names
    assert "labels/train/street_000000.txt" in names
    assert not any("night" in name for name in names)


def test_failing_export_leaves_nothing(results, tmp_path, capsys):
    (results / "street" / "result.json").write_text('{"schema": "minet-result", "version": 1')
    assert export(results, "--to", "cvat", "-o", tmp_path / "deep" / "out") == 2
    assert "only half of it" in capsys.readouterr().err
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        pytest.param(["--to", "cvt"], 3, "unknown format 'cvt'; did you mean 'cvat'?", id="format"),
        pytest.param(["--to", "cvat", "--classes", "dog"], 3, "no class 'dog'", id="class"),
        pytest.param(["--to", "cvat", "--keyframes", "some"], 3, "must be auto", id="keyframes"),
        pytest.param(["--to", "cvat", "--min-score", "2"], 3, "from 0 to 1", id="score"),
        pytest.param(["--to", "cvat", "--label-map", "no"], 2, "no such file", id="map"),
        pytest.param(
            ["--to", "cvat", "--frames", "jpg"], 3, "no place for pictures", id="pictures"
        ),
        pytest.param(["--to", "cvat", "--video", "no.mp4"], 2, "no such video", id="video"),
    ],
)
def test_mistake_ends_in_one_line(results, tmp_path, capsys, arguments, code, line):
    assert export(results, *arguments, "-o", tmp_path / "out") == code
    (error,) = capsys.readouterr().err.splitlines()
    assert line in error
    assert not (tmp_path / "out").exists()


def test_folder_without_results_is_refused(tmp_path, capsys):
    assert export(tmp_path, "--to", "cvat") == 2
    assert "no result.json in it" in capsys.readouterr().err


def with_a_gap() -> VideoAnnotations:
    return video_of(track_of(1, [*range(5), *range(8, 12)]), frames=20)


@pytest.mark.parametrize("to", ["cvat", "mot-gt", "coco-vid"])
def test_gap_that_a_person_made_is_not_closed(tmp_path, capsys, to):
    """In whatever file the annotations pass: outside in CVAT, no row in the others."""
    write_cvat([with_a_gap()], tmp_path / "street.xml", ExportOptions())
    assert export(tmp_path / "street.xml", "--to", to, "-o", tmp_path / to) == 0
    place = {"cvat": "cvat/street.xml", "mot-gt": "mot-gt/street", "coco-vid": "coco-vid"}[to]
    out = tmp_path / "out.json"
    assert export(tmp_path / place, "--to", "json", "-o", out, "--interpolate") == 0
    said = "street: --interpolate leaves gaps open that a person has made: 1"
    assert said in capsys.readouterr().err
    assert export(out, "--to", "json", "-o", tmp_path / "again.json", "--interpolate") == 0
    for path in (out, tmp_path / "again.json"):
        (video,) = read_annotations(path)
        assert video.tracks[0].frames.tolist() == [*range(5), *range(8, 12)]


def test_gap_of_the_detector_is_closed(tmp_path, capsys):
    frames = [frame_of(i, [1] if i != 4 else [], labels=[0][: i != 4]) for i in range(10)]
    path = write_result(tmp_path / "street", *frames)
    for to, name in {"label-studio": "out/tasks.json", "json": "street.json"}.items():
        target = tmp_path / ("out" if to == "label-studio" else name)
        assert export(path, "--to", to, "-o", target) == 0
        out = tmp_path / f"{to}.json"
        assert export(tmp_path / name, "--to", "json", "-o", out, "--interpolate") == 0
        (video,) = read_annotations(out)
        assert video.tracks[0].frames.tolist() == [*range(10)]
    assert "--interpolate" not in capsys.readouterr().err


def test_map_renames_and_refuses_what_it_does_not_know(results, tmp_path, capsys):
    names = tmp_path / "names"
    names.write_text("person=Mensch\ncar=Auto\n", encoding="utf-8")
    arguments = results / "street", "--to", "cvat", "-o", tmp_path / "a.xml", "--label-map", names
    assert export(*arguments) == 0
    (video,) = read_annotations(tmp_path / "a.xml")
    assert [track.label for track in video.tracks] == ["Mensch", "Auto"]
    names.write_text("person=Mensch\n")
    assert export(*arguments, "--overwrite") == 3
    assert "knows no class 'car'" in capsys.readouterr().err


def test_keyframes_are_thinned_for_tools_and_no_boxes_for_datasets(results, tmp_path):
    export(results / "street", "--to", "cvat", "-o", tmp_path / "a.xml")
    export(results / "street", "--to", "cvat", "-o", tmp_path / "b.xml", "--keyframes", "all")
    counts = [(tmp_path / name).read_text().count("<box") for name in ("a.xml", "b.xml")]
    assert counts == [4, 20]


def test_keyframes_that_somebody_set_stay(tmp_path):
    video = video_of(track_of(1, list(range(9))))
    write_cvat([video], tmp_path / "street.xml", ExportOptions())
    export(tmp_path / "street.xml", "--to", "cvat", "-o", tmp_path / "again.xml")
    (again,) = read_annotations(tmp_path / "again.xml")
    assert again.tracks[0].keyframes.all()


def test_variable_rate_is_told_with_the_way_out(results, tmp_path, capsys):
    rows = [frame_of(i, [1], time=i * i / 25) for i in range(5)]
    write_result(results / "street", *rows, video={"path": "my clips/street.mov"})
    arguments = results / "street", "--to", "label-studio", "-o", tmp_path / "out"
    assert export(*arguments) == 0
    warning = capsys.readouterr().err
    assert "ffmpeg -i 'my clips/street.mov' -vf 'setpts=" in warning
    assert "'my clips/street-cfr.mp4' and export with --constant-rate 25" in warning
    assert export(*arguments, "--overwrite", "--constant-rate", 25) == 0
    assert not capsys.readouterr().err
    (task,) = json.loads((tmp_path / "out" / "tasks.json").read_text())
    assert task["data"]["source"] == "my clips/street-cfr.mp4"
    assert task["data"]["frames"] == 17


def test_every_format_writes_results_of_two_videos(results, tmp_path):
    for name in EXPORTERS:
        assert export(results, "--to", name, "-o", tmp_path / name, "--quiet") == 0, name
        assert visible(tmp_path / name), name


def test_names_are_safe_and_unique():
    assert safe_name("../../etc/passwd") == "_.._etc_passwd"
    assert unique_names(["a", "A", "a/b", "", ".."]) == ["a", "A-2", "a_b", "video", "video-2"]


def test_name_of_a_video_cannot_leave_the_folder(tmp_path):
    video = video_of(track_of(1, [0], label="../dog"), name="x", source=None)
    write_cvat([video], tmp_path / "in.xml", ExportOptions())
    text = (tmp_path / "in.xml").read_text().replace("<name>x<", "<name>../../evil<")
    (tmp_path / "in.xml").write_text(text)
    for name in ("cvat", "mot-gt", "yolo", "csv"):
        assert export(tmp_path / "in.xml", "--to", name, "-o", tmp_path / "out" / name) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.xml", "out"]
    assert (tmp_path / "out" / "cvat" / "_.._evil.xml").exists()
    (again,) = read_annotations(tmp_path / "out" / "cvat" / "_.._evil.xml")
    assert again.tracks[0].label == "../dog"


def test_detect_exports_what_it_has_found_and_once_only(clip, tmp_path, capsys):
    detect = "detect", clip, "-o", tmp_path, "--no-video", "--max-frames", 2, "--size", 64
    folder = tmp_path / "clip"
    assert run([*map(str, detect), "--format", "cvat"]) == 0
    assert visible(folder) == ["clip.xml", "minet.json", "result.json"]
    (folder / "clip.xml").write_text("corrected")
    assert run([*map(str, detect), "--format", "cvat,mot-gt"]) == 0
    assert "done already" in capsys.readouterr().out
    assert (folder / "clip.xml").read_text() == "corrected"
    assert (folder / "clip" / "gt" / "gt.txt").exists()
    assert run([*map(str, detect), "--format", "cvt"]) == 3
    assert "did you mean 'cvat'?" in capsys.readouterr().err


def test_video_tells_what_an_annotation_tool_does_not_keep(clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tasks = tasks_of(tmp_path / "tasks.json", "/data/local-files/?d=in/any.mp4")
    assert export(tasks, "--to", "csv", "-o", "out", "--video", clip) == 0
    assert Path("out/any.csv").read_text().splitlines()[1].endswith("0.0,0.0,32.0,24.0,0")


def test_one_video_is_not_taken_for_another_of_the_same_file(clip, tmp_path, capsys):
    tasks = tasks_of(tmp_path / "tasks.json", "in/clip.mp4", "in/other.mp4")
    assert export(tasks, "--to", "csv", "-o", tmp_path / "out", "--video", clip) == 2
    assert "the size of in/other.mp4 is not known; --video names" in capsys.readouterr().err


def test_address_in_a_file_is_not_fetched(tmp_path, capsys):
    tasks = tasks_of(tmp_path / "tasks.json", "http://localhost:1/a.mp4")
    assert export(tasks, "--to", "csv", "-o", tmp_path / "out") == 2
    assert "the size of http://localhost:1/a.mp4 is not known" in capsys.readouterr().err
