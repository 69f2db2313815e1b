"""Input as it comes: what cannot be used ends in one line, what can be used is used.

Everything goes through the whole command, with a stub in place of the model. Damaged and
dangerous weights have their tests in test_weights.py, test_nanodet.py and test_identify.py.
"""

import os
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from stub_model import CLASSES, StubDetector, StubEmbedder, stub_model
from video_factory import (
    damage_packets,
    grey_images,
    write_audio,
    write_grey_video,
    write_picture,
    write_video,
)

from minet_cli.main import run
from minet_core import load_model
from minet_core.config import PAPER, VIDEO
from minet_core.formats import read_json
from minet_core.inference.online import OnlineDetector
from minet_core.models import zoo
from minet_core.models.detector import BaseDetections
from minet_core.models.zoo import Model
from minet_core.runs.manifest import OUTPUT_FILES

Make = Callable[[Path], Any]
"""Makes an input at a path."""


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    """An empty working folder, and the stub in place of every model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(zoo, "load_model", lambda *_, **__: stub_model())


def detect(source: str | Path, *arguments: str) -> int:
    return run(["detect", str(source), "--output", "out", *arguments])


def frames_of(folder: str) -> list[int]:
    return read_json(Path("out") / folder / "result.json").rows.frame.unique().tolist()


def without_frames(path: Path) -> None:
    with av.open(path, "w") as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()


def folder_of(**files: bytes) -> Make:
    def make(path: Path) -> None:
        path.mkdir()
        for name, content in files.items():
            (path / name.replace("_", ".")).write_bytes(content)

    return make


REFUSED: dict[str, tuple[str, Make, str]] = {
    "missing": ("a.mp4", lambda _: None, "no such file or folder"),
    "empty": ("a.mp4", lambda path: path.touch(), "not a video"),
    "empty avi": ("a.avi", lambda path: path.touch(), "not a video"),
    "text": ("a.mp4", lambda path: path.write_text("Not a film.\n" * 50), "not a video"),
    "sound only": ("a.m4a", write_audio, "has audio only"),
    "no frames, mp4": ("a.mp4", without_frames, "not a video"),
    "no frames, mkv": ("a.mkv", without_frames, "not a video"),
    "header alone": (
        "a.mp4",
        lambda path: path.write_bytes(write_grey_video(path).read_bytes()[:1000]),
        "not a video",
    ),
    "cut off before its index": (
        "a.mp4",
        lambda path: path.write_bytes(
            b"\0\0\0\x14ftypisom\0\0\2\0isom\0\0\x10\0mdat" + bytes(2000)
        ),
        "an mp4 or mov without its index: cut off, or never completed",
    ),
    "every packet damaged": (
        "a.mp4",
        lambda path: damage_packets(write_grey_video(path, 5), range(5)),
        "no frame of it can be decoded",
    ),
    "empty folder": ("frames", folder_of(), "no pictures in this folder"),
    "folder of texts": ("frames", folder_of(a_txt=b"text"), "no pictures in this folder"),
    "folder of broken pictures": (
        "frames",
        folder_of(a_jpg=b"", b_png=b"no picture"),
        "none of its 2 pictures can be decoded",
    ),
    "device": ("/dev/null", lambda _: None, "not a video"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_one_line(capfd, case):
    name, make, message = REFUSED[case]
    make(Path(name))
    assert detect(name) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"minet: error: {name}: ")
    assert message in err
    assert not Path("out").exists()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_refused_input_is_let_go(tmp_path):
    path = tmp_path / "a.mp4"
    without_frames(path)
    before = open_files()
    for _ in range(5):
        assert detect(path) == 2
    assert open_files() == before


def truncated(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 48, 64, 3), dtype=np.uint8)
    write_video(path, list(noise), container_options={"movflags": "faststart"})
    os.truncate(path, path.stat().st_size // 2)


def size_changes(path: Path) -> None:
    write_grey_video(path, 5)
    large = write_video(path.with_name("large.h264"), grey_images(5, 96, 80))
    path.write_bytes(path.read_bytes() + large.read_bytes())
    large.unlink()


def misnamed(path: Path) -> None:
    write_grey_video(path.with_suffix(".mp4")).rename(path)


def two_in_one(path: Path) -> None:
    path.write_bytes(write_grey_video(path, 5).read_bytes() * 2)


def huge_by_its_header(path: Path) -> None:
    """An avi whose sizes say 2 GB, as when a recorder was switched off."""
    data = bytearray(write_grey_video(path, codec="mpeg4").read_bytes())
    for at in (4, data.index(b"movi") - 4):
        data[at : at + 4] = (2**31 - 1).to_bytes(4, "little")
    path.write_bytes(data)


def mixed_pictures(path: Path) -> None:
    path.mkdir()
    for i, (width, height) in enumerate([(64, 48), (32, 32), (64, 48)]):
        write_picture(path / f"{i}.png", grey_images(1, width, height)[0])


def broken_picture(path: Path) -> None:
    path.mkdir()
    for i, image in enumerate(grey_images(3)):
        write_picture(path / f"{i}.png", image)
    (path / "1.png").write_bytes((path / "1.png").read_bytes()[:40])


USED: dict[str, tuple[str, Make, list[int], str]] = {
    "wrong extension": ("a.txt", misnamed, [*range(10)], ""),
    "truncated": ("a.mp4", truncated, [*range(14)], "cut short"),
    "size changes": ("a.h264", size_changes, [*range(10)], "scaled to 64×48: 5"),
    "pts fall back": ("a.ts", two_in_one, [*range(10)], ""),
    "pts repeat": (
        "a.mkv",
        lambda p: write_grey_video(p, 5, pts=[0, 0, 0, 1, 1], time_base=Fraction(1, 10_000)),
        [*range(5)],
        "",
    ),
    "no pts": ("a.h264", lambda p: write_grey_video(p, 5), [*range(5)], ""),
    "one frame": ("a.mp4", lambda p: write_grey_video(p, 1), [0], ""),
    "header of 2 GB": ("a.avi", huge_by_its_header, [*range(10)], ""),
    "broken picture": ("frames", broken_picture, [0, 2], "cannot be decoded: 1"),
    "mixed pictures": ("frames", mixed_pictures, [0, 1, 2], "of other sizes than 64×48"),
}


@pytest.mark.parametrize("case", USED)
def test_what_can_be_used_is_used(capfd, case):
    name, make, frames, warning = USED[case]
    make(Path(name))
    assert detect(name) == 0
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    assert (warning in out) if warning else ("warning" not in out)
    folder = Path(name).stem
    of_pictures = {"mot.pictures.csv"} if Path(name).is_dir() else set()
    assert {file.name for file in Path("out", folder).iterdir()} == {*OUTPUT_FILES, *of_pictures}
    assert frames_of(folder) == frames
    rows = read_json(Path("out") / folder / "result.json").rows
    assert rows.time.drop_duplicates().is_monotonic_increasing


@pytest.mark.parametrize(
    "name",
    ["with space", "q'u\"o`te", "new\nline", "émoji😀", "-dash", "..", "a;b|c&d", "$HOME", "%d"],
)
def test_any_name_gets_its_folder(name):
    write_grey_video(Path("plain.mp4"), 2).rename(f"{name}.mp4")
    assert detect(f"./{name}.mp4") == 0
    (folder,) = Path("out").iterdir()
    assert {file.name for file in folder.iterdir()} == set(OUTPUT_FILES)
    assert sorted(file.name for file in Path().iterdir()) == sorted([f"{name}.mp4", "out"])
    assert Path("out").resolve() in folder.resolve().parents


def test_path_that_goes_up_is_named_by_its_last_part(tmp_path, monkeypatch):
    write_grey_video(tmp_path / "clip.mp4", 2)
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    assert detect("../clip.mp4") == 0
    assert frames_of("clip") == [0, 1]


class Rows(StubDetector):
    """Gives the same rows in every frame."""

    def __init__(self, boxes: torch.Tensor, scores: torch.Tensor) -> None:
        super().__init__()
        self.rows = BaseDetections(boxes, boxes, scores)

    def detect(self, frames):
        return [self.rows for _ in frames]


def use(monkeypatch, boxes: torch.Tensor, scores: torch.Tensor) -> None:
    model = Model("stub", Rows(boxes, scores), StubEmbedder())
    monkeypatch.setattr(zoo, "load_model", lambda *_, **__: model)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("memory", ["--memory", "--no-memory"])
@pytest.mark.parametrize("where", ["box", "score"])
def test_numbers_that_are_none_are_dropped_and_counted(monkeypatch, capfd, bad, memory, where):
    boxes = torch.tensor([[4.0, 8, 16, 40], [40, 20, 60, 36]])
    scores = torch.tensor([[0.8, 0, 0], [0, 0.6, 0]])
    (boxes if where == "box" else scores)[1, 1] = bad
    use(monkeypatch, boxes, scores)
    write_grey_video(Path("a.mp4"))
    assert detect("a.mp4", memory) == 0
    rows = read_json("out/a/result.json").rows
    assert rows.label.tolist() == ["person"] * 10
    assert np.isfinite(rows.score).all()
    assert "dropped for which the model gave NaN or infinity: 10" in capfd.readouterr().out


def test_no_detections_at_all(monkeypatch, capfd):
    use(monkeypatch, torch.zeros(0, 4), torch.zeros(0, len(CLASSES)))
    write_grey_video(Path("a.mp4"))
    assert detect("a.mp4") == 0
    assert {file.name for file in Path("out/a").iterdir()} == set(OUTPUT_FILES)
    assert read_json("out/a/result.json").rows.empty
    out = capfd.readouterr().out
    assert "a.mp4: 10 frames" in out
    assert "  tracklets   0\n" in out


class TestCrowd:
    """2,000 detections in each frame."""

    COUNT = 2000

    def detector(self, config) -> OnlineDetector:
        random = torch.Generator().manual_seed(0)
        corner = torch.rand(self.COUNT, 2, generator=random) * 1800
        boxes = torch.cat([corner, corner + 4], dim=1)
        scores = torch.zeros(self.COUNT, len(CLASSES))
        scores[:, 0] = torch.linspace(0.31, 0.9, self.COUNT)
        return OnlineDetector(Model("stub", Rows(boxes, scores), StubEmbedder()), config)

    def test_is_reported_and_the_surest_are_remembered(self):
        online = self.detector(VIDEO)
        image = np.zeros((48, 64, 3), np.uint8)
        for i in range(3):
            found = online.update(image, frame=i, pts=i, time=i / 25)
        assert len(found) > 1900
        assert len(online.memory.slots) == VIDEO.max_slots
        assert online.memory.next_id <= 1 + 3 * VIDEO.max_slots
        tracked = found.track_ids >= 1
        assert tracked.sum() == VIDEO.max_slots
        assert found.base_scores[tracked].min() >= found.base_scores[~tracked].max()

    def test_is_remembered_whole_by_the_paper_s_memory(self):
        online = self.detector(PAPER)
        found = online.update(np.zeros((48, 64, 3), np.uint8), frame=0, pts=0, time=0.0)
        assert len(online.memory.slots) == found.tracked > 1900


def test_pickle_of_weights_is_refused_unread(capfd, monkeypatch):
    monkeypatch.setattr(zoo, "load_model", load_model)
    write_grey_video(Path("a.mp4"))
    shutil.copy("a.mp4", "model.pt")
    assert detect("a.mp4", "--model", "model.pt") == 4
    assert capfd.readouterr().err.count("\n") == 1
