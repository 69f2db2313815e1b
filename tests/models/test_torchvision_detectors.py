"""torchvision's detectors under minet's contracts, with random weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.models import get_model, get_model_weights

from minet_core.errors import WeightsError
from minet_core.models.class_columns import ClassColumns
from minet_core.models.torchvision_detectors import (
    OneStageDetector,
    TwoStageDetector,
)
from minet_core.models.weight_files import MODELS, TORCHVISION_FILES, embedder_file, model_files
from minet_core.models.zoo import load_model
from minet_core.options import DetectOptions
from minet_core.runs.manifest import manifest_of
from minet_core.scores import ScoreKind

CATEGORIES = ("__background__", "person", "N/A", "car", "dog")
COLUMNS = ClassColumns.of(CATEGORIES)


def frame(height: int = 120, width: int = 200, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


def build(name: str, **options: object) -> torch.nn.Module:
    torch.manual_seed(0)
    return get_model(
        name,
        weights=None,
        weights_backbone=None,
        num_classes=len(CATEGORIES),
        min_size=96,
        max_size=160,
        **options,
    )


@pytest.fixture(
    scope="module", params=["fasterrcnn_resnet50_fpn_v2", "fasterrcnn_mobilenet_v3_large_fpn"]
)
def two_stage(request: pytest.FixtureRequest) -> TwoStageDetector:
    return TwoStageDetector(
        build(request.param, rpn_score_thresh=0.0, rpn_post_nms_top_n_test=40), COLUMNS
    )


def test_classes_that_were_never_used_are_left_out() -> None:
    assert ClassColumns(("person", "car", "dog"), (1, 3, 4)) == COLUMNS


def test_two_stage_gives_proposals_and_distributions(two_stage: TwoStageDetector) -> None:
    found = two_stage.detect([frame()])[0]
    assert two_stage.classes == ("person", "car", "dog")
    assert two_stage.score_kind is ScoreKind.SOFTMAX
    assert len(found) > 0
    assert found.scores.shape == (len(found), 4)
    torch.testing.assert_close(found.scores.sum(dim=1), torch.ones(len(found)))
    for boxes in (found.proposals, found.boxes):
        assert bool((boxes >= 0).all() and (boxes <= torch.tensor([200, 120] * 2)).all())
    assert not torch.equal(found.proposals, found.boxes)


def test_boxes_are_those_of_the_best_class(two_stage: TwoStageDetector) -> None:
    """Only the car's deltas move boxes; only where the car is the best class do boxes move."""
    predictor = two_stage._heads.box_predictor
    deltas = torch.zeros(len(CATEGORIES), 4)
    deltas[3, 2] = 5 * 0.3  # a third wider
    before = [predictor.bbox_pred.weight.clone(), predictor.bbox_pred.bias.clone()]
    predictor.bbox_pred.weight.zero_()
    predictor.bbox_pred.bias.copy_(deltas.flatten())
    predictor.cls_score.weight.mul_(30)
    found = two_stage.detect([frame()])[0]
    predictor.bbox_pred.weight.copy_(before[0])
    predictor.bbox_pred.bias.copy_(before[1])
    predictor.cls_score.weight.div_(30)
    moved = ((found.boxes - found.proposals).abs() > 0.5).any(dim=1)
    best = found.scores[:, 1:].argmax(dim=1)
    assert not bool(moved[best != 1].any())
    inside = (found.proposals[:, 0] > 2) & (found.proposals[:, 2] < 198)
    wide = found.proposals[:, 2] - found.proposals[:, 0] > 5
    assert bool(moved[(best == 1) & inside & wide].all())


def test_region_features_are_embeddings_of_unit_norm(two_stage: TwoStageDetector) -> None:
    boxes = torch.tensor([[20.0, 30, 80, 110], [100, 40, 180, 100]])
    picture = frame()
    embeddings = two_stage.embed(two_stage.features(picture), boxes)
    assert embeddings.shape == (2, two_stage.dim) == (2, 128)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2))
    two_stage.detect([picture, frame(seed=1)])
    again = two_stage.embed(two_stage.features(picture), boxes)
    torch.testing.assert_close(again, embeddings, atol=1e-4, rtol=0)


def test_projected_embeddings_keep_the_angles_of_whole_ones(two_stage: TwoStageDetector) -> None:
    whole = TwoStageDetector(two_stage._eye.model, COLUMNS, dim=None)
    picture = frame()
    boxes = torch.tensor([[20.0, 30, 80, 110], [100, 40, 180, 100], [5, 5, 190, 20]])
    embeddings = whole.embed(whole.features(picture), boxes)
    assert embeddings.shape == (3, whole.dim) == (3, 1024)
    assert bool((embeddings < 0).any())  # before the rectifier
    fewer = two_stage.embed(two_stage.features(picture), boxes)
    torch.testing.assert_close(fewer @ fewer.T, embeddings @ embeddings.T, atol=0.3, rtol=0)


def test_a_frame_is_looked_at_once(
    two_stage: TwoStageDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = frame(seed=3)
    two_stage.detect([picture])
    # As an item: where an attribute of a module is patched, undoing that removes the module.
    monkeypatch.setitem(two_stage._eye.model._modules, "backbone", None)
    assert two_stage.features(picture).values.shape[0] == 1


def test_one_stage_gives_independent_scores_after_suppression() -> None:
    detector = OneStageDetector(build("retinanet_resnet50_fpn_v2"), COLUMNS)
    found = detector.detect([frame(), frame(seed=1)])[1]
    assert detector.score_kind is ScoreKind.SIGMOID
    assert found.scores.shape == (len(found), 3)
    assert 0 < len(found) <= 300
    assert found.proposals is found.boxes
    best = found.scores.amax(dim=1)
    assert bool((best.diff() <= 0).all())
    halved = OneStageDetector(detector._eye.model, COLUMNS, calibration=(0.5, 0.0))
    logits = found.scores.logit() / 2
    there = halved.detect([frame(), frame(seed=1)])[1]
    torch.testing.assert_close(there.scores.logit(), logits, atol=1e-3, rtol=0)


def test_names_and_files_are_torchvisions() -> None:
    for name, file in TORCHVISION_FILES.items():
        assert name in MODELS
        assert Path(get_model_weights(name).DEFAULT.url).name == file


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_a_model_is_loaded_by_its_name_with_cocos_classes(cache: Path) -> None:
    name = "fasterrcnn_mobilenet_v3_large_fpn"
    state = get_model(name, weights=None, weights_backbone=None, num_classes=91).state_dict()
    # torchvision's file is of a network with frozen norms, which do not count batches.
    state = {key: value for key, value in state.items() if "num_batches" not in key}
    torch.save(state, cache / TORCHVISION_FILES[name])
    model = load_model(name, device="cpu")
    assert model.detector is model.embedder
    assert len(model.detector.classes) == 80
    assert model.detector.classes[:2] == ("person", "bicycle")


def test_weights_that_do_not_fit_are_one_line(cache: Path) -> None:
    name = "fasterrcnn_mobilenet_v3_large_fpn"
    torch.save({"weight": torch.ones(1)}, cache / TORCHVISION_FILES[name])
    with pytest.raises(WeightsError) as caught:
        load_model(name, device="cpu")
    assert "\n" not in str(caught.value)


def test_results_depend_on_the_weights_whether_downloaded_yet_or_not(cache: Path) -> None:
    name = "retinanet_resnet50_fpn_v2"
    assert model_files(name) == (embedder_file(),)

    def weights() -> Any:
        return manifest_of("-", name, DetectOptions(model=name)).model["weights"]

    before = weights()
    assert before.keys() == {TORCHVISION_FILES[name], embedder_file().name}
    (cache / TORCHVISION_FILES[name]).write_bytes(b"there now")
    assert weights() == before
