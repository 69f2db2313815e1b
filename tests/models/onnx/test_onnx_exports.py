"""Networks that are at hand, exported by torch.onnx, against the same networks in torch."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.models.detection import ssdlite320_mobilenet_v3_large
from torchvision.ops import nms

from minet_core.models.detector import Frame
from minet_core.models.nanodet.detector import (
    NanoDetDetector,
    cell_centres,
    decode_boxes,
    load_nanodet,
)
from minet_core.models.nanodet.network import NanoDet, read_nanodet
from minet_core.models.onnx.detector import load_onnx
from minet_core.models.weight_files import detector_file
from minet_core.models.weights import read_safetensors

HEIGHT, WIDTH = 320, 416
PREPARED = """
resize = "letterbox"
interpolation = "antialias"
order = "bgr"
mean = [103.53, 116.28, 123.675]
std = [57.375, 57.12, 58.395]
padding = [103.53, 116.28, 123.675]
place = "corner"
calibration = [2.5, 0.65]
classes = "coco"
"""


class EndToEnd(nn.Module):
    """NanoDet with its decoding and a class-agnostic suppression in the graph."""

    def __init__(self, network: NanoDet) -> None:
        super().__init__()
        self.network = network
        self.centres, self.strides = cell_centres(HEIGHT, WIDTH)

    def forward(self, pictures: Tensor) -> Tensor:
        logits, distances = self.network(pictures)
        boxes = decode_boxes(distances[0], self.centres, self.strides)
        scores, labels = logits[0].sigmoid().max(dim=1)
        kept = nms(boxes, scores, 0.7)[:300]
        rows = (boxes[kept], scores[kept, None], labels[kept, None].float())
        return torch.cat(rows, dim=1)[None]


def export(model: nn.Module, path: Path, picture: tuple[int, ...], outputs: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no further package is the old one
        torch.onnx.export(
            model.eval(),
            (torch.rand(picture),),
            path,
            input_names=["images"],
            output_names=outputs,
            dynamo=False,
        )


@pytest.fixture(scope="module")
def bundled() -> NanoDetDetector:
    return load_nanodet(detector_file("minet-nano"))


@pytest.fixture(scope="module")
def network() -> NanoDet:
    path = detector_file("minet-nano")
    return read_nanodet(path, 80, read_safetensors(path)[1])


@pytest.fixture
def frame() -> Frame:
    """Coarse noise: something to see at every scale, and no border that is like another."""
    coarse = np.random.default_rng(1).integers(0, 256, (15, 20, 3), np.uint8)
    return np.ascontiguousarray(coarse.repeat(32, axis=0).repeat(32, axis=1))


def test_nanodet_with_its_heads_as_they_are(
    bundled: NanoDetDetector, network: NanoDet, frame: Frame, tmp_path: Path
) -> None:
    path = tmp_path / "raw.onnx"
    export(network, path, (1, 3, HEIGHT, WIDTH), ["scores", "distances"])
    path.with_name("raw.onnx.toml").write_text(PREPARED)
    detector = load_onnx(path)
    assert detector.recognised.layout.name == "nanodet"
    assert detector.classes == bundled.classes
    ours, theirs = detector.detect([frame])[0], bundled.detect([frame])[0]
    np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=1e-3)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)


def test_nanodet_end_to_end(
    bundled: NanoDetDetector, network: NanoDet, frame: Frame, tmp_path: Path
) -> None:
    path = tmp_path / "end2end.onnx"
    export(EndToEnd(network), path, (1, 3, HEIGHT, WIDTH), ["output0"])
    path.with_name("end2end.onnx.toml").write_text(PREPARED)
    detector = load_onnx(path)
    assert detector.recognised.layout.name == "end2end"
    ours, theirs = detector.detect([frame])[0], bundled.detect([frame])[0]
    best = theirs.scores.max(dim=1)
    sure = (best.values > 1e-3).nonzero().flatten()
    assert len(sure) > 5
    for row in sure.tolist():
        same = (ours.boxes - theirs.boxes[row]).abs().amax(dim=1).argmin()
        np.testing.assert_allclose(ours.boxes[same], theirs.boxes[row], atol=1e-3)
        label = best.indices[row]
        assert abs(float(ours.scores[same, label] - theirs.scores[row, label])) < 1e-4


def test_torchvision_ssdlite(frame: Frame, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = ssdlite320_mobilenet_v3_large(
        weights=None,
        weights_backbone=None,
        num_classes=4,
        score_thresh=0.4,
        detections_per_img=20,
        topk_candidates=20,
    ).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):  # as torchvision leaves them, all scores are the same
            nn.init.kaiming_normal_(module.weight)
    path = tmp_path / "ssdlite.onnx"
    export(network, path, (1, 3, 480, 640), ["boxes", "scores", "labels"])
    path.with_name("ssdlite.onnx.toml").write_text('classes = ["a", "b", "c"]')
    detector = load_onnx(path)
    assert detector.recognised.layout.name == "torchvision"
    with torch.no_grad():
        expected = network([torch.from_numpy(frame).permute(2, 0, 1) / 255])[0]
    found = detector.detect([frame])[0]
    there = found.scores.amax(dim=1) > 0
    assert len(expected["boxes"]) == int((found.scores > 0).sum()) > 5
    for box, label, score in zip(
        *(expected[k] for k in ("boxes", "labels", "scores")), strict=True
    ):
        off = (found.boxes[there] - box).abs().amax(dim=1) + (
            found.scores[there][:, label - 1] - score
        ).abs()
        assert off.min() < 1e-2
