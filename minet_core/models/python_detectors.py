"""Detectors that somebody writes in Python: a class with our contract, or just a function."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from minet_core.box_tensors import clipped
from minet_core.errors import ConfigError, InputError, MinetError
from minet_core.models.detector import BaseDetections, Detector, Embedder, Frame
from minet_core.models.onnx.sidecar import read_calibration
from minet_core.models.proposals import UNCALIBRATED, Calibration, calibrated, of_a_pixel
from minet_core.models.stored_detections import from_final
from minet_core.models.weight_files import python_place
from minet_core.scores import ScoreKind

BoxesOf = Callable[[Frame], tuple[Any, Any, Any]]
"""A frame → boxes (N, 4) xyxy in pixels, scores (N,) from 0 to 1, labels (N,)."""


class FunctionDetector:
    """A function frame → (boxes, scores, labels) as a `Detector`.

    Boxes are (N, 4) xyxy in pixels of the frame, scores (N,) from 0 to 1, labels (N,) numbers or
    names of classes; arrays, tensors or lists. As each box has one class only, the memory has
    less to re-weight than with a detector that gives a score of every class.

    Args:
        function: as above.
        classes: names, by number.
        name: of the function, for messages.
        calibration: Platt's (a, b).
    """

    score_kind = ScoreKind.SIGMOID

    def __init__(
        self,
        function: BoxesOf,
        classes: Sequence[str],
        name: str,
        calibration: Calibration = UNCALIBRATED,
    ) -> None:
        self.classes = tuple(classes)
        self.calibration = calibration
        self._function = function
        self._name = name
        self._numbers = {label: number for number, label in enumerate(self.classes)}

    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        """What the function says of each frame, and a grid of empty boxes beside.

        Raises:
            InputError: it gives something else than boxes, scores and labels.
        """
        return [self._detect(frame) for frame in frames]

    def _detect(self, frame: Frame) -> BaseDetections:
        given = self._function(frame)
        if not isinstance(given, (tuple, list)) or len(given) != 3:
            raise InputError(f"{self._name}: it has to return boxes, scores and labels")
        boxes = _floats(given[0], self._name, "boxes").reshape(-1, 4)
        scores = _floats(given[1], self._name, "scores").flatten()
        labels = torch.tensor([self._number(label) for label in given[2]], dtype=torch.int64)
        if not len(boxes) == len(scores) == len(labels):
            counts = f"{len(boxes)} boxes, {len(scores)} scores and {len(labels)} labels"
            raise InputError(f"{self._name}: it returned {counts}")
        wrong = ~((boxes[:, 2:] >= boxes[:, :2]).all(dim=1) & scores.isfinite())  # NaN is too
        if wrong.any():
            box = [round(side, 1) for side in boxes[wrong][0].tolist()]
            raise InputError(f"{self._name}: boxes are x1, y1, x2, y2, which {box} is not")
        boxes = clipped(boxes, frame.shape[:2])
        kept = of_a_pixel(boxes.numpy())
        scores = torch.from_numpy(calibrated(scores[kept].numpy(), self.calibration))
        return from_final(boxes[kept], labels[kept], scores, len(self.classes), frame)

    def _number(self, label: Any) -> int:
        if isinstance(label, str) and label in self._numbers:
            return self._numbers[label]
        if not isinstance(label, str) and 0 <= int(label) < len(self.classes):
            return int(label)
        raise InputError(f"{self._name}: {label!r} is none of its {len(self.classes)} classes")


class CheckedDetector:
    """Somebody's own `Detector`: as it is, but for a look at each answer.

    Args:
        detector: of theirs.
        name: for messages.

    Attributes:
        calibration: Platt's (a, b), for independent probabilities.

    Raises:
        ConfigError: it has not what a detector has.
    """

    def __init__(
        self, detector: Detector, name: str, calibration: Calibration = UNCALIBRATED
    ) -> None:
        self.calibration = calibration
        missing = [
            part for part in ("classes", "score_kind", "detect") if not hasattr(detector, part)
        ]
        if missing:
            raise ConfigError(
                f"{name}: a detector has classes, score_kind and detect; it lacks {missing[0]}"
            )
        try:
            self.score_kind = ScoreKind(detector.score_kind)
        except ValueError:
            kinds = " or ".join(ScoreKind)
            raise ConfigError(
                f"{name}: its score_kind is {kinds}, not {detector.score_kind!r}"
            ) from None
        self.classes = tuple(map(str, detector.classes))
        self._detector = detector
        self._name = name

    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        """What the detector says.

        Raises:
            InputError: its answer is none of `BaseDetections` of the right shapes.
        """
        found = list(self._detector.detect(frames))
        if len(found) != len(frames):
            raise InputError(f"{self._name}: {len(found)} answers for {len(frames)} frames")
        return [self._checked(one) for one in found]

    def _checked(self, found: BaseDetections) -> BaseDetections:
        try:
            parts = [_floats(getattr(found, part), self._name, part) for part in _PARTS]
        except AttributeError:
            raise InputError(f"{self._name}: detect gives BaseDetections, not {found!r}") from None
        columns = len(self.classes) + (self.score_kind is ScoreKind.SOFTMAX)
        wanted = [(len(parts[2]), 4), (len(parts[2]), 4), (len(parts[2]), columns)]
        for part, values, shape in zip(_PARTS, parts, wanted, strict=True):
            if tuple(values.shape) != shape:
                raise InputError(f"{self._name}: {part} are {tuple(values.shape)}, not {shape}")
        proposals, boxes, scores = parts
        if self.score_kind is ScoreKind.SIGMOID and self.calibration != UNCALIBRATED:
            scores = torch.from_numpy(calibrated(scores.numpy(), self.calibration))
        return BaseDetections(proposals, boxes, scores, final=bool(getattr(found, "final", False)))


_PARTS = ("proposals", "boxes", "scores")


def load_python(name: str, classes: Sequence[str] = ()) -> tuple[Detector, Embedder | None]:
    """What `module:function` or `file.py:function` stands for.

    Args:
        name: of a function without parameters that builds a detector, or of a function
            frame → (boxes, scores, labels), or of a detector itself.
        classes: for a function's labels, where its module has no CLASSES.

    Returns:
        The detector, and itself as an embedder if it has one's methods too.

    Raises:
        ConfigError: it does not load, or is none of these; or its sidecar makes no sense.
    """
    place, attribute = python_place(name)
    module = _module(name, place)
    function = getattr(module, attribute, None)
    if function is None:
        raise ConfigError(f"{name}: the module has no such name")
    if not hasattr(function, "detect") and callable(function) and not _takes_a_frame(function):
        function = _called(name, function)
    file = getattr(module, "__file__", None)
    calibration = read_calibration(Path(file)) if file else None
    return of_program(function, name, getattr(module, "CLASSES", None) or classes, calibration)


def of_program(
    given: object,
    name: str,
    classes: Sequence[str] = (),
    calibration: Calibration | None = None,
) -> tuple[Detector, Embedder | None]:
    """A detector of an object with a detector's methods, or of a function.

    Returns:
        The detector, and itself as an embedder if it has one's methods too.

    Raises:
        ConfigError: it is neither, or nothing names the classes of a function.
    """
    if hasattr(given, "detect") and not isinstance(given, type):
        both = all(hasattr(given, part) for part in ("dim", "features", "embed"))
        detector = CheckedDetector(cast(Detector, given), name, calibration or UNCALIBRATED)
        return detector, cast(Embedder, given) if both else None
    if not callable(given) or isinstance(given, type):
        raise ConfigError(f"{name}: neither a detector nor a function of a frame, but {given!r}")
    own = getattr(given, "classes", None) or classes
    if not own:
        raise ConfigError(
            f"{name}: nothing names its classes; write CLASSES = ('car', 'person') into the module"
        )
    return FunctionDetector(given, list(map(str, own)), name, calibration or UNCALIBRATED), None


def _takes_a_frame(function: Callable[..., Any]) -> bool:
    """Whether it is a function of a frame, not one that builds something of nothing."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    free = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    return any(p.kind in free and p.default is inspect.Parameter.empty for p in parameters)


def _called(name: str, function: Callable[..., Any]) -> Any:
    try:
        return function()
    except MinetError:
        raise
    except Exception as error:
        raise ConfigError(f"{name}: it fails with {type(error).__name__}: {error}") from error


def _module(name: str, place: Path | str) -> ModuleType:
    """The module of a name, imported; one in a file finds others in the file's folder."""
    try:
        if not isinstance(place, Path):
            return importlib.import_module(place)
        spec = importlib.util.spec_from_file_location(f"minet_user_{place.stem}", place)
        if spec is None or spec.loader is None or not place.is_file():
            raise ConfigError(f"{place}: no such Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # for dataclasses, and for pickles of other processes
        if (folder := str(place.resolve().parent)) not in sys.path:
            sys.path.append(folder)
        importlib.invalidate_caches()  # of folders that have changed since they were last read
        spec.loader.exec_module(module)
    except MinetError:
        raise
    except Exception as error:
        raise ConfigError(f"{name}: does not load, {type(error).__name__}: {error}") from error
    return module


def _floats(values: Any, name: str, what: str) -> Tensor:
    try:
        if isinstance(values, Tensor):
            return values.detach().to("cpu", torch.float32)
        if values is None:
            raise TypeError
        return torch.from_numpy(np.asarray(values, np.float32))
    except (TypeError, ValueError):
        raise InputError(f"{name}: {what} are not a table of numbers, but {values!r}") from None
