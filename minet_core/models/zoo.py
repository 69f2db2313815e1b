"""Names → detector and embedder with their weights."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from minet_core.errors import ConfigError
from minet_core.models.detector import BaseDetections, Detector, Embedder, Frame, Windowed
from minet_core.models.faster_rcnn.rcnn_config import RCNN_CONFIGS
from minet_core.models.half_precision import halve
from minet_core.models.identify.embedder import load_identify
from minet_core.models.nanodet.detector import load_nanodet
from minet_core.models.onnx.sidecar import read_calibration
from minet_core.models.proposals import UNCALIBRATED, uncalibrated
from minet_core.models.python_detectors import BoxesOf, FunctionDetector, load_python, of_program
from minet_core.models.stored_detections import StoredBoxes
from minet_core.models.tiles import TiledDetector
from minet_core.models.weight_files import (
    DEFAULT_MODEL,
    EMBEDS_ITSELF,
    FC6,
    IDENTIFY,
    ONNX,
    TORCHVISION_FILES,
    architecture_of,
    detector_file,
    embedder_file,
    is_huggingface,
    is_python,
)
from minet_core.options import DetectOptions
from minet_core.scores import ScoreKind

if TYPE_CHECKING:
    from minet_core.models.faster_rcnn.detector import RcnnDetector


@dataclass(frozen=True, slots=True)
class Model:
    """What looks at a frame: boxes and scores from one network, embeddings from another.

    A network that gives both stands in both places.

    Attributes:
        name: as it was asked for.
        detector: base detections.
        embedder: association embeddings.
        notes: what a user should know of it, a line each.
        stored: boxes of one video, from a file, in the detector's place; None to ask the detector.
    """

    name: str
    detector: Detector
    embedder: Embedder
    notes: tuple[str, ...] = ()
    stored: StoredBoxes | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the C foreground classes, in column order."""
        return self._boxes_from.classes

    @property
    def score_kind(self) -> ScoreKind:
        """What the score columns mean."""
        return self._boxes_from.score_kind

    def detect(self, frame: Frame, index: int) -> BaseDetections:
        """Base detections of one frame.

        Args:
            frame: (height, width, 3) RGB.
            index: its 0-based number in its video, by which boxes of a file are found.
        """
        if self.stored is not None:
            return self.stored.detections(index, frame)
        return self.detector.detect([frame])[0]

    @property
    def window(self) -> tuple[int, int]:
        """Frames before and after that it looks at beside each frame."""
        windows = [part.window for part in self._windowed()]
        return max((b for b, _ in windows), default=0), max((a for _, a in windows), default=0)

    def surround(self, frame: Frame, before: Sequence[Frame], after: Sequence[Frame]) -> None:
        """Name the neighbours of the frame that detector and embedder are asked about next."""
        for part in self._windowed():
            most_before, most_after = part.window
            part.surround(frame, before[max(0, len(before) - most_before) :], after[:most_after])

    @property
    def _boxes_from(self) -> Detector | StoredBoxes:
        return self.detector if self.stored is None else self.stored

    def _windowed(self) -> list[Windowed]:
        asked = (self.embedder,) if self.stored is not None else (self.detector, self.embedder)
        parts = dict.fromkeys(asked)
        return [part for part in parts if isinstance(part, Windowed)]


def load_model(
    name: str = DEFAULT_MODEL,
    *,
    size: int | None = None,
    device: str = "auto",
    classes: Sequence[str] = (),
    detector: Detector | BoxesOf | None = None,
    identify: str | None = None,
    tiles: int | None = None,
) -> Model:
    """Load a model by name, from a file, or around a detector of a program's own.

    Args:
        name: one of `minet_core.models.weight_files.MODELS`, or a path: a network of `minet train`,
            an identify network (beside the bundled detector), or a detector (beside the bundled
            identify network) as .safetensors or .onnx; or a folder of Hugging Face, or
            `hf:NAME` on its hub; or `module:function`, `file.py:function`.
        size: longer side of the picture that the detector sees, a multiple of 32; None for its
            own: for NanoDet half the frame's, from 416 to 960. Faster R-CNN and RetinaNet keep
            theirs.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`; for an ONNX file also `directml`.
        classes: what to find, of a network to which it is named; what a function finds, where
            nothing else names it.
        detector: in place of one by name: an object with a detector's methods, or a function
            frame → (boxes, scores, labels).
        identify: what tells objects apart in place of the model's own: a .safetensors file of
            `minet train`, an .onnx file from crops or boxes to vectors, or a Faster R-CNN of
            torchvision by name, whose features nobody has trained for it; or `fc6`, the first
            layer of the detect head of a Faster R-CNN of minet (Table III, c).
        tiles: overlapping crops along the longer side of a frame, which the detector sees beside
            the whole.

    Raises:
        ConfigError: no such model or device, or one that has to be trained first; or a sidecar
            that does not fit its file.
        WeightsError: the file is damaged or of another architecture, or cannot be downloaded.
        MinetError: a package is missing that only this kind of model needs.
    """
    if identify is not None or tiles is not None:
        model = load_model(name, size=size, device=device, classes=classes, detector=detector)
        embedder = _embedder(identify, model, device) if identify else None
        if tiles is not None and model.window != (0, 0):
            raise ConfigError(f"{name} aggregates frames, which does not go with tiles")
        sees = TiledDetector(model.detector, tiles) if tiles else model.detector
        return replace(model, detector=sees, embedder=embedder or model.embedder)
    if detector is not None:
        return _own(_called(detector), *of_program(detector, _called(detector), classes), device)
    if is_python(name):
        return _own(name, *load_python(name, classes), device)
    if is_huggingface(name):
        return _huggingface(name, device, classes)
    if name in TORCHVISION_FILES:
        from minet_core.models.torchvision_detectors import load_torchvision

        torchvision, embedder = load_torchvision(name, pick_device(device))
        notes = _notes(name, torchvision)
        return Model(name, torchvision, embedder, notes)
    path = detector_file(name)
    if path.suffix == ONNX:
        return _onnx(name, path, device, size)
    where = pick_device(device)
    architecture = architecture_of(path) or ""
    if architecture in RCNN_CONFIGS:
        network = _rcnn(path, where)
        return Model(name, network, network)
    weights = embedder_file()
    if architecture.startswith(IDENTIFY):
        path, weights = detector_file(DEFAULT_MODEL), path
    detector = load_nanodet(path, where, size)
    detector.calibration = read_calibration(path) or detector.calibration
    return Model(name, detector, load_identify(weights, device=where))


def model_of(options: DetectOptions) -> Model:
    """The model that options name.

    Raises:
        MinetError: as `load_model`.
    """
    names = ("size", "device", "classes", "identify", "tiles")
    model = load_model(options.model, **{name: getattr(options, name) for name in names})
    if options.half:
        halve(model.name, (model.detector, model.embedder), _torch_device(options.device))
    return model


def _embedder(name: str, model: Model, device: str) -> Embedder:
    """What gives embeddings beside a model.

    Raises:
        MinetError: as `load_model`.
    """
    if name != FC6:
        return load_embedder(name, device)
    from minet_core.models.faster_rcnn.detector import RcnnDetector
    from minet_core.models.faster_rcnn.fc6 import Fc6Embedder

    if not isinstance(model.detector, RcnnDetector):
        raise ConfigError(f"{FC6} is of a network of `minet train` that detects; not {model.name}")
    return Fc6Embedder(model.detector)


def load_embedder(name: str, device: str = "auto") -> Embedder:
    """What gives embeddings, by itself; see `identify` of `load_model`.

    Raises:
        MinetError: as `load_model`.
    """
    where = _torch_device(device)
    if name in EMBEDS_ITSELF:
        from minet_core.models.torchvision_detectors import load_torchvision

        return load_torchvision(name, where)[1]
    path = Path(name)
    if path.suffix == ONNX:
        from minet_core.models.onnx.embedder import load_embedder as load_onnx_embedder

        return load_onnx_embedder(path, device)
    architecture = architecture_of(path) or ""
    if architecture in RCNN_CONFIGS:
        return _rcnn(path, where)
    return load_identify(path, device=where)


def _rcnn(path: Path, device: torch.device) -> "RcnnDetector":
    """A network of `minet train` that detects; it alone needs torchvision's slow modules."""
    from minet_core.models.faster_rcnn.windowed import rcnn_detector
    from minet_core.models.network_file import load_rcnn

    return rcnn_detector(load_rcnn(path), device)


def _torch_device(name: str) -> torch.device:
    """The device for what runs in torch: what only ONNX Runtime knows leaves it on the CPU."""
    return pick_device({"directml": "cpu", "dml": "cpu", "coreml": "mps"}.get(name, name))


def pick_device(name: str) -> torch.device:
    """The device of that name; `auto` is the fastest there is.

    Raises:
        ConfigError: torch does not know it or cannot use it here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise ConfigError(f"device {name!r} is not available here; try --device auto") from None
    return device


def _own(name: str, detector: Detector, embedder: Embedder | None, device: str) -> Model:
    """A detector written in Python, beside the bundled network unless it embeds by itself."""
    embedder = embedder or load_identify(embedder_file(), device=pick_device(device))
    notes = _notes(name, detector) if isinstance(detector, FunctionDetector) else ()
    return Model(name, detector, embedder, notes)


def _notes(name: str, detector: Detector) -> tuple[str, ...]:
    """That the scores of a detector are not calibrated, where they should be."""
    known = getattr(detector, "calibration", None) not in (None, UNCALIBRATED)
    wanted = detector.score_kind is ScoreKind.SIGMOID and not known
    return (uncalibrated(name),) if wanted else ()


def _called(detector: object) -> str:
    """What a program's own detector is called."""
    kind = detector if hasattr(detector, "__qualname__") else type(detector)
    return f"{getattr(kind, '__module__', '')}:{getattr(kind, '__qualname__', '')}"


def _huggingface(name: str, device: str, classes: Sequence[str]) -> Model:
    """A detector of Hugging Face, beside the bundled network."""
    from minet_core.models.huggingface.loading import load_huggingface

    where = pick_device(device)
    detector = load_huggingface(name, where, classes)
    embedder = load_identify(embedder_file(), device=where)
    return Model(name, detector, embedder, _notes(name, detector))


def _onnx(name: str, path: Path, device: str, size: int | None) -> Model:
    """A detector in ONNX Runtime, beside the bundled identify network in torch."""
    from minet_core.models.onnx.detector import load_onnx

    detector = load_onnx(path, device, size)
    embedder = load_identify(embedder_file(), device=_torch_device(device))
    return Model(name, detector, embedder, detector.notes)
