"""Names → detector and embedder with their weights."""

from dataclasses import dataclass

import torch

from minet_core.errors import ConfigError
from minet_core.models.detector import Detector, Embedder
from minet_core.models.files import DEFAULT_MODEL, detector_file, embedder_file
from minet_core.models.identify import load_identify
from minet_core.models.nanodet import load_nanodet


@dataclass(frozen=True, slots=True)
class Model:
    """What looks at a frame: boxes and scores from one network, embeddings from another.

    Attributes:
        name: as it was asked for.
        detector: base detections.
        embedder: association embeddings.
    """

    name: str
    detector: Detector
    embedder: Embedder


def load_model(name: str = DEFAULT_MODEL, *, size: int = 416, device: str = "auto") -> Model:
    """Load a model by name, or a detector's .safetensors file beside the bundled embeddings.

    Args:
        name: one of `minet_core.models.files.MODELS`, or a path.
        size: longer side of the picture the detector sees, a multiple of 32.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.

    Raises:
        ConfigError: no such model or device.
        WeightsError: the file is damaged or of another architecture.
    """
    where = pick_device(device)
    detector = load_nanodet(detector_file(name), where, size)
    return Model(name, detector, load_identify(embedder_file(), device=where))


def pick_device(name: str) -> torch.device:
    """The device of that name; `auto` is the fastest there is.

    Raises:
        ConfigError: torch does not know it or cannot use it here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise ConfigError(f"device {name!r} is not available here; try --device auto") from None
    return device
