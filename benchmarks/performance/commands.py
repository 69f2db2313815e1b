"""Whole commands in processes of their own: time, memory, and how soon they answer."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.performance.rows import Row

HERE = Path(__file__).parents[2]
MINET = ("-c", "from minet_cli.main import main; main()")
"""Arguments for Python that are the command, of every version."""
DETECTOR_ALONE = """
import sys
from minet_core import load_model, open_video
model = load_model()
with open_video(sys.argv[1]) as video:
    for number, frame in enumerate(video):
        if number == int(sys.argv[2]):
            break
        model.detector.detect([frame.image])
"""
LOADED = """
import torch
from minet_core.models.weight_files import detector_file, embedder_file, DEFAULT_MODEL
from safetensors.torch import load_file
load_file(detector_file(DEFAULT_MODEL)), load_file(embedder_file())
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took.

    Attributes:
        wall: seconds.
        cpu: seconds of all its threads.
        peak: its largest resident memory, in KiB.
    """

    wall: float
    cpu: float
    peak: int


def cost(arguments: Sequence[object], checkout: Path = HERE, *, fails: bool = False) -> Cost:
    """Run Python with these arguments on the modules of a checkout, which is to fail or not to."""
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed is compiled
    started = perf_counter()
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env=environment,
        cwd=checkout,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    passed = perf_counter() - started
    if bool(process.returncode) != fails:
        raise RuntimeError(f"exit code {process.returncode}: {arguments}")
    return Cost(passed, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)


def detect(video: Path, folder: Path, frames: int, *more: str) -> list[object]:
    """Arguments for Python: `minet detect` of the first frames."""
    fixed = ["-o", folder, "--max-frames", frames, "--overwrite", "--quiet", "--device", "cpu"]
    return [*MINET, "detect", video, *fixed, *more]


def whole(video: Path, folder: Path, frames: int, before: Path | None, repeats: int) -> list[Row]:
    """The command against the detector's calls in it, and against an earlier version."""
    alone = ["-c", DETECTOR_ALONE, video]
    commands: dict[str, tuple[Sequence[object], Path]] = {
        "now": (detect(video, folder / "now", frames, "--no-video"), HERE),
        "now with video": (detect(video, folder / "video", frames), HERE),
        "nothing": (detect(video, folder / "now", 1, "--no-video"), HERE),
        "detector": ([*alone, frames], HERE),
        "detector of one": ([*alone, 1], HERE),
    }
    if before is not None:
        commands["before"] = (detect(video, folder / "old", frames, "--no-video"), before)
    runs = {name: [cost(*command)] for name, command in commands.items()}
    for _ in range(repeats - 1):
        for name, command in commands.items():
            runs[name].append(cost(*command))
    cpu = {name: median(run.cpu for run in own) for name, own in runs.items()}
    clock = {name: median(run.wall for run in own) for name, own in runs.items()}
    # Without what a process costs before its first frame.
    calls = cpu["detector"] - cpu["detector of one"]
    rows = [
        Row(
            "detect --no-video / detector's calls, CPU", (cpu["now"] - cpu["nothing"]) / calls, 1.8
        ),
        Row(
            "detect / detector's calls, CPU", (cpu["now with video"] - cpu["nothing"]) / calls, 2.1
        ),
        Row(
            "detect --no-video", (frames - 1) / (clock["now"] - clock["nothing"]), None, " frames/s"
        ),
    ]
    if before is not None:
        rows += [
            Row("detect --no-video / before, wall", clock["now"] / clock["before"], 0.35),
            Row("detect --no-video / before, CPU", cpu["now"] / cpu["before"], 0.35),
        ]
    return rows


def start(video: Path, folder: Path, repeats: int) -> list[Row]:
    """How soon the first frame is done, and how soon mistakes are told."""
    first = detect(video, folder / "start", 1, "--no-video")
    cost(first)
    done = [*MINET, "detect", video, "-o", folder / "start", "--max-frames", 1]
    done += ["--no-video", "--device", "cpu"]
    missing = [*MINET, "detect", video, "--detections", folder / "none.json"]
    bare = ["-c", LOADED]
    times: dict[str, list[float]] = {}
    for _ in range(repeats):
        for name, command in (("first", first), ("bare", bare), ("done", done), ("none", missing)):
            times.setdefault(name, []).append(cost(command, fails=name == "none").wall)
    middle = {name: median(own) for name, own in times.items()}
    return [
        Row("first frame / import torch and weights", middle["first"] / middle["bare"], 1.3),
        Row("a missing file for --detections is reported after", middle["none"], 0.5, " s"),
        Row('"done already" is reported after', middle["done"], 0.5, " s"),
    ]


def memory(video: Path, folder: Path, frames: int, repeats: int) -> list[Row]:
    """Peak memory of ten times as many frames."""
    peaks = [
        median(cost(detect(video, folder / "peak", count)).peak for _ in range(repeats))
        for count in (frames, 10 * frames)
    ]
    return [Row("peak memory, ten times longer", peaks[1] / peaks[0], 1.05)]
