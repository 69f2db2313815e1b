"""The trained network at work, and the file it is kept in."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.ops import roi_align

from minet_core.errors import ConfigError, OutputError, WeightsError
from minet_core.models.faster_rcnn.detector import RcnnDetector
from minet_core.models.faster_rcnn.fc6 import Fc6Embedder
from minet_core.models.faster_rcnn.network import FasterRcnn, build_rcnn
from minet_core.models.faster_rcnn.rcnn_config import RCNN_CONFIGS
from minet_core.models.network_file import load_rcnn, save_model
from minet_core.models.weight_files import embedder_file, model_files
from minet_core.models.weights import read_safetensors, write_safetensors
from minet_core.models.zoo import load_model
from minet_core.options import DetectOptions
from minet_core.runs.manifest import manifest_of
from minet_core.scores import ScoreKind

CLASSES = ("disc", "square", "star")
TINY = replace(RCNN_CONFIGS["minet-tiny"], shorter=96, longer=128)


def build() -> FasterRcnn:
    torch.manual_seed(0)
    return build_rcnn(TINY, CLASSES)


@pytest.fixture(scope="module")
def network() -> FasterRcnn:
    return build()


def frame(height: int = 192, width: int = 256, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def passes(network: FasterRcnn, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures each pass of the backbone had."""
    counts: list[int] = []
    forward = network.backbone.forward

    def counted(pictures: torch.Tensor) -> object:
        counts.append(len(pictures))
        return forward(pictures)

    monkeypatch.setattr(network.backbone, "forward", counted)
    return counts


def test_detections_are_boxes_of_the_frame_with_distributions(network: FasterRcnn) -> None:
    detector = RcnnDetector(network)
    found = detector.detect([frame()])[0]
    assert detector.classes == CLASSES
    assert detector.score_kind is ScoreKind.SOFTMAX
    assert 0 < len(found) <= TINY.proposals
    assert found.scores.shape == (len(found), 4)
    torch.testing.assert_close(found.scores.sum(dim=1), torch.ones(len(found)))
    for boxes in (found.proposals, found.boxes):
        assert boxes.dtype == torch.float32
        assert bool((boxes >= 0).all() and (boxes <= torch.tensor([256, 192] * 2)).all())
    # In pixels of the frame, which is twice as large as what the network sees.
    assert found.proposals[:, 2].max() > 128


def test_the_backbone_runs_once_for_boxes_and_embeddings(
    network: FasterRcnn, passes: list[int]
) -> None:
    detector = RcnnDetector(network)
    frames = [frame(seed=seed) for seed in range(3)]
    found = detector.detect(frames)
    embeddings = [
        detector.embed(detector.features(each), base.proposals)
        for each, base in zip(frames, found, strict=True)
    ]
    assert passes == [3]
    other = RcnnDetector(network)
    for each, there in zip(frames, embeddings, strict=True):
        alone = other.embed(other.features(each), other.detect([each])[0].proposals)
        assert alone.shape == there.shape == (len(there), detector.dim)
        torch.testing.assert_close(alone, there, atol=1e-4, rtol=0)


def test_an_equal_frame_that_was_not_detected_in_is_looked_at(
    network: FasterRcnn, passes: list[int]
) -> None:
    detector = RcnnDetector(network)
    detector.detect([frame(seed=1)])
    features = detector.features(frame(seed=2))
    assert passes == [1, 1]
    fresh = RcnnDetector(network).features(frame(seed=2))
    torch.testing.assert_close(features.values, fresh.values)


def test_frames_of_different_sizes_are_detected_in_together(network: FasterRcnn) -> None:
    detector = RcnnDetector(network)
    frames = [frame(), frame(96, 96), frame(1, 40)]
    together = detector.detect(frames)
    for each, there in zip(frames, together, strict=True):
        alone = detector.detect([each])[0]
        torch.testing.assert_close(alone.scores, there.scores, atol=1e-4, rtol=1e-3)


def test_embeddings_are_those_of_training(network: FasterRcnn) -> None:
    boxes = torch.tensor([[20.0, 30, 80, 170], [100, 40, 180, 150]])
    picture = frame()
    detector = RcnnDetector(network)
    embedded = detector.embed(detector.features(picture), boxes)
    network.train()
    image = torch.from_numpy(picture).permute(2, 0, 1) / 255
    trained = network.identify(network.features([image]), 0, boxes)
    torch.testing.assert_close(embedded, trained, atol=0.01, rtol=0)


def test_fc6_is_the_first_layer_of_the_detect_head(network: FasterRcnn, passes: list[int]) -> None:
    boxes = torch.tensor([[20.0, 30, 80, 170], [100, 40, 180, 150], [0, 0, 255, 191]])
    picture = frame()
    detector = RcnnDetector(network)
    embedder = Fc6Embedder(detector)
    detector.detect([picture])
    found = embedder.embed(embedder.features(picture), boxes)

    assert passes == [1]
    shared = network.features([torch.from_numpy(picture).permute(2, 0, 1)])
    head = network.detect_head
    cut = roi_align(head.reduce(shared.conv5[0]), [boxes / 2], 5, 1 / 8, 1, aligned=True)
    plain = cut.flatten(1) @ head.layers.fc6.weight.T + head.layers.fc6.bias
    expected = plain / plain.norm(dim=1, keepdim=True)
    assert found.shape == (3, embedder.dim) == (3, TINY.hidden)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    assert bool((found < 0).any())  # before the rectifier


def test_bfloat16_gives_finite_boxes_as_precise_as_float32(network: FasterRcnn) -> None:
    network.eval()
    image = torch.from_numpy(frame()).permute(2, 0, 1)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        shared = network.features([image])
        found = network.detect(shared, 0, (192, 256))
        embeddings = network.identify(shared, 0, found.boxes)
    for numbers in (found.boxes, found.scores, embeddings):
        assert numbers.dtype == torch.float32
        assert bool(numbers.isfinite().all())
    # bfloat16 itself has no numbers between 128 and 129.
    assert bool((found.proposals[found.proposals > 128] % 1).any())


def test_losses_are_finite_in_bfloat16() -> None:
    model = build()
    target = {"boxes": torch.tensor([[10.0, 10, 90, 120]]), "labels": torch.tensor([1])}
    image = torch.from_numpy(frame()).permute(2, 0, 1) / 255
    with torch.autocast("cpu", torch.bfloat16):
        losses, _ = model.losses([image], [target])
    total = sum(losses.values())
    total.backward()
    assert total.dtype == torch.float32
    assert bool(total.isfinite())


@pytest.fixture
def file(network: FasterRcnn, tmp_path: Path) -> Path:
    path = tmp_path / "mine.safetensors"
    save_model(path, network, {"step": "7"})
    return path


def test_a_saved_network_is_loaded_by_its_path_alone(network: FasterRcnn, file: Path) -> None:
    model = load_model(str(file), device="cpu")
    assert model.detector is model.embedder
    assert model.detector.classes == CLASSES
    torch.testing.assert_close(
        model.detector.detect([frame()])[0].scores,
        RcnnDetector(network).detect([frame()])[0].scores,
    )


def test_a_loaded_network_can_be_trained_on(file: Path) -> None:
    model = load_rcnn(file)
    assert model.config == TINY
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_same_weights_same_bytes_with_notes_beside(
    network: FasterRcnn, file: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.safetensors"
    save_model(again, network, {"step": "7"})
    assert again.read_bytes() == file.read_bytes()
    assert read_safetensors(file)[0]["step"] == "7"


def test_a_file_in_the_way_is_one_line(network: FasterRcnn, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        save_model(tmp_path / "missing" / "mine.safetensors", network)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def change(**metadata: str) -> Callable[[Path], None]:
    def harm(path: Path) -> None:
        given, tensors = read_safetensors(path)
        write_safetensors(path, tensors, given | metadata)

    return harm


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        pytest.param(truncate, "damaged", id="cut-short"),
        pytest.param(change(architecture="minet-r99"), "architecture minet-r99", id="unknown"),
        pytest.param(change(format="2"), "newer version", id="newer"),
        pytest.param(change(config="{}"), "config and classes", id="no-config"),
        pytest.param(change(config="[1]"), "config and classes", id="config-is-a-list"),
        pytest.param(change(classes='["a", "a"]'), "config and classes", id="classes-twice"),
        pytest.param(change(classes='["a", "b"]'), "do not fit", id="other-classes"),
        pytest.param(
            change(config=json.dumps(TINY.to_dict() | {"backbone": "vgg"})), "config and", id="vgg"
        ),
    ],
)
def test_a_file_that_does_not_fit_is_one_line(
    file: Path, harm: Callable[[Path], None], message: str
) -> None:
    harm(file)
    with pytest.raises(WeightsError, match=message) as caught:
        load_model(str(file), device="cpu")
    assert "\n" not in str(caught.value)


def test_fc6_by_name(file: Path) -> None:
    model = load_model(str(file), device="cpu", identify="fc6")
    assert isinstance(model.embedder, Fc6Embedder)
    assert model.embedder.dim == TINY.hidden
    with pytest.raises(ConfigError, match="fc6 is of a network of `minet train` that detects"):
        load_model("minet-nano", device="cpu", identify="fc6")


def test_an_identify_network_stands_beside_the_bundled_detector(tmp_path: Path) -> None:
    mine = tmp_path / "identify.safetensors"
    mine.write_bytes(embedder_file().read_bytes())
    model = load_model(str(mine), device="cpu")
    assert len(model.detector.classes) == 80
    assert model.embedder.dim == 256


@pytest.mark.parametrize("name", RCNN_CONFIGS)
def test_an_untrained_network_says_what_to_do(name: str) -> None:
    with pytest.raises(ConfigError, match=r"train it .* or give"):
        load_model(name)


def test_results_depend_on_the_weights_in_the_file(file: Path) -> None:
    def weights() -> Any:
        return manifest_of(file, str(file), DetectOptions(model=str(file))).model["weights"]

    before = weights()
    assert model_files(str(file)) == (file,)
    assert before.keys() == {file.name}
    change(step="8")(file)
    assert weights() != before
