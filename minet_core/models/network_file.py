"""A trained network as one file: its weights, and in the metadata all it takes to build it.

    architecture  name of the network, such as minet-r101
    format        version of this layout
    config        JSON of its `RcnnConfig`
    classes       JSON list of its class names, in column order

`minet detect --model FILE` and `minet eval --model FILE` need nothing beside it.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import torch

from minet_core.errors import ConfigError, WeightsError
from minet_core.models.faster_rcnn.network import FasterRcnn
from minet_core.models.faster_rcnn.rcnn_config import RCNN_CONFIGS, RcnnConfig
from minet_core.models.weights import assign_weights, read_safetensors, write_safetensors

FORMAT = "1"


def save_model(path: Path, model: FasterRcnn, notes: Mapping[str, str] | None = None) -> None:
    """Write a network; the same weights and notes give the same bytes.

    Args:
        path: a .safetensors file; what is there is replaced when the new one is complete.
        model: on any device.
        notes: more metadata, such as where its training stood.

    Raises:
        OutputError: the file cannot be written.
    """
    metadata = {
        **(notes or {}),
        "architecture": model.config.architecture,
        "format": FORMAT,
        "config": json.dumps(model.config.to_dict(), sort_keys=True),
        "classes": json.dumps(model.classes),
    }
    tensors = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}
    write_safetensors(path, tensors, metadata)


def load_rcnn(path: Path | str) -> FasterRcnn:
    """The network that `save_model` wrote, on the CPU, in training mode.

    Raises:
        WeightsError: the file is missing or damaged, or holds another architecture.
    """
    metadata, tensors = read_safetensors(path)
    config, classes = _description(path, metadata)
    # Built without numbers of its own: no time lost, and the global random state untouched.
    with torch.device("meta"):
        model = FasterRcnn(config, classes)
    assign_weights(path, model, tensors)
    return model


def _description(path: Path | str, metadata: Mapping[str, str]) -> tuple[RcnnConfig, list[str]]:
    architecture = metadata.get("architecture", "none named")
    if architecture not in RCNN_CONFIGS:
        known = ", ".join(RCNN_CONFIGS)
        raise WeightsError(f"{path}: holds architecture {architecture}, not one of {known}")
    if metadata.get("format") != FORMAT:
        raise WeightsError(f"{path}: written by a newer version of minet")
    try:
        config = RcnnConfig.from_dict(json.loads(metadata["config"]))
        classes = json.loads(metadata["classes"])
        if not isinstance(classes, list) or len(set(map(str, classes))) < max(1, len(classes)):
            raise ValueError("classes are not a list of different names")
    except (KeyError, TypeError, ValueError, AttributeError, ConfigError) as error:
        raise WeightsError(f"{path}: metadata without proper config and classes") from error
    return config, [str(name) for name in classes]
