"""`minet detect` at work: videos one by one or in parallel, and messages about them."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from minet_core.batch.cluster import Cluster
from minet_core.batch.engines import BatchEngine, engine
from minet_core.batch.inbox import open_inbox
from minet_core.batch.one_video import add_missing, complete, load
from minet_core.batch.planning import Job, check_shareable, longest_first
from minet_core.batch.pool import Again, Began, Done, Event, Failed, Ready, Told
from minet_core.errors import AlreadyDoneError, MinetError
from minet_core.options import DetectOptions
from minet_core.runs.unfinished import SCENES, UNFINISHED, read_checkpoint
from minet_core.text import shown

if TYPE_CHECKING:
    from minet_cli.showing.detect_report import Reporter
    from minet_cli.showing.progress_many import Display
    from minet_core.runs.summary import Summary

Failure = tuple[str, str]
"""An input, and what went wrong with it."""


def completed(done: list[Job], reporter: "Reporter", *, alone: bool) -> list[Failure]:
    """Write missing exports and reports of videos that are done, and return those that failed.

    Raises:
        MinetError: the only video failed.
    """
    failures = []
    for job in done:
        reporter.done_already(job.source, job.place)
        try:
            add_missing(job)
        except MinetError as error:
            if alone:
                raise
            failures.append(_failure(job.source, error, reporter))
    return failures


def run_all(
    jobs: list[Job],
    options: DetectOptions,
    reporter: "Reporter",
    failures: list[Failure],
    count: int | None = 1,
    cluster: Cluster | None = None,
) -> None:
    """Annotate every input, and add those that fail to `failures`.

    Args:
        jobs: what to do.
        options: of the run.
        reporter: shows the events.
        failures: earlier failures.
        count: number of parallel videos; None for as many as fit this machine.
        cluster: runs them instead of this machine.

    Raises:
        MinetError: the model cannot be loaded, or the only input failed without earlier failures.
        Interrupted: by Ctrl-C.
    """
    alone = (count == 1 or len(jobs) == 1) and not options.split_at_cuts
    if cluster is None and alone:
        _one_by_one(jobs, options, reporter, failures)
        return
    check_shareable(jobs)
    entries = longest_first(jobs)
    pixels = max(size.pixels for _, size in entries)
    does = engine(options, count, cluster, reporter.note, videos=len(jobs), pixels=pixels)
    with reporter.many(entries) as display:
        show_events(does, iter([job for job, _ in entries]), reporter, display, failures)


def _one_by_one(
    jobs: list[Job],
    options: DetectOptions,
    reporter: "Reporter",
    failures: list[Failure],
) -> None:
    from minet_cli.main import Interrupted, debugging

    with reporter.waiting(f"loading {options.model}"):
        model = load(options)
    reporter.notes(model.notes)
    alone = len(jobs) == 1 and not failures
    for job in jobs:
        try:
            with reporter.progress(job) as progress:
                summary = complete(job, model, progress)
        except KeyboardInterrupt:
            raise Interrupted(_what_is_left([job])) from None
        except AlreadyDoneError:  # by another process, since this one began
            reporter.done_already(job.source, job.place)
        except Exception as error:
            if alone or debugging():
                raise
            failures.append(_failure(job.source, error, reporter))
        else:
            reporter.summary(job.source, summary)


def watch(
    inbox: Path,
    output: Path,
    options: DetectOptions,
    reporter: "Reporter",
    count: int | None,
    cluster: Cluster | None = None,
) -> None:
    """Annotate each new video in a folder, until Ctrl-C.

    Args:
        inbox: the folder.
        output: folder for the results.
        options: of the run; a stopped video is resumed.
        reporter: shows the events.
        count: number of parallel videos; None for as many as fit this machine.
        cluster: runs them instead of this machine.

    Raises:
        MinetError: the folder or model does not exist, or an option does not suit `--watch`.
        Interrupted: by Ctrl-C.
    """
    from minet_cli.main import Interrupted

    failures: list[Failure] = []
    arrived = open_inbox(
        inbox,
        output,
        options,
        done=lambda job: failures.extend(completed([job], reporter, alone=False)),
        failed=lambda source, error: failures.append(_failure(source, error, reporter)),
    )
    reporter.note(f"watching {shown(inbox)}, Ctrl-C stops")
    does = engine(arrived.options, count, cluster, reporter.note)
    with reporter.many() as display:
        try:
            show_events(does, iter(arrived), reporter, display, failures)
        except Interrupted:
            raise Interrupted("; the same command continues") from None


def show_events(
    does: BatchEngine,
    jobs: Iterator[Job | None],
    reporter: "Reporter",
    display: "Display",
    failures: list[Failure],
) -> None:
    """Let an engine run jobs, show its events, and add jobs that fail to `failures`.

    Raises:
        MinetError: the model cannot be loaded.
        Interrupted: by Ctrl-C.
    """
    from minet_cli.main import Interrupted

    shower = _Shower(reporter, display, failures)
    try:
        with closing(does.run(jobs)) as events:
            for event in events:
                shower.show(event)
    except KeyboardInterrupt:
        raise Interrupted(_what_is_left(shower.running)) from None


class _Shower:
    """Shows an engine's events to the user."""

    def __init__(self, reporter: "Reporter", display: "Display", failures: list[Failure]) -> None:
        self._reporter, self._display, self._failures = reporter, display, failures
        self._noted = False
        self.running: list[Job] = []

    def show(self, event: "Event[Job, Summary | None]") -> None:
        """Show one event."""
        match event:
            case Ready(notes):
                if not self._noted:  # the same for every process
                    self._reporter.notes(notes)
                self._noted = True
            case Began(job):
                self.running.append(job)
                self._reporter.begins(job)
                self._display.began(job)
            case Told(job, position):
                self._display.told(job, position)
            case Again(job, how):
                self.running = [each for each in self.running if each.folder != job.folder]
                self._reporter.note(f"{shown(job.source)}: {how}; trying once more")
            case Done(job, summary):
                self._ended(job)
                if summary is None:
                    self._reporter.done_already(job.source, job.place)
                else:
                    self._reporter.summary(job.source, summary)
            case Failed(job, error):
                self._ended(job)
                self._failed(job, error)

    def _ended(self, job: Job) -> None:
        self.running.remove(job)
        self._display.ended(job)

    def _failed(self, job: Job, error: Exception) -> None:
        from minet_cli.main import debugging

        if debugging():
            raise error
        self._failures.append(_failure(job.source, error, self._reporter))


def _failure(source: str, error: Exception, reporter: "Reporter") -> Failure:
    from minet_cli.main import describe

    line = describe(error).removeprefix(f"{source}: ")
    reporter.failure(source, line)
    return source, line


def _what_is_left(jobs: Sequence[Job]) -> str:
    """A hint what --resume can continue."""
    checkpoints = [read_checkpoint(job.folder / UNFINISHED) for job in jobs]
    scenes = [(job.folder / SCENES).is_dir() for job in jobs]
    if scenes == [True]:
        return f"; --resume continues {jobs[0].source} after its complete scenes"
    if len(jobs) != 1:
        kept = sum(each is not None or has for each, has in zip(checkpoints, scenes, strict=True))
        return f"; --resume continues {kept} of {len(jobs)} unfinished videos, and does the rest"
    if checkpoints[0] is None:
        return "; nothing of the unfinished video was kept"
    return f"; --resume continues {jobs[0].source} after {checkpoints[0].frames} frames"
