"""The benchmark beside other trackers, with trackers made up for it."""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from eval_data import CAR, FRAMES, SharpEmbedder, mot_line, person, write_sequence
from stub_model import StubDetector

from minet_core.models.zoo import Model

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@dataclass
class Detections:
    """What the package `supervision` calls so, as far as it is used."""

    xyxy: np.ndarray
    confidence: np.ndarray
    class_id: np.ndarray
    tracker_id: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, rows) -> "Detections":
        columns = (self.xyxy, self.confidence, self.class_id, self.tracker_id)
        return Detections(*(column[rows] for column in columns))


class Tracker:
    """Names objects by their class; at `late` frames it is not sure yet."""

    late = 0

    def __init__(self, frame_rate: float) -> None:
        assert frame_rate == 25
        self.frames = 0

    def update(self, detections: Detections) -> Detections:
        self.frames += 1
        unsure = self.frames <= self.late
        detections.tracker_id = np.where(unsure, -1, detections.class_id)
        return detections


class Late(Tracker):
    late = 2


class WithPictures(Tracker):
    def update(self, detections: Detections, frame: np.ndarray) -> Detections:
        assert frame.shape == (48, 64, 3)
        return super().update(detections)


@pytest.fixture
def benchmark(monkeypatch, tmp_path) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.chdir(tmp_path)
    sequence = write_sequence(Path("data/seq"))
    write_sequence(Path("data/other"), pictures=range(4))
    for folder in (sequence, Path("data/other")):
        (folder / "det").mkdir()
        boxes = [(i, person(i), 0.9, 1) for i in range(FRAMES)]
        boxes += [(i, CAR, 0.2, 2) for i in range(FRAMES)]
        lines = [mot_line(i, -1, box, score, label) for i, box, score, label in boxes]
        (folder / "det/det.txt").write_text("\n".join(lines))
    module = pytest.importorskip("trackers_side_by_side")
    model = Model("stub", StubDetector(), SharpEmbedder())
    monkeypatch.setattr(module, "load_model", lambda **_: model)
    monkeypatch.setattr(module, "load_identify", lambda _: model.embedder)
    return module


@pytest.fixture
def peers(monkeypatch) -> None:
    kinds = {"SORTTracker": Late, "ByteTrackTracker": Tracker, "OCSORTTracker": Tracker}
    packages = {
        "trackers": SimpleNamespace(**kinds, BoTSORTTracker=WithPictures),
        "supervision": SimpleNamespace(Detections=Detections),
    }
    for name, package in packages.items():
        monkeypatch.setitem(sys.modules, name, package)


def tables(module, monkeypatch, capsys, *arguments: str) -> dict[str, list[list[str]]]:
    """Kind of detections → its rows: table, name, cells."""
    monkeypatch.setattr(sys, "argv", ["benchmark", "mot:data", *arguments])
    module.main()
    found: dict[str, list[list[str]]] = {}
    kind = title = ""
    for line in capsys.readouterr().out.splitlines():
        name, cells = line[2:22].strip(), line[22:].split()
        if line.endswith(" detections"):
            kind = line.split()[0]
            found[kind] = []
        elif "HOTA" in cells or "AP50" in cells:
            title = name
        elif kind and cells:
            found[kind].append([title, name, *cells])
    return found


@pytest.mark.usefixtures("peers")
def test_all_trackers_on_three_kinds_of_boxes(benchmark, monkeypatch, capsys):
    found = tables(benchmark, monkeypatch, capsys)
    assert list(found) == ["bundled", "public", "true"]
    names = ["MINet, paper", "MINet, video", *benchmark.PEERS]
    for rows in found.values():
        for title in ("seq", "other", "all"):
            assert [row[1] for row in rows if row[0] == title] == names
    idf1 = {(row[0], row[1]): float(row[5]) for row in found["true"] if row[0] != "scores"}
    assert idf1["seq", "MINet, video"] == idf1["seq", "ByteTrack"] == 100
    assert idf1["seq", "SORT"] == pytest.approx(100 * 2 * 8 / 18, abs=0.05)
    assert idf1["other", "BoT-SORT"] == pytest.approx(100 * 2 * 4 / 14, abs=0.05)


@pytest.mark.usefixtures("peers")
def test_what_is_not_sure_enough_does_not_count(benchmark, monkeypatch, capsys):
    """The public car has a score of 0.2."""
    both = tables(benchmark, monkeypatch, capsys, "--detections", "public", "--score", "0.1")
    shown = tables(benchmark, monkeypatch, capsys, "--detections", "public")
    given = tables(
        benchmark, monkeypatch, capsys, "--detections", "public", "--given", "0.5", "--score", "0.1"
    )
    idf1 = [
        {row[1]: float(row[5]) for row in found["public"] if row[0] == "seq"}["ByteTrack"]
        for found in (both, shown, given)
    ]
    assert idf1 == [100, 66.7, 66.7]


def test_minet_runs_alone_without_the_package(benchmark, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "trackers", None)
    monkeypatch.setattr(sys, "argv", ["benchmark", "mot:data", "--detections", "true"])
    benchmark.main()
    out, err = capsys.readouterr()
    assert "MINet, paper" in out
    assert "SORT" not in out
    assert "pip install trackers" in err
