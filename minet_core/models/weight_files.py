"""Where the weights of a model are. Nothing here imports torch."""

import importlib.util
import json
import re
from pathlib import Path

from minet_core.errors import ConfigError, WeightsError
from minet_core.models.faster_rcnn.rcnn_config import RCNN_CONFIGS
from minet_core.models.huggingface.location import HUB, files_of, model_folder
from minet_core.suggest import did_you_mean

DEFAULT_MODEL = "minet-nano"
IDENTIFY = "identify-"
"""How the architectures of identify networks begin: weights beside the bundled detector."""
TORCHVISION_FILES = {
    "fasterrcnn_resnet50_fpn_v2": "fasterrcnn_resnet50_fpn_v2_coco-dd69338a.pth",
    "fasterrcnn_mobilenet_v3_large_fpn": "fasterrcnn_mobilenet_v3_large_fpn-fb6a3cc7.pth",
    "retinanet_resnet50_fpn_v2": "retinanet_resnet50_fpn_v2_coco-5905b1c5.pth",
}
"""torchvision's detectors, and the files of their weights; a name ends in the file's sha256."""
EMBEDS_ITSELF = frozenset(name for name in TORCHVISION_FILES if name.startswith("fasterrcnn"))
"""Those whose own region features are the embeddings."""
MODELS = (DEFAULT_MODEL, *RCNN_CONFIGS, *TORCHVISION_FILES)
"""Every name of a model."""
ONNX = ".onnx"
"""How the names of ONNX files end."""
ONNX_BESIDE = ("config.json", "preprocessor_config.json", "pipeline.json")
"""Files in which exporters say what an ONNX file is."""
_PYTHON = re.compile(r"(?!hf:)(.+\.py|[A-Za-z_][\w.]*):[A-Za-z_]\w*")
MAX_HEADER_BYTES = 100_000_000
"""Longest header of a weights file."""


def weights_folder() -> Path:
    """Folder of the bundled weights: inside an installed package, else beside it in a checkout.

    Raises:
        WeightsError: neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_weights", package.parent / "weights"):
        if folder.is_dir():
            return folder
    raise WeightsError(f"no bundled weights beside {package}: reinstall minet")


def model_files(name: str) -> tuple[Path, ...]:
    """The files on which a model's results depend, by its name or by a path.

    torchvision's own are not among them: their names, in `TORCHVISION_FILES`, tell their content.

    Raises:
        ConfigError: there is no model of that name, and it is no path; or it has to be trained.
    """
    if name in TORCHVISION_FILES:
        return () if name in EMBEDS_ITSELF else (embedder_file(),)
    if is_huggingface(name):
        return (*files_of(name), embedder_file())
    if is_python(name):
        return (*_with_sidecar(_python_files(name)), embedder_file())
    path = detector_file(name)
    if path.suffix == ONNX:
        return (*_onnx_files(path), embedder_file())
    architecture = architecture_of(path) or ""
    if architecture in RCNN_CONFIGS:
        return (path,)
    if architecture.startswith(IDENTIFY):
        return (detector_file(DEFAULT_MODEL), path)
    return (*_with_sidecar([path]), embedder_file())


def identify_files(name: str) -> tuple[Path, ...]:
    """The files on which the embeddings of an identify network depend.

    Raises:
        ConfigError: the name is none of a file or of a network that embeds.
    """
    if name in EMBEDS_ITSELF:
        return ()
    path = Path(name)
    if path.suffix not in {ONNX, ".safetensors"}:
        known = ", ".join(sorted(EMBEDS_ITSELF))
        raise ConfigError(
            f"--identify {name}: takes a .safetensors file of `minet train`, an .onnx file, or "
            f"one of {known}"
        )
    if not path.is_file():
        raise ConfigError(f"--identify {name}: no such file")
    return tuple(_with_sidecar([path]))


def calibrated_place(name: str) -> Path | None:
    """The file or folder of a detector whose calibration stands in a sidecar beside or in it.

    None for models that come with one, or whose scores are a distribution.

    Raises:
        MinetError: there is no model of that name.
    """
    if name in MODELS:
        return None
    if is_huggingface(name):
        return model_folder(name)
    if is_python(name):
        return next(iter(_python_files(name)), None)
    path = detector_file(name)
    architecture = architecture_of(path) or ""
    is_ours = architecture in RCNN_CONFIGS or architecture.startswith(IDENTIFY)
    return None if is_ours else path


def _with_sidecar(files: list[Path]) -> list[Path]:
    sidecars = (file.with_name(f"{file.name}.toml") for file in files)
    return [*files, *(sidecar for sidecar in sidecars if sidecar.is_file())]


def _onnx_files(path: Path) -> list[Path]:
    """An ONNX file, and those beside it that tell what it is or hold its numbers."""
    names = [f"{path.name}.toml", f"{path.name}.data", f"{path.name}_data", *ONNX_BESIDE]
    return [path, *(file for name in names if (file := path.parent / name).is_file())]


def detector_file(name: str) -> Path:
    """The weights of a model, by its name or by a path.

    Raises:
        ConfigError: there is no model of that name, and it is no path; or it has to be trained.
    """
    if name == DEFAULT_MODEL:
        return weights_folder() / "minet-nano-detector.safetensors"
    if name in RCNN_CONFIGS:
        raise ConfigError(
            f"{name} comes without weights: train it with `minet train`, or give the .safetensors "
            "file of one that is trained"
        )
    path = Path(name)
    if path.suffix == ".py":
        raise ConfigError(f"{name}: name a function of it too, as in {name}:build")
    if path.suffix or path.exists():
        return path
    hint = did_you_mean(name, MODELS)
    raise ConfigError(f"no model named {name!r}{hint} (known: {', '.join(MODELS)}; or a file)")


def is_huggingface(name: str) -> bool:
    """Whether a name stands for a model of Hugging Face: a folder, or one on its hub."""
    return name not in MODELS and (name.startswith(HUB) or Path(name).is_dir())


def is_python(name: str) -> bool:
    """Whether a name is `module:function` or `file.py:function`."""
    return _PYTHON.fullmatch(name) is not None


def python_place(name: str) -> tuple[Path | str, str]:
    """The file or the module, and the function, of such a name."""
    place, _, function = name.rpartition(":")
    return Path(place) if place.endswith(".py") else place, function


def _python_files(name: str) -> list[Path]:
    """The file that such a name stands for; what it imports in turn is not looked for.

    Raises:
        ConfigError: there is none.
    """
    place, _ = python_place(name)
    if isinstance(place, Path):
        if not place.is_file():
            raise ConfigError(f"{place}: no such Python file")
        return [place]
    try:
        spec = importlib.util.find_spec(place)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise ConfigError(f"{name}: there is no Python module {place!r}")
    return [Path(spec.origin)] if spec.origin and Path(spec.origin).is_file() else []


def embedder_file() -> Path:
    """The weights of the bundled network that embeds boxes."""
    return weights_folder() / "minet-nano-identify.safetensors"


def architecture_of(path: Path) -> str | None:
    """The architecture that a .safetensors file names in its header; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, MAX_HEADER_BYTES)))
        return str(header["__metadata__"]["architecture"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
