"""What exporters say of a file: in its metadata, or in files that they put beside it."""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minet_core.errors import WeightsError
from minet_core.models.onnx.preparation import Interpolation, Order, PaddingPlace, Resize

PIXEL = 255.0


@dataclass(frozen=True, slots=True)
class Said:
    """What one source says.

    Attributes:
        source: for messages.
        names: class names by column, or None.
        preparation: fields of `Preparation` that it fixes.
    """

    source: str
    names: Mapping[int, str] | None = None
    preparation: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Said("")


def ultralytics(metadata: Mapping[str, str], path: Path) -> Said:
    """`names`, `imgsz` and `stride`, which YOLO exporters write as Python's own literals.

    Args:
        metadata: of the file.
        path: of the file, for messages.

    Raises:
        WeightsError: one is no such literal.
    """
    if "names" not in metadata:
        return NOTHING
    preparation: dict[str, Any] = {}
    try:
        names = ast.literal_eval(metadata["names"])
        named = names.items() if isinstance(names, dict) else enumerate(names)
        classes = {int(column): str(name) for column, name in named}
        if "imgsz" in metadata:
            height, width = _pair(ast.literal_eval(metadata["imgsz"]))
            preparation["size"] = (width, height)
        if "stride" in metadata:
            preparation["multiple"] = int(float(metadata["stride"]))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise WeightsError(
            f"{path}: its metadata has no proper names, imgsz and stride ({error})"
        ) from error
    return Said("its metadata", classes, preparation)


def rfdetr(metadata: Mapping[str, str], path: Path) -> Said:
    """What newer RF-DETR exports write as JSON under `rfdetr_inference`.

    Args:
        metadata: of the file.
        path: of the file, for messages.

    Raises:
        WeightsError: it is not what it should be.
    """
    if "rfdetr_inference" not in metadata:
        return NOTHING
    try:
        written = json.loads(metadata["rfdetr_inference"])
        names = {int(column): str(name) for column, name in written["class_id_to_name"].items()}
        preparation = {
            "mean": _pixels(written["means"]),
            "std": _pixels(written["stds"]),
            "interpolation": (
                Interpolation.ANTIALIAS if written.get("resize_antialias") else Interpolation.LINEAR
            ),
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path}: its metadata has no proper rfdetr_inference") from error
    return Said("its metadata", names, preparation)


def huggingface(path: Path) -> Said:
    """`config.json` and `preprocessor_config.json` in the file's folder, or the one above `onnx`.

    Raises:
        WeightsError: one is not what it should be.
    """
    folder = path.parent
    if not (folder / "config.json").is_file() and folder.name == "onnx":
        folder = folder.parent
    config = _json(folder / "config.json")
    if config is None:
        return NOTHING
    labels = config.get("id2label")
    names = None
    if isinstance(labels, dict) and all(str(column).isdigit() for column in labels):
        names = {int(column): str(name) for column, name in labels.items()}
    prepared = _json(folder / "preprocessor_config.json")
    try:
        preparation = {} if prepared is None else huggingface_preparation(prepared)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise WeightsError(f"{folder / 'preprocessor_config.json'}: {error}") from error
    return Said("config.json beside it", names, preparation)


def huggingface_preparation(config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Preparation` that a preprocessor_config.json fixes."""
    changes: dict[str, Any] = {"interpolation": Interpolation.ANTIALIAS, "order": Order.RGB}
    factor = config.get("rescale_factor", 1 / PIXEL) if config.get("do_rescale", True) else 1.0
    scale = 1 / float(factor)
    if config.get("do_normalize", True):
        changes["mean"] = _pixels(config.get("image_mean", (0.485, 0.456, 0.406)), scale)
        changes["std"] = _pixels(config.get("image_std", (0.229, 0.224, 0.225)), scale)
    else:
        changes["mean"], changes["std"] = (0.0, 0.0, 0.0), (scale, scale, scale)
    size = config.get("size")
    if isinstance(size, dict) and {"height", "width"} <= set(size):
        changes |= {"size": (int(size["width"]), int(size["height"])), "resize": Resize.STRETCH}
    elif isinstance(size, dict) and "shortest_edge" in size:
        shortest = int(size["shortest_edge"])
        longest = int(size.get("longest_edge") or 1333)
        changes |= {"size": (longest, shortest), "resize": Resize.EDGES, "multiple": 1}
    return changes


def mmdeploy(path: Path) -> Said:
    """The preparation in MMDeploy's `pipeline.json` in the file's folder; it names no classes.

    Raises:
        WeightsError: it is not what it should be.
    """
    document = _json(path.parent / "pipeline.json")
    if document is None:
        return NOTHING
    try:
        tasks = document["pipeline"]["tasks"]
        steps = next(task["transforms"] for task in tasks if "transforms" in task)
        return Said("pipeline.json beside it", None, _mm_preparation(steps))
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise WeightsError(f"{path.parent / 'pipeline.json'}: has no proper transforms") from error


def _mm_preparation(steps: list[Mapping[str, Any]]) -> dict[str, Any]:
    changes: dict[str, Any] = {
        **{"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0), "order": Order.BGR},
        **{
            "resize": Resize.STRETCH,
            "place": PaddingPlace.CORNER,
            "interpolation": Interpolation.LINEAR,
        },
    }
    padding = (0.0, 0.0, 0.0)
    for step in steps:
        kind = step["type"]
        if kind == "Resize":
            height, width = _pair(step.get("size") or step["scale"])
            changes["size"] = (width, height)
            if step.get("keep_ratio"):
                changes["resize"] = Resize.EDGES
        elif kind == "Normalize":
            changes["mean"], changes["std"] = _pixels(step["mean"], 1), _pixels(step["std"], 1)
            changes["order"] = Order.RGB if step.get("to_rgb", True) else Order.BGR
            padding = changes["mean"]  # padding of zeros comes after it
        elif kind == "Pad":
            changes["multiple"] = step.get("size_divisor")
            value = step.get("pad_val", 0)
            value = value.get("img", 0) if isinstance(value, dict) else value
            if value:
                padding = _pixels(value if isinstance(value, list) else [value] * 3, 1)
    return {**changes, "padding": padding}


def _pair(value: Any) -> tuple[int, int]:
    first, second = (value, value) if isinstance(value, int) else value
    return int(first), int(second)


def _pixels(values: Any, scale: float = PIXEL) -> tuple[float, float, float]:
    """Three numbers on the scale of pixels."""
    first, second, third = (float(value) * scale for value in values)
    return first, second, third


def _json(path: Path) -> dict[str, Any] | None:
    """A JSON object; None where there is no file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: cannot be read as JSON") from error
    if not isinstance(document, dict):
        raise WeightsError(f"{path}: cannot be read as JSON")
    return document
