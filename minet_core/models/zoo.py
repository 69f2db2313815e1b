"""Names → detector and embedder with their weights."""

from dataclasses import dataclass

import torch

from minet_core.errors import ConfigError
from minet_core.models.checkpoint import load_rcnn
from minet_core.models.detector import Detector, Embedder
from minet_core.models.files import (
    DEFAULT_MODEL,
    IDENTIFY,
    TORCHVISION_FILES,
    architecture_of,
    detector_file,
    embedder_file,
)
from minet_core.models.identify import load_identify
from minet_core.models.nanodet import load_nanodet
from minet_core.models.rcnn_config import RCNN_CONFIGS
from minet_core.models.rcnn_detector import RcnnDetector


@dataclass(frozen=True, slots=True)
class Model:
    """What looks at a frame: boxes and scores from one network, embeddings from another.

    A network that gives both stands in both places.

    Attributes:
        name: as it was asked for.
        detector: base detections.
        embedder: association embeddings.
    """

    name: str
    detector: Detector
    embedder: Embedder


def load_model(name: str = DEFAULT_MODEL, *, size: int = 416, device: str = "auto") -> Model:
    """Load a model by name, or from a .safetensors file.

    Args:
        name: one of `minet_core.models.files.MODELS`, or a path: a network of `minet train`, an
            identify network (beside the bundled detector), or a detector (beside the bundled
            identify network).
        size: longer side of the picture that NanoDet sees, a multiple of 32; the others have
            theirs with their weights.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.

    Raises:
        ConfigError: no such model or device, or one that has to be trained first.
        WeightsError: the file is damaged or of another architecture, or cannot be downloaded.
    """
    where = pick_device(device)
    if name in TORCHVISION_FILES:
        from minet_core.models.torchvision_detectors import load_torchvision

        return Model(name, *load_torchvision(name, where))
    path = detector_file(name)
    architecture = architecture_of(path) or ""
    if architecture in RCNN_CONFIGS:
        network = RcnnDetector(load_rcnn(path), where)
        return Model(name, network, network)
    if architecture.startswith(IDENTIFY):
        detector = load_nanodet(detector_file(DEFAULT_MODEL), where, size)
        return Model(name, detector, load_identify(path, device=where))
    detector = load_nanodet(path, where, size)
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
