"""What a Ray cluster costs and stands: two nodes of this machine, each in processes of its own.

    python -m benchmarks.cluster overhead [--videos 200]
    python -m benchmarks.cluster memory
    python -m benchmarks.cluster soak [--videos 50 --kills 10 --seed 0]

`overhead`: short videos, a detector that computes nothing. A task's work is timed in the worker;
what the span from the first task's end to the last one's has beyond that is what handing tasks over
costs. The same with the pool of `--jobs`. `memory`: peak memory of the process that shares out 100
and 10,000 inputs, whose work is nothing. `soak`: workers killed at random and the driver once;
then every file is compared with those of a run that nobody disturbed.
"""

import argparse
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np

from minet_core.batch.cluster import Cluster, ClusterPool
from minet_core.batch.one_video import cluster_work
from minet_core.batch.planning import Job, longest_first, plan, resumed
from minet_core.batch.pool import Done, Failed, Pool
from minet_core.batch.process import Tell, Work
from minet_core.options import DetectOptions

Engine = ClusterPool[Job, float] | Pool[Job, float]

ROOT = Path(__file__).parent.parent
STORE = 100_000_000
DETECTOR = """
CLASSES = ("person",)

def detect(frame):
    return [[4.0, 8, 16, 24]], [0.9], [0]
"""


def write_videos(folder: Path, count: int, frames: int) -> None:
    """Grey videos of 64×48 pixels that are all different, and a detector beside."""
    folder.mkdir(parents=True)
    for number in range(count):
        with av.open(str(folder / f"{number:03}.mp4"), "w") as container:
            stream: Any = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for frame in range(frames):
                grey = 40 + (number * 7 + frame) % 160
                picture = np.full((48, 64, 3), grey, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
    (folder.parent / "own.py").write_text(DETECTOR)


@contextmanager
def nodes(count: int) -> Iterator[str]:
    """Address of a cluster of so many nodes with a core each."""
    from ray.cluster_utils import Cluster as Nodes

    os.environ["PYTHONPATH"] = str(ROOT)
    # 15 by default: on a machine that others use too, nothing but that would be measured.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112
    node = {"num_cpus": 1, "object_store_memory": STORE}
    cluster = Nodes(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    for _ in range(count - 1):
        cluster.add_node(**node)
    try:
        yield cluster.address
    finally:
        cluster.shutdown()


def timed_work(options: DetectOptions) -> Work:
    """As on a cluster; a task returns the seconds that it took."""
    return Work(_timed, (cluster_work(options),))


def _timed(work: Work, number: int) -> tuple[Any, Callable[[Job, Tell], float]]:
    facts, do = work.make(*work.arguments, number)

    def timed(job: Job, tell: Tell) -> float:
        began = time.perf_counter()
        do(job, tell)
        return time.perf_counter() - began

    return facts, timed


def overhead(videos: int, frames: int) -> None:
    """Print what handing over a task costs, of a cluster and of a pool."""
    with tempfile.TemporaryDirectory() as folder, nodes(1) as address:
        os.chdir(folder)
        write_videos(Path("in"), videos, frames)
        options = DetectOptions(model="own.py:detect", resume=True)
        work = timed_work(options)
        engines: dict[str, Callable[[], Engine]] = {
            "Ray": lambda: ClusterPool[Job, float](work, Cluster(address), again=resumed),
            "--jobs": lambda: Pool[Job, float](work, 1, again=resumed),
        }
        for turn in range(3):
            for name, engine in engines.items():
                sources = sorted(map(str, Path("in").glob("*.mp4")))
                jobs, _ = plan(sources, Path(f"out-{name}-{turn}"), options)
                ends, took = [], []
                for event in engine().run(iter(jobs)):
                    if isinstance(event, Done):
                        ends.append(time.perf_counter())
                        took.append(event.result)
                    assert not isinstance(event, Failed), event
                count, span, busy = len(ends) - 1, ends[-1] - ends[0], sum(took[1:])
                print(
                    f"{name}, turn {turn + 1}: {1000 * busy / count:.1f} ms of work a video, "
                    f"{1000 * (span - busy) / count:.2f} ms beside ({(span - busy) / busy:.1%}); "
                    f"load {os.getloadavg()[0]:.1f}",
                    flush=True,
                )


def _nothing(number: int) -> tuple[Any, Callable[[Job, Tell], None]]:  # noqa: ARG001
    return (), lambda _, __: None


def driver(address: str, folder: Path) -> None:
    """Share out a folder's videos, with which nothing is done, and print the peak memory in MiB."""
    options = DetectOptions(model="own.py:detect", resume=True)
    jobs, _ = plan(sorted(map(str, folder.glob("*.mp4"))), folder.parent / "out", options)
    entries = longest_first(jobs)
    pool = ClusterPool[Job, None](Work(_nothing), Cluster(address), again=resumed)
    done = sum(isinstance(e, Done) for e in pool.run(iter([job for job, _ in entries])))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{done} {peak:.1f}", flush=True)


def memory() -> None:
    """Print the driver's peak memory at 100 and at 10,000 inputs."""
    with tempfile.TemporaryDirectory() as folder, nodes(1) as address:
        os.chdir(folder)
        write_videos(Path("made"), 1, 2)
        peaks = {}
        for count in (100, 10_000):
            place = Path(f"in{count}")
            place.mkdir()
            for number in range(count):
                os.link("made/000.mp4", place / f"{number:05}.mp4")
            command = [sys.executable, "-m", "benchmarks.cluster", "driver", address, str(place)]
            ended = subprocess.run(command, capture_output=True, text=True, check=True)
            done, peak = ended.stdout.split()[-2:]
            peaks[int(done)] = float(peak)
            print(f"{done} inputs: {peak} MiB", flush=True)
        print(f"ratio {peaks[10_000] / peaks[100]:.3f}")


def workers() -> list[int]:
    """Workers at work on a video, of nodes that this process has started."""
    parents, found = {}, []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(place.name)] = int(
                (place / "stat").read_text().rpartition(")")[2].split()[1]
            )
            if (place / "cmdline").read_bytes().startswith(b"ray::minet"):
                found.append(int(place.name))
        except (OSError, ValueError, IndexError):
            continue

    def is_ours(pid: int) -> bool:
        while pid > 1:
            if pid == os.getpid():
                return True
            pid = parents.get(pid, 0)
        return False

    return [pid for pid in found if is_ours(pid)]


def finished(folder: Path) -> int:
    """Videos that are done."""
    return len(list(folder.glob("*/minet.json")))


def soak(videos: int, frames: int, kills: int, seed: int) -> None:
    """Kill workers and the driver while videos are done; compare what came out."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, nodes(2) as address:
        os.chdir(folder)
        write_videos(Path("in"), videos, frames)
        command = [sys.executable, "-m", "minet_cli", "detect", "in", "--model", "own.py:detect"]
        command += ["--checkpoint", "0"]
        began = time.monotonic()
        subprocess.run([*command, "-o", "alone", "--quiet"], check=True)
        print(f"undisturbed, one after the other: {time.monotonic() - began:.0f} s", flush=True)
        began = time.monotonic()
        log = Path("log").open("w+")  # noqa: SIM115
        disturbed = [*command, "-o", "out", "--ray", address]
        driver = subprocess.Popen(disturbed, stdout=log, stderr=log)
        places = sorted(chance.sample(range(videos - 4), kills))
        driver_at: int | None = places[kills // 2]
        made = 0
        while driver.poll() is None:
            time.sleep(0.2)
            done = finished(Path("out"))
            if driver_at is not None and done >= driver_at:
                driver.kill()
                driver.wait()
                print(f"driver killed at {done} done, begun again", flush=True)
                driver, driver_at = subprocess.Popen(disturbed, stdout=log, stderr=log), None
            elif places and done >= places[0] and (running := workers()):
                os.kill(pid := chance.choice(running), signal.SIGKILL)
                places.pop(0)
                made += 1
                print(
                    f"worker {pid} killed at {done} done, load {os.getloadavg()[0]:.1f}", flush=True
                )
        print(f"driver ended with {driver.returncode} after {time.monotonic() - began:.0f} s")
        log.seek(0)
        text = log.read()
        print(f"tried once more: {text.count('it is tried once more')} times; kills: {made}")
        print(f"gone on with: {text.count('of them by an earlier run')} videos")
        alone, out = (contents(Path(name)) for name in ("alone", "out"))
        same = sum(out.get(name) == content for name, content in alone.items())
        print(
            f"{finished(Path('out'))} of {videos} videos done; {same} of {len(alone)} files equal, "
            f"{len(out.keys() - alone.keys())} files that should not be there"
        )


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("what", choices=("overhead", "memory", "soak", "driver"))
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--videos", type=int)
    parser.add_argument("--frames", type=int, help="of each video")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.what == "overhead":
        overhead(options.videos or 200, options.frames or 25)
    elif options.what == "memory":
        memory()
    elif options.what == "soak":
        soak(options.videos or 50, options.frames or 150, options.kills, options.seed)
    else:
        driver(options.arguments[0], Path(options.arguments[1]))


if __name__ == "__main__":
    # By its name: what a program itself defines would be sent with each task, and made anew.
    from benchmarks import cluster

    cluster.main()
