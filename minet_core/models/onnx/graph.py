"""The part of a session that sees pictures: how many of which size go in, and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minet_core.errors import WeightsError
from minet_core.models.onnx.session import Arrays, Port, Session

Size = tuple[int, int]
"""Width and height in pixels."""


class Graph:
    """A session that takes pictures.

    Args:
        session: of the file.

    Attributes:
        session: as given.
        picture: the input for pictures, (B, 3, h, w) or (3, h, w).
        size: of the pictures it takes; None where it takes any.
        batch: pictures that it takes at once; None where it takes any number.

    Raises:
        WeightsError: no input is for pictures, or another one is for what nobody can know.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        pictures = [port for port in session.inputs if _is_picture(port)]
        if len(pictures) != 1:
            raise WeightsError(
                f"{session.path}: no input takes pictures of 3 channels first; it has "
                f"{session.describe()}"
            )
        self.picture = pictures[0]
        self._others = [port for port in session.inputs if port is not self.picture]
        for port in self._others:
            if not (_is_size(port) or _is_mask(port)):
                raise WeightsError(f"{session.path}: nothing is known to give to its input {port}")
        height, width = self.picture.shape[-2:]
        self.size: Size | None = (width, height) if width and height else None
        self.batch = self.picture.shape[0] if len(self.picture.shape) == 4 else 1

    def run(self, pictures: NDArray[np.float32], *, batched: bool = True) -> list[Arrays]:
        """The outputs for each of (B, 3, h, w) pictures, without the dimension of the batch.

        Args:
            pictures: as prepared.
            batched: whether the outputs have that dimension; if not, one picture at a time runs.

        Raises:
            WeightsError: the graph does not run, or its outputs are not one a picture.
        """
        step = 1 if not batched else self.batch or len(pictures)
        found: list[Arrays] = []
        for start in range(0, len(pictures), step):
            part = pictures[start : start + step]
            outputs = self.outputs(_filled(part, step))
            found += [_of_one(outputs, i, batched, self.session.path) for i in range(len(part))]
        return found

    def outputs(self, pictures: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """The outputs as they are for (B, 3, h, w) pictures; B as the graph has it."""
        count, _, height, width = pictures.shape
        given: dict[str, NDArray[Any]] = {
            self.picture.name: pictures if len(self.picture.shape) == 4 else pictures[0]
        }
        for port in self._others:
            given[port.name] = (
                np.tile([width, height], (count, 1))
                if _is_size(port)
                else np.ones((count, height, width))
            )
        return self.session.run(given)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that recognition can look at.

    Attributes:
        path: of the file.
        metadata: of the file.
        inputs: of the graph.
        outputs: of the graph, as declared.
        size: of the pictures of the trial.
        fixed: whether the graph takes no other size.
        trial: outputs of one run on noise, by name, with the batch as the graph has it.
    """

    path: Path
    metadata: Mapping[str, str]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    size: Size
    fixed: bool
    trial: Arrays

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each output of the trial."""
        return {name: array.shape for name, array in self.trial.items()}

    def describe(self) -> str:
        """Inputs and outputs, for a message."""
        takes, gives = (", ".join(map(str, ports)) for ports in (self.inputs, self.outputs))
        return f"inputs {takes}; outputs {gives}"


def try_out(graph: Graph, size: Size) -> Facts:
    """Run a graph once on noise from 0 to 1, which no kind of network finds far from a picture.

    Raises:
        WeightsError: it does not run.
    """
    noise = np.random.default_rng(0).random((graph.batch or 1, 3, size[1], size[0]), np.float32)
    session = graph.session
    return Facts(
        session.path,
        session.metadata,
        session.inputs,
        session.outputs,
        size,
        graph.size is not None,
        graph.outputs(noise),
    )


def _is_picture(port: Port) -> bool:
    return len(port.shape) in (3, 4) and port.shape[-3] in (3, None) and not _is_mask(port)


def _is_size(port: Port) -> bool:
    return len(port.shape) == 2 and port.shape[1] in (2, None) and "size" in port.name


def _is_mask(port: Port) -> bool:
    return len(port.shape) == 3 and "mask" in port.name


def _filled(pictures: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """As many pictures as a fixed batch wants, the last ones empty."""
    missing = count - len(pictures)
    return np.pad(pictures, [(0, missing), (0, 0), (0, 0), (0, 0)]) if missing else pictures


def _of_one(outputs: Arrays, index: int, batched: bool, path: Path) -> Arrays:
    if not batched:
        return outputs
    for name, array in outputs.items():
        if not array.ndim or len(array) <= index:
            raise WeightsError(f"{path}: its output {name} is not one a picture")
    return {name: array[index] for name, array in outputs.items()}
