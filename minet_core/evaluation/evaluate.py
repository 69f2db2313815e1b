"""Evaluation of a model, or of results that exist, on a dataset.

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
from minet_core.inference.online import PAIR_FLOOR
from minet_core.models.stored_detections import StoredBoxes


@dataclass(frozen=True, slots=True, eq=False)
class EvalResult:
    """What came out of an evaluation.

    Attributes:
        dataset: what it was made on.
        options: which metrics.
        variants: name → numbers, in the order they were asked for.
        covered: classes that the model, or the maker of the results, can say.
        videos: scored.
        frames: scored.
        warnings: what was wrong without stopping it, a line each.
        comparisons: (variant, what to hold it against), by name.
        cut: highest score at which scored results were cut, None where none was or it is unknown.
        is_paper: whether the variants are those of the paper's tables.
        choices: pictures of the paper's Fig. 5, a line a track, where they were asked for.
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
        """Classes of the dataset that cannot be found, in its order."""
        return tuple(name for name in self.dataset.classes if name not in self.covered)


def evaluate_model(
    dataset: Dataset,
    finders: Sequence[Finder],
    variants: Sequence[Variant],
    options: EvalOptions,
    *,
    progress: Progress | None = None,
) -> EvalResult:
    """Score what a model finds in a dataset, with every variant of its memory.

    Args:
        dataset: pictures and truth.
        finders: ask the model; several, of one model each, if the variants are of several.
        variants: those of all finders, in the order of the result.
        options: which metrics.
        progress: called after each frame.

    Raises:
        InputError: nothing is annotated, not one picture of a video can be read, or truth or
            detections are not sound.
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
    """What all find in each frame."""
    for same in zip(*streams, strict=True):
        yield same[0][0], {name: found for _, by_name in same for name, found in by_name.items()}


def evaluate_results(
    dataset: Dataset,
    stored_of: Callable[[str], StoredBoxes],
    options: EvalOptions,
    *,
    progress: Progress | None = None,
) -> EvalResult:
    """Score results that exist.

    Args:
        dataset: truth; its pictures are not looked at.
        stored_of: from a video's name to its results, in the dataset's classes.
        options: which metrics.
        progress: called after each frame.

    Raises:
        InputError: nothing is annotated, or results are missing, not sound, or of frames that do
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
"""Name of the one variant of `evaluate_results`."""


@dataclass(frozen=True, slots=True, eq=False)
class _Truths:
    """The frames of a video that are scored: true boxes by frame, motion IoU by frame."""

    boxes: dict[int, TrueBoxes]
    motion: dict[int, Floats]


class _Run:
    """Gathers what is scored of one video after the other."""

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
        """What is annotated in a video; None where nothing is to be scored."""
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
        """Score what was found in all frames of a video, given in order."""
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
        """Take note of what was wrong at a place."""
        for line in lines:
            self._warnings.setdefault(line, []).append(place)

    def result(self) -> EvalResult:
        """The numbers."""
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
    """Motion IoU by frame; from all frames, as a list may choose few of them."""
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
