"""The one safe way to read a weights file.

Only safetensors is read: a header of names, types and shapes, then raw numbers. A pickle
(.pt, .pth) is a program that runs when it is opened, so it is refused.
"""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from minet_core.errors import WeightsError
from minet_core.models.weight_files import MAX_HEADER_BYTES
from minet_core.models.weight_files import weights_folder as weights_folder
from minet_core.publishing import replace_bytes


def read_safetensors(path: Path | str) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors of a .safetensors file, on the CPU; floats of any width become float32.

    Raises:
        WeightsError: the file is missing, is not safetensors, is damaged, or declares a header
            of more than 100 MB.
    """
    path = Path(path)
    _check_readable(path)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: _as_float32(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise WeightsError(f"{path}: damaged or not a safetensors file ({reason})") from error
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise WeightsError(f"{path}: damaged, it holds numbers that are not finite")
    return metadata, tensors


def assign_weights(path: Path | str, model: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Make the tensors read from `path` the model's own; it may have been built on "meta".

    Raises:
        WeightsError: a tensor is missing, left over or of another shape or type.
    """
    wanted = {name: _signature(tensor) for name, tensor in model.state_dict().items()}
    given = {name: _signature(tensor) for name, tensor in tensors.items()}
    differing = [name for name in wanted | given if wanted.get(name) != given.get(name)]
    if differing:
        name = differing[0]
        raise WeightsError(
            f"{path}: {len(differing)} tensors do not fit {type(model).__name__}, first {name}: "
            f"{given.get(name, 'missing')} instead of {wanted.get(name, 'nothing')}"
        )
    model.load_state_dict(tensors, assign=True)


def write_safetensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write tensors and metadata; the same input gives the same bytes, and so the same sha256.

    At any moment the file has either its old content or the new one.

    Raises:
        OutputError: the file cannot be written.
    """
    content = save(tensors, metadata)
    length = int.from_bytes(content[:8], "little")
    # The library orders metadata at random; it does pad the header to a multiple of eight bytes.
    header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    head = len(header).to_bytes(8, "little") + header
    replace_bytes(path, head + content[8 + length :])


def _check_readable(path: Path) -> None:
    if path.suffix == ".onnx":
        raise WeightsError(
            f"{path}: ONNX is run, by --model or --identify; what is trained is a .safetensors file"
        )
    if path.suffix != ".safetensors":
        raise WeightsError(
            f"{path}: not read, as a pickle can run code. Export the detector as ONNX (Ultralytics "
            "`yolo export format=onnx`); or convert weights of minet to .safetensors: "
            "safetensors.torch.save_file(torch.load(file, weights_only=True), 'new.safetensors')"
        )
    try:
        with path.open("rb") as file:
            header_bytes = int.from_bytes(file.read(8), "little")
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from error
    if header_bytes > MAX_HEADER_BYTES:
        raise WeightsError(
            f"{path}: not a safetensors file, or damaged (a header of {header_bytes} bytes)"
        )


def _as_float32(tensor: Tensor) -> Tensor:
    return tensor.to(torch.float32) if tensor.is_floating_point() else tensor


def _signature(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
