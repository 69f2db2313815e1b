"""What a model finds in the videos of a dataset, asked for once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from minet_core.datasets.dataset import Dataset, VideoTruth
from minet_core.datasets.problems import Problem, Problems
from minet_core.datasets.vocabulary import Table, map_classes
from minet_core.detections.reading import table_for
from minet_core.evaluation.eval_config import Offline, Variant
from minet_core.evaluation.passes import FoundOf, Passes
from minet_core.evaluation.predictions.prediction_files import FoundFiles, FoundInVideo
from minet_core.models.zoo import Model

ModelOf = Callable[[str], Model]
"""From a video's name to the model; boxes of a file differ from video to video."""

Progress = Callable[[str, int], None]
"""Called with a video's name and the number of its frames that are done."""


class Finder:
    """Runs a model over videos, or reads what an earlier run has found there.

    Args:
        dataset: whose videos they are.
        model_of: the model.
        variants: memories to compare.
        offline: what is done once a whole video is known.
        table: names of classes, as for `map_classes`.
        files: where to keep what is found; None to keep nothing. A video's boxes are then held
            until its end.

    Attributes:
        model_of: as given.
        covered: classes of the dataset that the model can say, once it was asked.
        warnings: what was wrong with the video that was run through last.
    """

    def __init__(
        self,
        dataset: Dataset,
        model_of: ModelOf,
        variants: Sequence[Variant],
        offline: Offline,
        table: Table | None = None,
        files: FoundFiles | None = None,
    ) -> None:
        self._dataset = dataset
        self.model_of = model_of
        self._variants = variants
        self._offline = offline
        self._table = table
        self._files = files
        self.covered: set[int] = set()
        self.warnings: list[str] = []

    def go(self, video: VideoTruth) -> Iterator[tuple[int, FoundOf]]:
        """What is found in every frame of a video, in order.

        Raises:
            InputError: not one of its pictures can be read, or its detections are not sound.
            OutputError: what was found cannot be kept.
        """
        model = self.model_of(video.name)
        said, classes = model.classes, self._dataset.classes
        names = map_classes(said, classes, table_for(said, classes, self._table))
        self.covered |= {int(label) for label in names.ids if label >= 0}
        passes = Passes(model, self._variants, names, len(classes), self._offline)
        if self._files is None:
            yield from passes.go(video)
            self.warnings = passes.warnings
        else:
            yield from self._kept(self._files, _facts(video, model), passes, video)

    def _kept(
        self, files: FoundFiles, facts: dict[str, Any], passes: Passes, video: VideoTruth
    ) -> Iterator[tuple[int, FoundOf]]:
        problems = self._dataset.problems
        found = files.read(facts)
        if found is None:
            before = dict(problems.counts)
            frames: list[FoundOf] = []
            for number, by_variant in passes.go(video):
                frames.append(by_variant)
                yield number, by_variant
            found = FoundInVideo(frames, passes.warnings, _since(problems, before))
            files.write(facts, found)
        else:
            for problem, place in found.problems:
                problems.add(problem, place)
            yield from enumerate(found.frames)
        self.warnings = found.warnings


def find_all(
    finder: Finder, videos: Iterable[VideoTruth], progress: Progress | None = None
) -> None:
    """Look for what can be found in those videos that are annotated, so that it is kept.

    Raises:
        MinetError: as `Finder.go`.
    """
    for video in videos:
        if any(truth.annotated for truth in video.frames()):
            for number, _ in finder.go(video):
                if progress is not None:
                    progress(video.name, number + 1)


def _facts(video: VideoTruth, model: Model) -> dict[str, Any]:
    """What the boxes of one video depend on, beside the settings."""
    digest = None if model.stored is None else model.stored.digest
    return {"video": video.name, "frames": len(video), "detections": digest}


def _since(problems: Problems, before: dict[Problem, int]) -> list[tuple[Problem, str]]:
    """Problems that were not there before."""
    return [
        (kind, place)
        for kind in problems.counts
        for place in problems.places(kind)[before.get(kind, 0) :]
    ]
