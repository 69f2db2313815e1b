"""What the identify network is in PyTorch and in ONNX Runtime alike: its regions, norm and file."""

from pathlib import Path

from torch import Tensor
from torch.nn.functional import normalize

from minet_core.errors import WeightsError
from minet_core.models.weights import read_safetensors

ARCHITECTURE = "identify-mobilenetv2"
EMBEDDING_NORM = 1.0
"""L2 norm of every embedding: the scale that gives λ of Eq. 1 its meaning."""

ROI = (4, 2)
"""Cells of a region: rows and columns."""


def unit(raw: Tensor) -> Tensor:
    """(N, D) embeddings of L2 norm `EMBEDDING_NORM`."""
    return EMBEDDING_NORM * normalize(raw.float(), dim=1)


def read_weights(path: Path | str) -> dict[str, Tensor]:
    """The tensors of an identify network's file.

    Raises:
        WeightsError: the file is damaged or made for another architecture.
    """
    metadata, tensors = read_safetensors(path)
    if metadata.get("architecture") != ARCHITECTURE:
        found = metadata.get("architecture", "none named")
        raise WeightsError(f"{path}: holds architecture {found}, not {ARCHITECTURE}")
    return tensors
