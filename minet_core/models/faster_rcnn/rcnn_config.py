"""What tells one Faster R-CNN of minet from another: nothing but these numbers.

Nothing here imports torch.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any

from minet_core.errors import ConfigError

BACKBONES = ("resnet101", "resnet50", "tiny")


@dataclass(frozen=True, slots=True)
class RcnnConfig:
    """The paper's network (§IV-B.1); its numbers are the defaults.

    Sides and sizes are in pixels of the picture as the network sees it.

    Attributes:
        architecture: name of the model, kept with its weights.
        backbone: one of `BACKBONES`.
        frozen: first parts of the backbone that keep ImageNet's weights, as is usual with
            batches of two: conv1 is one part, conv2 … conv5 are one each.
        shorter: shorter side a picture is scaled to (§IV-B.2), both in training and after.
        longer: longer side that it may not exceed by that.
        anchors: sides of the square anchors.
        ratios: height : width of the anchors of each size.
        kernel: long side of the large separable convolutions.
        separable: channels between the two halves of such a convolution; the paper gives no
            figure.
        reduced: channels that regions are cut from, in either head.
        cells: rows, and columns, that a region is cut into.
        samples: rows, and columns, of points whose mean is the value of such a cell.
        hidden: units of the two layers of the detect head.
        identify_hidden: units of the layer before an embedding.
        embedding: length D of an embedding.
        embedding_norm: L2 norm of every embedding. λ of Eq. 1 is added to sums of squares of
            embeddings, so it means something only beside a fixed scale.
        candidates: best anchors of a picture that enter the suppression of proposals.
        proposals: regions of a picture that are left after it (§IV-B.3).
        proposal_nms: its IoU (§IV-B.3).
        rois: regions of a picture that train the detect head (§IV-B.2).
        roi_share: most of them, as a share, that are objects (§IV-B.2: 1 : 3).

    Raises:
        ConfigError: there is no such backbone.
    """

    architecture: str = "minet-r101"
    backbone: str = "resnet101"
    frozen: int = 2
    shorter: int = 600
    longer: int = 1000
    anchors: tuple[int, ...] = (64, 128, 256, 512)
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    kernel: int = 15
    separable: int = 256
    reduced: int = 256
    cells: int = 7
    samples: int = 2
    hidden: int = 1024
    identify_hidden: int = 512
    embedding: int = 128
    embedding_norm: float = 1.0
    candidates: int = 6000
    proposals: int = 300
    proposal_nms: float = 0.7
    rois: int = 128
    roi_share: float = 0.25

    def __post_init__(self) -> None:
        if self.backbone not in BACKBONES:
            raise ConfigError(f"there is no backbone {self.backbone!r}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "RcnnConfig":
        """What `to_dict` gave, also after a way through JSON.

        Raises:
            ConfigError: a value is missing, unknown or of another type.
        """
        defaults = cls().to_dict()
        if values.keys() != defaults.keys():
            names = ", ".join(sorted(values.keys() ^ defaults.keys()))
            raise ConfigError(f"settings of the network that are missing or unknown: {names}")
        kept: dict[str, Any] = {}
        for field in fields(cls):
            value = values[field.name]
            kept[field.name] = tuple(value) if isinstance(value, list) else value
            if type(kept[field.name]) is not type(defaults[field.name]):
                raise ConfigError(f"setting {field.name} of the network cannot be {value!r}")
        return cls(**kept)


RCNN_CONFIGS = {
    "minet-r101": RcnnConfig(),
    "minet-r50": RcnnConfig(architecture="minet-r50", backbone="resnet50"),
    "minet-tiny": RcnnConfig(
        architecture="minet-tiny",
        backbone="tiny",
        frozen=0,
        shorter=240,
        longer=320,
        anchors=(16, 32, 64, 128),
        kernel=9,
        separable=32,
        reduced=32,
        cells=5,
        samples=1,
        hidden=256,
        identify_hidden=256,
        candidates=1000,
    ),
}
"""The networks that `minet train` can train, by name.

With 30 classes minet-r101 has 95.3 million parameters (backbone 42.4, region proposals 9.5, detect
head 31.6, identify head 11.8) and minet-r50 has 76.4. minet-tiny has 0.85, and is for small
pictures, with objects of 15 to 150 pixels: it learns toy videos on a CPU.
"""
