"""One process that works for a pool: both of its ends.

It is a fresh interpreter, as a process that has threads cannot be copied. Nothing here imports
torch, so that the number of threads can be set before torch asks for it.
"""

import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from minet_core.errors import MinetError
from minet_core.threads import SHARE

Tell = Callable[[Any], None]
"""Called with how far a task is."""

_TERMINATED = 143


@dataclass(frozen=True, slots=True)
class Work:
    """What a process does, as it can be sent to one.

    Attributes:
        make: a function of a module, called once in each process with `arguments` and the number
            of the process. It returns what it has to say, and what is to be called with each
            task and a `Tell`.
        arguments: that can be pickled.
    """

    make: Callable[..., tuple[Any, Callable[[Any, Tell], Any]]]
    arguments: tuple[Any, ...] = ()


class Dead(Exception):  # noqa: N818
    """A process has ended without an answer; its text says how."""


class Process:
    """The pool's end.

    Args:
        work: of the process.
        number: from 0; one that takes the place of a dead one has its number.
        threads: to compute with.
    """

    def __init__(self, work: Work, number: int, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, work, number, threads), daemon=True
        )
        with _no_interrupt():
            self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """Number by which the system knows it."""
        assert self._process.pid is not None
        return self._process.pid

    def give(self, task: object) -> None:
        """Let it do a task; of one that has died the next `receive` tells."""
        with suppress(OSError):
            self.pipe.send(task)

    def receive(self) -> tuple[str, Any]:
        """What it says next.

        Raises:
            Dead: nothing any more.
        """
        try:
            kind, content = self.pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            raise Dead(_how(self._process.exitcode)) from None
        return kind, content

    def stop(self, number: signal.Signals | None) -> None:
        """Send it a signal; without one, tell it that there are no more tasks."""
        if number is not None:
            self._process.terminate()
        else:
            with suppress(OSError):
                self.pipe.send(_NO_MORE)

    def join(self, seconds: float) -> None:
        """Wait until it has ended, but no longer than that."""
        self._process.join(seconds)

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self.pipe.close()


def _how(code: int | None) -> str:
    """What became of a process, for the one line of its task."""
    if code is None or code >= 0:
        return f"its process ended unasked, with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    reason = ", as by the system when memory runs out" if name == "SIGKILL" else ""
    return f"its process was killed ({name}{reason})"


_NO_MORE = "no more"


def _serve(pipe: Connection, work: Work, number: int, threads: int) -> None:
    """The process's end: do tasks until there are no more, or nobody is there to hear of them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the pool, which then says stop
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    os.environ[SHARE] = str(threads)
    with suppress(EOFError, BrokenPipeError):
        try:
            facts, do = work.make(*work.arguments, number)
        except Exception as error:
            pipe.send(("refused", portable(error)))
            return
        pipe.send(("ready", facts))
        while (task := pipe.recv()) != _NO_MORE:
            try:
                answer = ("done", do(task, lambda what: pipe.send(("told", what))))
            except BrokenPipeError:
                raise
            except Exception as error:
                answer = ("failed", portable(error))
            pipe.send(answer)


def portable(error: Exception) -> Exception:
    """The error, or one with the same words where it cannot be sent as it is."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        sent = pickle.loads(pickle.dumps(error))
        is_same = type(sent) is type(error) and str(sent) == str(error)
    except Exception:
        is_same = False
    if is_same:
        return error
    kind = MinetError if isinstance(error, MinetError) else RuntimeError
    other = kind(str(error) if kind is MinetError else f"{type(error).__name__}: {error}")
    other.add_note("".join(error.__notes__))
    return other


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Hold Ctrl-C back while a process is started, which inherits that and never sees one."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
