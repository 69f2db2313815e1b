"""Corrections that a result needs, by a simulated annotator: in which order, and with going on.

    python -m benchmarks.corrections ROOT… --work DIR [--toy N]

`--toy` adds so many toy videos, with boxes of a made-up detector that misses and errs.

A result of `minet detect` is mended one edit at a time by somebody who knows the truth: the worst
fault first, what the review page's doubts ask about first, or frame by frame; and with or without
`--corrections` after every so many edits. A box that is missing is drawn, and those between it and
the nearest ones of its track come with it, as in the page. Boxes are right by IDF1.

Minutes: a box takes 7 s (extreme clicking, Papadopoulos et al., ICCV 2017); another edit 5 s and an
answer to a doubt 3 s are assumptions. Looking through the video, and waiting, are not counted.
"""

import argparse
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.corrections.annotator import ORDERS, Annotator
from benchmarks.corrections.toy import toys
from benchmarks.corrections.truth import Truth
from benchmarks.identities.data import folders
from minet_core.datasets.dataset import VideoTruth
from minet_core.datasets.open import open_dataset
from minet_core.evaluation.predictions.convert import true_boxes
from minet_core.models.zoo import Model, load_model
from minet_core.options import DetectOptions
from minet_core.runs.annotate import annotate

TARGETS = (0.9, 0.95, 1.0)


def main() -> None:
    """Print, for each sequence and way, corrections and minutes until so many boxes are right."""
    asked = arguments()
    torch.set_num_threads(1)
    model = load_model(device="cpu")
    print("sequence order go-on start " + " ".join(f"{t:.0%}:n/min" for t in TARGETS) + " end")
    for name, source, detections, truth in (*videos(asked.roots), *toys(asked.work, asked.toy)):
        base = asked.work / name / "base"
        stored = None if detections is None else str(detections)
        options = DetectOptions(
            video=False, formats=("json",), keep=True, overwrite=True, detections=stored
        )
        if not (base / "result.json").exists():
            begin = time.process_time()
            annotate(source, base, model, options)
            print(f"# {name}: run {time.process_time() - begin:.1f} s of CPU", flush=True)
        for order in asked.orders:
            for goes_on in (False, True):
                show(name, source, truth, model, order, base, asked, options, goes_on=goes_on)


def show(
    name: str,
    source: Path,
    truth: Truth,
    model: Model,
    order: str,
    base: Path,
    asked: argparse.Namespace,
    options: DetectOptions,
    *,
    goes_on: bool,
) -> None:
    """Mend one result in one way, and print a line."""
    folder = base.with_name("work")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base, folder)
    spent: list[float] = []

    def go_on(place: Path) -> None:
        begin = time.process_time()
        around = replace(options, corrections=str(place / "edits.json"))
        annotate(source, place, model, around)
        spent.append(time.process_time() - begin)

    annotator = Annotator(folder, truth, order, go_on if goes_on else None, asked.every)
    curve = annotator.mend(asked.most)
    cells = []
    for target in TARGETS:
        reached = next(((n, s) for n, s, share in curve if share >= target), None)
        cells.append("–" if reached is None else f"{reached[0]}/{reached[1] / 60:.1f}")
    line = f"{name} {order} {'yes' if goes_on else 'no'} {curve[0][2]:.3f} {' '.join(cells)}"
    cpu = f" ({np.median(spent):.1f} s of CPU each)" if spent else ""
    print(f"{line} {curve[-1][2]:.3f} after {curve[-1][0]}{cpu}", flush=True)


def videos(roots: list[str]) -> Iterator[tuple[str, Path, Path | None, Truth]]:
    """Name, pictures, stored detections if any, and truth of every sequence."""
    for folder in folders(roots):
        dataset = open_dataset(f"mot:{folder}")
        (video,) = dataset.videos
        yield video.name, folder / "img1", None, truth_of(video, inclusive=dataset.inclusive)


def truth_of(video: VideoTruth, *, inclusive: bool) -> Truth:
    """The truth of a video."""
    frames = (video.frame(index) for index in range(len(video)))
    return Truth.of([true_boxes(frame, inclusive=inclusive) for frame in frames], video.size)


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("roots", nargs="*", metavar="ROOT")
    parser.add_argument("--toy", type=int, default=0, help="toy videos")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--orders", nargs="+", choices=ORDERS, default=ORDERS)
    parser.add_argument("--most", type=int, default=150, help="corrections before it gives up")
    parser.add_argument("--every", type=int, default=10, help="corrections before going on")
    return parser.parse_args()


if __name__ == "__main__":
    main()
