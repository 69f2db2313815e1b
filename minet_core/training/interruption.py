"""Ctrl-C and termination, between steps and not within one."""

import signal
import threading
from contextlib import AbstractContextManager
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest(AbstractContextManager["StopRequest"]):
    """Takes note of the first signal to stop; a second one has its usual effect, at once.

    Outside of the main thread, where signals do not arrive, it does nothing.

    Attributes:
        received: number of the signal, None as long as there is none.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._note) for each in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._as_usual()

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.received = number
        self._as_usual()

    def _as_usual(self) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before = {}
