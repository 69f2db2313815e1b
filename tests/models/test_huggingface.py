"""Models of Hugging Face, small and random: loaded and read as real ones are."""

import json
import shutil
import sys
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from huggingface_factory import (
    CLASSES,
    save_grounding,
    save_owl,
    save_rtdetr,
    save_yolos,
)
from safetensors.torch import load_file, save_file
from transformers import AutoImageProcessor, AutoProcessor
from video_factory import write_grey_video

from minet_cli.main import run
from minet_core import load_model
from minet_core.errors import ConfigError, MinetError, WeightsError
from minet_core.models.huggingface import location as folders
from minet_core.runs.manifest import weights_of
from minet_core.scores import ScoreKind

PROMPTS = ("forklift", "hard hat")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with every model, and the networks by name."""
    place = tmp_path_factory.mktemp("models")
    networks = {
        "yolos": save_yolos(place / "yolos"),
        "rtdetr": save_rtdetr(place / "rtdetr"),
        "owlv2": save_owl(place / "owlv2", "owlv2"),
        "owlvit": save_owl(place / "owlvit", "owlvit"),
        "grounding": save_grounding(place / "grounding"),
    }
    return place, networks


@pytest.fixture
def frame():
    return np.random.default_rng(0).integers(0, 256, (48, 80, 3), np.uint8)


def detector_of(folder: Path, classes=()):
    return load_model(str(folder), classes=classes, device="cpu").detector


def same(boxes: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """For each of the boxes its row among the others, which has it."""
    off = (boxes[:, None] - others[None]).abs().amax(dim=2)
    assert (off.amin(dim=1) < 1e-3).all()
    return off.argmin(dim=1)


def test_a_distribution_over_classes_and_nothing(saved, frame):
    place, networks = saved
    detector = detector_of(place / "yolos")
    assert detector.classes == CLASSES
    assert detector.score_kind is ScoreKind.SOFTMAX
    found = detector.detect([frame])[0]
    assert len(found) == 8
    np.testing.assert_allclose(found.scores.sum(dim=1), 1, atol=1e-5)
    processor = AutoImageProcessor.from_pretrained(place / "yolos")
    with torch.no_grad():
        outputs = networks["yolos"](**processor(images=frame, return_tensors="pt"))
    theirs = processor.post_process_object_detection(outputs, 0.0, target_sizes=[(48, 80)])[0]
    best = found.scores[:, 1:].max(dim=1)
    rows = same(theirs["boxes"].clamp(min=0).minimum(torch.tensor([80.0, 48, 80, 48])), found.boxes)
    np.testing.assert_allclose(best.values[rows], theirs["scores"], atol=1e-5)
    assert best.indices[rows].tolist() == theirs["labels"].tolist()


def test_independent_scores_of_every_class(saved, frame):
    place, networks = saved
    detector = detector_of(place / "rtdetr")
    assert detector.score_kind is ScoreKind.SIGMOID
    found = detector.detect([frame, frame])[1]
    assert found.scores.shape == (10, 3)
    processor = AutoImageProcessor.from_pretrained(place / "rtdetr")
    with torch.no_grad():
        outputs = networks["rtdetr"](**processor(images=frame, return_tensors="pt"))
    theirs = processor.post_process_object_detection(
        outputs, threshold=0.0, target_sizes=[(48, 80)]
    )[0]
    rows = same(theirs["boxes"].clamp(min=0).minimum(torch.tensor([80.0, 48, 80, 48])), found.boxes)
    ours = found.scores[rows, theirs["labels"]]
    np.testing.assert_allclose(ours, theirs["scores"], atol=1e-5)


@pytest.mark.parametrize("kind", ["owlv2", "owlvit"])
def test_prompts_are_the_classes(saved, frame, kind):
    place, networks = saved
    detector = detector_of(place / kind, PROMPTS)
    assert detector.classes == PROMPTS
    found = detector.detect([frame])[0]
    processor = AutoProcessor.from_pretrained(place / kind)
    inputs = processor(text=[list(PROMPTS)], images=frame, return_tensors="pt")
    with torch.no_grad():
        outputs = networks[kind](**inputs)
    theirs = processor.post_process_grounded_object_detection(
        outputs, threshold=0.0, target_sizes=[(48, 80)]
    )[0]
    edges = theirs["boxes"].clamp(min=0).minimum(torch.tensor([80.0, 48, 80, 48]))
    large = ((edges[:, 2:] - edges[:, :2]) >= 1).all(dim=1)
    assert int(large.sum()) == len(found) > 0
    rows = same(edges[large], found.boxes)
    best = found.scores.max(dim=1)
    np.testing.assert_allclose(best.values[rows], theirs["scores"][large], atol=1e-5)
    assert best.indices[rows].tolist() == theirs["labels"][large].tolist()


def test_prompts_of_several_words_in_one_text(saved, frame):
    place, networks = saved
    found = detector_of(place / "grounding", PROMPTS).detect([frame])[0]
    processor = AutoProcessor.from_pretrained(place / "grounding")
    inputs = processor(text="forklift. hard hat.", images=frame, return_tensors="pt")
    assert inputs["input_ids"].shape == (1, 7)  # begin, forklift, stop, hard, hat, stop, end
    with torch.no_grad():
        shares = networks["grounding"](**inputs).logits[0].sigmoid()
    expected = torch.stack([shares[:, 1], shares[:, 3:5].amax(dim=1)], dim=1)
    assert len(found) == len(expected)
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)


def test_calibration_beside_the_weights(saved, frame, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(saved[0] / "rtdetr", folder)
    raw = detector_of(folder).detect([frame])[0]
    assert "not calibrated" in load_model(str(folder), device="cpu").notes[0]
    (folder / "minet.toml").write_text("calibration = [2.0, 1.0]")
    model = load_model(str(folder), device="cpu")
    assert not model.notes
    expected = torch.sigmoid(2 * torch.logit(raw.scores) + 1)
    np.testing.assert_allclose(model.detector.detect([frame])[0].scores, expected, atol=1e-5)


class TestRefused:
    def error(self, folder: Path, kind: type[MinetError], classes=()) -> str:
        with pytest.raises(kind) as caught:
            load_model(str(folder), classes=classes, device="cpu")
        assert "\n" not in str(caught.value)
        return str(caught.value)

    @pytest.fixture
    def copy(self, saved, tmp_path) -> Path:
        return Path(shutil.copytree(saved[0] / "yolos", tmp_path / "model"))

    def test_a_folder_of_something_else(self, tmp_path):
        assert "has no config.json, so it is not a model" in self.error(tmp_path, ConfigError)

    def test_pickles(self, copy):
        (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
        line = self.error(copy, WeightsError)
        assert "only a pickle (pytorch_model.bin), which can run code; save the model again" in line

    def test_damaged_weights(self, copy):
        content = (copy / "model.safetensors").read_bytes()
        (copy / "model.safetensors").write_bytes(content[:-100])
        assert "does not load (" in self.error(copy, WeightsError)

    def test_a_network_that_was_not_trained_to_detect(self, copy):
        weights = load_file(copy / "model.safetensors")
        kept = {name: value for name, value in weights.items() if "class_labels" not in name}
        save_file(kept, copy / "model.safetensors", {"format": "pt"})
        line = self.error(copy, WeightsError)
        assert "weights of YolosForObjectDetection are missing, first class_labels_class" in line

    def test_a_classifier(self, copy):
        config = json.loads((copy / "config.json").read_text()) | {"model_type": "vit"}
        (copy / "config.json").write_text(json.dumps(config))
        assert "models of the type 'vit' detect no objects" in self.error(copy, ConfigError)

    def test_a_damaged_config(self, copy):
        (copy / "config.json").write_text("[]")
        assert "config.json: has no model_type" in self.error(copy, ConfigError)

    def test_nothing_named_to_find(self, saved):
        line = self.error(saved[0] / "owlv2", ConfigError)
        assert line.endswith("--classes 'forklift,hard hat' says what")

    def test_prompts_that_the_network_cannot_read(self, saved):
        folder = saved[0] / "grounding"
        assert "without full stops: 'a. b'" in self.error(folder, ConfigError, ("a. b",))
        many = [f"forklift {'hat ' * n}".strip() for n in range(8)]
        assert "but this model reads 16: name fewer" in self.error(folder, ConfigError, many)

    def test_missing_package(self, saved, monkeypatch):
        monkeypatch.setitem(sys.modules, "transformers", None)
        line = self.error(saved[0] / "yolos", MinetError)
        assert line.endswith("pip install transformers")


class TestHub:
    COMMIT = "0123456789abcdef0123456789abcdef01234567"

    @pytest.fixture(autouse=True)
    def hub(self, saved, tmp_path, monkeypatch):
        """A hub that has one model, and gives it as the real one does: in a folder by commit."""
        folders._downloaded.cache_clear()
        snapshot = tmp_path / "snapshots" / self.COMMIT
        shutil.copytree(saved[0] / "rtdetr", snapshot)

        def download(repository: str, *, revision: str | None, **_: object) -> str:
            if (repository, revision) not in {("you/rtdetr", None), ("you/rtdetr", self.COMMIT)}:
                raise OSError(f"404: no {repository}\nat {revision}")
            return str(snapshot)

        monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
        yield
        folders._downloaded.cache_clear()

    def test_results_are_pinned_to_the_commit(self):
        assert weights_of("hf:you/rtdetr")["hf:you/rtdetr"] == self.COMMIT
        model = load_model(f"hf:you/rtdetr@{self.COMMIT}", device="cpu")
        assert model.detector.classes == CLASSES

    def test_a_model_that_is_not_there(self):
        with pytest.raises(WeightsError, match=r"^hf:you/other: cannot be had .* \(404: no you/"):
            load_model("hf:you/other")


def test_the_command(saved, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_grey_video(Path("clip.mp4"), 3)
    shutil.copytree(saved[0] / "owlv2", "owl")
    command = ["detect", "clip.mp4", "--model", "owl", "--device", "cpu", "--no-video"]
    assert run([*command, "--classes", "hard hat,forklift"]) == 0
    assert capsys.readouterr().err.count("not calibrated") == 1
    document = json.loads(Path("minet-output/clip/minet.json").read_text())
    assert document["settings"]["classes"] == ["hard hat", "forklift"]
    assert {"config.json", "model.safetensors"} <= set(document["model"]["weights"])
    assert run([*command, "-o", "elsewhere"]) == 3
    assert "finds what is named to it" in capsys.readouterr().err
