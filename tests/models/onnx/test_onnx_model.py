"""ONNX files through the front door: recognised, told otherwise by a sidecar, or refused."""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto
from onnx_factory import write_batch_graph, write_graph
from video_factory import write_grey_video

from minet_cli.main import run
from minet_core import load_model
from minet_core.errors import ConfigError, MinetError, WeightsError
from minet_core.models.onnx.detector import load_onnx
from minet_core.models.onnx.layouts.grids import cells
from minet_core.models.weight_files import model_files
from minet_core.scores import ScoreKind

FRAME = np.zeros((64, 64, 3), np.uint8)
NAMES = "{0: 'cat', 1: 'dog', 2: 'cow'}"


def yolo_table(size: tuple[int, int] = (64, 64), *, row: int = 20) -> np.ndarray:
    """(1, 7, cells): one cat in the middle, 32 × 32."""
    table = np.zeros((1, 7, cells(size, (8, 16, 32))), np.float32)
    table[0, :, row] = [32, 32, 32, 32, 0.9, 0.1, 0.1]
    return table


def yolo(path: Path, **options) -> Path:
    metadata = {"names": NAMES, "task": "detect", "stride": "32", **options.pop("metadata", {})}
    return write_graph(path, {"output0": yolo_table()}, metadata=metadata, **options)


def sidecar(path: Path, text: str) -> Path:
    path.with_name(f"{path.name}.toml").write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


class TestRefused:
    """One line each, that says what to do."""

    def error(self, path: Path, kind: type[MinetError] = WeightsError) -> str:
        with pytest.raises(kind) as caught:
            load_onnx(path)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def test_no_file(self, path):
        assert self.error(path) == f"{path}: no such file"

    @pytest.mark.parametrize("share", [0, 0.3, 0.9])
    def test_damaged(self, path, share):
        content = yolo(path).read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        assert f"{path}: damaged, or no ONNX file; copy or export it again (" in self.error(path)

    def test_classifier_with_all_its_inputs_and_outputs(self, path):
        write_graph(path, {"logits": np.zeros((1, 1000), np.float32)})
        line = self.error(path)
        assert (
            f"{path}: no detector that is known; it has inputs images float (1, 3, 64, 64); "
            in line
        )
        assert "outputs logits float (1, 1000)" in line
        assert "say so in model.onnx.toml" in line

    def test_no_picture_goes_in(self, path):
        write_graph(path, {"output0": yolo_table()}, picture=(1, 64))
        assert "no input takes pictures of 3 channels first; it has inputs images" in self.error(
            path
        )

    def test_input_that_nobody_can_fill(self, path):
        others = {"scale_factor": (TensorProto.FLOAT, (1, 2))}
        yolo(path, others=others)
        assert "nothing is known to give to its input scale_factor float (1, 2)" in self.error(path)

    def test_turned_boxes(self, path):
        yolo(path, metadata={"task": "obb"})
        assert "made for the task 'obb', not for upright boxes" in self.error(path)

    def test_metadata_with_other_classes_than_columns(self, path):
        yolo(path, metadata={"names": "{0: 'a', 1: 'b', 2: 'c', 3: 'd', 4: 'e'}"})
        assert "its metadata names 5 classes, but there are 3 columns of scores; " in self.error(
            path
        )

    @pytest.mark.parametrize("names", ["{0: 'a'", "7", "__import__('os').abort()", "{'x': 'a'}"])
    def test_metadata_that_is_no_data(self, path, names):
        yolo(path, metadata={"names": names})
        assert "its metadata has no proper names" in self.error(path)

    def test_classes_that_nobody_names(self, path):
        write_graph(path, {"output0": np.zeros((1, 300, 6), np.float32)})
        line = self.error(path, ConfigError)
        assert "its classes are not known" in line
        assert f"`minet model {path}` writes model.onnx.toml, in which you name them" in line

    def test_missing_package(self, path, monkeypatch):
        yolo(path)
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        assert self.error(path, MinetError).endswith("pip install onnxruntime")

    def test_device_that_is_not_there(self, path):
        yolo(path)
        with pytest.raises(ConfigError, match=r"has no device 'directml'.*onnxruntime-directml"):
            load_onnx(path, device="directml")

    def test_pickle(self, tmp_path):
        (tmp_path / "yolo.pt").write_bytes(b"PK")
        with pytest.raises(WeightsError, match=r"as a pickle can run code\. Export .* as ONNX"):
            load_model(str(tmp_path / "yolo.pt"))


class TestSidecar:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("classes = ['a', 'b']", "names 2 classes, but model.onnx has 3 columns of scores"),
            ("classes = ['a', 'a', 'b']", "two classes are called 'a'"),
            ("classes = []", "classes is empty; name those of model.onnx"),
            ("classes = 'names.txt'", "classes are a list, coco or coco-91, or a text file"),
            ("size = 320", "says 320 × 320, but .* takes pictures of 64 × 64 only"),
            ("layout = 'yolox'", "do not fit the layout yolox .*; it has inputs images"),
            ("layout = 'yolo7'", "there is no layout 'yolo7'; did you mean 'yolo"),
            ("colour = 'bgr'", "there is no key 'colour'"),
            ("ordre = 'bgr'", "there is no key 'ordre'; did you mean 'order'"),
            ("order = 'gbr'", "order is rgb or bgr, not 'gbr'"),
            ("mean = 0.5", "mean is a list of 3 numbers, not 0.5"),
            ("std = [1, 1, 0]", "std is a list of 3 numbers above 0"),
            ("calibration = [-1, 0]", "calibration is .* with a above 0"),
            ("size = [64]", "size is a number of pixels, or .width, height., not"),
            ("size = ", "cannot be read"),
        ],
    )
    def test_nonsense_and_contradictions(self, path, text, message):
        sidecar(yolo(path), text)
        with pytest.raises(ConfigError, match=message) as caught:
            load_onnx(path)
        assert str(path.parent / "model.onnx.toml") in str(caught.value)

    def test_it_counts_before_the_metadata(self, path):
        sidecar(yolo(path), "classes = ['ape', 'bat', 'cod']")
        assert load_onnx(path).classes == ("ape", "bat", "cod")

    def test_classes_in_a_text_file(self, path):
        (path.parent / "names.txt").write_text("ape\nbat\n\ncod\n")
        sidecar(yolo(path), "classes = 'names.txt'")
        assert load_onnx(path).classes == ("ape", "bat", "cod")

    def test_calibrated_scores(self, path):
        sidecar(yolo(path), "calibration = [2.0, 1.0]")
        detector = load_onnx(path)
        found = detector.detect([FRAME])[0]
        expected = 1 / (1 + np.exp(-(2 * np.log(0.9 / 0.1) + 1)))
        assert float(found.scores[0, 0]) == pytest.approx(expected, abs=1e-6)
        assert not any("calibrate" in note for note in detector.notes)

    def test_uncalibrated_scores_are_told(self, path):
        notes = load_onnx(yolo(path)).notes
        assert len(notes) == 1
        assert "its scores are not calibrated" in notes[0]


class TestClasses:
    def count(self, path: Path, columns: int) -> tuple[str, ...]:
        table = np.zeros((1, 4 + columns, cells((64, 64), (8, 16, 32))), np.float32)
        detector = load_onnx(write_graph(path, {"output0": table}))
        assert "guessed" in detector.notes[0]
        return detector.classes

    def test_coco_where_there_are_80(self, path):
        classes = self.count(path, 80)
        assert (classes[0], classes[79]) == ("person", "toothbrush")

    def test_numbers_where_nobody_names_them(self, path):
        assert self.count(path, 3) == ("class 0", "class 1", "class 2")

    def test_numbers_of_coco_that_were_never_used(self, path):
        logits = np.full((1, 5, 91), -9, np.float32)
        logits[0, 0, [1, 12, 90]] = [2.0, 4.0, 1.0]  # 12 is no class
        write_graph(path, {"dets": np.full((1, 5, 4), 0.5, np.float32), "labels": logits})
        detector = load_onnx(path)
        assert len(detector.classes) == 80
        found = detector.detect([FRAME])[0]
        best = found.scores[0].sort(descending=True)
        assert [detector.classes[i] for i in best.indices[:2]] == ["person", "toothbrush"]

    def test_labels_that_are_no_class_are_left_out(self, path):
        outputs = {
            "boxes": np.array([[0, 0, 30, 30], [9, 9, 50, 50]], np.float32),
            "labels": np.array([0, 1]),  # 0 is the background
            "scores": np.array([0.9, 0.8], np.float32),
        }
        sidecar(write_graph(path, outputs), "classes = ['cat']")
        found = load_onnx(path).detect([FRAME])[0]
        assert found.boxes[found.scores[:, 0] > 0].tolist() == [[9, 9, 50, 50]]


class TestHuggingFace:
    @pytest.fixture
    def detr(self, path) -> Path:
        logits = np.log(np.array([[[0.2, 0.1, 0.7], [0.6, 0.3, 0.1]]], np.float32))
        boxes = np.array([[[0.5, 0.5, 0.5, 0.25], [0.25, 0.25, 0.5, 0.5]]], np.float32)
        mask = {"pixel_mask": (TensorProto.INT64, (1, "h", "w"))}
        free = {"picture": (1, 3, "h", "w")}["picture"]
        write_graph(path, {"logits": logits, "pred_boxes": boxes}, picture=free, others=mask)
        config = {"id2label": {"0": "cat", "1": "dog"}}
        path.with_name("config.json").write_text(json.dumps(config))
        return path

    def test_a_distribution_with_the_background_last(self, detr):
        detector = load_onnx(detr)
        assert detector.score_kind is ScoreKind.SOFTMAX
        found = detector.detect([np.zeros((80, 160, 3), np.uint8)])[0]
        np.testing.assert_allclose(found.scores, [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]], atol=1e-6)
        np.testing.assert_allclose(found.boxes, [[40, 30, 120, 50], [0, 0, 80, 40]], atol=1e-4)

    def test_calibrated_scores_are_independent(self, detr):
        sidecar(detr, "calibration = [2.0, 0.0]")
        detector = load_onnx(detr)
        assert detector.score_kind is ScoreKind.SIGMOID
        found = detector.detect([np.zeros((80, 160, 3), np.uint8)])[0]
        np.testing.assert_allclose(found.scores[1], [0.36 / 0.52, 0.09 / 0.58], atol=1e-6)

    def test_preparation_beside_the_file(self, detr):
        prepared = {
            "size": {"shortest_edge": 48, "longest_edge": 100},
            "image_mean": [0.5, 0.4, 0.3],
            "image_std": [0.25, 0.25, 0.25],
        }
        detr.with_name("preprocessor_config.json").write_text(json.dumps(prepared))
        how = load_onnx(detr).recognised.preparation
        assert how.mean == pytest.approx((127.5, 102, 76.5))
        assert how.std == pytest.approx((63.75,) * 3)
        fit = how.fit(1280, 720)
        assert (fit.new_width, fit.new_height) == (fit.outer_width, fit.outer_height) == (85, 48)
        assert how.fit(400, 100).new_width == 100

    def test_distribution_of_a_column_that_is_no_class(self, detr):
        config = {"id2label": {"0": "N/A", "1": "dog"}}
        detr.with_name("config.json").write_text(json.dumps(config))
        found = load_onnx(detr).detect([np.zeros((80, 160, 3), np.uint8)])[0]
        np.testing.assert_allclose(found.scores, [[7 / 8, 1 / 8], [1 / 4, 3 / 4]], atol=1e-6)

    def test_damaged_config(self, detr):
        detr.with_name("config.json").write_text("{")
        with pytest.raises(WeightsError, match=r"config.json: cannot be read as JSON"):
            load_onnx(detr)


def test_mmdeploy_tells_its_preparation(path):
    outputs: dict[str, NDArray[Any]] = {
        "dets": np.zeros((1, 9, 5), np.float32),
        "labels": np.zeros((1, 9), np.int64),
    }
    write_graph(path, outputs, picture=(1, 3, "h", "w"))
    sidecar(path, "classes = ['cat']")
    steps = [
        {"type": "Resize", "size": [96, 160], "keep_ratio": True},
        {"type": "Normalize", "mean": [1, 2, 3], "std": [4, 5, 6], "to_rgb": False},
        {"type": "Pad", "size_divisor": 32},
    ]
    pipeline = {"pipeline": {"tasks": [{"name": "Preprocess", "transforms": steps}]}}
    path.with_name("pipeline.json").write_text(json.dumps(pipeline))
    how = load_onnx(path).recognised.preparation
    assert (how.order, how.mean, how.std, how.padding) == ("bgr", (1, 2, 3), (4, 5, 6), (1, 2, 3))
    fit = how.fit(1600, 900)
    assert (fit.new_width, fit.new_height, fit.outer_height) == (160, 90, 96)
    assert (fit.left, fit.top) == (0, 0)


class TestSizesAndBatches:
    def test_any_size_and_batch(self, path):
        table = yolo_table((64, 32), row=20)
        write_batch_graph(path, table, picture=("n", 3, "h", "w"))
        sidecar(path, "size = [64, 32]")
        detector = load_onnx(path)
        found = detector.detect([np.zeros((64, 128, 3), np.uint8)] * 3)
        assert [one.boxes.tolist() for one in found] == [[[32, 32, 96, 64]]] * 3

    def test_pictures_of_a_batch_stay_apart(self, path):
        table = yolo_table().transpose(0, 2, 1).copy()
        write_batch_graph(path, table, picture=(2, 3, 64, 64))
        sidecar(path, "classes = ['a', 'b', 'c']")
        frames = [np.full((64, 64, 3), value, np.uint8) for value in (0, 255, 51)]
        found = load_onnx(path).detect(frames)
        lefts = [round(float(one.boxes[0, 0]), 3) for one in found]
        assert lefts == [16.0, 17.0, 16.2]

    def test_size_that_a_user_asks_for(self, path):
        table = yolo_table((96, 96))
        write_batch_graph(path, table, picture=(1, 3, "h", "w"))
        how = load_onnx(path, size=96).recognised.preparation
        assert (how.size, how.multiple) == ((96, 96), 32)
        fit = how.fit(1920, 1080)
        assert (fit.new_height, fit.outer_width, fit.outer_height) == (54, 96, 64)

    def test_size_that_the_file_does_not_take(self, path):
        with pytest.raises(ConfigError, match=r"--size says 96 × 96, but .* 64 × 64 only"):
            load_onnx(yolo(path), size=96)

    @pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.UINT8, TensorProto.DOUBLE])
    def test_types_of_input(self, path, kind):
        detector = load_onnx(yolo(path, input_type=kind))
        assert detector.detect([FRAME])[0].boxes[0].tolist() == [16, 16, 48, 48]

    def test_frames_of_several_sizes(self, path):
        detector = load_onnx(yolo(path))
        frames = [FRAME, np.zeros((128, 128, 3), np.uint8), FRAME]
        lefts = [float(found.boxes[0, 0]) for found in detector.detect(frames)]
        assert lefts == [16, 32, 16]


class TestProposals:
    """What the memory gets of a grid: near-copies go, everything else stays, whatever its class."""

    def found(self, path: Path, boxes: ArrayLike, scores: ArrayLike):
        table = yolo_table()
        table[:] = 0
        count = len(np.asarray(boxes))
        table[0, :4, :count], table[0, 4:, :count] = (
            np.transpose(boxes),
            np.transpose(scores),
        )
        write_graph(path, {"output0": table}, metadata={"names": NAMES})
        return load_onnx(path).detect([FRAME])[0]

    def test_only_near_copies_go(self, path):
        boxes = [[20, 20, 20, 20], [21, 20, 20, 20], [24, 20, 20, 20]]
        found = self.found(path, boxes, [[0.9, 0, 0], [0, 0.8, 0], [0, 0, 0.001]])
        np.testing.assert_allclose(found.boxes[:, 0], [10, 14])
        np.testing.assert_allclose(found.scores[1], [0, 0, 0.001], atol=1e-6)

    def test_a_near_copy_leaves_the_score_of_its_class(self, path):
        boxes = [[20, 20, 20, 20], [21, 20, 20, 20], [44, 20, 20, 20], [20, 21, 20, 20]]
        scores = [[0.9, 0.1, 0], [0.3, 0.8, 0.2], [0, 0, 0.7], [0.85, 0.7, 0.5]]
        found = self.found(path, boxes, scores)
        np.testing.assert_allclose(found.boxes[:, 0], [10, 34])
        # Of the copies, the second is a box of a dog; the last is surest of what is known better.
        np.testing.assert_allclose(found.scores, [[0.9, 0.8, 0], [0, 0, 0.7]], atol=1e-6)

    def test_a_near_copy_of_two_leaves_its_score_to_the_better(self, path):
        boxes = [[20.0, 20, 20, 20], [25.0, 20, 20, 20], [22.5, 20, 20, 20]]
        found = self.found(path, boxes, [[0.9, 0, 0], [0.8, 0, 0], [0, 0.7, 0]])
        np.testing.assert_allclose(found.boxes[:, 0], [10, 15])
        np.testing.assert_allclose(found.scores, [[0.9, 0.7, 0], [0.8, 0, 0]], atol=1e-6)

    def test_boxes_are_cut_off_at_the_frame(self, path):
        found = self.found(path, [[0, 60, 20, 20], [90, 30, 20, 20]], [[0.9, 0, 0]] * 2)
        assert found.boxes.tolist() == [[0, 50, 10, 64]]

    def test_none_is_certain(self, path):
        found = self.found(path, [[20, 20, 20, 20]], [[1, 0, 0]])
        assert 0.99 < float(found.scores.max()) < 1


class TestCommand:
    @pytest.fixture(autouse=True)
    def workplace(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

    def test_it_shows_what_was_recognised_and_why(self, path, capsys):
        yolo(path)
        assert run(["model", "model.onnx"]) == 0
        out = capsys.readouterr().out
        assert "layout      yolo: Ultralytics YOLOv8" in out
        assert "output0 (1, 7, 84) is 4 sides and 3 scores at the 84 cells of a grid" in out
        assert "classes     3: cat, dog, cow\nbecause     its metadata names them" in out
        assert "model.onnx.toml: written; edit it to correct what is wrong" in out

    def test_what_it_writes_changes_nothing(self, path):
        yolo(path)
        before = load_onnx(path).recognised
        assert run(["model", "model.onnx"]) == 0
        after = load_onnx(path).recognised
        assert after == before
        text = Path("model.onnx.toml").read_text()
        assert not tomllib.loads(text)
        Path("model.onnx.toml").write_text(re.sub(r"(?m)^# (\w+ = )", r"\1", text))
        assert load_onnx(path).recognised.preparation == before.preparation

    def test_a_sidecar_that_is_there_is_left_alone(self, path, capsys):
        sidecar(yolo(path), "order = 'bgr'  # as trained")
        assert run(["model", "model.onnx"]) == 0
        assert Path("model.onnx.toml").read_text() == "order = 'bgr'  # as trained"
        out = capsys.readouterr().out
        assert "model.onnx.toml: read, not changed" in out
        assert "pixels      bgr," in out
        assert "model.onnx.toml says order" in out

    def test_open_classes_are_asked_for(self, path, capsys):
        write_graph(path, {"output0": np.zeros((1, 300, 6), np.float32)})
        assert run(["model", "model.onnx"]) == 0
        assert "name the classes in model.onnx.toml" in capsys.readouterr().out
        assert "\nclasses = []\n" in Path("model.onnx.toml").read_text()
        assert run(["model", "model.onnx"]) == 3
        assert "classes is empty; name those of model.onnx" in capsys.readouterr().err

    def test_the_picture_it_draws(self, path, capsys):
        yolo(path)
        cv2.imwrite("in.png", np.zeros((64, 64, 3), np.uint8))
        assert run(["model", "model.onnx", "--picture", "in.png", "-o", "out.png"]) == 0
        assert "out.png: 1 boxes from 0.3 up" in capsys.readouterr().out
        drawn = cv2.imread("out.png")
        assert drawn.shape == (64, 64, 3)
        assert drawn[30, 16].any()
        assert not drawn[60, 60].any()
        assert run(["model", "model.onnx", "--picture", "in.png", "-o", "out.png"]) == 5

    def test_other_models_too(self, capsys):
        assert run(["model", "minet-nano"]) == 0
        out = capsys.readouterr().out
        assert "classes     80: person, bicycle" in out
        assert "scores      sigmoid" in out

    def test_detecting_with_it(self, path, capsys):
        write_grey_video(Path("clip.mp4"))
        yolo(path)
        assert run(["detect", "clip.mp4", "--model", "model.onnx", "--device", "cpu"]) == 0
        captured = capsys.readouterr()
        assert "tracklets   1 (1 cat)" in captured.out
        assert captured.err.count("its scores are not calibrated") == 1
        made = json.loads(Path("minet-output/clip/minet.json").read_text())["model"]
        assert made["name"] == "model.onnx"
        assert set(made["weights"]) == {"model.onnx", "minet-nano-identify.safetensors"}


def test_results_depend_on_the_sidecar(path):
    yolo(path)
    assert len(model_files(str(path))) == 2
    sidecar(path, "order = 'bgr'")
    assert path.with_name("model.onnx.toml") in model_files(str(path))


def test_a_model_of_a_program(path):
    model = load_model(str(yolo(path)), device="cpu")
    assert model.detector.classes == ("cat", "dog", "cow")
    assert model.embedder.dim == 256
    assert torch.equal(model.detector.detect([FRAME])[0].boxes[0], torch.tensor([16.0, 16, 48, 48]))
