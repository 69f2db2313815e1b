"""Every setting of a training and its default: the paper's, where the paper gives one (§IV-B.2).

A training depends only on these and the data: two runs with the same settings and data draw the
same pairs and episodes, for any number of processes.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from minet_core.config import NOISE, NOISE_READINGS
from minet_core.errors import ConfigError
from minet_core.models.weight_files import IDENTIFY as IDENTIFY_PREFIX
from minet_core.models.weight_files import architecture_of
from minet_core.options import setting
from minet_core.suggest import did_you_mean

PARTS = ("all", "identify")
PRECISIONS = ("none", "bf16", "fp16")
OPTIMIZERS = ("sgd", "adamw")


def _check_name(kind: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        hint = did_you_mean(name, known) or f" (known: {', '.join(known)})"
        raise ConfigError(f"unknown {kind} {name!r}{hint}")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Settings of a training, each with its help text.

    Raises:
        ConfigError: a name is unknown, or a number out of range.
    """

    model: str = setting("minet-r101", "Model name, or a .safetensors file to start from.")
    data: tuple[tuple[str, float], ...] = setting(
        (), "Datasets to train on: KIND:PATH and a weight, how often each is drawn."
    )
    val: str | None = setting(None, "KIND:PATH of the validation dataset.")
    imagenet: bool = setting(True, "Whether a new backbone starts with torchvision's weights.")
    train: str = setting("all", "What to train: all, or identify for the identify head only.")
    network: tuple[tuple[str, Any], ...] = setting(
        (), "Changed settings of the Faster R-CNN, such as network.proposals=600."
    )
    frozen: int = setting(0, "First stages of the identify network's backbone that stay frozen.")
    meta: bool = setting(True, "Whether to meta-learn identifiers; off for row (a) of Table III.")
    seed: int = setting(0, "Seed of everything random.")

    steps: int = setting(130_000, "Steps of the optimiser (§IV-B.2).")
    batch: int = setting(4, "Pairs of frames in a step, over all processes (§IV-B.2).")
    optimizer: str = setting("sgd", "sgd (§IV-B.2) or adamw.")
    lr: float = setting(1e-3, "Learning rate (§IV-B.2).")
    milestones: tuple[int, ...] = setting(
        (80_000, 120_000), "Steps after which the learning rate is divided by ten (§IV-B.2)."
    )
    warmup: int = setting(0, "Steps in which the learning rate rises to its full value.")
    momentum: float = setting(0.9, "Momentum of SGD (§IV-B.2), β1 of AdamW.")
    weight_decay: float = setting(1e-4, "Weight decay (§IV-B.2).")
    clip: float | None = setting(None, "Maximum norm of the gradient; none: no clipping.")
    ema: float | None = setting(
        None, "Decay of a moving average of the weights; the average is evaluated and saved."
    )
    amp: str = setting("none", "Precision of the network: none (float32), bf16 or fp16.")
    channels_last: bool = setting(False, "Memory order that is faster on some devices.")

    max_gap: int = setting(30, "T: maximum frames between the two of a pair (§IV-B.2).")
    neighbours: int = setting(
        0, "Neighbours of each frame, for networks that aggregate frames (FGFA: 2)."
    )
    neighbour_gap: int = setting(9, "Maximum frames from a frame to its neighbours (FGFA: 9).")
    shorter: int | None = setting(
        None, "Pixels of a picture's shorter side; none: the network's own (§IV-B.2: 600)."
    )
    longer: int | None = setting(None, "Maximum pixels of its longer side (§IV-B.2: 1000).")
    flip: float = setting(0.5, "Share of pairs that are mirrored, 0–1.")
    colour: float = setting(0.0, "Maximum change of brightness, contrast and saturation, 0–1.")
    cropped: float = setting(0.5, "Share of views of stills that are cropped, 0–1.")
    crop: float = setting(0.6, "Minimum share of a still's sides that a crop keeps.")

    targets: int = setting(1, "Maximum objects of a pair to learn an identifier of.")
    positives: int = setting(32, "Positive samples of a support or query set (§IV-B.2: 128, 1:3).")
    negatives: int = setting(96, "Negative samples of a support or query set.")
    others: float = setting(0.0, "Share of the negatives taken around other objects of the frame.")
    positive_iou: float = setting(0.7, "Overlap above which a sample is positive (§III-B.1).")
    negative_iou: float = setting(0.5, "Overlap below which a sample is negative (§III-B.1).")
    noise: tuple[float, ...] = setting(NOISE, "Noise levels of samples (§III-D.1).")
    noise_is: str = setting(
        "deviation",
        "Meaning of the noise levels: deviation, σ·√(w·h) as in ATOM's code, or variance, as "
        "printed.",
    )
    ridge: float = setting(0.1, "λ of Eq. 1 (§IV-B.2).")
    meta_ramp: int = setting(0, "Steps in which the weight of the meta loss rises to 1.")

    save_every: int = setting(1000, "Steps from one checkpoint to the next.")
    eval_every: int = setting(10_000, "Steps from one validation on --val to the next.")
    val_frames: int | None = setting(
        None, "Maximum frames for validation, from the beginnings of the videos; none: all."
    )
    workers: int = setting(2, "Threads of each process that read pictures.")
    threads: int | None = setting(
        None, "Threads of each process that compute; none: torch's number, kept when resumed."
    )
    tensorboard: bool = setting(False, "Also write each step's numbers for TensorBoard.")

    def __post_init__(self) -> None:
        _check_name("part to train", self.train, PARTS)
        _check_name("precision", self.amp, PRECISIONS)
        _check_name("optimiser", self.optimizer, OPTIMIZERS)
        _check_name("reading of the noise", self.noise_is, NOISE_READINGS)
        for name, least in _LEAST.items():
            if not getattr(self, name) >= least:  # so that NaN fails too
                raise ConfigError(f"{name} must be at least {least}, not {getattr(self, name)}")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must be from 0 to 1, not {getattr(self, name)}")
        for name in ("lr", "ridge", "crop"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be more than 0, not {getattr(self, name)}")
        for name in ("clip", "val_frames", "shorter", "longer", "threads"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"{name} must be more than 0 or none, not {value}")
        self._check_together()

    def _check_together(self) -> None:
        if self.ema is not None and not 0 < self.ema < 1:
            raise ConfigError(f"ema must be between 0 and 1 or none, not {self.ema}")
        if any(not weight > 0 for _, weight in self.data):
            raise ConfigError("the weight of a dataset must be more than 0")
        if not self.noise or min(self.noise) <= 0:
            raise ConfigError("the noise must be at least one number, and each more than 0")
        if self.train == "identify" and not self.meta:
            raise ConfigError("without the meta loss there is nothing to train the identify head")


_LEAST = {
    **dict.fromkeys(("steps", "batch", "max_gap", "targets", "positives", "negatives"), 1),
    **dict.fromkeys(("save_every", "eval_every", "workers", "neighbour_gap"), 1),
    **dict.fromkeys(("seed", "warmup", "momentum", "weight_decay", "frozen"), 0),
    **dict.fromkeys(("meta_ramp", "neighbours"), 0),
}
_SHARES = ("flip", "colour", "cropped", "crop", "others", "positive_iou", "negative_iou")

PAPER = TrainConfig()
"""The paper's recipe."""

TINY = replace(
    PAPER,
    model="minet-tiny",
    steps=2000,
    batch=1,
    optimizer="adamw",
    lr=1e-3,
    milestones=(1500, 1850),
    warmup=100,
    clip=10.0,
    meta_ramp=300,
    save_every=100,
    eval_every=500,
)
"""For `minet-tiny`, which starts without ImageNet weights, and for the toy dataset.

The weight of the meta loss rises slowly. On a backbone of random weights its gradient is at first
many times the detector's, and would hold the detector back for good.
"""

IDENTIFY = replace(
    PAPER,
    model="identify",
    train="identify",
    frozen=8,
    steps=400,
    optimizer="adamw",
    lr=1e-4,
    milestones=(280, 360),
    warmup=50,
    colour=0.05,
    targets=6,
    others=0.75,
    save_every=100,
    eval_every=100,
)
"""For a separate identify network, beside any detector: the bundled network's recipe."""


FGFA = {
    "minet-fgfa-r101": replace(PAPER, model="minet-fgfa-r101", neighbours=2),
    "minet-fgfa-tiny": replace(TINY, model="minet-fgfa-tiny", neighbours=2),
}
"""For networks that aggregate frames: the same, with FGFA's two neighbours of each frame."""


def recipe(model: str) -> TrainConfig:
    """The default settings for a model, by its name or by the content of its file."""
    name = architecture_of(Path(model)) or model if Path(model).suffix else model
    kind = IDENTIFY.model if name.startswith(IDENTIFY_PREFIX) else name
    if kind in FGFA:
        return replace(FGFA[kind], model=model)
    known = {TINY.model: TINY, IDENTIFY.model: IDENTIFY}
    return replace(known.get(kind, PAPER), model=model)
