"""The bundled detector: equal to the original graph, and its boxes are in frame pixels."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from nanodet_golden import GOLDEN, picture
from torchvision.ops import box_iou

from minet_core.errors import ConfigError, WeightsError
from minet_core.models.detector import BaseDetections, Detector, Frame, ScoreKind
from minet_core.models.nanodet.detector import (
    NanoDetDetector,
    cell_centres,
    decode_boxes,
    load_nanodet,
    size_for,
)
from minet_core.models.nanodet.network import BGR_MEAN, BGR_STD, NanoDet
from minet_core.models.weights import (
    assign_weights,
    read_safetensors,
    weights_folder,
    write_safetensors,
)

WEIGHTS = weights_folder() / "minet-nano-detector.safetensors"


@pytest.fixture(scope="module")
def detector() -> NanoDetDetector:
    return load_nanodet(WEIGHTS)


@pytest.fixture(scope="module")
def network() -> NanoDet:
    model = NanoDet()
    assign_weights(WEIGHTS, model, read_safetensors(WEIGHTS)[1])
    return model.requires_grad_(False)


@pytest.fixture(scope="module")
def scene() -> Frame:
    return picture()


@pytest.fixture(scope="module")
def found(detector: NanoDetDetector, scene: Frame) -> BaseDetections:
    return detector.detect([scene])[0]


def confident(
    detector: NanoDetDetector, found: BaseDetections, above: float = 0.5
) -> list[tuple[str, torch.Tensor]]:
    """Name and box of the detections with a score above this, best first."""
    best = found.scores.max(dim=1)
    rows = (best.values > above).nonzero().squeeze(1).tolist()
    return [(detector.classes[int(best.indices[row])], found.boxes[row]) for row in rows]


def test_network_equals_the_original_graph(network: NanoDet, scene: Frame) -> None:
    bgr = torch.from_numpy(scene[:, :, ::-1].astype(np.float32).transpose(2, 0, 1))
    normalised = (bgr - torch.tensor(BGR_MEAN).view(3, 1, 1)) / torch.tensor(BGR_STD).view(3, 1, 1)
    class_logits, distance_logits = network(normalised[None])
    golden = np.load(GOLDEN)
    rows = golden["rows"]
    probabilities = class_logits.sigmoid()[0, rows].numpy()
    np.testing.assert_allclose(probabilities, golden["probabilities"], atol=1e-3, rtol=0)
    np.testing.assert_allclose(
        distance_logits[0, rows].numpy(), golden["distances"], atol=1e-3, rtol=0
    )


def test_golden_values_cover_every_stride_with_strong_scores() -> None:
    golden = np.load(GOLDEN)
    strongest = golden["probabilities"].max(axis=1)
    stride = np.digitize(golden["rows"], [52 * 52, 52 * 52 + 26 * 26])
    assert [strongest[stride == level].max() > 0.4 for level in range(3)] == [True] * 3


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 160), (256, 416)])
def test_any_multiple_of_32_has_a_row_for_every_cell(
    network: NanoDet, height: int, width: int
) -> None:
    class_logits, distance_logits = network(torch.zeros(2, 3, height, width))
    centres, strides = cell_centres(height, width)
    cells = height * width * (1 + 4 + 16) // 1024
    assert class_logits.shape == (2, cells, 80)
    assert distance_logits.shape == (2, cells, 44)
    assert (centres.shape, strides.shape) == ((cells, 2), (cells, 1))
    assert (centres < torch.tensor([width, height])).all()


def test_boxes_are_expected_distances_in_strides_from_the_centre() -> None:
    logits = torch.full((1, 4, 11), -100.0)
    for side, distance in enumerate((0, 1, 2, 10)):
        logits[0, side, distance] = 100.0
    logits[0, 1, 2] = 100.0  # top: one or two, equally likely
    box = decode_boxes(logits.flatten(1), torch.tensor([[100.0, 60.0]]), torch.tensor([[16.0]]))
    torch.testing.assert_close(box, torch.tensor([[100.0, 36.0, 132.0, 220.0]]))


def test_bundled_detector_knows_coco(detector: NanoDetDetector) -> None:
    contract: Detector = detector
    assert contract.score_kind is ScoreKind.SIGMOID
    assert len(set(contract.classes)) == 80
    assert (contract.classes[0], contract.classes[74]) == ("person", "clock")


# Where tests/helpers/nanodet_golden.py paints them, as xyxy parts of the picture's side.
PAINTED = [
    ("clock", (0.07, 0.15, 0.17, 0.25)),
    ("clock", (0.43, 0.06, 0.97, 0.60)),
    ("orange", (0.18, 0.63, 0.42, 0.87)),
    ("traffic light", (0.42, 0.12, 0.47, 0.25)),
]


def test_finds_what_is_in_the_picture(detector: NanoDetDetector, found: BaseDetections) -> None:
    seen = sorted(confident(detector, found), key=lambda item: (item[0], item[1][0].item()))
    assert [name for name, _ in seen] == [name for name, _ in PAINTED]
    painted = torch.tensor([box for _, box in PAINTED]) * 416
    boxes = torch.stack([box for _, box in seen])
    assert box_iou(boxes, painted).diagonal().min() > 0.85


def test_proposals_are_boxes_in_the_frame_best_first(found: BaseDetections) -> None:
    best = found.scores.amax(dim=1)
    assert found.scores.shape == (len(found.boxes), 80)
    assert 100 < len(found.boxes) <= 300
    assert torch.equal(found.boxes, found.proposals)
    assert torch.equal(best, best.sort(descending=True).values)
    assert ((found.boxes >= 0) & (found.boxes <= 416)).all()
    assert (found.boxes[:, 2:] - found.boxes[:, :2] >= 1).all()
    assert box_iou(found.boxes, found.boxes).fill_diagonal_(0).max() <= 0.7


def enlarged(scene: Frame) -> Frame:
    return scene.repeat(2, axis=0).repeat(2, axis=1)


def cropped(scene: Frame) -> Frame:
    return scene[40:330]


def taller(scene: Frame) -> Frame:
    return np.pad(scene, ((90, 0), (0, 0), (0, 0)), mode="edge")


def wider(scene: Frame) -> Frame:
    return np.pad(scene, ((0, 0), (90, 0), (0, 0)), mode="edge")


@pytest.mark.parametrize(
    ("change", "scale", "shift"),
    [(enlarged, 2, (0, 0)), (cropped, 1, (0, -40)), (taller, 1, (0, 90)), (wider, 1, (90, 0))],
)
def test_boxes_follow_the_picture(
    detector: NanoDetDetector,
    scene: Frame,
    found: BaseDetections,
    change: Callable[[Frame], Frame],
    scale: float,
    shift: tuple[int, int],
) -> None:
    changed = confident(detector, detector.detect([change(scene)])[0])
    sure = confident(detector, found, above=0.9)
    assert [name for name, _ in sure] == ["traffic light", "clock"]
    for name, box in sure:
        expected = box * scale + torch.tensor(shift).repeat(2)
        now = torch.stack([other for other_name, other in changed if other_name == name])
        assert box_iou(expected[None], now).max() > 0.85


def test_batch_equals_singles_whatever_the_sizes(
    detector: NanoDetDetector, scene: Frame, found: BaseDetections
) -> None:
    wide, flipped = scene[60:300], scene[:, ::-1]
    batch = detector.detect([scene, wide, flipped])
    singles = [found, detector.detect([wide])[0], detector.detect([flipped])[0]]
    for together, alone in zip(batch, singles, strict=True):
        count = 20  # weaker ones may swap places when their scores are all but equal
        torch.testing.assert_close(together.boxes[:count], alone.boxes[:count], atol=0.01, rtol=0)
        torch.testing.assert_close(together.scores[:count], alone.scores[:count], atol=1e-4, rtol=0)


def test_no_frames_no_detections(detector: NanoDetDetector) -> None:
    assert detector.detect([]) == []


@pytest.mark.parametrize("shape", [(1, 1), (2, 900), (700, 3)])
def test_odd_frames_keep_boxes_inside(detector: NanoDetDetector, shape: tuple[int, int]) -> None:
    (found,) = detector.detect([np.full((*shape, 3), 128, np.uint8)])
    limit = torch.tensor([shape[1], shape[0]] * 2)
    assert ((found.boxes >= 0) & (found.boxes <= limit)).all()
    assert (found.boxes[:, 2:] - found.boxes[:, :2] >= 1).all()


def test_proposals_are_capped_at_the_best(
    network: NanoDet, scene: Frame, found: BaseDetections
) -> None:
    few = NanoDetDetector(network, [str(i) for i in range(80)], (1.0, 0.0), max_proposals=7)
    torch.testing.assert_close(few.detect([scene])[0].boxes, found.boxes[:7])


def test_calibration_keeps_order_and_boxes(scene: Frame, found: BaseDetections) -> None:
    raw = load_nanodet(WEIGHTS)
    a, b = raw.calibration
    raw.calibration = (1.0, 0.0)
    uncalibrated = raw.detect([scene])[0]
    assert a > 0
    torch.testing.assert_close(uncalibrated.boxes, found.boxes)
    torch.testing.assert_close(
        torch.sigmoid(a * uncalibrated.scores.double().logit() + b).float(), found.scores
    )


def test_detections_can_enter_a_training_step(found: BaseDetections) -> None:
    weight = torch.ones(80, requires_grad=True)
    (found.scores @ weight).sum().backward()
    assert weight.grad is not None


def test_loading_leaves_the_global_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    load_nanodet(WEIGHTS)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("frame", "size"),
    [((360, 640), 416), ((480, 854), 416), ((720, 1280), 640), ((1080, 1920), 960)],
)
def test_of_a_larger_frame_the_network_sees_more(frame: tuple[int, int], size: int) -> None:
    image = np.random.default_rng(0).integers(0, 255, (*frame, 3), np.uint8)
    (own,), (same,) = (load_nanodet(WEIGHTS, size=given).detect([image]) for given in (None, size))
    assert torch.equal(own.boxes, same.boxes)
    upright = np.ascontiguousarray(image.transpose(1, 0, 2))
    (own,), (same,) = (
        load_nanodet(WEIGHTS, size=given).detect([upright]) for given in (None, size)
    )
    assert torch.equal(own.boxes, same.boxes)


def test_the_largest_size_chosen() -> None:
    assert size_for(7680, 4320) == size_for(1920, 1080) == 960


@pytest.mark.parametrize("size", [0, -32, 400])
def test_size_must_be_a_multiple_of_32(size: int) -> None:
    with pytest.raises(ConfigError, match="multiple of 32"):
        load_nanodet(WEIGHTS, size=size)


def small_file(path: Path, **metadata: str) -> Path:
    """A weights file of one tensor, so of the wrong shapes, with good metadata but for changes."""
    good = {"architecture": "nanodet-g", "classes": '["cat"]', "calibration": "[2.0, 0.5]"}
    write_safetensors(path, {"stem": torch.zeros(2)}, good | metadata)
    return path


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "do not fit NanoDet, first backbone.stem.conv.weight: missing"),
        ({"architecture": "resnet"}, "architecture resnet, not nanodet-g"),
        ({"classes": "cat"}, "without proper classes"),
        ({"classes": '["cat", "cat"]'}, "without proper classes"),
        ({"calibration": "[-1, 0]"}, "without proper classes and calibration"),
        ({"calibration": "[1]"}, "without proper classes and calibration"),
    ],
)
def test_refuses_a_file_that_is_not_nanodet(
    tmp_path: Path, metadata: dict[str, str], message: str
) -> None:
    with pytest.raises(WeightsError, match=message) as caught:
        load_nanodet(small_file(tmp_path / "other.safetensors", **metadata))
    assert "\n" not in str(caught.value)
