"""Half precision, on a CPU as far as that goes: close numbers, and single precision behind them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nanodet_golden import picture
from stub_model import StubDetector, StubEmbedder
from torchvision.models import get_model

from minet_core.errors import ConfigError
from minet_core.models.class_columns import ClassColumns
from minet_core.models.faster_rcnn.detector import RcnnDetector
from minet_core.models.faster_rcnn.network import build_rcnn
from minet_core.models.faster_rcnn.rcnn_config import RCNN_CONFIGS
from minet_core.models.half_precision import half_type, halve, halve_module
from minet_core.models.identify.embedder import IdentifyEmbedder
from minet_core.models.identify.network import ready
from minet_core.models.nanodet.detector import NanoDetDetector, load_nanodet
from minet_core.models.nanodet.network import read_nanodet
from minet_core.models.tiles import TiledDetector
from minet_core.models.torchvision_detectors import OneStageDetector
from minet_core.models.weight_files import DEFAULT_MODEL, detector_file, embedder_file
from minet_core.models.weights import read_safetensors
from minet_core.models.zoo import model_of
from minet_core.options import DetectOptions
from minet_core.runs.manifest import manifest_of


def nanodet() -> NanoDetDetector:
    """The bundled detector in PyTorch."""
    path = detector_file(DEFAULT_MODEL)
    known = load_nanodet(path)
    network = read_nanodet(path, len(known.classes), read_safetensors(path)[1])
    return NanoDetDetector(network, known.classes, known.calibration)


def faster_rcnn() -> RcnnDetector:
    torch.manual_seed(0)
    config = replace(RCNN_CONFIGS["minet-tiny"], shorter=96, longer=128)
    return RcnnDetector(build_rcnn(config, ("disc", "square")))


def retinanet() -> OneStageDetector:
    torch.manual_seed(0)
    model = get_model(
        "retinanet_resnet50_fpn_v2", weights=None, weights_backbone=None, num_classes=3, min_size=64
    )
    return OneStageDetector(model, ClassColumns.of(("__background__", "disc", "square")))


def test_only_an_nvidia_gpu_computes_in_half_precision() -> None:
    assert half_type(torch.device("cuda:1")) == torch.float16
    for device in ("cpu", "mps"):
        with pytest.raises(ConfigError, match=f"{device} computes in single precision"):
            half_type(torch.device(device))


def test_it_is_refused_where_it_cannot_be() -> None:
    with pytest.raises(ConfigError, match="for NVIDIA GPUs"):
        model_of(DetectOptions(half=True, device="cpu"))
    with pytest.raises(ConfigError, match="stub has none"):
        halve("stub", (StubDetector(), StubEmbedder()), torch.device("cuda"))


def test_features_are_close_and_of_single_precision() -> None:
    embedder = IdentifyEmbedder(ready(embedder_file(), "cpu"))
    (backbone,) = embedder.backbones
    pictures = torch.from_numpy(picture()[None]).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        before = backbone(pictures)
        halve_module(backbone, "cpu", torch.float16)
        after = backbone(pictures)
    assert after.dtype == torch.float32
    assert not torch.equal(before, after)
    torch.testing.assert_close(after, before, atol=0.05 * float(before.abs().max()), rtol=0)


def test_sure_boxes_stay_where_they_are() -> None:
    detector = nanodet()
    frame = picture()
    before = detector.detect([frame])[0]
    halve_module(detector.backbones[0], "cpu", torch.float16)
    after = detector.detect([frame])[0]
    sure = before.scores.amax(dim=1) > 0.3
    assert sure.any()
    torch.testing.assert_close(after.boxes[sure], before.boxes[sure], atol=0.5, rtol=0)
    torch.testing.assert_close(after.scores[sure], before.scores[sure], atol=0.02, rtol=0)


@pytest.mark.parametrize("build", [faster_rcnn, retinanet])
def test_other_networks_give_detections_of_single_precision(build: Any) -> None:
    detector: Any = build()
    halve_module(detector.backbones[0], "cpu", torch.float16)
    frame = np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8)
    found = detector.detect([frame])[0]
    assert found.boxes.dtype == found.scores.dtype == torch.float32
    assert len(found.finite()) == len(found) > 0


def test_a_detector_of_crops_is_halved_with_the_one_in_it() -> None:
    detector = nanodet()
    assert TiledDetector(detector, 2).backbones == detector.backbones


def test_results_know_of_it(tmp_path: Path) -> None:
    source = tmp_path / "clip.mp4"
    source.touch()
    single, half = (manifest_of(source, "m", DetectOptions(half=half)) for half in (False, True))
    assert "half" not in single.settings
    assert not half.is_same(single)
