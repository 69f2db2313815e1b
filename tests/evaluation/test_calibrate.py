"""`minet calibrate`: scores that are as often right as they say."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from onnx_factory import write_graph

from minet_cli.main import run
from minet_core import load_model
from minet_core.errors import ConfigError
from minet_core.evaluation.calibration import fit_platt, log_loss, reliability, scaled
from minet_core.models.onnx.detector import load_onnx
from minet_core.models.onnx.layouts.grids import cells
from minet_core.models.weight_files import detector_file, model_files

CAT, DOG = (0.25, 0.25, 0.25, 0.25), (0.75, 0.75, 0.25, 0.25)
FRAME = np.zeros((64, 64, 3), np.uint8)


def test_fit_recovers_the_calibration_that_made_the_data():
    raw = np.linspace(0.05, 0.95, 20_000)
    chance = 1 / (1 + np.exp(-(2.5 * np.log(raw / (1 - raw)) + 0.7)))
    right = np.random.default_rng(0).random(len(raw)) < chance
    assert fit_platt(raw, right) == pytest.approx((2.5, 0.7), abs=0.1)
    assert log_loss(raw, right, (2.5, 0.7)) < log_loss(raw, right, (1, 0))
    np.testing.assert_allclose(scaled(raw, (2.5, 0.7)), chance)


def test_reliability_by_tenths():
    bins = reliability(np.array([0.12, 0.18, 0.95, 1.0]), np.array([True, False, True, True]))
    assert [(each.low, each.count, each.right) for each in bins] == [(0.1, 2, 0.5), (0.9, 2, 1)]
    assert [each.mean for each in bins] == pytest.approx([0.15, 0.975])


def detector(path: Path) -> Path:
    """It always sees a cat (.6) and a dog (.5)."""
    table = np.zeros((1, 6, cells((64, 64), (8, 16, 32))), np.float32)
    table[0, :, 0] = [*(64 * side for side in CAT), 0.6, 0]
    table[0, :, 1] = [*(64 * side for side in DOG), 0, 0.5]
    return write_graph(path, {"output0": table}, metadata={"names": "{0: 'cat', 1: 'dog'}"})


def pictures(folder: Path, count: int) -> None:
    """Nine in ten have the cat, three in ten the dog."""
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    (folder / "classes.txt").write_text("dog\ncat\n")
    for number in range(count):
        cv2.imwrite(str(folder / "images" / f"{number}.png"), FRAME)
        rows = [(1, CAT)] * (number % 10 < 9) + [(0, DOG)] * (number % 10 < 3)
        lines = [" ".join(map(str, (label, *box))) for label, box in rows]
        (folder / "labels" / f"{number}.txt").write_text("\n".join(lines))


class TestCommand:
    @pytest.fixture(autouse=True)
    def workplace(self, tmp_path, monkeypatch):
        pytest.importorskip("matplotlib")
        monkeypatch.chdir(tmp_path)
        detector(Path("model.onnx"))

    def calibrate(self, *arguments: str) -> int:
        own = ["--model", "model.onnx"] if "--model" not in arguments else []
        return run(["calibrate", *own, "--data", "yolo:pictures", "--device", "cpu", *arguments])

    def test_scores_say_how_often_they_are_right(self, capsys):
        pictures(Path("pictures"), 150)
        assert self.calibrate() == 0
        out = capsys.readouterr().out
        assert "150 pictures, 180 objects; 300 detections, 180 of them right" in out
        assert "150       0.900   0.900" in out.split("calibrated\n")[1]
        assert Path("minet-calibration.svg").read_text().startswith("<?xml")
        found = load_onnx(Path("model.onnx")).detect([FRAME])[0]
        np.testing.assert_allclose(found.scores[:2].amax(dim=1), [0.9, 0.3], atol=0.001)
        assert not load_onnx(Path("model.onnx")).notes

    def test_a_second_time_gives_the_same(self, capsys):
        pictures(Path("pictures"), 150)
        assert self.calibrate() == 0
        first = Path("model.onnx.toml").read_text()
        assert self.calibrate() == 5
        assert "--overwrite replaces them" in capsys.readouterr().err
        assert self.calibrate("--overwrite") == 0
        assert Path("model.onnx.toml").read_text() == first

    def test_other_lines_of_the_sidecar_stay(self):
        pictures(Path("pictures"), 150)
        Path("model.onnx.toml").write_text("order = 'bgr'\n# calibration = [1, 0]\nsize = 64\n")
        assert self.calibrate() == 0
        first, second, third = Path("model.onnx.toml").read_text().splitlines()
        assert (first, third) == ("order = 'bgr'", "size = 64")
        assert second.startswith("calibration = [7.5")
        assert second.endswith("# by minet calibrate, 150 pictures of yolo pictures")

    def test_too_little(self, capsys):
        pictures(Path("pictures"), 20)
        assert self.calibrate() == 2
        line = capsys.readouterr().err.splitlines()[-1]
        assert "too few detections: 24 right and 16 wrong in 20 pictures" in line
        assert "the minimum is 100 of each" in line
        assert not Path("model.onnx.toml").exists()
        assert not Path("minet-calibration.svg").exists()

    def test_no_class_in_common(self, capsys):
        pictures(Path("pictures"), 1)
        Path("pictures/classes.txt").write_text("cow\nape\n")
        assert self.calibrate() == 3
        assert "no class in common (cat, dog, … and cow, ape, …)" in capsys.readouterr().err

    def test_models_that_need_none(self, capsys):
        pictures(Path("pictures"), 1)
        assert self.calibrate("--model", "minet-nano") == 3
        assert "minet-nano: needs no calibration" in capsys.readouterr().err

    def test_a_function_of_python(self):
        pictures(Path("pictures"), 150)
        Path("own.py").write_text(
            "CLASSES = ('cat', 'dog')\n"
            "def find(frame):\n"
            "    return [[8, 8, 24, 24], [40, 40, 56, 56]], [0.6, 0.5], [0, 1]\n"
        )
        before = load_model("own.py:find", device="cpu")
        assert "own.py:find: its scores are not calibrated" in before.notes[0]
        assert self.calibrate("--model", "own.py:find") == 0
        model = load_model("own.py:find", device="cpu")
        assert not model.notes
        scores = model.detector.detect([FRAME])[0].scores.amax(dim=1)
        np.testing.assert_allclose(scores.sort(descending=True).values[:2], [0.9, 0.3], atol=0.001)
        assert Path("own.py.toml") in model_files("own.py:find")


def test_sidecar_of_a_detector_of_ours(tmp_path):
    path = tmp_path / "own.safetensors"
    path.symlink_to(detector_file("minet-nano"))

    def calibration() -> tuple[float, float]:
        detector: Any = load_model(str(path), device="cpu").detector
        return detector.calibration

    assert calibration() == (2.5, 0.65)
    sidecar = tmp_path / "own.safetensors.toml"
    sidecar.write_text("calibration = [2.0, 0.5]")
    assert calibration() == (2.0, 0.5)
    assert sidecar in model_files(str(path))
    sidecar.write_text("size = 64")
    with pytest.raises(ConfigError, match="of this kind of model only `calibration` is open"):
        load_model(str(path), device="cpu")
