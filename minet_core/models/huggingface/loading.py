"""What a folder of Hugging Face holds, loaded."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from minet_core.errors import ConfigError, MinetError, WeightsError
from minet_core.models.huggingface.detector import QueryDetector, own_classes
from minet_core.models.huggingface.location import CONFIG, model_folder
from minet_core.models.huggingface.zero_shot import zero_shot
from minet_core.models.onnx.sidecar import read_calibration


def load_huggingface(name: str, device: torch.device, classes: Sequence[str] = ()) -> QueryDetector:
    """A detector of Hugging Face; only safetensors are read, and no code of the folder's runs.

    Args:
        name: a folder, or `hf:NAME` or `hf:NAME@REVISION`.
        device: where it runs.
        classes: what to find, of networks to which it is named.

    Raises:
        ConfigError: it is no detector, or nothing names what to find.
        WeightsError: the weights are missing, damaged, a pickle, or not all of the network's.
        MinetError: a package is missing.
    """
    folder = model_folder(name)
    transformers = _transformers()
    calibration = read_calibration(folder)
    kind = _model_type(folder)
    auto = transformers.models.auto.modeling_auto
    if kind in auto.MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES:
        model = _model(transformers.AutoModelForObjectDetection, name, folder, device)
        processor = _part(transformers.AutoImageProcessor, name, folder)
        try:
            return QueryDetector(model, processor, *own_classes(model), calibration)
        except ConfigError as error:
            raise ConfigError(f"{name}: {error}") from None
    if kind in auto.MODEL_FOR_ZERO_SHOT_OBJECT_DETECTION_MAPPING_NAMES:
        model = _model(transformers.AutoModelForZeroShotObjectDetection, name, folder, device)
        processor = _part(transformers.AutoProcessor, name, folder)
        return zero_shot(model, processor, classes, calibration)
    raise ConfigError(f"{name}: models of the type {kind!r} detect no objects")


def _transformers() -> Any:
    try:
        import transformers
    except ImportError:
        raise MinetError(
            "a model of Hugging Face needs transformers: pip install transformers"
        ) from None
    return transformers


def _model_type(folder: Path) -> str:
    try:
        return str(json.loads((folder / CONFIG).read_text(encoding="utf-8"))["model_type"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{folder / CONFIG}: has no model_type") from None


def _model(kind: Any, name: str, folder: Path, device: torch.device) -> Any:
    """The network with all its weights.

    Raises:
        WeightsError: some are missing, which would leave them random.
    """
    model, info = _part(kind, name, folder, use_safetensors=True, output_loading_info=True)
    missing = sorted(info["missing_keys"])
    if missing:
        raise WeightsError(
            f"{name}: {len(missing)} weights of {type(model).__name__} are missing, first "
            f"{missing[0]}; it is not trained to detect"
        )
    return model.eval().requires_grad_(False).to(device)


def _part(kind: Any, name: str, folder: Path, **options: Any) -> Any:
    try:
        with _silent():
            return kind.from_pretrained(folder, local_files_only=True, **options)
    except ImportError as error:
        raise MinetError(f"{name}: needs a package that is missing: {_line(error)}") from error
    except Exception as error:  # of JSON, safetensors, torch and transformers alike
        raise WeightsError(f"{name}: does not load ({_line(error)})") from error


@contextmanager
def _silent() -> Iterator[None]:
    """Without the bars and warnings of transformers: what matters is raised or checked."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        logging.enable_progress_bar()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
