"""What tells one Faster R-CNN of minet from another: nothing but these numbers.

Nothing here imports torch.
"""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from minet_core.errors import ConfigError

BACKBONES = ("resnet101", "resnet50", "tiny")
WARPS = ("none", "correlation", "dis", "raft")
"""How features of neighbouring frames are brought to a frame's; none leaves frames alone."""


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
            embeddings, so it means something only beside a fixed scale; 0 leaves embeddings as
            they come.
        candidates: best anchors of a picture that enter the suppression of proposals.
        proposals: regions of a picture that are left after it (§IV-B.3).
        proposal_nms: its IoU (§IV-B.3).
        rois: regions of a picture that train the detect head (§IV-B.2).
        roi_share: most of them, as a share, that are objects (§IV-B.2: 1 : 3).
        aggregation: one of `WARPS`; with one, features are aggregated over frames (FGFA, §IV-H).
        window: frames before and after that a frame is aggregated with (FGFA: 10 and 10).
        aggregation_widths: channels within the embedding that weighs frames, and of it (FGFA).
        aggregation_keys: length of what the warp `correlation` compares.
        aggregation_reach: cells that it looks to either side.
        half_window: whether the features of neighbours are kept in half precision: with 21
            frames of minet-r101, 0.3 GB instead of 0.6.

    Raises:
        ConfigError: there is no such backbone or warp, or the window is none.
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
    aggregation: str = "none"
    window: tuple[int, ...] = (10, 10)
    aggregation_widths: tuple[int, ...] = (512, 2048)
    aggregation_keys: int = 64
    aggregation_reach: int = 4
    half_window: bool = False

    def __post_init__(self) -> None:
        if self.backbone not in BACKBONES:
            raise ConfigError(f"there is no backbone {self.backbone!r}")
        if self.aggregation not in WARPS:
            raise ConfigError(f"there is no warp {self.aggregation!r} (known: {', '.join(WARPS)})")
        if len(self.window) != 2 or min(self.window) < 0:
            raise ConfigError(f"a window is how many frames before and after, not {self.window}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold; what aggregation added, only where it is used.

        So the files of networks without it are those of earlier versions.
        """
        values = asdict(self)
        if self.aggregation == "none":
            values = {name: value for name, value in values.items() if name not in _ADDED}
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "RcnnConfig":
        """What `to_dict` gave, also after a way through JSON.

        Raises:
            ConfigError: a value is missing, unknown or of another type.
        """
        defaults = asdict(cls())
        values = {**{name: defaults[name] for name in _ADDED}, **values}
        if values.keys() != defaults.keys():
            names = ", ".join(sorted(values.keys() ^ defaults.keys()))
            raise ConfigError(f"settings of the network that are missing or unknown: {names}")
        kept: dict[str, Any] = {}
        for field in fields(cls):
            value = values[field.name]
            kept[field.name] = tuple(value) if isinstance(value, list) else value
            if type(value) is int and isinstance(defaults[field.name], float):
                kept[field.name] = float(value)
            if type(kept[field.name]) is not type(defaults[field.name]):
                raise ConfigError(f"setting {field.name} of the network cannot be {value!r}")
        return cls(**kept)


_ADDED = (
    *("aggregation", "window", "aggregation_widths", "aggregation_keys", "aggregation_reach"),
    "half_window",
)
"""What files of earlier versions do not have."""

_TINY = RcnnConfig(
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
)

RCNN_CONFIGS = {
    "minet-r101": RcnnConfig(),
    "minet-r50": RcnnConfig(architecture="minet-r50", backbone="resnet50"),
    "minet-tiny": _TINY,
    "minet-fgfa-r101": RcnnConfig(architecture="minet-fgfa-r101", aggregation="correlation"),
    "minet-fgfa-tiny": replace(
        _TINY,
        architecture="minet-fgfa-tiny",
        aggregation="correlation",
        window=(4, 4),
        aggregation_widths=(64, 128),
        aggregation_keys=32,
    ),
}
"""The networks that `minet train` can train, by name.

With 30 classes minet-r101 has 95.3 million parameters (backbone 42.4, region proposals 9.5, detect
head 31.6, identify head 11.8) and minet-r50 has 76.4. minet-tiny has 0.85, and is for small
pictures, with objects of 15 to 150 pixels: it learns toy videos on a CPU.
"""


def aggregates(architecture: str | None) -> bool:
    """Whether a network of that name aggregates frames, unless its settings were changed."""
    config = RCNN_CONFIGS.get(architecture or "")
    return config is not None and config.aggregation != "none"
