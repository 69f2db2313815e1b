"""A folder that is watched: each video that arrives in it is a job once it is complete."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from minet_core.batch.planning import Job, job_of, place_in
from minet_core.errors import ConfigError, InputError, MinetError
from minet_core.files import numbered
from minet_core.models.weight_files import model_files
from minet_core.options import PERSONS, DetectOptions
from minet_core.runs.folder_names import folder_names
from minet_core.runs.manifest import read_manifest
from minet_core.runs.unfinished import SCENES, UNFINISHED, read_checkpoint
from minet_core.text import shown
from minet_core.video.pictures.suffixes import VIDEOS

SETTLED = 5.0
"""Seconds without a change after which a file counts as complete."""
PAUSE = 1.0
"""Seconds from one look at the folder to the next."""

_State = tuple[int, int]
"""Bytes of a file, and nanoseconds since 1970 of its last change."""


class Inbox:
    """Iterates without end: over jobs, and None while there is none.

    Files whose names do not end as those of videos, or begin with a dot, are left alone; so are
    sub-folders. A file that changes after it was taken is taken once more, when it has settled.

    Args:
        folder: to watch; it may go away for a time.
        output: folder for the results. A video has a folder in it that bears its name, with the
            suffix where another video has the one without.
        options: of the run.
        done: called with each job that an earlier run has done, once.
        failed: called with a video that cannot be a job, and why.
        clock: seconds.

    Attributes:
        options: of the run.

    Raises:
        InputError: there is no such folder.
    """

    def __init__(
        self,
        folder: Path,
        output: Path,
        options: DetectOptions,
        *,
        done: Callable[[Job], None],
        failed: Callable[[str, MinetError], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not folder.is_dir():
            raise InputError(f"{shown(folder)}: no such folder")
        self._folder, self._output, self.options = folder, output, options
        self._done, self._failed, self._clock = done, failed, clock
        self._seen: dict[str, tuple[_State, float]] = {}
        self._taken: dict[str, _State] = {}
        self._names: dict[str, str] = {}
        self._ready: deque[Path] = deque()
        self._looked_at: float | None = None

    def __iter__(self) -> Iterator[Job | None]:
        while True:
            yield self._next()

    def _next(self) -> Job | None:
        now = self._clock()
        if not self._ready and (self._looked_at is None or now - self._looked_at >= PAUSE):
            self._looked_at = now
            self._look(now)
        while self._ready:
            if (job := self._job(self._ready.popleft())) is not None:
                return job
        return None

    def _look(self, now: float) -> None:
        there = self._files()
        for name in self._seen.keys() - there.keys():
            del self._seen[name]
        for name, state in there.items():
            before, since = self._seen.get(name, (None, now))
            if state != before:
                since = now
            self._seen[name] = state, since
            if now - since >= SETTLED and self._taken.get(name) != state:
                self._taken[name] = state
                self._ready.append(self._folder / name)

    def _files(self) -> dict[str, _State]:
        """Videos in the folder that are not empty, the oldest first."""
        found = {}
        try:
            for path in self._folder.iterdir():
                stat = path.stat()
                is_video = path.suffix.lower() in VIDEOS and not path.name.startswith(".")
                if is_video and path.is_file() and stat.st_size:
                    found[path.name] = stat.st_size, stat.st_mtime_ns
        except OSError:  # away, or a file has gone while we looked
            pass
        return dict(sorted(found.items(), key=lambda entry: (entry[1][1], entry[0])))

    def _job(self, path: Path) -> Job | None:
        try:
            job, is_done = job_of(str(path), place_in(self._output, self._name(path)), self.options)
        except MinetError as error:
            self._failed(str(path), error)
            return None
        if is_done:
            self._done(job)
            return None
        return job

    def _name(self, path: Path) -> str:
        """The same name in every run, whatever else has come in the meantime."""
        if path.name not in self._names:
            (name,) = folder_names([path])
            taken = {name.casefold() for name in self._names.values()}
            while name.casefold() in taken or _owner(self._output / name) not in {None, path.name}:
                taken.add(name.casefold())
                name = numbered(path.name, set(taken))
            self._names[path.name] = name
        return self._names[path.name]


def open_inbox(
    folder: Path,
    output: Path,
    options: DetectOptions,
    *,
    done: Callable[[Job], None],
    failed: Callable[[str, MinetError], None],
) -> Inbox:
    """An inbox for a run that goes on with what an earlier one has left.

    Raises:
        ConfigError: options make no sense here, or there is no such model.
        InputError: there is no such folder.
    """
    if options.overwrite:
        raise ConfigError("--watch excludes --overwrite: it would start over each time")
    if options.rate is not None or any(getattr(options, name) for name in PERSONS):
        raise ConfigError("--watch is for many videos, and --rate and a person's boxes are not")
    model_files(options.model)
    return Inbox(folder, output, replace(options, resume=True), done=done, failed=failed)


def _owner(folder: Path) -> str | None:
    """The file name of the video that a folder has results of, finished or not."""
    for place in (folder, *sorted((folder / SCENES).glob("*"))):
        checkpoint = read_checkpoint(place / UNFINISHED)
        manifest = read_manifest(place) or (checkpoint and checkpoint.manifest)
        if manifest:
            return Path(manifest.source["path"]).name
    return None
