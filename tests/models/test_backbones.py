"""conv4 and conv5 as the paper has them, and ImageNet weights from torchvision."""

from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from torch import nn
from torchvision.models import ResNet50_Weights, resnet50
from torchvision.ops import FrozenBatchNorm2d

from minet_core.errors import WeightsError
from minet_core.models.faster_rcnn.backbones import Backbone, build_backbone, load_imagenet
from minet_core.models.faster_rcnn.network import FasterRcnn, build_rcnn
from minet_core.models.faster_rcnn.rcnn_config import RCNN_CONFIGS

WEIGHTS = ResNet50_Weights.IMAGENET1K_V1


@pytest.fixture(scope="module")
def resnet() -> Backbone:
    torch.manual_seed(0)
    return build_backbone("resnet50")


def test_conv5_of_a_resnet_keeps_the_grid_of_conv4(resnet: Backbone) -> None:
    with torch.no_grad():
        conv4, conv5 = resnet(torch.rand(1, 3, 64, 96))
    assert conv4.shape == (1, 1024, 4, 6)
    assert conv5.shape == (1, 2048, 4, 6)
    assert resnet.stride == 16


def test_a_deep_resnet_with_random_weights_does_not_explode() -> None:
    with torch.no_grad():
        _, conv5 = build_backbone("resnet101")(torch.rand(1, 3, 64, 96))
    assert 0 < conv5.std() < 10


def test_every_3x3_convolution_of_conv5_is_dilated_by_2(resnet: Backbone) -> None:
    wide = [m for m in resnet.stages[4].modules() if isinstance(m, nn.Conv2d)]
    wide = [m for m in wide if m.kernel_size == (3, 3)]
    assert len(wide) == 3
    assert all(m.dilation == m.padding == (2, 2) and m.stride == (1, 1) for m in wide)


def test_conv4_has_twelve_anchors_a_cell() -> None:
    with torch.device("meta"):
        model = FasterRcnn(RCNN_CONFIGS["minet-r101"], ("a",) * 30)
    assert model.proposals.network.head.cls_logits.out_channels == 12
    sides = model.proposals.network.anchor_generator.cell_anchors[0]
    areas = (sides[:, 2] - sides[:, 0]) * (sides[:, 3] - sides[:, 1])
    expected = torch.tensor([64.0, 128, 256, 512] * 3) ** 2
    torch.testing.assert_close(areas, expected, rtol=0.02, atol=0)


def test_first_parts_of_a_resnet_and_its_norms_are_frozen() -> None:
    with torch.device("meta"):
        model = FasterRcnn(RCNN_CONFIGS["minet-r50"], ("a",))
    stages = model.backbone.stages
    assert not any(p.requires_grad for stage in stages[:2] for p in stage.parameters())
    assert all(p.requires_grad for stage in stages[2:] for p in stage.parameters())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in model.modules())
    assert any(isinstance(m, FrozenBatchNorm2d) for m in model.modules())


def test_tiny_needs_no_batch_statistics_and_keeps_the_grid_too() -> None:
    tiny = build_backbone("tiny")
    conv4, conv5 = tiny(torch.rand(2, 3, 48, 64))
    assert conv4.shape[2:] == conv5.shape[2:] == (48 // tiny.stride, 64 // tiny.stride)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in tiny.modules())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torch's folder of downloads, empty, on a machine without a network."""

    def refuse(*_: object, **__: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_imagenet_weights_land_where_they_belong(cache: Path) -> None:
    torch.manual_seed(1)
    original = resnet50(weights=None).eval()
    torch.save(original.state_dict(), cache / Path(WEIGHTS.url).name)
    model = build_rcnn(RCNN_CONFIGS["minet-r50"], ("a",), imagenet=True)
    picture = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        conv4, conv5 = model.backbone(picture)
        there = original.maxpool(original.relu(original.bn1(original.conv1(picture))))
        there = original.layer3(original.layer2(original.layer1(there)))
    torch.testing.assert_close(conv4, there, rtol=1e-3, atol=1e-3)
    stages: Any = model.backbone.stages
    torch.testing.assert_close(stages[4][2].conv3.weight, original.layer4[2].conv3.weight)
    assert conv5.shape == (1, 2048, 2, 2)


def test_without_a_network_one_line_says_where_from(
    resnet: Backbone, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(WeightsError, match="no route to host") as error:
        load_imagenet(resnet, "resnet50")
    assert "\n" not in str(error.value)
    assert capsys.readouterr().out == ""
    assert not any(cache.iterdir())


def test_a_damaged_download_is_one_line_that_names_the_file(resnet: Backbone, cache: Path) -> None:
    file = cache / Path(WEIGHTS.url).name
    file.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(WeightsError, match="damaged, delete it") as error:
        load_imagenet(resnet, "resnet50")
    assert str(error.value).startswith(str(file))
    assert "\n" not in str(error.value)


def test_a_tiny_network_begins_without_imagenet(cache: Path) -> None:
    build_rcnn(RCNN_CONFIGS["minet-tiny"], ("a",), imagenet=True)
    assert not any(cache.iterdir())
