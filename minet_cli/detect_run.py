"""`minet detect` at work: one video after the other, or several at once, and what is said of it."""

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
    """Write the exports and reports that videos which are done lack, and tell which have failed.

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
    """Annotate every input, and add those that fail to the failures there are.

    Args:
        jobs: what to do.
        options: of the run.
        reporter: is told.
        failures: that there are.
        count: how many videos to do at once; None for as many as fit this machine.
        cluster: does them in the place of this machine.

    Raises:
        MinetError: the model cannot be loaded, or the only input failed and nothing did before.
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
    """Annotate every video that arrives in a folder, until Ctrl-C.

    Args:
        inbox: the folder.
        output: folder for the results.
        options: of the run; a stopped video is resumed.
        reporter: is told.
        count: how many videos to do at once; None for as many as fit this machine.
        cluster: does them in the place of this machine.

    Raises:
        MinetError: there is no such folder or model, or options make no sense here.
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
    reporter.note(f"watching {shown(inbox)}, Ctrl-C ends it")
    does = engine(arrived.options, count, cluster, reporter.note)
    with reporter.many() as display:
        try:
            show_events(does, iter(arrived), reporter, display, failures)
        except Interrupted:
            raise Interrupted("; the same command goes on") from None


def show_events(
    does: BatchEngine,
    jobs: Iterator[Job | None],
    reporter: "Reporter",
    display: "Display",
    failures: list[Failure],
) -> None:
    """Let an engine do jobs, tell the user, and add those that fail to the failures there are.

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
    """Tells the user what an engine tells."""

    def __init__(self, reporter: "Reporter", display: "Display", failures: list[Failure]) -> None:
        self._reporter, self._display, self._failures = reporter, display, failures
        self._noted = False
        self.running: list[Job] = []

    def show(self, event: "Event[Job, Summary | None]") -> None:
        """Tell of one event."""
        match event:
            case Ready(notes):
                if not self._noted:  # the same of every process
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
                self._reporter.note(f"{shown(job.source)}: {how}; it is tried once more")
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
    """What --resume can do with unfinished videos."""
    checkpoints = [read_checkpoint(job.folder / UNFINISHED) for job in jobs]
    scenes = [(job.folder / SCENES).is_dir() for job in jobs]
    if scenes == [True]:
        return f"; --resume continues {jobs[0].source} with what is done of its scenes"
    if len(jobs) != 1:
        kept = sum(each is not None or has for each, has in zip(checkpoints, scenes, strict=True))
        return f"; --resume does the rest, and continues {kept} of {len(jobs)} unfinished videos"
    if checkpoints[0] is None:
        return "; nothing of the unfinished video was kept"
    return f"; --resume continues {jobs[0].source} after {checkpoints[0].frames} frames"
