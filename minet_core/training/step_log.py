"""The numbers of every step, in metrics.csv, and if asked for in TensorBoard."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from minet_core.errors import ConfigError
from minet_core.files import TextFile

METRICS = "metrics.csv"
TENSORBOARD = "tensorboard"


class Metrics:
    """A row a step. A training that goes on drops the rows that its checkpoint does not know.

    Args:
        folder: where metrics.csv belongs.
        columns: names of the numbers, after `step`.
        keep: bytes of what is there to go on after; 0 begins anew.
        tensorboard: whether to write for TensorBoard too.

    Raises:
        ConfigError: TensorBoard is asked for and not installed.
        OutputError: the file cannot be written.
    """

    def __init__(
        self, folder: Path, columns: tuple[str, ...], *, keep: int, tensorboard: bool
    ) -> None:
        self._columns = columns
        self._board = _writer()(folder / TENSORBOARD) if tensorboard else None
        self._file = TextFile(folder / METRICS, keep=keep or None)
        if not keep:
            self._file.write(",".join(("step", *columns)) + "\n")

    def __enter__(self) -> "Metrics":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()

    def add(self, step: int, numbers: Mapping[str, float]) -> None:
        """The numbers of a step, counted from 1; a column without a number stays empty."""
        cells = (f"{numbers[name]:.6g}" if name in numbers else "" for name in self._columns)
        self._file.write(",".join((str(step), *cells)) + "\n")
        if self._board is not None:
            for name, value in numbers.items():
                self._board.add_scalar(name, value, step)

    def sync(self) -> int:
        """Bring everything to the disk; how many bytes the file has."""
        return self._file.sync()


def require_tensorboard() -> None:
    """See that TensorBoard is there.

    Raises:
        ConfigError: it is not installed.
    """
    _writer()


def _writer() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ConfigError("TensorBoard is missing: pip install tensorboard") from None
    return SummaryWriter
