"""Damage small videos at random, and see that reading them always ends well.

    scripts/fuzz [--seed 0] [--count 2000] [--seconds 360] [--long 100000]

Four containers with sound (mp4, avi, webm, ts) are damaged in every way that disks, networks and
careless tools do it. Each file is read to its end and copied, sound included, by a process of its
own that is given ten seconds a file. It may refuse a file in one line, or give what frames there
are. It is a fault if it crashes, hangs, raises anything else, or leaves a file open or on the disk.

Then one long video is read, whose frames must all come while memory stays as it is.

Equal options give equal files. Faulty ones are kept in `fuzz-faults/`, and the exit code is 1.
"""

import argparse
import json
import os
import random
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from minet_core.errors import MinetError
from minet_core.video import VideoWriter, open_video

KINDS = {
    "mp4": ("libx264", "aac"),
    "avi": ("mpeg4", "libmp3lame"),
    "webm": ("libvpx-vp9", "libopus"),
    "ts": ("libx264", "aac"),
}
RATE = 48_000
FRAMES = 25
LONGEST = 10.0
"""Seconds that a file may take."""

MOST_MEMORY = 6 * 2**30
MOST_PIXELS = 1_000_000
"""Larger frames, of which damaged headers tell, are read and not written."""

FAULTS = Path("fuzz-faults")
EXTREMES = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\1"]


def sample(path: Path) -> bytes:
    """A second of moving noise and a tone, in the container that the suffix names."""
    codec, sound = KINDS[path.suffix[1:]]
    noise = np.random.default_rng(0).integers(0, 256, (FRAMES, 48, 64, 3), dtype=np.uint8)
    with av.open(path, "w") as container:
        video: Any = container.add_stream(codec, rate=FRAMES, options={"g": "10"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio: Any = container.add_stream(sound, rate=RATE, layout="mono")
        for picture in noise:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        tone = (np.sin(np.arange(RATE) * 0.05) * 9000).astype(np.int16)
        for at in range(0, RATE, 960):
            frame = av.AudioFrame.from_ndarray(
                tone[None, at : at + 960], format="s16", layout="mono"
            )
            frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
            container.mux(audio.encode(frame))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return path.read_bytes()


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The file after one to four accidents, half of them in its first or last kilobyte."""
    for _ in range(chance.randint(1, 4)):
        data = _accident(data, chance)
    return data


def _accident(data: bytes, chance: random.Random) -> bytes:
    at, length = _place(len(data), chance), chance.choice([1, 2, 4, 16, 188, 1024])
    before, here, after = data[:at], data[at : at + length], data[at + length :]
    match chance.randrange(8):
        case 0:
            return before + bytes(byte ^ 1 << chance.randrange(8) for byte in here) + after
        case 1:
            return before + chance.randbytes(len(here)) + after
        case 2:
            return before + bytes(len(here)) + after
        case 3:
            return before + after
        case 4:
            return before + here * chance.randint(2, 5) + after
        case 5:
            return before + chance.randbytes(length) + here + after
        case 6:
            return data[:at] + chance.choice(EXTREMES) + data[at + 4 :]
        case _:
            return before


def _place(size: int, chance: random.Random) -> int:
    if chance.random() < 0.5:
        return chance.randrange(max(size, 1))
    return abs(chance.choice([0, max(size - 1024, 0)]) + chance.randrange(min(max(size, 1), 1024)))


def read_one(path: Path, folder: Path) -> dict[str, Any]:
    """What became of a file: outcome, and frames read or the line that refused it."""
    frames = 0
    try:
        with open_video(path) as reader:
            small = reader.info.width * reader.info.height <= MOST_PIXELS
            with VideoWriter(
                folder / "copy.mp4" if small else None,
                frame_rate=reader.info.frame_rate,
                time_base=reader.info.time_base,
                audio_from=path if reader.info.has_audio else None,
                pixel_aspect=reader.info.pixel_aspect,
            ) as writer:
                for frame in reader:
                    writer.write(frame.image, frame.time)
                    frames += 1
            warned = [*reader.warnings, *writer.warnings]
    except MinetError as error:
        one_line = len(str(error).splitlines()) == 1
        return {"outcome": "refused" if one_line else "several lines", "said": str(error)}
    except Exception as error:
        return {"outcome": f"raised {type(error).__name__}", "said": str(error)}
    return {"outcome": "read with warnings" if warned else "read", "frames": frames}


GOOD = {"refused", "read", "read with warnings"}


def serve(folder: Path) -> None:
    """Read files whose names come on standard input, and answer each with a line of JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    for line in sys.stdin:
        path, open_before = Path(line.rstrip("\n")), _open_files()
        answer = read_one(path, folder)
        (folder / "copy.mp4").unlink(missing_ok=True)
        if answer["outcome"] in GOOD and _open_files() > open_before:
            answer["outcome"] = "left a file open"
        left = [file.name for file in folder.iterdir()]
        if answer["outcome"] in GOOD and left:
            answer |= {"outcome": "left a file on the disk", "said": str(left)}
        print(json.dumps(answer), flush=True)  # noqa: T201


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class Reader:
    """The process that reads, started anew when it had to be ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def read(self, path: Path) -> dict[str, Any]:
        """What became of a file, with the seconds it took."""
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        started = time.perf_counter()
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], LONGEST)
        line = process.stdout.readline() if ready else ""
        seconds = time.perf_counter() - started
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer | {"seconds": seconds}
        code = self.close()
        return {"outcome": f"crash ({code})" if ready else "hang", "seconds": seconds}

    def close(self) -> int | None:
        """End the process; the code that it ended with, if it ended by itself."""
        process, self._process = self._process, None
        if process is None:
            return None
        time.sleep(0.1)  # a process that crashes closes its output a moment before it ends
        code = process.poll()
        process.kill()
        process.communicate()
        for file in self._folder.iterdir():
            file.unlink()
        return code

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, __file__, "--serve", str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(self._folder), "OMP_NUM_THREADS": "1"},
        )


@dataclass
class Report:
    """Counts of what became of the files."""

    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: {k: Counter() for k in KINDS})
    slowest: float = 0.0
    faults: int = 0

    def add(self, kind: str, answer: dict[str, Any]) -> bool:
        """Count one; whether it is a fault."""
        self.outcomes[kind][answer["outcome"]] += 1
        self.slowest = max(self.slowest, answer["seconds"])
        fault = answer["outcome"] not in GOOD
        self.faults += fault
        return fault

    def lines(self, seconds: float) -> list[str]:
        """A line for each container, and one of sums."""
        counts = self.outcomes
        total = sum(counter.total() for counter in counts.values())
        return [
            *(
                f"{kind:5}" + ", ".join(f"{n} {name}" for name, n in counts[kind].most_common())
                for kind in counts
            ),
            f"{total} files in {seconds:.0f} s, the slowest {self.slowest:.2f} s; "
            f"faults: {self.faults}",
        ]


def fuzz(seed: int, count: int, seconds: float) -> Report:
    """Damage and read up to `count` files, for no longer than `seconds`."""
    report, started = Report(), time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "work"
        folder.mkdir()
        samples = {kind: sample(Path(place) / f"sample.{kind}") for kind in KINDS}
        reader = Reader(folder)
        for number in range(count):
            if time.perf_counter() - started > seconds:
                break
            kind = list(KINDS)[number % len(KINDS)]
            path = Path(place) / f"damaged.{kind}"
            path.write_bytes(damaged(samples[kind], random.Random(f"{seed}-{number}")))
            answer = reader.read(path)
            if report.add(kind, answer):
                FAULTS.mkdir(exist_ok=True)
                kept = path.replace(FAULTS / f"{seed}-{number}.{kind}")
                say(f"{kept}: {answer['outcome']}: {answer.get('said', '')}")
        reader.close()
    say(*report.lines(time.perf_counter() - started))
    return report


def read_long(frames: int) -> bool:
    """Whether all frames of a long video come, and memory grows by no more than 50 MB."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "long.mp4"
        with av.open(path, "w") as container:
            stream: Any = container.add_stream("mpeg4", rate=30)
            stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
            for _ in range(frames):
                container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
            container.mux(stream.encode(None))
        started = time.perf_counter()
        with open_video(path) as reader:
            next(iter(reader))
            memory = _peak_memory()
            count = 1 + sum(1 for _ in reader)
    grown, seconds = _peak_memory() - memory, time.perf_counter() - started
    say(f"long: {count} of {frames} frames in {seconds:.0f} s; memory grew by {grown:.1f} MB")
    return count == frames and grown < 50


def _peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(*lines: str) -> None:
    """Print lines at once."""
    print(*lines, sep="\n", flush=True)  # noqa: T201


def main() -> int:
    """Read the command line; the exit code is 1 if there was a fault."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=2000, help="files to read")
    parser.add_argument("--seconds", type=float, default=360, help="when to stop before that")
    parser.add_argument("--long", type=int, default=100_000, help="frames of the long video")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve)
        return 0
    report = fuzz(options.seed, options.count, options.seconds)
    complete = not options.long or read_long(options.long)
    return 0 if complete and not report.faults else 1


if __name__ == "__main__":
    sys.exit(main())
