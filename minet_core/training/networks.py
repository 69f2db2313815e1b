"""From the name of a model to what is trained, and from what was trained to a file."""

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from minet_core.errors import ConfigError, WeightsError
from minet_core.models.faster_rcnn.network import FasterRcnn, build_rcnn
from minet_core.models.faster_rcnn.rcnn_config import RCNN_CONFIGS, RcnnConfig
from minet_core.models.identify.embedding import ARCHITECTURE
from minet_core.models.identify.network import IdentifyNetwork, read_identify
from minet_core.models.network_file import load_rcnn, save_model
from minet_core.models.weight_files import IDENTIFY as IDENTIFY_PREFIX
from minet_core.models.weight_files import embedder_file
from minet_core.models.weights import read_safetensors, write_safetensors
from minet_core.suggest import did_you_mean
from minet_core.training.objectives import DetectorTask, IdentifyTask, task_of
from minet_core.training.settings import IDENTIFY, TrainConfig

AnyNetwork = FasterRcnn | IdentifyNetwork
AnyTask = DetectorTask | IdentifyTask
Note = Callable[[str], None]

TRAINABLE = (*RCNN_CONFIGS, IDENTIFY.model)
"""Names of what can be trained."""


def check_model(name: str) -> None:
    """See that a model can be trained, before anything takes time.

    Raises:
        ConfigError: it cannot.
        WeightsError: it is a file that cannot be read or holds something else.
    """
    if name not in TRAINABLE:
        _architecture(name)


def build_task(config: TrainConfig, classes: Sequence[str], note: Note) -> AnyTask:
    """What is trained, as it is before the first step.

    Args:
        config: of the training; its seed gives random weights.
        classes: of the data.
        note: called with a line about what was not taken from a file.

    Raises:
        ConfigError: there is no such model.
        WeightsError: weights cannot be read or had.
    """
    torch.manual_seed(config.seed)
    return task_of(_network(config, classes, note), config)


def _network(config: TrainConfig, classes: Sequence[str], note: Note) -> AnyNetwork:
    path = Path(config.model)
    named = config.model in TRAINABLE
    if config.model == IDENTIFY.model or (
        not named and _architecture(config.model).startswith(IDENTIFY_PREFIX)
    ):
        if config.network:
            raise ConfigError("settings of the network are for the Faster R-CNN")
        return read_identify(embedder_file() if named else path)
    if config.model in RCNN_CONFIGS:
        settings = _sized(RCNN_CONFIGS[config.model], config)
        return build_rcnn(settings, classes, imagenet=config.imagenet)
    return _continued(load_rcnn(path), config, classes, note)


def architecture(task: AnyTask) -> str:
    """What two networks have in common if the weights of one fit the other."""
    if isinstance(task, DetectorTask):
        return json.dumps(task.network.config.to_dict(), sort_keys=True)
    return f"{ARCHITECTURE} {task.network.head.out_features}"


def with_weights(task: AnyTask, weights: dict[str, Tensor]) -> AnyNetwork:
    """A copy of a task's network with other weights."""
    network = copy.deepcopy(task.network)
    network.load_state_dict(weights)
    return network


def save_network(path: Path, network: AnyNetwork, step: int) -> None:
    """Write weights that `minet detect --model` reads.

    Raises:
        OutputError: the file cannot be written.
    """
    notes = {"trained_steps": str(step)}
    if isinstance(network, FasterRcnn):
        save_model(path, network, notes)
    else:
        tensors = {name: each.cpu().contiguous() for name, each in network.state_dict().items()}
        write_safetensors(path, tensors, {**notes, "architecture": ARCHITECTURE})


def _architecture(name: str) -> str:
    """The architecture in a file.

    Raises:
        ConfigError: it is no file, and no model of that name can be trained.
        WeightsError: it holds nothing that can be trained.
    """
    if Path(name).suffix != ".safetensors":
        hint = did_you_mean(name, TRAINABLE) or f" (known: {', '.join(TRAINABLE)}; or a file)"
        raise ConfigError(f"no model named {name!r} can be trained{hint}")
    found = read_safetensors(name)[0].get("architecture", "none named")
    if found not in RCNN_CONFIGS and not found.startswith(IDENTIFY_PREFIX):
        known = ", ".join(TRAINABLE)
        raise WeightsError(f"{name}: holds architecture {found}; what can be trained is {known}")
    return found


def _sized(network: RcnnConfig, config: TrainConfig) -> RcnnConfig:
    """The settings of a network with those that the training has for it.

    Raises:
        ConfigError: there is no such setting, or it cannot be that.
    """
    given = dict(config.network)
    if "architecture" in given:
        raise ConfigError("the architecture of the network is what --model names")
    network = RcnnConfig.from_dict({**network.to_dict(), **given})
    shorter, longer = config.shorter or network.shorter, config.longer or network.longer
    if shorter > longer:
        raise ConfigError(f"a shorter side of {shorter} pixels is more than the longer, {longer}")
    return replace(network, shorter=shorter, longer=longer)


def _continued(
    before: FasterRcnn, config: TrainConfig, classes: Sequence[str], note: Note
) -> FasterRcnn:
    """A network that begins with another's weights.

    Class scores begin anew if classes differ, and so does aggregation where there was none.
    """
    network = FasterRcnn(_sized(before.config, config), classes)
    weights = before.state_dict()
    if before.aggregation is None and network.aggregation is not None:
        begun = network.aggregation.state_dict()
        weights |= {f"aggregation.{name}": value for name, value in begun.items()}
    if before.classes != network.classes:
        note(f"{config.model}: its classes are {', '.join(before.classes)}; scores start over")
        fresh = network.state_dict()
        weights |= {name: fresh[name] for name in fresh if name.startswith("detect_head.scores.")}
    try:
        network.load_state_dict(weights)
    except RuntimeError:
        given = ", ".join(name for name, _ in config.network)
        raise ConfigError(f"{config.model}: its weights do not fit {given}") from None
    return network
