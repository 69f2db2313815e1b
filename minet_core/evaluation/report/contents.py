"""The content of a report: results of metrics, and texts about them.

Every part is optional; the report leaves out missing parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from minet_core.evaluation.precision.motion_groups import MotionGroup
from minet_core.evaluation.precision.result import ApResult
from minet_core.evaluation.tracks.identities import IdentityConfusion
from minet_core.evaluation.tracks.metrics import TrackingResult
from minet_core.evaluation.tracks.score_curves import TrackScores
from minet_core.evaluation.tracks.steadiness import TemporalResult


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunScores:
    """The metrics of one run over the dataset: one model with one set of settings.

    Attributes:
        name: its difference from the other runs, such as "with memory".
        ap: average precision.
        motion: average precision of slow, medium and fast objects.
        temporal: steadiness along true tracks.
        tracking: HOTA, CLEAR and IDF1.
    """

    name: str
    ap: ApResult | None = None
    motion: Mapping[MotionGroup, ApResult] | None = None
    temporal: TemporalResult | None = None
    tracking: TrackingResult | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """One score over the values of one setting (the paper's Table V).

    Attributes:
        setting: its name, such as "decay σ".
        metric: name of the score, such as "mAP (voc50)".
        values: of the setting, in the order of the list.
        scores: of the metric, one per value; from 0 to 1.
        default: the default value, marked in table and plot.
    """

    setting: str
    metric: str
    values: tuple[float, ...]
    scores: tuple[float, ...]
    default: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """A true box in one frame, and its score in each run.

    Attributes:
        name: of the track, with the frame.
        picture: the frame as JPEG, scaled down.
        size: width and height of the frame.
        box: xyxy in pixels of the frame.
        scores: run → score of its detection there, 0 without one.
    """

    name: str
    picture: bytes
    size: tuple[int, int]
    box: tuple[float, float, float, float]
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChosenBox:
    """The frame of a true box, or the proposal that its identifier chooses in a later frame.

    Attributes:
        name: of the track, with the frame.
        picture: the frame as JPEG, scaled down.
        size: width and height of the frame.
        box: xyxy in pixels of the frame.
        iou: with the object's true box; None for the true box itself.
    """

    name: str
    picture: bytes
    size: tuple[int, int]
    box: tuple[float, float, float, float]
    iou: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReportData:
    """Everything a report shows.

    Attributes:
        title: heading of the page.
        facts: name → value, in order: dataset, model, protocol, settings.
        warnings: shown before the scores: frames left out, classes that the model does not know.
        runs: the main run first; the others, over the same data, are shown beside it.
        covered: classes that the model knows; the mean over them is shown too. None for all.
        tracks: true tracks whose score over time is shown (the paper's Fig. 4).
        moments: frames of some of these tracks.
        choices: of some of these tracks, the choices of the first box's identifier in later frames
            (the paper's Fig. 5), a row per track.
        sweep: a score over a setting.
        identities: predicted ids of true tracks, one per video.
    """

    title: str
    facts: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    runs: Sequence[RunScores] = ()
    covered: frozenset[str] | None = None
    tracks: Sequence[TrackScores] = ()
    moments: Sequence[Moment] = ()
    choices: Sequence[Sequence[ChosenBox]] = ()
    sweep: Sweep | None = None
    identities: Sequence[IdentityConfusion] = ()
