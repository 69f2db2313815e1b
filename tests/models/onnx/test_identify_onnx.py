"""Embeddings of a network in an ONNX file: of crops, and of boxes in a picture."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx_factory import save, write_graph
from video_factory import write_grey_video

from minet_cli.main import run
from minet_core import load_model
from minet_core.errors import ConfigError, WeightsError
from minet_core.formats import read_json
from minet_core.models.onnx.embedder import MOST_NUMBERS, load_embedder
from minet_core.models.weight_files import embedder_file

FRAME = np.zeros((60, 100, 3), np.uint8)
FRAME[:, :50] = (255, 102, 0)
FRAME[:, 50:] = (0, 51, 255)
LEFT, RIGHT = [10.0, 10, 30, 50], [60.0, 10, 80, 50]
PLAIN = "mean = [0, 0, 0]\nstd = [255, 255, 255]\n"


def unit(*colour: float) -> np.ndarray:
    return np.array(colour) / np.linalg.norm(colour)


def of_crops(path: Path, *, batch: int | str = "n", numbers: int = 0) -> Path:
    """The mean colour of a crop, or a fixed combination of it as long as wished."""
    nodes = [helper.make_node("ReduceMean", ["images"], ["mean"], axes=[2, 3], keepdims=0)]
    constants = []
    if numbers:
        table = np.random.default_rng(0).normal(size=(3, numbers)).astype(np.float32)
        constants.append(numpy_helper.from_array(table, "table"))
        nodes.append(helper.make_node("MatMul", ["mean", "table"], ["vectors"]))
    else:
        nodes.append(helper.make_node("Identity", ["mean"], ["vectors"]))
    shape = (batch, numbers or 3)
    declared = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, shape)]
    return save(path, nodes, constants, declared, (batch, 3, 16, 8))


def of_boxes(path: Path, columns: int) -> Path:
    """The mean colour inside each box of a picture."""
    constants = [
        numpy_helper.from_array(np.array(values, np.int64), name)
        for name, values in (("first", [columns - 4]), ("last", [columns]), ("axis", [1]))
    ]
    nodes = [
        helper.make_node("Slice", ["boxes", "first", "last", "axis"], ["corners"]),
        helper.make_node("ReduceMax", ["boxes"], ["widest"], axes=[1], keepdims=0),
        helper.make_node("Sub", ["widest", "widest"], ["nothing"]),
        helper.make_node("Cast", ["nothing"], ["pictures"], to=TensorProto.INT64),
        helper.make_node(
            "RoiAlign",
            ["images", "corners", "pictures"],
            ["cut"],
            output_height=1,
            output_width=1,
            sampling_ratio=2,
        ),
    ]
    declared = [helper.make_tensor_value_info("cut", TensorProto.FLOAT, ("n", 3, 1, 1))]
    others = {"boxes": (TensorProto.FLOAT, ("n", columns))}
    return save(path, nodes, constants, declared, (1, 3, 32, 64), others)


def sidecar(path: Path, text: str) -> Path:
    path.with_name(f"{path.name}.toml").write_text(text)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reid.onnx"


def embeddings(path: Path, boxes: list[list[float]]) -> np.ndarray:
    embedder = load_embedder(path)
    found = embedder.embed(embedder.features(FRAME), torch.tensor(boxes))
    assert found.shape == (len(boxes), embedder.dim)
    return found.numpy()


@pytest.mark.parametrize("batch", ["n", 1, 2])
def test_crops(path, batch):
    sidecar(of_crops(path, batch=batch), PLAIN)
    found = embeddings(path, [LEFT, RIGHT, LEFT])
    np.testing.assert_allclose(found[0], unit(255, 102, 0), atol=1e-6)
    np.testing.assert_allclose(found[1], unit(0, 51, 255), atol=1e-6)
    np.testing.assert_array_equal(found[2], found[0])


@pytest.mark.parametrize("columns", [4, 5])
def test_boxes_in_a_picture(path, columns):
    sidecar(of_boxes(path, columns), PLAIN)
    found = embeddings(path, [RIGHT, LEFT])
    np.testing.assert_allclose(found, [unit(0, 51, 255), unit(255, 102, 0)], atol=1e-6)


def test_the_sidecar_tells_how_pixels_are_given(path):
    sidecar(of_crops(path), "order = 'bgr'\nmean = [0, 2, 5]\nstd = [1, 2, 5]")
    expected = unit(0, (102 - 2) / 2, (255 - 5) / 5)
    np.testing.assert_allclose(embeddings(path, [LEFT])[0], expected, atol=1e-6)


def test_without_one_they_are_given_as_most_are_trained(path):
    pixels = np.array([255, 102, 0]) / 255
    expected = (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(embeddings(of_crops(path), [LEFT])[0], unit(*expected), atol=1e-5)


def test_long_vectors_are_made_shorter_and_keep_their_angles(path):
    sidecar(of_crops(path, numbers=2000), PLAIN)
    found = embeddings(path, [LEFT, RIGHT])
    assert found.shape == (2, MOST_NUMBERS)
    angle = unit(255, 102, 0) @ unit(0, 51, 255)
    assert found[0] @ found[1] == pytest.approx(angle, abs=0.15)


@pytest.mark.parametrize("box", [[-20.0, -20, -10, -10], [99.6, 30, 99.9, 31], [200, 90, 300, 95]])
def test_boxes_at_and_behind_the_border(path, box):
    sidecar(of_crops(path), PLAIN)
    assert np.isfinite(embeddings(path, [box])).all()


def test_no_boxes(path):
    embedder = load_embedder(of_crops(path))
    assert embedder.embed(embedder.features(FRAME), torch.zeros(0, 4)).shape == (0, 3)


class TestRefused:
    def test_a_detector(self, path):
        write_graph(path, {"dets": np.zeros((1, 9, 4)), "labels": np.zeros((1, 9, 3))})
        with pytest.raises(WeightsError, match=r"no network that gives vectors, of crops .*dets"):
            load_embedder(path)

    def test_one_vector_for_all(self, path):
        write_graph(path, {"vector": np.zeros((1, 64), np.float32)}, picture=("n", 3, 64, 64))
        with pytest.raises(WeightsError, match="gives no vector a box; it has inputs images"):
            load_embedder(path)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("layout = 'yolo'", "layout, classes and calibration are for detectors"),
            ("size = [64, 128]", "says 64 × 128, but .* takes pictures of 8 × 16 only"),
            ("order = 'gbr'", "order is rgb or bgr"),
        ],
    )
    def test_a_sidecar_that_contradicts(self, path, text, message):
        sidecar(of_crops(path), text)
        with pytest.raises(ConfigError, match=message):
            load_embedder(path)


class TestCommand:
    @pytest.fixture(autouse=True)
    def workplace(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        write_grey_video(Path("clip.mp4"))

    def detect(self, *arguments: str) -> int:
        own = ["detect", "clip.mp4", "--device", "cpu", "--max-frames", "3", "--no-video"]
        return run([*own, *arguments])

    def test_results_are_of_the_network(self, path, capsys):
        of_crops(path)
        assert self.detect("--identify", "reid.onnx") == 0
        settings = json.loads(Path("minet-output/clip/minet.json").read_text())["settings"]
        assert len(settings["identify"]) == 1
        result = json.loads(Path("minet-output/clip/result.json").read_text())
        assert result["settings"]["identify"] == "reid.onnx"
        assert self.detect("--identify", "reid.onnx") == 0
        assert "done already" in capsys.readouterr().out
        sidecar(path, "order = 'bgr'")
        assert self.detect("--identify", "reid.onnx") == 5

    def test_a_persons_boxes_are_seen_by_it_too(self, path):
        of_crops(path)
        drawn = {"frame": 1, "id": 4, "x1": 4, "y1": 8, "x2": 16, "y2": 40}
        Path("prompts.json").write_text(json.dumps([drawn]))
        assert self.detect("--identify", "reid.onnx", "--prompts", "prompts.json") == 0
        assert set(read_json(Path("minet-output/clip/result.json")).rows.track_id) == {4}

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("none.onnx", "--identify none.onnx: no such file"),
            ("reid.pt", "--identify reid.pt: takes a .safetensors file"),
        ],
    )
    def test_no_network(self, name, message, capsys):
        assert self.detect("--identify", name) == 3
        assert message in capsys.readouterr().err


def test_a_network_of_minet_train_beside_another_detector(path):
    table = np.zeros((1, 300, 6), np.float32)
    sidecar(write_graph(path, {"output0": table}), "classes = ['cat']")
    model = load_model(str(path), device="cpu", identify=str(embedder_file()))
    assert model.detector.classes == ("cat",)
    assert model.embedder.dim == 256
