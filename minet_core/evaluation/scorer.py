"""All metrics of one variant, fed frame by frame, and what comes of them."""

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
    """The numbers of one variant.

    Attributes:
        memory: the variant's settings as a table of names and values, None without memory.
        ap: average precision.
        ap_draws: (D,) its mean over classes, on videos drawn at random; empty where it was not
            asked for, or for one video.
        temporal: steadiness along the true tracks.
        motion: average precision by speed, None where it was not asked for.
        motion_rule: whose rule weighs the false positives there.
        tracking: None where it was not asked for, or the variant gives no track ids.
        tracks: the score of every true track over time.
        identities: who was called by which id, a video each; empty without `tracking`.
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
    """Takes in one video after the other, frame by frame.

    Held of a video until its end: the true boxes, and the detections that tracking looks at.

    Args:
        classes: names, in the order of the class ids.
        options: which metrics.
        memory: settings behind the detections, None for those of a plain detector.
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
        """Take in the next frame of a video.

        Args:
            video: its name.
            number: 0-based frame.
            truth: what is there.
            found: what was found.
            motion: (T,) motion IoU of the true boxes, where motion groups are asked for.

        Raises:
            InputError: the detections are not sound; see `EvalFrame`.
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
        """Tell that all frames of a video were given."""
        self._ap.end_video()
        if self._tracking is not None:
            self._tracking.add_video(video, self._frames)
            self._identities.append(identity_confusion(video, self._frames))
        self._frames = []

    def result(self, *, draws: bool = False) -> Scores:
        """The numbers of the videos up to now.

        Args:
            draws: whether to tell what the mean average precision is on videos drawn at random,
                which takes its time.
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
