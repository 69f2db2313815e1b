"""Checkpoints to resume from: all of a training's state in one file that is whole at any moment."""

import io
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from minet_core.errors import ConfigError, WeightsError
from minet_core.publishing import replace_bytes
from minet_core.training.settings import TrainConfig
from minet_core.training.settings_file import apply, differences

CHECKPOINT = "checkpoint.pt"
_FORMAT = "minet training 1"


@dataclass(frozen=True, slots=True)
class Identity:
    """What has to be the same for a training to go on.

    Attributes:
        architecture: of the network, with its numbers, as text.
        classes: names, in order.
        config: settings of the training.
    """

    architecture: str
    classes: tuple[str, ...]
    config: TrainConfig


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is.

    Attributes:
        step: steps that are done.
        best: highest measurement up to now, None before the first.
        metrics_bytes: length of metrics.csv then.
        threads: of the processor that computed, None before the first step.
    """

    step: int = 0
    best: float | None = None
    metrics_bytes: int = 0
    threads: int | None = None


def write_checkpoint(
    path: Path, identity: Identity, progress: Progress, state: dict[str, Any]
) -> None:
    """Put a checkpoint in the place of the one before it.

    Raises:
        OutputError: it cannot be written; the one before it stays.
    """
    buffer = io.BytesIO()
    content = {
        "format": _FORMAT,
        "architecture": identity.architecture,
        "classes": list(identity.classes),
        "config": asdict(identity.config),
        "progress": asdict(progress),
        "state": state,
    }
    torch.save(content, buffer)
    replace_bytes(path, buffer.getvalue())


def read_checkpoint(path: Path, identity: Identity) -> tuple[Progress, dict[str, Any]]:
    """How far a training was, and its state, on the CPU.

    Raises:
        WeightsError: the file cannot be read, or is of another network, other classes or other
            settings; the message says what differs.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content["format"] != _FORMAT:
            raise KeyError("format")
        config = apply(TrainConfig(), content["config"])
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from None
    except (UnpicklingError, RuntimeError, KeyError, TypeError, EOFError, ConfigError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(f"{path}: no checkpoint of a training, or damaged ({reason})") from None
    found = Identity(content["architecture"], tuple(content["classes"]), config)
    if differing := _differences(found, identity):
        raise WeightsError(f"{path}: made with other settings: {'; '.join(differing)}")
    return Progress(**content["progress"]), content["state"]


def _differences(found: Identity, wanted: Identity) -> list[str]:
    lines = differences(found.config, wanted.config)
    if found.architecture != wanted.architecture and not lines:
        lines.append(f"network {found.architecture} → {wanted.architecture}")
    if found.classes != wanted.classes:
        before, now = (", ".join(each.classes) for each in (found, wanted))
        lines.append(f"classes {before} → {now}")
    return lines
