"""Options of an evaluation, and the variants of the memory to compare."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from types import NoneType
from typing import Any, get_args, get_type_hints

from minet_core.config import MemoryConfig
from minet_core.errors import ConfigError
from minet_core.evaluation.matching import ApProtocol
from minet_core.evaluation.precision.motion_precision import MotionRule
from minet_core.inference.offline import seq_nms, tube_link
from minet_core.inference.score_frames import ScoredFrame
from minet_core.options import MIN_SCORE
from minet_core.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class Offline:
    """Methods that run after a whole video; see `minet_core.inference.offline`.

    Attributes:
        bidirectional: merge the memory's pass with one from the end to the beginning (MINetΔ).
        seq_nms: link boxes over time and give them their mean score.
        tube_link: likewise, by tubes.

    Raises:
        ConfigError: both linking methods are set.
    """

    bidirectional: bool = False
    seq_nms: bool = False
    tube_link: bool = False

    def __post_init__(self) -> None:
        if self.seq_nms and self.tube_link:
            raise ConfigError("seq-nms and tube-link do not go together: each gives final scores")

    def __bool__(self) -> bool:
        """Whether any method is set."""
        return self.bidirectional or self.seq_nms or self.tube_link

    def linked(self, frames: Sequence[ScoredFrame]) -> Sequence[ScoredFrame]:
        """A video's frames, ascending, with the scores after linking."""
        if self.seq_nms:
            return seq_nms(frames)
        return tube_link(frames) if self.tube_link else frames


@dataclass(frozen=True, slots=True)
class EvalOptions:
    """The metrics to compute, and their settings.

    Attributes:
        protocol: of average precision.
        motion: whether to score slow, medium and fast objects separately.
        motion_rule: rule that weights the false positives of a motion group.
        tracking: whether to compute HOTA, CLEAR and IDF1.
        score: minimum score of a shown detection; tracking, track recall and fragmentations
            depend on it.
        offline: methods that run after a whole video.

    Raises:
        ConfigError: the score is not from 0 to 1, or the metrics exclude each other.
    """

    protocol: ApProtocol = ApProtocol.VOC50
    motion: bool = False
    motion_rule: MotionRule = MotionRule.MEGA
    tracking: bool = False
    score: float = MIN_SCORE
    offline: Offline = Offline()

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ConfigError(f"the score must be from 0 to 1, not {self.score}")
        if self.motion and self.protocol is ApProtocol.COCO:
            raise ConfigError("motion groups are defined under voc50 and devkit, not under coco")


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run a model; all variants see the same base detections and features.

    Attributes:
        name: for tables.
        memory: its settings; None for the plain detector.
        trained: whether it runs the second model, trained with the meta loss.
        offline: methods that run after a whole video, for this variant only.
    """

    name: str
    memory: MemoryConfig | None
    trained: bool = False
    offline: Offline = Offline()


WITH = "with memory"
WITHOUT = "without memory"


def with_and_without(memory: MemoryConfig) -> tuple[Variant, ...]:
    """The default comparison."""
    return Variant(WITH, memory), without()


def without() -> Variant:
    """The plain detector with class-wise suppression."""
    return Variant(WITHOUT, None)


def ablation(
    memory: MemoryConfig, *, trained: bool, fc6: bool = False, fgfa: bool = False
) -> tuple[Variant, ...]:
    """Table III; (b) and (d) only with a second model, trained with the meta loss.

    Args:
        memory: its settings.
        trained: whether there is a second model.
        fc6: whether (c) takes its embeddings from the detect head.
        fgfa: whether the models aggregate frames; then (a) is the paper's row FGFA of §IV-H, and
            (d) its row FGFA + MINet.
    """
    rows: tuple[Variant, ...] = (
        Variant("(a) no memory", None),
        Variant("(b) no memory, trained", None, trained=True),
        Variant("(c) memory, fc6" if fc6 else "(c) memory, untrained", memory),
        Variant("(d) memory, trained", memory, trained=True),
    )
    if fgfa:
        names = ("(a) FGFA", "(b) FGFA, trained", "(c) FGFA + memory", "(d) FGFA + MINet")
        rows = tuple(replace(row, name=name) for row, name in zip(rows, names, strict=True))
    return tuple(row for row in rows if trained or not row.trained)


def comparisons(variants: Sequence[Variant]) -> tuple[tuple[str, str], ...]:
    """(variant, its reference), by name.

    Memory is compared with the same model without memory. A trained model, without and with memory,
    is compared with the untrained model without memory. Of several memories of a trained model,
    only the first is compared.
    """
    plain = {variant.trained: variant.name for variant in variants if variant.memory is None}
    pairs = []
    kinds = set()
    for variant in variants:
        kind = variant.trained, variant.memory is not None
        if variant.trained and kind in kinds:
            continue
        kinds.add(kind)
        own = plain.get(variant.trained) if variant.memory else None
        references = dict.fromkeys((own, plain.get(False) if variant.trained else None))
        pairs += [(variant.name, name) for name in references if name is not None]
    return tuple(pairs)


def sweep(text: str, memory: MemoryConfig) -> tuple[Variant, ...]:
    """The plain detector, and the memory with one of its settings varied (Table V).

    Args:
        text: such as `decay=1,0.95,0.9`; any field of `MemoryConfig` with a single value.
        memory: the other settings.

    Raises:
        ConfigError: the setting or a value is unknown.
    """
    name, _, values = text.partition("=")
    name = name.strip()
    known = [field.name for field in fields(MemoryConfig)]
    if name not in known:
        hint = did_you_mean(name, known) or f" (known: {', '.join(known)})"
        raise ConfigError(f"the memory has no setting {name!r}{hint}")
    words = list(dict.fromkeys(word for part in values.split(",") if (word := part.strip())))
    if not words:
        raise ConfigError(f"a sweep needs values separated by commas: {name}=1,0.95")
    hint_of = get_type_hints(MemoryConfig)[name]
    varied = (replace(memory, **{name: _value(name, word, hint_of)}) for word in words)
    return (
        without(),
        *(Variant(f"{name}={w}", config) for w, config in zip(words, varied, strict=True)),
    )


def _value(name: str, word: str, kind: Any) -> Any:
    """A word as a value of a setting's type, such as `float | None`."""
    kinds = get_args(kind) or (kind,)
    if word.lower() in {"none", "off"} and (NoneType in kinds or bool in kinds):
        return None if NoneType in kinds else False
    try:
        if bool in kinds:
            return {"true": True, "on": True, "false": False}[word.lower()]
        if int in kinds:
            return int(word)
        if float in kinds and math.isfinite(number := float(word)):
            return number
    except (KeyError, ValueError):
        pass
    raise ConfigError(f"{word!r} is not a value of the setting {name}")
