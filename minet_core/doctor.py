"""What of minet works on this machine, and what a missing part would give.

Whatever is broken is a line, never an error: this is what one reads when something else failed.
"""

import hashlib
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

from minet_core import __version__
from minet_core.errors import MinetError
from minet_core.models.weight_files import detector_file, embedder_file

REQUIRED = {
    "torch": "torch",
    "torchvision": "torchvision",
    "onnxruntime": "onnxruntime",
    "av": "av",
    "numpy": "numpy",
    "scipy": "scipy",
    "pandas": "pandas",
    "pillow": "PIL",
    "opencv-python": "cv2",
    "safetensors": "safetensors",
    "click": "click",
    "rich": "rich",
    "pyyaml": "yaml",
    "defusedxml": "defusedxml",
    "fsspec": "fsspec",
}
"""Package → module. They are imported: a package that is there can still lack a library."""

DO_WITHOUT = {
    "onnxruntime": "PyTorch computes in its place, in twice the time",
    "opencv-python": "needed for the annotated video (--no-video does without) and camera motion",
}
"""Those without which minet runs, and what is lost."""

OPTIONAL = {
    "transformers": "detectors of Hugging Face",
    "trackeval": "`minet eval --tracking`",
    "pycocotools": "`minet eval --protocol coco`",
    "matplotlib": "the figures of `minet eval --report`",
    "pyarrow": "`minet export --to parquet`",
    "pillow-heif": "HEIC pictures made of tiles, as phones write them",
    "tensorboard": "curves of a training while it runs",
    "ray": "`minet detect --ray`: many machines",
    "s3fs": "videos and results in buckets, s3://",
    "gcsfs": "the same, gs://",
    "aiohttp": "files of web servers read more than once, https://",
}
"""Package → what it gives; none is installed with minet."""

DECODERS = ("h264", "hevc", "vp9", "av1", "prores", "mjpeg", "mpeg4")
ENCODERS = ("libx264", "aac")
VARIABLES = ("MINET_DEBUG", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line.

    Attributes:
        name: of what was looked at.
        text: what was found.
        broken: whether minet cannot work so.
    """

    name: str
    text: str
    broken: bool = False


def examine() -> dict[str, list[Finding]]:
    """Title of a part → what was found of it, in the order to show."""
    return {
        "machine": list(_machine()),
        "packages": list(_packages()),
        "video": list(_video()),
        "weights": list(_weights()),
        "optional": list(_optional()),
    }


def _machine() -> Iterator[Finding]:
    yield Finding("minet", f"{__version__}, {Path(__file__).parent}")
    yield Finding("Python", f"{platform.python_version()}, {sys.executable}")
    yield Finding("system", f"{platform.platform()}, {_processor()}, {os.cpu_count()} cores")
    yield Finding("devices", _devices())
    for name in VARIABLES:
        if name in os.environ:
            yield Finding(name, os.environ[name])


def _processor() -> str:
    """The processor's name; Linux alone tells it in a file."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _devices() -> str:
    torch = _imported("torch")
    if isinstance(torch, str):
        return f"unknown: {torch}"
    found = ["cpu"]
    if torch.cuda.is_available():
        count = torch.cuda.device_count()
        found += [f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(count)]
    if torch.backends.mps.is_available():
        found.append("mps")
    return ", ".join(found)


def _packages() -> Iterator[Finding]:
    for package, module in REQUIRED.items():
        loaded = _imported(module)
        if isinstance(loaded, str):
            lost = DO_WITHOUT.get(package)
            yield Finding(package, f"{loaded}; {lost}" if lost else loaded, broken=not lost)
        else:
            yield Finding(package, _version(package, loaded))


def _version(package: str, module: ModuleType) -> str:
    """By the package; OpenCV comes in packages of other names too, so it is asked itself."""
    try:
        found = version(package)
    except PackageNotFoundError:
        found = str(getattr(module, "__version__", "version unknown"))
    if package == "onnxruntime":
        found += f", {', '.join(module.get_available_providers())}"
    return found


def _video() -> Iterator[Finding]:
    av = _imported("av")
    if isinstance(av, str):
        return
    yield Finding("FFmpeg", str(av.ffmpeg_version_info))
    absent = [name for name in DECODERS if not _has_codec(av, name, "r")]
    yield Finding("reads", ", ".join(name for name in DECODERS if name not in absent))
    if absent:
        yield Finding("cannot read", ", ".join(absent))
    for name in ENCODERS:
        there = _has_codec(av, name, "w")
        text = "there" if there else "missing: no annotated video (--no-video does without)"
        yield Finding(f"writes {name}", text)


def _has_codec(av: ModuleType, name: str, mode: str) -> bool:
    try:
        av.Codec(name, mode)
    except ValueError:  # av's own error is one
        return False
    return True


def _weights() -> Iterator[Finding]:
    try:
        files = (detector_file("minet-nano"), embedder_file())
    except MinetError as error:
        yield Finding("folder", str(error), broken=True)
        return
    for file in files:
        try:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            card = file.with_suffix(".md").read_text(encoding="utf-8")
        except OSError as error:
            yield Finding(file.name, f"{error.strerror}: reinstall minet", broken=True)
            continue
        right = digest in card
        text = "as its card says" if right else "not the file of its card: reinstall minet"
        yield Finding(file.name, f"sha256 {digest}, {text}", broken=not right)
        yield _graph(file)


def _graph(weights: Path) -> Finding:
    """The graph beside the weights, which makes CPUs faster."""
    graph = weights.with_suffix(".onnx")
    try:
        digest = hashlib.sha256(graph.read_bytes()).hexdigest()
    except OSError as error:
        return Finding(graph.name, f"{error.strerror}; for faster CPUs: reinstall minet")
    try:
        from minet_core.models.engine import engine_of

        used = engine_of(weights, "cpu") is not None
    except (ImportError, OSError):  # torch is what is broken
        used = False
    text = "used on CPUs" if used else "not used: not of these weights, or no onnxruntime"
    return Finding(graph.name, f"sha256 {digest}, {text}")


def _optional() -> Iterator[Finding]:
    for package, use in OPTIONAL.items():
        try:
            yield Finding(package, f"{version(package)}, for {use}")
        except PackageNotFoundError:
            yield Finding(package, f"missing; for {use}: pip install {package}")


def _imported(name: str) -> ModuleType | str:
    """A module, or in one line why it cannot be had."""
    try:
        return import_module(name)
    except Exception as error:  # a broken library can raise anything
        text = " ".join(str(error).split())
        missing = isinstance(error, ModuleNotFoundError) and error.name == name
        return "missing" if missing else f"broken: {text}"
