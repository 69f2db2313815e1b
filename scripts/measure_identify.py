"""Measure how well an identify network tells objects apart, and how sure that figure is.

    python scripts/measure_identify.py mot:ROOT [--weights FILE] [--boxes true|public] [--repeats 5]

The memory is given boxes, each run's moved a little otherwise: on a short sequence a single missed
link decides a lot, and figures of one run say little. `true` are the annotated boxes with score
0.9, and the bundled detector's proposals as negatives; `public` are those of det/det.txt, with the
negatives that `--detections` has. What is scored is whether a box has the id that the same object
had before: IDF1, association accuracy (AssA) and identity switches, mean ± deviation of the runs.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.ops import box_iou

from minet_core.boxes import NO_TRACK
from minet_core.config import PRESETS
from minet_core.datasets.dataset import FrameTruth, VideoTruth
from minet_core.datasets.open import open_dataset
from minet_core.detections.reading import read_stored
from minet_core.evaluation.frames import EvalFrame, FoundBoxes, TrueBoxes
from minet_core.evaluation.passes import remembering
from minet_core.evaluation.tracks.metrics import TrackingAccumulator
from minet_core.inference.online import OnlineDetector
from minet_core.inference.score_frames import ScoredFrame
from minet_core.models.detector import BaseDetections, Detector, Embedder, Frame
from minet_core.models.identify.embedder import load_identify
from minet_core.models.weights import weights_folder
from minet_core.models.zoo import Model, load_model
from minet_core.scores import ScoreKind

SCORE = 0.9
SHOWN = 0.3


class TrueDetector:
    """The true boxes of the next frame, with a detector's proposals as background.

    Attributes:
        truth: of the frame that comes next.
    """

    score_kind = ScoreKind.SIGMOID

    def __init__(self, proposer: Detector, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.truth: FrameTruth
        self._proposer = proposer

    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        """True boxes first, each with SCORE in its class; then proposals that are not theirs."""
        (found,) = self._proposer.detect(frames)
        boxes = torch.from_numpy(self.truth.boxes).float()
        elsewhere = (box_iou(found.proposals, boxes) < 0.5).all(dim=1)
        every = torch.cat([boxes, found.proposals[elsewhere]])
        scores = torch.zeros(len(every), len(self.classes))
        scores[range(len(boxes)), self.truth.label_ids] = SCORE
        return [BaseDetections(every, every, scores)]


def trembling(base: BaseDetections, share: float, generator: torch.Generator) -> BaseDetections:
    """The same, each edge moved by Gaussian noise of a share of the box's side."""
    sides = (base.boxes[:, 2:] - base.boxes[:, :2]).repeat(1, 2)
    boxes = base.boxes + share * sides * torch.randn(base.boxes.shape, generator=generator)
    return BaseDetections(boxes, boxes, base.scores)


def measure(
    video: VideoTruth, model: Model, runs: int, tremble: float
) -> Iterator[tuple[str, list[EvalFrame]]]:
    """Several passes of each preset's memory over a video, at once; what each has found."""
    detector = model.detector
    generators = [torch.Generator().manual_seed(seed) for seed in range(runs)]
    passes = [
        (preset, number, OnlineDetector(model, config, score=SHOWN), list[EvalFrame]())
        for preset, config in PRESETS.items()
        for number in range(runs)
    ]
    for index, image in video.images():
        if isinstance(detector, TrueDetector):
            detector.truth = video.frame(index)
        still = model.detect(image, index)
        moved = [trembling(still, tremble, generator) for generator in generators]
        time = float(index / video.frame_rate)
        for _, number, online, frames in passes:
            found = online.step(image, frame=index, time=time, base=moved[number])
            frames.append(as_frame(video, found))
    for preset, _, _, frames in passes:
        yield preset, frames


def as_frame(video: VideoTruth, found: ScoredFrame) -> EvalFrame:
    """What a pass has found in a frame beside its truth."""
    best = found.scores.max(axis=1)
    rows = np.flatnonzero((found.track_ids != NO_TRACK) & (best >= SHOWN))
    labels = found.scores[rows].argmax(axis=1)
    truth = video.frame(found.frame)
    return EvalFrame(
        video.name,
        found.frame,
        TrueBoxes.of(truth.boxes, truth.label_ids, truth.track_ids, truth.ignore),
        FoundBoxes.of(found.boxes[rows], labels, best[rows], found.track_ids[rows]),
    )


def given(
    kind: str, video: VideoTruth, root: Path, classes: tuple[str, ...], embedder: Embedder
) -> Model:
    """A model with the boxes that the memory is given."""
    detector = TrueDetector(load_model(device="cpu").detector, classes)
    folder = root if (root / "det").is_dir() else root / video.name
    stored = None if kind == "true" else read_stored(folder / "det/det.txt", classes)
    return Model("given boxes", detector, remembering(embedder), stored=stored)


def main() -> None:
    """Run the memory over every video of the dataset and print the scores of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="mot:ROOT")
    bundled = weights_folder() / "minet-nano-identify.safetensors"
    parser.add_argument("--weights", type=Path, default=bundled)
    parser.add_argument("--boxes", choices=("true", "public"), default="true")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--tremble", type=float, default=0.01, help="share of a box's side")
    arguments = parser.parse_args()

    dataset = open_dataset(arguments.data)
    root = Path(arguments.data.partition(":")[2])
    embedder = load_identify(arguments.weights)
    for video in dataset.videos:
        model = given(arguments.boxes, video, root, dataset.classes, embedder)
        scores: dict[str, list[tuple[float, float, float]]] = {}
        for preset, frames in measure(video, model, arguments.repeats, arguments.tremble):
            accumulator = TrackingAccumulator(dataset.classes)
            accumulator.add_video(video.name, frames)
            (level,) = accumulator.result().videos.values()
            figures = (100 * level.idf1, 100 * level.ass_a, float(level.id_switches))
            scores.setdefault(preset, []).append(figures)
        for preset, figures_of_runs in scores.items():
            report(f"{video.name}, {preset}", np.array(figures_of_runs))


def report(title: str, scores: NDArray[np.float64]) -> None:
    """Print mean and deviation of (runs, 3) scores."""
    mean, deviation = scores.mean(axis=0), scores.std(axis=0, ddof=min(1, len(scores) - 1))
    cells = zip(("IDF1", "AssA", "switches"), mean, deviation, strict=True)
    text = ", ".join(f"{name} {m:.1f} ± {d:.1f}" for name, m, d in cells)
    print(f"{title}: {text}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
