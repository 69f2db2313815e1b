"""Names that formats, disks and consoles make trouble with: through every writer."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
import yaml
from annotation_factory import INSTANCES, a_track, a_video
from annotation_factory import export as write
from export_command import export, visible
from result_factory import frame_of, write_result
from stub_model import stub_model
from video_factory import write_grey_video

from minet_cli.main import run
from minet_core.datasets import open_dataset
from minet_core.errors import ConfigError
from minet_core.exports.inputs import safe_name
from minet_core.formats import read_json
from minet_core.formats.exporters import EXPORTERS
from minet_core.formats.from_dataset import from_dataset
from minet_core.formats.readers import read_annotations
from minet_core.formats.yolo.reader import read_yolo
from minet_core.models import zoo
from minet_core.runs.folder_names import folder_names

BEYOND = "🐶 𝔡𝔬𝔤"
"""Characters that take two units of UTF-16."""

NOT_UTF_8 = os.fsdecode(b"caf\xe9")


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    """An empty working folder, and the stub in place of every model."""
    monkeypatch.chdir(tmp_path)
    stub = stub_model()
    monkeypatch.setattr(zoo, "load_model", lambda name, **_: replace(stub, name=name))


def result_of(name: str, label: str) -> Path:
    """A result of two frames, with a track of that class."""
    about = {"path": f"{name}.mp4", "width": 64, "height": 48, "duration": 0.08}
    path = write_result(Path("results", name), *(frame_of(i, [1]) for i in range(2)), video=about)
    document = json.loads(path.read_text(encoding="utf-8"))
    document["rows"] = [[label if v == "person" else v for v in row] for row in document["rows"]]
    path.write_text(json.dumps({**document, "classes": [label, "car"]}), encoding="utf-8")
    return path


def labels_read(path: Path) -> set[str]:
    return {track.label for video in read_annotations(path) for track in video.tracks}


def labels_in_page(path: Path) -> set[str]:
    _, _, rest = path.read_text(encoding="utf-8").partition('"labels":')
    return set(json.JSONDecoder().raw_decode(rest)[0])


LABELS_IN: dict[str, Callable[[Path], set[str]]] = {
    "cvat": lambda out: labels_read(out / "🐶.xml"),
    "label-studio": lambda out: labels_read(out / "tasks.json"),
    "coco-vid": lambda out: labels_read(out / INSTANCES),
    "mot-gt": lambda out: labels_read(out / "🐶/gt/gt.txt"),
    "yolo": lambda out: set(read_yolo(out, lambda _: (64, 48))[0].loose.labels),
    "imagenet-vid": lambda out: {
        track.label
        for video in from_dataset(open_dataset(f"imagenet-vid:{out}", "train"))
        for track in video.tracks
    },
    "voc": lambda out: {
        name.text or ""
        for name in ElementTree.parse(out / "Annotations/🐶_000000.xml").iterfind("object/name")
    },
    "ytvis": lambda out: {
        category["name"]
        for category in json.loads((out / INSTANCES).read_text(encoding="utf-8"))["categories"]
    },
    "json": lambda out: set(read_json(out / "🐶.json").rows.label),
    "csv": lambda out: set(pd.read_csv(out / "🐶.csv").label),
    "parquet": lambda out: set(pd.read_parquet(out / "detections.parquet").label),
    "html": lambda out: labels_in_page(out / "🐶.html"),
}


def test_every_format_with_labels_is_tried():
    assert EXPORTERS.keys() - LABELS_IN.keys() == {"mot"}


@pytest.mark.parametrize("to", LABELS_IN)
def test_label_beyond_16_bits_reads_back(to):
    assert export(result_of("🐶", BEYOND), "--to", to, "-o", "out", "--quiet") == 0
    assert BEYOND in LABELS_IN[to](Path("out"))


def test_yaml_reads_every_label_back(tmp_path):
    labels = (BEYOND, "\x7f\x80\ufeff", "yes", "1.0", 'a "b" \\ c', "#: -")
    video = a_video(*(a_track(n, label, [0]) for n, label in enumerate(labels, 1)))
    text = (write(tmp_path, "yolo", video) / "data.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["names"] == dict(enumerate(labels))


def test_video_whose_name_is_no_utf_8_goes_through_every_writer():
    write_grey_video(Path("a.mp4"), 2).rename(f"{NOT_UTF_8}.mp4")
    formats = ("json", "csv", "mot", "cvat", "label-studio")
    arguments = "-o", "results", "--report", "--quiet", "--format", ",".join(formats)
    assert run(["detect", f"{NOT_UTF_8}.mp4", *arguments]) == 0
    assert read_json(Path("results", NOT_UTF_8, "result.json")).header["video"]["path"] == (
        f"{NOT_UTF_8}.mp4"
    )
    for to in EXPORTERS:
        assert export("results", "--to", to, "-o", f"out/{to}", "--quiet") == 0, to
        for path in Path("out", to).rglob("*"):
            assert str(path).isprintable()
    for to in ("yolo", "coco-vid", "voc", "imagenet-vid", "mot-gt"):
        arguments = "--to", to, "-o", f"pictures/{to}", "--frames", "jpg"
        assert export("results", *arguments, "--quiet") == 0, to
        assert len([p for p in Path("pictures", to).rglob("*.[jJ]*") if p.suffix != ".json"]) == 2


def test_tasks_of_label_studio_are_text():
    write_result(Path("results", "a"), video={"path": f"{NOT_UTF_8}.mp4"})
    assert export("results", "--to", "label-studio", "-o", "out") == 0
    (task,) = json.loads(Path("out/tasks.json").read_text(encoding="utf-8"))
    assert task["data"]["video"].endswith("/caf%E9.mp4")
    json.dumps(task, ensure_ascii=False).encode()


@pytest.mark.parametrize("to", ["cvat", "label-studio", "voc", "imagenet-vid"])
def test_name_that_cannot_be_written_stops_its_video_only(to, capsys):
    result_of("bad", "a\x07")
    result_of("good", "dog")
    assert export("results", "--to", to, "-o", "out") == 1
    assert any("good" in path.read_text("utf-8", "ignore") for path in files_in("out"))
    assert not any("bad" in path.read_text("utf-8", "ignore") for path in files_in("out"))
    *_, line, last = capsys.readouterr().err.splitlines()
    assert line.startswith(r"minet: bad: 'a\x07' has characters that XML cannot hold")
    assert last == "minet: error: 1 of 2 videos failed"


def files_in(folder: str) -> list[Path]:
    hidden = ".minet-export.json"
    return [p for p in Path(folder).rglob("*") if p.is_file() and p.name != hidden]


def test_name_that_can_be_written_in_no_video_is_the_error(capsys):
    assert export(result_of("bad", "two\nlines"), "--to", "yolo", "-o", "out") == 3
    assert "a class cannot be called 'two\\nlines'" in capsys.readouterr().err
    assert not Path("out").exists()


def test_half_a_pair_is_no_name(tmp_path):
    with pytest.raises(ConfigError, match=r"a class cannot be called '\\ud83d'"):
        write(tmp_path, "yolo", a_video(a_track(1, "\ud83d", [0])))


def test_batch_goes_on_where_an_export_fails(capsys):
    for name, label in {"bad": "a\x07", "good": "dog"}.items():
        write_grey_video(Path(f"{name}.mp4"), 2)
        Path("boxes", name).mkdir(parents=True)
        Path("boxes", name, "det.txt").write_text("1,-1,4,8,12,32,0.9,1,1\n")
        Path("boxes", name, "classes.txt").write_text(label)
    arguments = "--detections", "boxes", "-o", "out", "--no-video", "--format", "cvat"
    for done in (False, True):
        assert run(["detect", "bad.mp4", "good.mp4", *arguments]) == 1
        out, err = capsys.readouterr()
        assert ("done already" in out) is done
        assert err.splitlines()[0].startswith(r"minet: bad.mp4: 'a\x07' has characters")
        assert err.splitlines()[-1] == "minet: error: 1 of 2 inputs failed"
        assert visible(Path("out/good")) == ["good.xml", "minet.json", "result.json"]


def test_long_names_fit_every_disk():
    long = "🐶" * 60  # of 240 bytes
    for name in folder_names([f"a/{long}.mp4", f"b/{long}.mp4"]):
        assert len(os.fsencode(name)) <= 245
    assert len(safe_name(long).encode()) == 200
    assert safe_name(NOT_UTF_8) == "caf_"


def test_console_that_lacks_a_sign_shows_its_number():
    result_of("🐶", BEYOND)
    command = "from minet_cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", command, "export", "results", "--to", "csv", "-o", "犬"],
        env={
            **os.environ,
            "LC_ALL": "C.UTF-8",  # of file names
            "PYTHONIOENCODING": "cp1252",
            "PYTHONUTF8": "0",
        },
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "\\U0001f436" in done.stdout.decode("cp1252")
    assert Path("犬/🐶.csv").exists()
