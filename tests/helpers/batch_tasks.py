"""Work for pools, in a module of its own: a fresh process imports it by name."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from minet_core.errors import ConfigError, InputError

Work = Callable[[Any, Callable[[str], None]], Any]


def nothing_to_make(number: int) -> tuple[object, Work]:
    return number, do


def nothing_to_say(number: int) -> tuple[object, Work]:  # noqa: ARG001
    return (), do


def cannot_be_made(number: int) -> NoReturn:  # noqa: ARG001
    raise ConfigError("there is no such model")


def do(task: Any, tell: Callable[[str], None]) -> Any:
    """What a task says: `("tell", …)`, `("fail", …)`, `("die", path)`, or its own square."""
    match task:
        case "tell", *words:
            for word in words:
                tell(word)
        case "fail", text:
            raise InputError(text)
        case "odd":
            raise OddError(1, 2)
        case "die", deaths, path:
            died = Path(path).read_text() if Path(path).exists() else ""
            if len(died) < deaths:
                Path(path).write_text(died + "x")
                os.kill(os.getpid(), signal.SIGKILL)
        case "threads":
            return os.environ["OMP_NUM_THREADS"]
        case "share":
            import ray

            return ray.get_runtime_context().get_assigned_resources()
        case "wait", path:
            try:
                tell("waits")
                signal.pause()
            finally:
                Path(path).write_text("left in order")
        case "talk", _, fifo:
            with Path(fifo).open("wb", buffering=0) as held:  # until the process ends
                held.write(b"x")
                while True:
                    tell("talks")
        case int():
            return task * task
    return None


class OddError(Exception):
    """Cannot be unpickled."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")
