"""What a larger picture for the detector brings, and what it costs.

    python -m benchmarks.detector_size ROOT... [--step 10] [--sizes 416 640 960]

Pictures are frames of annotated sequences (MOTChallenge's layout), alone and as mosaics of 2×2 and
3×3 frames of different sequences: large pictures whose objects are as small as those of a wide
view. Printed for each width: AP50 of the bundled detector, and its time against the first size.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from statistics import median
from time import process_time

import numpy as np

from benchmarks.identities.data import folders
from minet_core.boxes import NO_TRACK
from minet_core.config import VIDEO
from minet_core.datasets.open import open_dataset
from minet_core.datasets.vocabulary import map_classes
from minet_core.evaluation.frames import EvalFrame, TrueBoxes
from minet_core.evaluation.precision.average_precision import ApAccumulator
from minet_core.evaluation.predictions.convert import pairs, true_boxes
from minet_core.inference.score_frames import ScoredFrame
from minet_core.models.detector import Frame
from minet_core.models.nanodet.detector import NanoDetDetector, load_nanodet
from minet_core.models.weight_files import DEFAULT_MODEL, detector_file

CELL = (640, 480)
"""Width and height of a frame's place in a mosaic."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture with truth, in the classes of all sequences together.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        truth: its objects, in its pixels.
    """

    image: Frame
    truth: TrueBoxes


def main() -> None:
    """Read the arguments and print a table for each width."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("roots", nargs="+")
    parser.add_argument("--step", type=int, default=10, help="every n-th frame of a sequence")
    parser.add_argument("--sizes", type=int, nargs="+", default=[416, 512, 640, 832, 960, 1088])
    arguments = parser.parse_args()
    specs = [f"mot:{folder}" for folder in folders(arguments.roots)]
    classes = tuple(sorted({name for spec in specs for name in open_dataset(spec).classes}))
    streams = [list(pictures_of(spec, classes, arguments.step)) for spec in specs]
    print(f"{'width':>6}{'size':>6}{'pictures':>10}{'AP50':>8}{'CPU':>7}")
    for across in (1, 2, 3):
        pictures = list(_mosaics(streams, across))
        first = 0.0
        for size in arguments.sizes:
            detector = load_nanodet(detector_file(DEFAULT_MODEL), size=size)
            precision, seconds = measure(pictures, classes, detector)
            first = first or seconds
            width = pictures[0].image.shape[1]
            print(f"{width:6}{size:6}{len(pictures):10}{precision:8.1f}{seconds / first:7.2f}")


def pictures_of(spec: str, classes: tuple[str, ...], step: int) -> Iterator[Picture]:
    """Every so many frames of a sequence, with their truth."""
    dataset = open_dataset(spec)
    ids = np.array([classes.index(name) for name in dataset.classes])
    (video,) = dataset.videos
    for index, image in islice(video.images(), 0, None, step):
        own = true_boxes(video.frame(index), inclusive=dataset.inclusive)
        yield Picture(image, TrueBoxes(own.boxes, ids[own.label_ids], own.track_ids, own.ignore))


def _mosaics(streams: list[list[Picture]], across: int) -> Iterator[Picture]:
    """Pictures as they are, or that many side by side and above each other, none twice."""
    if across == 1:
        yield from (picture for stream in streams for picture in stream)
        return
    # One of each sequence in turn, so that neighbours are of different ones.
    turns = [s[i] for i in range(max(map(len, streams))) for s in streams if i < len(s)]
    count = across**2
    for first in range(0, len(turns) - count + 1, count):
        yield _mosaic(turns[first : first + count], across)


def _mosaic(cells: list[Picture], across: int) -> Picture:
    width, height = CELL
    image = np.zeros((height * across, width * across, 3), np.uint8)
    boxes, labels, ignored = [], [], []
    for place, cell in enumerate(cells):
        y, x = divmod(place, across)
        h, w = cell.image.shape[:2]
        image[y * height :, x * width :][:h, :w] = cell.image
        boxes.append(cell.truth.boxes + np.array([x * width, y * height] * 2))
        labels.append(cell.truth.label_ids)
        ignored.append(cell.truth.ignore)
    count = sum(map(len, labels))
    truth = TrueBoxes(
        np.concatenate(boxes),
        np.concatenate(labels),
        np.full(count, NO_TRACK),
        np.concatenate(ignored),
    )
    return Picture(image, truth)


def measure(
    pictures: list[Picture], classes: tuple[str, ...], detector: NanoDetDetector
) -> tuple[float, float]:
    """AP50 in percent, and the median of CPU seconds a call."""
    names = map_classes(detector.classes, classes)
    average, seconds = ApAccumulator(classes), []
    for number, picture in enumerate(pictures):
        before = process_time()
        (base,) = detector.detect([picture.image])
        seconds.append(process_time() - before)
        frame = ScoredFrame(
            number,
            base.boxes.double().numpy(),
            base.scores.double().numpy(),
            base.scores.double().numpy(),
            np.full(len(base), NO_TRACK),
        )
        found = pairs(frame, names, len(classes), VIDEO.nms)
        average.add(EvalFrame("pictures", number, picture.truth, found.boxes))
    return 100 * average.result().mean, median(seconds)


if __name__ == "__main__":
    main()
