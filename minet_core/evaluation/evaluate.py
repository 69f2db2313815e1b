"""Evaluation of a model, or of existing results, on a dataset.

dataset ─ pictures ─ base detections ┬ memory ─ pairs ─ Scorer     one line a variant;
        └ truth                      └ (none) ─ pairs ─ Scorer     detector and features once
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from minet_core.datasets.dataset import Dataset, VideoTruth
from minet_core.errors import InputError
from minet_core.evaluation.eval_config import EvalOptions, Variant, comparisons
from minet_core.evaluation.frames import Floats, TrueBoxes
from minet_core.evaluation.passes import FoundOf
from minet_core.evaluation.precision.motion_groups import motion_iou
from minet_core.evaluation.predictions.convert import stored_pairs, true_boxes
from minet_core.evaluation.predictions.predict import Finder, Progress
from minet_core.evaluation.report.contents import ChosenBox
from minet_core.evaluation.scorer import Scorer, Scores
from minet_core.inference.candidates import PAIR_FLOOR
from minet_core.models.stored_detections import StoredBoxes


@dataclass(frozen=True, slots=True, eq=False)
class EvalResult:
    """The result of an evaluation.

    Attributes:
        dataset: evaluated dataset.
        options: computed metrics.
        variants: name → scores, in the requested order.
        covered: classes that the model, or the program that made the results, knows.
        videos: number of scored videos.
        frames: number of scored frames.
        warnings: problems that did not stop the evaluation, a line each.
        comparisons: (variant, its reference), by name.
        cut: maximum score at which results were cut, None if none was or it is unknown.
        is_paper: whether the variants are those of the paper's tables.
        choices: pictures of the paper's Fig. 5, a row per track, if requested.
    """

    dataset: Dataset
    options: EvalOptions
    variants: Mapping[str, Scores]
    covered: tuple[str, ...]
    videos: int
    frames: int
    warnings: tuple[str, ...]
    comparisons: tuple[tuple[str, str], ...] = ()
    cut: float | None = None
    is_paper: bool = False
    choices: tuple[tuple[ChosenBox, ...], ...] = ()

    @property
    def not_covered(self) -> tuple[str, ...]:
        """Classes of the dataset that are not covered, in its order."""
        return tuple(name for name in self.dataset.classes if name not in self.covered)


def evaluate_model(
    dataset: Dataset,
    finders: Sequence[Finder],
    variants: Sequence[Variant],
    options: EvalOptions,
    *,
    progress: Progress | None = None,
) -> EvalResult:
    """Score a model's detections in a dataset, with every variant of its memory.

    Args:
        dataset: pictures and ground truth.
        finders: run the models, one each.
        variants: of all finders, in the order of the result.
        options: metrics to compute.
        progress: called after each frame.

    Raises:
        InputError: nothing is annotated, no picture of a video can be read, or ground truth or
            detections are invalid.
        ConfigError: a metric needs a package that is not installed.
    """
    scorers = {
        each.name: Scorer(dataset.classes, options, memory=each.memory, tracks=bool(each.memory))
        for each in variants
    }
    run = _Run(dataset, scorers, options, comparisons(variants))
    for video in dataset.videos:
        if truths := run.truths(video):
            run.score(video, truths, _together([f.go(video) for f in finders]), progress)
            for finder in finders:
                run.covered |= finder.covered
                run.warn(video.name, finder.warnings)
    return run.result()


def _together(
    streams: Sequence[Iterator[tuple[int, FoundOf]]],
) -> Iterator[tuple[int, FoundOf]]:
    """The detections of all finders in each frame."""
    for same in zip(*streams, strict=True):
        yield same[0][0], {name: found for _, by_name in same for name, found in by_name.items()}


def evaluate_results(
    dataset: Dataset,
    stored_of: Callable[[str], StoredBoxes],
    options: EvalOptions,
    *,
    progress: Progress | None = None,
) -> EvalResult:
    """Score existing results.

    Args:
        dataset: ground truth; its pictures are not read.
        stored_of: video name → its results, in the dataset's classes.
        options: metrics to compute.
        progress: called after each frame.

    Raises:
        InputError: nothing is annotated, or results are missing, invalid, or of frames that do
            not exist.
        ConfigError: a metric needs a package that is not installed.
    """
    run = _Run(
        dataset, {RESULTS: Scorer(dataset.classes, options, memory=None, tracks=True)}, options
    )
    cuts: list[float] = []
    for video in dataset.videos:
        if truths := run.truths(video):
            stored = stored_of(video.name)
            stored.check_length(len(video))
            run.covered |= stored.covered
            found = stored_pairs(stored, len(video), len(dataset.classes), options.offline)
            run.score(
                video,
                truths,
                ((number, {RESULTS: each}) for number, each in enumerate(found)),
                progress,
            )
            run.warn(stored.source, stored.notes)
            if stored.cut is not None and stored.cut > PAIR_FLOOR:
                cuts.append(stored.cut)
    return replace(run.result(), cut=max(cuts, default=None))


RESULTS = "results"
"""Name of the only variant of `evaluate_results`."""


@dataclass(frozen=True, slots=True, eq=False)
class _Truths:
    """The scored frames of a video: true boxes by frame, motion IoU by frame."""

    boxes: dict[int, TrueBoxes]
    motion: dict[int, Floats]


class _Run:
    """Collects the scores of all videos, one by one."""

    def __init__(
        self,
        dataset: Dataset,
        scorers: Mapping[str, Scorer],
        options: EvalOptions,
        compared: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self._dataset = dataset
        self._options = options
        self._scorers = scorers
        self._compared = compared
        self._warnings: dict[str, list[str]] = {}
        self._videos = self._frames = 0
        self.covered: set[int] = set()

    def truths(self, video: VideoTruth) -> _Truths | None:
        """The annotations of a video; None if nothing is to be scored."""
        inclusive = self._dataset.inclusive
        boxes = {
            truth.index: true_boxes(truth, inclusive=inclusive)
            for truth in video.frames()
            if truth.annotated
        }
        if not boxes:
            return None
        return _Truths(boxes, _motion(video, inclusive) if self._options.motion else {})

    def score(
        self,
        video: VideoTruth,
        truths: _Truths,
        found: Iterator[tuple[int, FoundOf]],
        progress: Progress | None,
    ) -> None:
        """Score the detections in all frames of a video, in order."""
        for number, by_variant in found:
            if number in truths.boxes:
                for name, scorer in self._scorers.items():
                    truth, motion = truths.boxes[number], truths.motion.get(number)
                    scorer.add(video.name, number, truth, by_variant[name], motion)
            if progress is not None:
                progress(video.name, number + 1)
        for scorer in self._scorers.values():
            scorer.end_video(video.name)
        self._videos += 1
        self._frames += len(truths.boxes)

    def warn(self, place: str, lines: Sequence[str]) -> None:
        """Record problems of a video or file."""
        for line in lines:
            self._warnings.setdefault(line, []).append(place)

    def result(self) -> EvalResult:
        """The scores so far."""
        if not self._frames:
            raise InputError(f"{self._dataset.name}: no frame of it is annotated")
        classes = self._dataset.classes
        drawn = {name for pair in self._compared for name in pair}
        lines = [f"{line} ({_places(at)})" for line, at in self._warnings.items()]
        return EvalResult(
            dataset=self._dataset,
            options=self._options,
            variants={n: s.result(draws=n in drawn) for n, s in self._scorers.items()},
            covered=tuple(classes[label] for label in sorted(self.covered)),
            videos=self._videos,
            frames=self._frames,
            warnings=(*self._dataset.problems.lines(), *lines),
            comparisons=self._compared,
        )


def _places(places: Sequence[str]) -> str:
    return places[0] if len(places) == 1 else f"{places[0]} and {len(places) - 1} more"


def _motion(video: VideoTruth, inclusive: bool) -> dict[int, Floats]:
    """Motion IoU by frame, from all frames, even if a list chooses only a few."""
    truths = [video.frame(index) for index in range(len(video))]
    boxes = [true_boxes(truth, inclusive=inclusive) for truth in truths]
    counts = [len(truth) for truth in truths]
    values = motion_iou(
        video.name,
        np.repeat(np.arange(len(truths)), counts),
        np.concatenate([entry.track_ids for entry in boxes]),
        np.concatenate([entry.boxes for entry in boxes]),
    )
    return dict(enumerate(np.split(values, np.cumsum(counts)[:-1])))
