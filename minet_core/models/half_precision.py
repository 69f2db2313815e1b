"""Half precision on a GPU: backbones compute in it, and all that comes after them in float32.

Scores, boxes and embeddings are made from features of float32 numbers, as is the memory: a Gram
matrix in half precision is wrong, and a box of a wide frame would move by half a pixel.

No GPU was to be had: on a CPU the numbers were seen to be close, on a GPU nothing was.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from minet_core.errors import ConfigError


@runtime_checkable
class Halving(Protocol):
    """What a detector or embedder has beside its methods if PyTorch computes it."""

    @property
    def backbones(self) -> Sequence[nn.Module]:
        """What can compute in half precision: tensors in, and a tensor, tuple or dict out."""
        ...


def half_type(device: torch.device) -> torch.dtype:
    """The type of half precision for a device.

    float16, whose mantissa is eight times as fine as bfloat16's: nothing here is trained, so that
    the range of bfloat16 is not needed.

    Raises:
        ConfigError: the device gains nothing by it.
    """
    if device.type != "cuda":
        raise ConfigError(f"--half is for NVIDIA GPUs: {device} computes in single precision")
    return torch.float16


def halve(name: str, parts: Sequence[object], device: torch.device) -> None:
    """Let a model compute in half precision from now on.

    Args:
        name: of the model, for messages.
        parts: its detector and its embedder; one that PyTorch does not compute stays as it is.
        device: where it runs.

    Raises:
        ConfigError: the device gains nothing by it, or PyTorch computes no part.
    """
    kind = half_type(device)
    modules = [each for part in parts if isinstance(part, Halving) for each in part.backbones]
    if not modules:
        raise ConfigError(f"--half is for networks that PyTorch computes, and {name} has none")
    for module in dict.fromkeys(modules):
        halve_module(module, device.type, kind)


def halve_module(module: nn.Module, device: str, kind: torch.dtype) -> None:
    """Let a module compute in half precision, and give float32 all the same.

    Its weights and activations lie channels last, as tensor cores read them.
    """
    forward = module.forward

    def halved(*given: Tensor) -> Any:
        with torch.autocast(device, kind):
            found = forward(*(each.contiguous(memory_format=_LAYOUT) for each in given))
        return _single(found)

    module.to(memory_format=_LAYOUT)
    setattr(module, "forward", halved)  # noqa: B010 (mypy knows forward for a method)


_LAYOUT = torch.channels_last


def _single(found: Any) -> Any:
    """Tensors of float32, in the tuple or dict that they came in."""
    if isinstance(found, Tensor):
        return found.float()
    if isinstance(found, dict):
        return type(found)((name, _single(each)) for name, each in found.items())
    return tuple(map(_single, found))
