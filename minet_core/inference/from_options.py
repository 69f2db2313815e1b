"""Make an online detector from options."""

from dataclasses import replace

from minet_core.config import PRESETS, MemoryConfig
from minet_core.datasets.vocabulary import DEFAULT_TABLE
from minet_core.errors import ConfigError
from minet_core.inference.online import OnlineDetector
from minet_core.inference.prompted.planting import NO_PLANTING, Planting, planting
from minet_core.inference.prompted.prompts import following, read_first_boxes
from minet_core.inference.timings import StageClock
from minet_core.models.zoo import Model
from minet_core.options import MIN_SCORE, DetectOptions
from minet_core.suggest import did_you_mean


def online_detector(
    model: Model,
    options: DetectOptions,
    clock: StageClock | None = None,
    plan: Planting = NO_PLANTING,
) -> OnlineDetector:
    """The model with the memory of the options, before its first frame.

    Raises:
        ConfigError: the model lacks a requested class.
        InputError: the file of first boxes cannot be read.
    """
    config = reporting(PRESETS[options.preset], options.score)
    if options.first_boxes is not None:
        plan = planting(read_first_boxes(options.first_boxes).anchors, model, only=True)
    if plan.only:
        config = following(config)
    return OnlineDetector(
        model,
        config if options.memory else None,
        # The user's objects exist, whatever the detector's score.
        score=0.0 if plan.only else options.score,
        keep=label_ids(options.classes, model.classes),
        clock=clock,
        vectors=options.score_vectors,
        plan=plan,
        link=options.link,
    )


def reporting(config: MemoryConfig, score: float) -> MemoryConfig:
    """The settings for this minimum score to report.

    A minimum below the default also allows weaker tracks. Otherwise a detector with low scores
    would have no tracks.
    """
    rule = config.existence
    if rule is None:
        return config
    wanted = rule.threshold * score / MIN_SCORE
    return replace(config, existence=replace(rule, threshold=min(rule.threshold, wanted)))


def label_ids(names: tuple[str, ...], known: tuple[str, ...]) -> frozenset[int] | None:
    """Label ids of class names, None for no names.

    Raises:
        ConfigError: the model has no such class; the message suggests the nearest.
    """
    for name in names:
        if name not in known:
            same = [other for other in DEFAULT_TABLE.get(name, ()) if other in known]
            hint = f"; it says {same[0]!r}" if same else did_you_mean(name, known)
            raise ConfigError(f"the model has no class {name!r}{hint}")
    return frozenset(known.index(name) for name in names) if names else None
