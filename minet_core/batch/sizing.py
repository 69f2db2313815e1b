"""How many videos go at once on this machine, and with how many threads each."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from minet_core.threads import SHARE

PROCESS_BYTES = 700_000_000
"""What a process takes with the bundled model, before it has a picture; measured: 0.61 GB."""
FRAMES_HELD = 60
"""Pictures that a process has in its hands at once, in queues, the decoder and the encoder.

Measured from 640×272 to 3840×2160: 185 bytes a pixel.
"""

_GROUP = Path("/sys/fs/cgroup")
_MEMORY = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to share out.

    Attributes:
        cores: that this process may use.
        memory: bytes that are free, None where the system does not tell.
        gpus: that the model will use.
    """

    cores: int
    memory: int | None
    gpus: int = 0

    def jobs(self, videos: int, pixels: int = 0) -> int:
        """How many videos to do at once: a GPU for each, or a core, as memory allows.

        Args:
            videos: that there are to do.
            pixels: of the largest frame among them.
        """
        each = PROCESS_BYTES + FRAMES_HELD * 3 * pixels
        room = videos if self.memory is None else self.memory // each
        return max(1, min(self.gpus or self.cores, room, videos))

    def threads(self, jobs: int, environment: Mapping[str, str] = os.environ) -> int:
        """With how many threads each job computes; what the user has set stays."""
        given = environment.get(SHARE, "")
        return int(given) if given.isdecimal() and int(given) else max(1, self.cores // jobs)


def this_machine(device: str = "cpu") -> Machine:
    """The cores and the memory that are left to this process, in a container those of it.

    Args:
        device: where models compute; its GPUs are counted by torch, which is loaded for that.
    """
    return Machine(_cores(), _memory(), _gpus(device))


def _gpus(device: str) -> int:
    if device not in {"auto", "cuda"}:
        return 0
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota, _, period = _text(_GROUP / "cpu.max").partition(" ")
    if quota.isdecimal() and period.isdecimal():
        cores = min(cores, -(-int(quota) // int(period)))
    return max(1, cores)


def _memory() -> int | None:
    free = []
    for line in _text(_MEMORY).splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            free.append(int(rest.split()[0]) * 1024)
    most, used = _text(_GROUP / "memory.max"), _text(_GROUP / "memory.current")
    if most.isdecimal() and used.isdecimal():
        free.append(int(most) - int(used))
    return min(free, default=None)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
