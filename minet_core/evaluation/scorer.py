"""All metrics of one variant, computed frame by frame."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from minet_core.config import MemoryConfig
from minet_core.evaluation.eval_config import EvalOptions
from minet_core.evaluation.frames import EvalFrame, Floats, TrueBoxes
from minet_core.evaluation.precision.average_precision import ApAccumulator
from minet_core.evaluation.precision.motion_groups import MotionGroup
from minet_core.evaluation.precision.motion_precision import MotionApAccumulator, MotionRule
from minet_core.evaluation.precision.result import ApResult
from minet_core.evaluation.predictions.convert import Found
from minet_core.evaluation.tracks.identities import IdentityConfusion, identity_confusion
from minet_core.evaluation.tracks.metrics import TrackingAccumulator, TrackingResult
from minet_core.evaluation.tracks.score_curves import TrackScoreAccumulator
from minet_core.evaluation.tracks.steadiness import TemporalAccumulator, TemporalResult


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The scores of one variant.

    Attributes:
        memory: the variant's settings by name, None without memory.
        ap: average precision.
        ap_draws: (D,) its mean over classes, on videos drawn at random; empty if not requested, or
            for one video.
        temporal: steadiness along the true tracks.
        motion: average precision by speed, None if not requested.
        motion_rule: rule that weights the false positives there.
        tracking: None if not requested, or without track ids.
        tracks: score of every true track over time.
        identities: predicted ids of true tracks, one per video; empty without `tracking`.
    """

    memory: dict[str, Any] | None
    ap: ApResult
    ap_draws: Floats
    temporal: TemporalResult
    motion: dict[MotionGroup, ApResult] | None
    motion_rule: MotionRule
    tracking: TrackingResult | None
    tracks: TrackScoreAccumulator
    identities: tuple[IdentityConfusion, ...]


class Scorer:
    """Scores videos one by one, frame by frame.

    It keeps the true boxes of a video, and the detections for tracking, until its end.

    Args:
        classes: names, in the order of the class ids.
        options: metrics to compute.
        memory: settings of the memory, None for a plain detector.
        tracks: whether the detections have track ids.

    Raises:
        ConfigError: a metric needs a package that is not installed.
    """

    def __init__(
        self,
        classes: tuple[str, ...],
        options: EvalOptions,
        *,
        memory: MemoryConfig | None,
        tracks: bool,
    ) -> None:
        self._memory = asdict(memory) if memory else None
        self._rule = options.motion_rule
        self._score = options.score
        self._ap = ApAccumulator(classes, options.protocol)
        self._temporal = TemporalAccumulator(classes, options.score)
        self._motion = (
            MotionApAccumulator(classes, options.protocol, options.motion_rule)
            if options.motion
            else None
        )
        self._tracking = TrackingAccumulator(classes) if options.tracking and tracks else None
        self._tracks = TrackScoreAccumulator(classes)
        self._identities: list[IdentityConfusion] = []
        self._frames: list[EvalFrame] = []

    def add(
        self, video: str, number: int, truth: TrueBoxes, found: Found, motion: Floats | None
    ) -> None:
        """Add the next frame of a video.

        Args:
            video: its name.
            number: 0-based frame.
            truth: true boxes.
            found: detections.
            motion: (T,) motion IoU of the true boxes, if motion groups are requested.

        Raises:
            InputError: the detections are invalid; see `EvalFrame`.
        """
        frame = EvalFrame(video, number, truth, found.boxes)
        self._ap.add(frame)
        self._temporal.add(frame)
        self._tracks.add(frame)
        if self._motion is not None and motion is not None:
            self._motion.add(frame, motion)
        if self._tracking is not None:
            self._frames.append(EvalFrame(video, number, truth, found.tracked(self._score)))

    def end_video(self, video: str) -> None:
        """End a video after all its frames."""
        self._ap.end_video()
        if self._tracking is not None:
            self._tracking.add_video(video, self._frames)
            self._identities.append(identity_confusion(video, self._frames))
        self._frames = []

    def result(self, *, draws: bool = False) -> Scores:
        """The scores of the videos so far.

        Args:
            draws: whether to compute the mean average precision on videos drawn at random, which
                takes time.
        """
        return Scores(
            memory=self._memory,
            ap=self._ap.result(),
            ap_draws=self._ap.draws() if draws else np.zeros(0),
            temporal=self._temporal.result(),
            motion=self._motion.result() if self._motion else None,
            motion_rule=self._rule,
            tracking=self._tracking.result() if self._tracking else None,
            tracks=self._tracks,
            identities=tuple(self._identities),
        )
