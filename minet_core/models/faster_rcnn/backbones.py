"""Backbones of the Faster R-CNN: a picture in, the features of conv4 and of conv5 out.

Whatever the backbone, conv5 lies on the grid of conv4: it widens what a cell sees by dilation
instead of stride (§IV-B.1). So boxes of one stride serve the region proposals on conv4 and the
heads on conv5.
"""

import torchvision
from torch import Tensor, nn
from torchvision.models import ResNet, get_weight
from torchvision.models.resnet import Bottleneck
from torchvision.ops import FrozenBatchNorm2d

from minet_core.models.pretrained import State, load_pretrained

IMAGENET = {
    "resnet50": "ResNet50_Weights.IMAGENET1K_V1",
    "resnet101": "ResNet101_Weights.IMAGENET1K_V1",
}
"""Backbones that torchvision has weights for, and the name of these."""


class Backbone(nn.Module):
    """conv1 … conv5 in a row.

    Attributes:
        stages: the five parts.
        stride: pixels to a cell, of conv4 and conv5 alike; pictures are multiples of it.
        channels4: of conv4.
        channels5: of conv5.
    """

    def __init__(self, stages: list[nn.Module], stride: int, channels4: int, channels5: int):
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.stride, self.channels4, self.channels5 = stride, channels4, channels5

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """conv4 and conv5, (B, channels, H / stride, W / stride), of (B, 3, H, W) pictures."""
        for stage in self.stages[:3]:
            pictures = stage(pictures)
        conv4: Tensor = self.stages[3](pictures)
        return conv4, self.stages[4](conv4)

    def freeze(self, parts: int) -> None:
        """Leave the first parts as they are: their weights get no gradient."""
        for stage in self.stages[:parts]:
            stage.requires_grad_(False)


def build_backbone(name: str) -> Backbone:
    """One of `BACKBONES`, with random weights."""
    return _tiny() if name == "tiny" else _resnet(name)


def load_imagenet(backbone: Backbone, name: str) -> None:
    """Put torchvision's ImageNet weights into a ResNet; they are downloaded when first needed.

    Raises:
        WeightsError: they cannot be downloaded, or are damaged.
    """
    load_pretrained(backbone, get_weight(IMAGENET[name]), _stages_of)


def _resnet(name: str) -> Backbone:
    network: ResNet = getattr(torchvision.models, name)(
        weights=None,
        norm_layer=FrozenBatchNorm2d,
        replace_stride_with_dilation=[False, False, True],
    )
    # torchvision leaves the first block of the stage undilated, the paper dilates each.
    first = network.layer4[0].conv2
    first.dilation = first.padding = (2, 2)
    for module in network.modules():
        if isinstance(module, Bottleneck):
            # Random weights whose norms nobody has measured: without this, sums overflow.
            module.bn3.weight.fill_(0.2)
    conv1 = nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool)
    stages = [conv1, network.layer1, network.layer2, network.layer3, network.layer4]
    return Backbone(stages, stride=16, channels4=1024, channels5=2048)


def _stages_of(state: State) -> State:
    """torchvision's names of a ResNet's tensors as those of `Backbone`; without the classifier."""
    parts = {"conv1": "stages.0.0", "bn1": "stages.0.1"}
    parts |= {f"layer{number}": f"stages.{number}" for number in range(1, 5)}
    renamed = {}
    for name, tensor in state.items():
        part, _, rest = name.partition(".")
        if part in parts:
            renamed[f"{parts[part]}.{rest}"] = tensor
    return renamed


def _tiny() -> Backbone:
    """Stride 8 and 64 channels: for small pictures, and to learn from nothing in minutes."""
    stages: list[nn.Module] = [
        nn.Sequential(_conv3(3, 16, 2, 1), nn.GroupNorm(4, 16), nn.ReLU(inplace=True)),
        nn.Sequential(_conv3(16, 32, 2, 1), nn.GroupNorm(8, 32), nn.ReLU(inplace=True)),
        Residual(32, 64, stride=2),
        Residual(64, 64),
        Residual(64, 64, dilation=2),
    ]
    return Backbone(stages, stride=8, channels4=64, channels5=64)


class Residual(nn.Module):
    """Two 3×3 convolutions beside a shortcut.

    GroupNorm: with two pictures a step the statistics of a batch norm would be worth little.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv1 = _conv3(inputs, outputs, stride, dilation)
        self.norm1 = nn.GroupNorm(8, outputs)
        self.conv2 = _conv3(outputs, outputs, 1, dilation)
        self.norm2 = nn.GroupNorm(8, outputs)
        self.shortcut = (
            nn.Identity()
            if stride == 1 and inputs == outputs
            else nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        inner = self.norm1(self.conv1(x)).relu()
        both: Tensor = self.norm2(self.conv2(inner)) + self.shortcut(x)
        return both.relu()


def _conv3(inputs: int, outputs: int, stride: int, dilation: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False)
