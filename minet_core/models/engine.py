"""ONNX Runtime as the engine of the bundled networks on a CPU: the same numbers in less time.

Beside the weights of a network lies its graph, made from them by scripts/make_engines.py, which
notes their sha256 in it. Without ONNX Runtime, on a GPU, and with any other weights, PyTorch
computes.
"""

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from minet_core.errors import MinetError
from minet_core.models.onnx.session import Session

MADE_FROM = "weights_sha256"
"""Key of the graph's metadata."""


class Engine:
    """A network of one input.

    Args:
        session: of a graph whose input is (B, h, w, 3) uint8 RGB.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        (self._input,) = session.inputs

    def __call__(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """The outputs, in the graph's order, for (B, 3, h, w) uint8 pictures on the CPU."""
        rows = pictures.permute(0, 2, 3, 1).contiguous().numpy()
        found = self._session.run({self._input.name: rows})
        return tuple(torch.from_numpy(np.asarray(array)) for array in found.values())


def engine_of(weights: Path | str, device: torch.device | str) -> Engine | None:
    """The engine of a network with these weights, None where there is none."""
    path = Path(weights).with_suffix(".onnx")
    if torch.device(device).type != "cpu" or not path.is_file():
        return None
    try:
        session = Session(path)
    except MinetError:  # no ONNX Runtime here, or not this graph
        return None
    digest = hashlib.sha256(Path(weights).read_bytes()).hexdigest()
    return Engine(session) if session.metadata.get(MADE_FROM) == digest else None
