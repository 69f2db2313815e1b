"""An ONNX file in ONNX Runtime: what goes in, what comes out, and on which device."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minet_core.errors import ConfigError, MinetError, WeightsError
from minet_core.threads import of_networks

Arrays = Mapping[str, NDArray[Any]]

PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
"""Device → what ONNX Runtime calls it."""
_AUTO = ("cuda", "directml", "cpu")  # not CoreML, which computes in half precision
_OTHER_NAMES = {"mps": "coreml", "dml": "directml"}
_PACKAGES = {"cuda": "onnxruntime-gpu", "directml": "onnxruntime-directml"}
_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output.

    Attributes:
        name: in the graph.
        kind: as ONNX Runtime writes its type, such as `tensor(float)`.
        shape: one number a dimension, None where it is free.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        sides = ", ".join("?" if side is None else str(side) for side in self.shape)
        return f"{self.name} {self.kind.removeprefix('tensor(').removesuffix(')')} ({sides})"

    @property
    def dtype(self) -> type[Any]:
        """NumPy's type of it.

        Raises:
            WeightsError: it is no tensor of numbers.
        """
        if self.kind not in _TYPES:
            raise WeightsError(f"{self.name} is of type {self.kind}, which no detector needs")
        return _TYPES[self.kind]


class Session:
    """One loaded file.

    Args:
        path: of the file.
        device: auto, cpu, cuda, cuda:1, mps or coreml, directml.
        threads: that compute; None for those of a network.

    Attributes:
        path: as given.
        inputs: in the graph's order.
        outputs: in the graph's order.
        metadata: what exporters write into a file, all of it text.
        device: where it runs.

    Raises:
        WeightsError: the file is missing, damaged or no ONNX file.
        ConfigError: the device is not available to ONNX Runtime.
        MinetError: ONNX Runtime is not installed.
    """

    def __init__(self, path: Path, device: str = "cpu", threads: int | None = None) -> None:
        runtime = load_onnxruntime()
        self.path = path
        self.device, provider = _provider(runtime, device)
        self._session = _open(runtime, path, provider, threads or of_networks())
        if device != "auto" and provider[0] not in self._session.get_providers():
            raise ConfigError(f"ONNX Runtime cannot use {device} here; try --device cpu")
        self.inputs = tuple(map(_port, self._session.get_inputs()))
        self.outputs = tuple(map(_port, self._session.get_outputs()))
        self.metadata: Mapping[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)

    def run(self, given: Arrays) -> dict[str, NDArray[Any]]:
        """The outputs by name; inputs are converted to the types that the graph wants.

        Raises:
            WeightsError: the graph does not run on them.
        """
        converted = {
            port.name: np.ascontiguousarray(given[port.name], port.dtype) for port in self.inputs
        }
        try:
            outputs: Sequence[NDArray[Any]] = self._session.run(None, converted)
        except Exception as error:  # of classes that ONNX Runtime does not name in public
            raise WeightsError(f"{self.path}: does not run: {_reason(error)}") from error
        return {port.name: array for port, array in zip(self.outputs, outputs, strict=True)}

    def describe(self) -> str:
        """Inputs and outputs in a few words, for a message."""
        takes, gives = (", ".join(map(str, ports)) for ports in (self.inputs, self.outputs))
        return f"inputs {takes}; outputs {gives}"


def load_onnxruntime() -> ModuleType:
    """ONNX Runtime, without its telemetry.

    Its official builds for Linux send the names and hashes of models to its maker (from 1.29 on),
    unless this variable says no before it is loaded. Nothing of a user's leaves the machine here.

    Raises:
        MinetError: it is not installed.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError:
        raise MinetError("an ONNX file needs ONNX Runtime: pip install onnxruntime") from None
    module: ModuleType = onnxruntime
    return module


def _provider(runtime: ModuleType, device: str) -> tuple[str, tuple[str, dict[str, Any]]]:
    """The device's own name, and ONNX Runtime's with its options.

    Raises:
        ConfigError: it is not available.
    """
    kind, _, number = device.partition(":")
    kind = _OTHER_NAMES.get(kind, kind)
    available = runtime.get_available_providers()
    if kind == "auto":
        kind = next((name for name in _AUTO if PROVIDERS[name] in available), "cpu")
    if PROVIDERS.get(kind) not in available:
        package = _PACKAGES.get(kind)
        hint = f"pip install {package}" if package else "try --device auto"
        raise ConfigError(f"ONNX Runtime has no device {device!r} here; {hint}")
    options = {"device_id": number} if number and kind in _PACKAGES else {}
    return kind, (PROVIDERS[kind], options)


def _open(
    runtime: ModuleType, path: Path, provider: tuple[str, dict[str, Any]], threads: int
) -> Any:
    if not path.is_file():
        raise WeightsError(f"{path}: no such file")
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # what fails is raised; the rest is no user's business
    options.intra_op_num_threads = threads  # none of which keep a core busy with waiting
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = [provider]
    if provider[0] != PROVIDERS["cpu"]:
        providers.append((PROVIDERS["cpu"], {}))
    try:
        return runtime.InferenceSession(os.fspath(path), options, providers=providers)
    except Exception as error:  # of classes that ONNX Runtime does not name in public
        raise WeightsError(
            f"{path}: damaged, or no ONNX file; copy or export it again ({_reason(error)})"
        ) from error


def _port(given: Any) -> Port:
    shape = tuple(side if isinstance(side, int) and side > 0 else None for side in given.shape)
    return Port(given.name, given.type, shape)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 200 else f"{text[:200]} …"
