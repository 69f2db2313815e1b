"""What minet costs, as a table: a row a ratio, with its aim.

    python -m benchmarks.performance VIDEO [--before CHECKOUT] [--only GROUP...]

VIDEO has 600 frames or more; the figures of docs/performance.md are of OpenCV's vtest.avi. Run it
on an idle machine. CHECKOUT is a folder with an earlier version, for the rows that hold against it.
"""

import argparse
import platform
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.performance.association import association
from benchmarks.performance.average_precision import average_precision
from benchmarks.performance.commands import memory as peak
from benchmarks.performance.commands import start, whole
from benchmarks.performance.memory import memory
from benchmarks.performance.networks import networks
from benchmarks.performance.pipeline import pipeline
from benchmarks.performance.rows import Row
from benchmarks.performance.tables import tables
from benchmarks.performance.writers import writers
from minet_core import open_video
from minet_core.models.detector import Frame


def main() -> None:
    """Read the arguments, and print each row as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--before", type=Path, metavar="CHECKOUT")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--frames", type=int, default=120, help="of the video, for whole commands")
    parser.add_argument("--only", nargs="+", metavar="GROUP", default=[])
    arguments = parser.parse_args()
    video = arguments.video.absolute()
    torch.set_num_threads(1)  # of this process; whole commands have what they take
    print(f"{_processor()}, parts on one thread, PyTorch {torch.__version__}\n")
    rows = []
    with TemporaryDirectory() as folder:
        for group, measure in _groups(arguments, video, Path(folder)):
            if not arguments.only or group in arguments.only:
                for row in measure():
                    rows.append(row)
                    print(_line(row), flush=True)
    held = [row.holds for row in rows if row.aim is not None]
    print(f"\n{sum(map(bool, held))} of {len(held)} rows hold")


def _groups(
    arguments: argparse.Namespace, video: Path, folder: Path
) -> Iterator[tuple[str, Callable[[], list[Row]]]]:
    repeats, frames = arguments.repeats, arguments.frames
    yield "whole", lambda: whole(video, folder, frames, arguments.before, repeats)
    yield "networks", lambda: networks(_frames(video, 24), repeats)
    yield "memory", lambda: memory(_frames(video, 10), repeats)
    yield "association", lambda: association(_frames(video, frames), repeats)
    yield "pipeline", lambda: pipeline(video, folder, 2 * frames, repeats)
    yield "peak", lambda: peak(video, folder, frames // 2, 3)
    yield "start", lambda: start(video, folder, repeats)
    yield "writers", lambda: writers(_frames(video, 24), repeats)
    yield "tables", lambda: tables(_frames(video, 6))
    yield "precision", lambda: average_precision(min(repeats, 3))


def _frames(video: Path, count: int) -> list[Frame]:
    with open_video(video) as reader:
        return [frame.image for frame in islice(reader, count)]


def _line(row: Row) -> str:
    aim = "" if row.aim is None else f"at most {row.aim:g}"
    verdict = {True: "holds", False: "missed", None: ""}[row.holds]
    return f"{row.name:58}{row.value:9.3g}{row.unit:10}{aim:14}{verdict}"


def _processor() -> str:
    """Its name as the system has it, and its cores."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
