"""What does many videos: processes of this machine, or a cluster."""

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from minet_core.batch.by_scenes import ByScenes
from minet_core.batch.cluster import Cluster, ClusterPool
from minet_core.batch.inbox import PAUSE
from minet_core.batch.one_video import cluster_work, work
from minet_core.batch.planning import Job, resumed
from minet_core.batch.pool import Event, Pool
from minet_core.batch.sizing import this_machine
from minet_core.options import DetectOptions

if TYPE_CHECKING:
    from minet_core.runs.summary import Summary

MANY = 1_000_000
FULL_HD = 1920 * 1080
"""What is expected of videos that nobody has seen yet."""

Note = Callable[[str], None]
"""Called with what the user should know, a line each."""


class BatchEngine(Protocol):
    """Does jobs and tells what happens."""

    def run(
        self, tasks: Iterator[Job | None]
    ) -> "Generator[Event[Job, Summary | None], None, None]":
        """Do jobs; None stands where there is none yet."""


def engine(
    options: DetectOptions,
    jobs: int | None,
    cluster: Cluster | None,
    note: Note,
    *,
    videos: int = MANY,
    pixels: int = FULL_HD,
) -> BatchEngine:
    """What does videos.

    Args:
        options: of the run.
        jobs: how many processes of this machine; None for as many as fit.
        cluster: does them in their place.
        note: is told.
        videos: how many there are.
        pixels: of the largest frame among them.
    """
    if cluster is not None:
        there = cluster_work(options)
        far = ClusterPool[Job, Any](there, cluster, again=resumed, pause=PAUSE, note=note)
        return ByScenes(far) if options.split_at_cuts else far
    machine = this_machine(options.device if jobs is None else "cpu")
    most = MANY if options.split_at_cuts else videos  # who knows how many scenes there are
    count = machine.jobs(most, pixels) if jobs is None else min(jobs, most)
    if jobs is None or videos == MANY:
        note(f"jobs at once: {count}")
    here, threads = work(options, count), machine.threads(count)
    near = Pool[Job, Any](here, count, threads=threads, again=resumed, pause=PAUSE)
    return ByScenes(near) if options.split_at_cuts else near
