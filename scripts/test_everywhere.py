"""Run the tests under conditions that other machines have, and say which of them fail.

    scripts/test-everywhere [--rounds 1] [--logs DIR] [CONDITION ...] [-- PYTEST OPTIONS]

Without a condition, a round is four runs of all tests. Each condition is in at least one of them,
and its opposite in another; rounds differ in the order of the tests and in what is in the heap.
With conditions, a round is one run with just these.

    one-thread, two-threads   for torch to compute with (OMP_NUM_THREADS)
    heap                      memory is full of other bytes than zeros (glibc's MALLOC_PERTURB_)
    plain-cpu, avx2           instructions that torch and others use (ATEN_CPU_CAPABILITY, …)
    shuffled                  another order of the tests, other examples where tests draw them
    busy                      as many other programs as there are cores
    c-locale, auckland        another language, another time zone
    other-user                not root, in a clone of their own; needs root to begin with
    spaces                    a clone, and temporary files, in a folder with spaces in its name

Clones have what is committed. Each run has a log; the exit code is 1 if a test failed.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
USER = "nobody"
HEAPS = (90, 165, 1)
AT_ONCE = ("--numprocesses", "auto", "--maxprocesses", "8", "--dist", "worksteal")
"""As scripts/test has it."""

ENVIRONMENT = {
    "one-thread": {"OMP_NUM_THREADS": "1"},
    "two-threads": {"OMP_NUM_THREADS": "2"},
    # torch's own code, and that of the libraries which it, NumPy, SciPy and OpenCV compute with
    "plain-cpu": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "OPENBLAS_CORETYPE": "Nehalem",
        "OPENCV_CPU_DISABLE": "AVX2,AVX,FP16",
    },
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "c-locale": {"LC_ALL": "C"},
    "auckland": {"TZ": "Pacific/Auckland"},
}
CONDITIONS = (*ENVIRONMENT, "heap", "shuffled", "busy", "other-user", "spaces")
RUNS = (
    ("one-thread", "heap", "plain-cpu", "shuffled", "c-locale", "other-user"),
    ("two-threads", "avx2", "busy", "auckland", "spaces"),
    ("one-thread", "avx2", "shuffled", "busy", "auckland"),
    ("two-threads", "heap", "plain-cpu", "shuffled", "c-locale", "spaces"),
)


def run(conditions: Sequence[str], number: int, log: Path, options: Sequence[str]) -> bool:
    """Run the tests once, and say how it went.

    Args:
        conditions: names.
        number: of the run; other numbers give another order and another heap.
        log: file for pytest's output.
        options: for pytest.

    Returns:
        Whether all passed.
    """
    command = [sys.executable, "-u", "-m", "pytest", "-q", *AT_ONCE, *options]
    environment = dict(os.environ)
    for name in conditions:
        environment |= ENVIRONMENT.get(name, {})
    if "heap" in conditions:
        environment["MALLOC_PERTURB_"] = str(HEAPS[number % len(HEAPS)])
    if "shuffled" in conditions:
        command += ["-p", "randomly", f"--randomly-seed={number}"]
        command += ["--hypothesis-profile=others", f"--hypothesis-seed={number}"]
    say(f"run {number}: {' '.join(conditions) or 'as it is'}")
    began = time.monotonic()
    with ExitStack() as stack:
        place = stack.enter_context(work_place(conditions, environment))
        if "busy" in conditions:
            stack.enter_context(busy_cores())
        with log.open("w") as output:
            done = subprocess.run(
                command,
                cwd=place,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                **as_other("other-user" in conditions),
            )
    lines = log.read_text(errors="replace").splitlines() or ["no output"]
    say(f"    {lines[-1].strip('= ')}; {time.monotonic() - began:.0f} s; {log}")
    for line in lines:
        if re.match(r"(FAILED|ERROR) ", line):
            say(f"    {line}")
    return done.returncode == 0


@contextmanager
def work_place(conditions: Sequence[str], environment: dict[str, str]) -> Iterator[Path]:
    """The checkout to test, with what programs need to find it: this one, or a clone."""
    if not {"other-user", "spaces"} & set(conditions):
        environment["PYTHONPATH"] = path_with(ROOT)
        yield ROOT
        return
    folder = Path(tempfile.mkdtemp(prefix="with two spaces " if "spaces" in conditions else None))
    try:
        place, temporary = folder / "minet", folder / "tmp"
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", ROOT, place], check=True)
        temporary.mkdir()
        environment |= {"PYTHONPATH": path_with(place), "TMPDIR": str(temporary)}
        if "other-user" in conditions:
            environment["HOME"] = str(folder)
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, USER, nogroup())
        yield place
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def busy_cores() -> Iterator[None]:
    """While each core has something else to do as well."""
    # Each ends with this process, even when that is killed.
    spin = [sys.executable, "-c", f"import os\nwhile os.getppid() == {os.getpid()}: pass"]
    others = [subprocess.Popen(spin) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def path_with(place: Path) -> str:
    """PYTHONPATH with a checkout in front, whatever the environment was installed from."""
    return os.pathsep.join(filter(None, [str(place), os.environ.get("PYTHONPATH")]))


def as_other(other: bool) -> dict[str, Any]:
    """Arguments that let a program run as another user, if it is to."""
    return {"user": USER, "group": nogroup(), "extra_groups": []} if other else {}


def nogroup() -> int:
    """The group of the other user."""
    import pwd

    return pwd.getpwnam(USER).pw_gid


def possible(conditions: Sequence[str]) -> list[str]:
    """The conditions that can be had here; a line for each that cannot."""
    if "other-user" not in conditions:
        return list(conditions)
    reason = "" if os.geteuid() == 0 else "only root can run programs as somebody else"
    if not reason:
        try:
            program = [sys.executable, "-c", ""]
            subprocess.run(program, **as_other(True), cwd="/", check=True)
        except (OSError, subprocess.CalledProcessError, LookupError) as error:
            reason = f"{USER} cannot run {sys.executable} ({error})"
    if not reason:
        return list(conditions)
    say(f"other-user is left out: {reason}")
    return [name for name in conditions if name != "other-user"]


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201


def main() -> int:
    """Read the command line; the exit code is 1 if a test failed."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--logs", type=Path, default=None, help="folder, instead of a temporary")
    parser.add_argument("conditions", nargs="*", metavar="CONDITION")
    words = sys.argv[1:]
    split = words.index("--") if "--" in words else len(words)
    options = parser.parse_args(words[:split])
    if unknown := sorted(set(options.conditions) - set(CONDITIONS)):
        parser.error(f"no condition {', '.join(unknown)} (known: {', '.join(CONDITIONS)})")
    logs = options.logs or Path(tempfile.mkdtemp(prefix="minet-test-everywhere-"))
    logs.mkdir(parents=True, exist_ok=True)
    runs = [
        tuple(possible(each)) for each in ([options.conditions] if options.conditions else RUNS)
    ]
    passed = [
        run(conditions, number, logs / f"{number}.log", words[split + 1 :])
        for number, conditions in enumerate(options.rounds * runs, 1)
    ]
    say(f"{sum(passed)} of {len(passed)} runs green")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
