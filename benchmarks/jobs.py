"""What several videos at once gain: `minet detect` with 1 and 2 jobs, 1 and 2 threads.

    python -m benchmarks.jobs FOLDER [--rounds 3] [--max-frames 200]

The settings take turns, so that what else the machine does falls on all of them. Beside the time
on the wall stands that of the processor, of all processes together: it says what a machine that
has nothing else to do could reach, whatever this one was busy with. The least of the rounds counts.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SETTINGS = {
    "1 job, 1 thread": ("1", "1"),
    "1 job, 2 threads": ("1", "2"),
    "2 jobs, 1 thread each": ("2", "1"),
}
"""Name → jobs, threads."""


def measure(folder: Path, jobs: str, threads: str, frames: int) -> tuple[float, float, int]:
    """Seconds on the wall and of the processor, and frames that were looked at."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "minet_cli", "detect", str(folder), "-o", out, "--quiet"]
        command += ["--jobs", jobs, "--max-frames", str(frames)]
        before, began = _processor(), time.perf_counter()
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": threads})
        wall, processor = time.perf_counter() - began, _processor() - before
        results = [json.loads(path.read_text()) for path in Path(out).glob("*/result.json")]
    return wall, processor, sum(result["counts"]["frames"] for result in results)


def _processor() -> float:
    """Of all processes that have ended and were waited for, theirs among them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Read the command line, measure, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path, help="of videos")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--max-frames", type=int, default=200, help="of each video")
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in SETTINGS}
    frames = 0
    for number in range(options.rounds):
        for name, (jobs, threads) in SETTINGS.items():
            load = os.getloadavg()[0]
            wall, processor, frames = measure(options.folder, jobs, threads, options.max_frames)
            found[name].append((wall, processor))
            print(
                f"round {number + 1}, {name}: {wall:.1f} s, processor {processor:.1f} s; "
                f"load before {load:.1f}",
                flush=True,
            )
    print(f"\n{frames} frames\n")
    print("| | wall, s | frames a second | processor, s | processor, ms a frame |")
    print("|---|---|---|---|---|")
    for name, pairs in found.items():
        wall, processor = (min(values) for values in zip(*pairs, strict=True))
        speed, each = frames / wall, 1000 * processor / frames
        print(f"| {name} | {wall:.1f} | {speed:.1f} | {processor:.1f} | {each:.1f} |")


if __name__ == "__main__":
    main()
