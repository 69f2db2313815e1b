"""FILE.toml beside a model: what a person says of it, which counts before what is recognised.

layout = "yolox"                # one of `minet model --layouts`
classes = ["cat", "dog"]        # or "coco", or a text file with a name a line
size = [640, 640]               # width, height; or one number
resize = "letterbox"            # stretch, edges, none
interpolation = "linear"        # antialias
order = "rgb"                   # bgr
mean = [0.0, 0.0, 0.0]          # of pixels from 0 to 255, in that order
std = [255.0, 255.0, 255.0]
padding = 114                   # a number, or one a channel
place = "centre"                # corner
multiple = 32                   # pad no further than to such a multiple
calibration = [1.0, 0.0]        # Platt's a and b: σ(a · logit + b)
"""

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from minet_core.errors import ConfigError
from minet_core.models.onnx.preparation import Interpolation, Order, PaddingPlace, Resize
from minet_core.models.proposals import Calibration
from minet_core.publishing import replace_bytes
from minet_core.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What the file says; None and empty where it is silent, or is not there.

    Attributes:
        path: where it is, or would be.
        layout: name of a layout.
        classes: names, or where they come from (`coco`, `coco-91`).
        preparation: fields of `Preparation`.
        calibration: Platt's (a, b).
    """

    path: Path
    layout: str | None = None
    classes: tuple[str, ...] | None = None
    preparation: Mapping[str, Any] = field(default_factory=dict)
    calibration: Calibration | None = None


def sidecar_path(model: Path) -> Path:
    """`yolo.onnx.toml` for `yolo.onnx`, and `minet.toml` in a folder."""
    return model / "minet.toml" if model.is_dir() else model.with_name(f"{model.name}.toml")


def read_sidecar(model: Path) -> Sidecar:
    """The sidecar of a model, an empty one where there is no file.

    Raises:
        ConfigError: the file cannot be read, or says what makes no sense; the message names the
            line's key.
    """
    path = sidecar_path(model)
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except FileNotFoundError:
        return Sidecar(path)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from None
    values: dict[str, Any] = {}
    for key, value in document.items():
        if key not in _READERS:
            raise ConfigError(f"{path}: there is no key {key!r}{did_you_mean(key, _READERS)}")
        try:
            values[key] = _READERS[key](value)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{path}: {key} {_because(error)}, not {value!r}") from None
    return Sidecar(
        path,
        layout=values.pop("layout", None),
        classes=_classes(path, values.pop("classes", None)),
        calibration=values.pop("calibration", None),
        preparation=values,
    )


def read_calibration(model: Path) -> Calibration | None:
    """Platt's (a, b) in the sidecar of a model of which nothing else is open.

    Raises:
        ConfigError: the file cannot be read, or says something else too.
    """
    sidecar = read_sidecar(model)
    if sidecar.layout or sidecar.classes or sidecar.preparation:
        raise ConfigError(f"{sidecar.path}: of this kind of model only `calibration` is open")
    return sidecar.calibration


def write_calibration(path: Path, calibration: Calibration, about: str, start: str = "") -> None:
    """Put a calibration into a sidecar, and leave its other lines as they are.

    Args:
        path: of the sidecar.
        calibration: Platt's (a, b).
        about: what it was fitted on, a comment.
        start: text of the sidecar where there is none.

    Raises:
        ConfigError: the calibration that is there cannot be replaced.
        OutputError: the file cannot be written.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = start
    pair = ", ".join(f"{number:.4f}" for number in calibration)
    line = f"calibration = [{pair}]  # {' '.join(about.split())}"
    changed, count = _CALIBRATION.subn(lambda _: line, text, count=1)
    if not count:
        changed = f"{text.rstrip()}\n{line}\n".lstrip()
    try:
        tomllib.loads(changed)
    except tomllib.TOMLDecodeError:
        raise ConfigError(f"{path}: write into it yourself: {line}") from None
    replace_bytes(path, changed.encode())


_CALIBRATION = re.compile(r"^(# *)?calibration *=.*$", re.MULTILINE)


def _because(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else "is of another type"


def _classes(path: Path, given: str | tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Names as they are, or out of a text file beside the sidecar."""
    if not isinstance(given, str):
        return given
    if given in COCO:
        return (given,)
    file = path.parent / given
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            f"{path}: classes are a list, {' or '.join(COCO)}, or a text file with a name a line; "
            f"{file} cannot be read"
        ) from None
    return tuple(name for line in lines if (name := line.strip()))


COCO = ("coco", "coco-91")
"""Lists of classes that have a name: 80 counted through, or by COCO's own 91 numbers."""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is a text")
    return value


def _names(value: Any) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError("is a list of names, or a text")
    return tuple(value)


def _one_of(kind: type[StrEnum]) -> Callable[[Any], StrEnum]:
    def read(value: Any) -> StrEnum:
        if value not in list(kind):
            raise ValueError(f"is {' or '.join(kind)}")
        return kind(value)

    return read


def _size(value: Any) -> tuple[int, int]:
    sides = value if isinstance(value, list) else [value, value]
    if len(sides) != 2 or not all(_is_whole(side) and side > 0 for side in sides):
        raise ValueError("is a number of pixels, or [width, height]")
    return sides[0], sides[1]


def _multiple(value: Any) -> int:
    if not _is_whole(value) or value < 1:
        raise ValueError("is a number of pixels from 1")
    return int(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _numbers(value: Any, count: int) -> tuple[float, ...]:
    fits = isinstance(value, list) and len(value) == count
    if not fits or not all(
        isinstance(number, (int, float)) and math.isfinite(number) for number in value
    ):
        raise ValueError(f"is a list of {count} numbers")
    return tuple(map(float, value))


def _triple(value: Any) -> tuple[float, ...]:
    return _numbers(value, 3)


def _deviation(value: Any) -> tuple[float, ...]:
    numbers = _numbers(value, 3)
    if min(numbers) <= 0:
        raise ValueError("is a list of 3 numbers above 0")
    return numbers


def _padding(value: Any) -> tuple[float, ...]:
    return _numbers(value if isinstance(value, list) else [value] * 3, 3)


def _calibration(value: Any) -> tuple[float, ...]:
    numbers = _numbers(value, 2)
    if numbers[0] <= 0:
        raise ValueError("is [a, b] with a above 0, so that a higher score stays higher")
    return numbers


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "layout": _text,
    "classes": _names,
    "size": _size,
    "resize": _one_of(Resize),
    "interpolation": _one_of(Interpolation),
    "order": _one_of(Order),
    "mean": _triple,
    "std": _deviation,
    "padding": _padding,
    "place": _one_of(PaddingPlace),
    "multiple": _multiple,
    "calibration": _calibration,
}
