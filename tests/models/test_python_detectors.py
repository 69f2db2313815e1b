"""Detectors that somebody writes in Python, by `--model file.py:function` and in programs."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from stub_model import StubDetector, StubEmbedder
from video_factory import write_grey_video

from minet_cli.main import run
from minet_core import load_model
from minet_core.errors import ConfigError, InputError
from minet_core.formats import read_json
from minet_core.models.detector import BaseDetections
from minet_core.models.weight_files import model_files
from minet_core.scores import ScoreKind

FRAME = np.zeros((100, 200, 3), np.uint8)

FUNCTION = """
CLASSES = ("cat", "dog")

def detect(frame):
    return [[4, 8, 24, 40], [30, 4, 60, 20]], [0.9, 0.6], ["cat", 1]
"""

CLASS = """
import torch
from helper import BOX
from minet_core.models.detector import BaseDetections

class Mine:
    classes = ["cat", "dog"]
    score_kind = "softmax"

    def detect(self, frames):
        boxes = torch.tensor([BOX])
        return [BaseDetections(boxes, boxes, torch.tensor([[0.1, 0.7, 0.2]])) for _ in frames]

def build():
    return Mine()
"""


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("helper.py").write_text("BOX = [10.0, 20.0, 60.0, 80.0]\n")
    yield
    for name in [
        name for name in sys.modules if name == "helper" or name.startswith("minet_user_")
    ]:
        del sys.modules[name]


def written(text: str, name: str = "mine.py") -> Path:
    Path(name).write_text(text)
    return Path(name)


def base_of(function, classes=("cat", "dog")) -> BaseDetections:
    return load_model(detector=function, classes=classes, device="cpu").detector.detect([FRAME])[0]


class TestFunction:
    def test_boxes_scores_and_labels(self):
        written(FUNCTION)
        model = load_model("mine.py:detect", device="cpu")
        assert model.detector.classes == ("cat", "dog")
        found = model.detector.detect([FRAME])[0]
        rows = found.scores.amax(dim=1).nonzero().flatten()
        assert found.boxes[rows].tolist() == [[4, 8, 24, 40], [30, 4, 60, 20]]
        np.testing.assert_allclose(found.scores[rows], [[0.9, 0], [0, 0.6]])
        # The identifier learns what its object is not from a grid of boxes that nobody reports.
        assert len(found) > 20

    def test_arrays_and_tensors(self):
        boxes = np.array([[1, 2, 30, 40]], np.int64)
        found = base_of(lambda _: (boxes, torch.tensor([0.5]), np.array([1])))
        assert found.scores.amax(dim=0).tolist() == [0, 0.5]
        assert found.boxes.dtype == torch.float32

    def test_nothing_found(self):
        assert base_of(lambda _: ([], [], [])).scores.sum() == 0

    def test_boxes_are_cut_off_at_the_frame(self):
        found = base_of(lambda _: ([[-5, 90, 50, 120], [300, 0, 400, 50]], [0.9, 0.9], [0, 0]))
        assert found.boxes[found.scores[:, 0] > 0].tolist() == [[0, 90, 50, 100]]

    def test_classes_on_the_command_line_only_choose(self):
        write_grey_video(Path("clip.mp4"))
        written(FUNCTION)
        assert run(["detect", "clip.mp4", "--model", "mine.py:detect", "--classes", "dog"]) == 0
        assert set(read_json("minet-output/clip/result.json").rows.label) == {"dog"}

    def test_classes_that_only_the_user_names(self):
        written(FUNCTION.replace("CLASSES", "NAMES"))
        found = load_model("mine.py:detect", classes=("cat", "dog"), device="cpu")
        assert found.detector.classes == ("cat", "dog")

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (None, "it has to return boxes, scores and labels"),
            (([[0, 0, 9, 9]], [0.5], []), "it returned 1 boxes, 1 scores and 0 labels"),
            (([[0, 0, 9, 9]], [0.5], ["cow"]), "'cow' is none of its 2 classes"),
            (([[0, 0, 9, 9]], [0.5], [2]), "2 is none of its 2 classes"),
            (([[50, 50, 20, 20]], [0.5], [0]), "boxes are x1, y1, x2, y2, which .* is not"),
            (([[0, 0, float("nan"), 9]], [0.5], [0]), "boxes are x1, y1, x2, y2"),
            ((["a"], [0.5], [0]), "boxes are not a table of numbers"),
        ],
    )
    def test_other_answers(self, answer, message):
        with pytest.raises(InputError, match=message):
            base_of(lambda _: answer)


class TestDetector:
    def test_one_that_a_function_builds(self):
        written(CLASS)
        model = load_model("mine.py:build", device="cpu")
        assert model.detector.score_kind is ScoreKind.SOFTMAX
        found = model.detector.detect([FRAME, FRAME])
        assert len(found) == 2
        assert found[0].boxes.tolist() == [[10, 20, 60, 80]]
        assert model.embedder.dim == 256

    def test_one_by_the_name_of_a_module(self, monkeypatch, tmp_path):
        written(CLASS, "helper_two.py")
        monkeypatch.syspath_prepend(str(tmp_path))
        model = load_model("helper_two:build", device="cpu")
        assert model.detector.classes == ("cat", "dog")

    def test_one_of_a_program(self):
        model = load_model(detector=StubDetector(), device="cpu")
        assert model.name == "stub_model:StubDetector"
        assert model.detector.classes == ("person", "car", "dog")

    def test_one_that_embeds_too(self):
        class Both(StubDetector, StubEmbedder):
            pass

        both = Both()
        assert load_model(detector=both, device="cpu").embedder is both

    @pytest.mark.parametrize(
        ("scores", "message"),
        [
            (torch.zeros(1, 3), r"scores are \(1, 3\), not \(1, 2\)"),
            (torch.zeros(2, 2), r"proposals are \(1, 4\), not \(2, 4\)"),
            (None, "scores are not a table of numbers"),
        ],
    )
    def test_answers_of_other_shapes(self, scores, message):
        class Odd:
            classes = ("cat", "dog")
            score_kind = "sigmoid"

            def detect(self, frames):
                boxes = torch.zeros(1, 4)
                return [BaseDetections(boxes, boxes, scores) for _ in frames]

        with pytest.raises(InputError, match=message):
            base_of(Odd())

    @pytest.mark.parametrize(
        ("missing", "message"),
        [("classes", "it lacks classes"), ("score_kind", "it lacks score_kind")],
    )
    def test_what_a_detector_lacks(self, missing, message):
        parts = {"classes": ("a",), "score_kind": "sigmoid", "detect": lambda _: []}
        odd = type("Odd", (), {name: part for name, part in parts.items() if name != missing})()
        with pytest.raises(ConfigError, match=message):
            base_of(odd)


class TestRefused:
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("mine.py", "mine.py: name a function of it too, as in mine.py:build"),
            ("other.py:build", "other.py: no such Python file"),
            ("no_such_module:build", "No module named 'no_such_module'"),
            ("mine.py:create", "mine.py:create: the module has no such name"),
            ("mine.py:BOX", "neither a detector nor a function of a frame, but 3"),
            ("mine.py:build", "it fails with ZeroDivisionError: "),
            ("mine.py:detect", r"nothing names its classes; write CLASSES = "),
            ("broken.py:build", "broken.py:build: does not load, SyntaxError: "),
        ],
    )
    def test_one_line_that_says_why(self, name, message, capsys):
        written("BOX = 3\ndef build():\n    return 1 / 0\ndef detect(frame):\n    return 1\n")
        written("def", "broken.py")
        write_grey_video(Path("clip.mp4"))
        assert run(["detect", "clip.mp4", "--model", name]) == 3
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        with pytest.raises(ConfigError, match=message):
            load_model(name, device="cpu")

    def test_a_windows_path_or_a_time_is_no_function(self):
        assert model_files("minet-nano")
        with pytest.raises(ConfigError, match="no model named"):
            model_files("minet-nano:")


def test_the_command_and_what_its_results_depend_on(capsys):
    write_grey_video(Path("clip.mp4"))
    written(FUNCTION)
    command = ["detect", "clip.mp4", "--model", "mine.py:detect", "--no-video"]
    assert run(command) == 0
    assert "tracklets   2 (1 cat, 1 dog)" in capsys.readouterr().out
    made = json.loads(Path("minet-output/clip/minet.json").read_text())["model"]
    assert made["name"] == "mine.py:detect"
    assert set(made["weights"]) == {"mine.py", "minet-nano-identify.safetensors"}
    written(FUNCTION.replace("0.6", "0.7"))
    assert run(command) == 5
    assert "other weights of mine.py:detect" in capsys.readouterr().err
