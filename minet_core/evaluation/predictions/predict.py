"""Run a model once over the videos of a dataset."""

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
"""Video name → model; stored boxes differ from video to video."""

Progress = Callable[[str, int], None]
"""Called with a video's name and its number of finished frames."""


class Finder:
    """Runs a model over videos, or reads detections of an earlier run.

    Args:
        dataset: its videos.
        model_of: the model.
        variants: memories to compare.
        offline: methods that run after a whole video.
        table: names of classes, as for `map_classes`.
        files: where to save detections; None to save none. A video's boxes are in memory until its
            end.

    Attributes:
        model_of: as given.
        covered: classes of the dataset that the model knows, after the first video.
        warnings: problems of the last video.
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
        """The detections in every frame of a video, in order.

        Raises:
            InputError: none of its pictures can be read, or its detections are invalid.
            OutputError: the detections cannot be saved.
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
    """Run the model on all annotated videos, and save the detections.

    Raises:
        MinetError: as `Finder.go`.
    """
    for video in videos:
        if any(truth.annotated for truth in video.frames()):
            for number, _ in finder.go(video):
                if progress is not None:
                    progress(video.name, number + 1)


def _facts(video: VideoTruth, model: Model) -> dict[str, Any]:
    """What the boxes of one video depend on, apart from the settings."""
    digest = None if model.stored is None else model.stored.digest
    return {"video": video.name, "frames": len(video), "detections": digest}


def _since(problems: Problems, before: dict[Problem, int]) -> list[tuple[Problem, str]]:
    """New problems."""
    return [
        (kind, place)
        for kind in problems.counts
        for place in problems.places(kind)[before.get(kind, 0) :]
    ]
