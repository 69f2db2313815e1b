"""A network in an ONNX file that gives vectors of boxes, as an `Embedder`.

People have two kinds: one takes crops, such as a network for re-identification, (B, 3, h, w) →
(B, D); one takes a picture and boxes in it, (1, 3, h, w) and (N, 4) or (N, 5) → (N, D), where the
first of five columns is the number of the picture, always 0. Boxes are xyxy in the network's
picture.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from minet_core.box_tensors import clipped
from minet_core.errors import ConfigError, WeightsError
from minet_core.models.crops import cut_out
from minet_core.models.detector import FeatureMap, Frame, FramePicture
from minet_core.models.identify.embedding import EMBEDDING_NORM
from minet_core.models.onnx.layouts.queries import IMAGENET_MEAN, IMAGENET_STD
from minet_core.models.onnx.preparation import Preparation, Resize, prepare
from minet_core.models.onnx.session import Port, Session
from minet_core.models.onnx.sidecar import Sidecar, read_sidecar

MOST_NUMBERS = 256
"""Longer embeddings are projected to so many, as the memory's time grows with their cube."""
CROPS, PICTURE = (128, 256), (640, 640)
"""Width and height of crops, and of pictures, where neither the graph nor the sidecar says."""
_STEP = 64
_NORMAL = Preparation(resize=Resize.STRETCH, mean=IMAGENET_MEAN, std=IMAGENET_STD)


class OnnxEmbedder:
    """Vectors of L2 norm `EMBEDDING_NORM` at the boxes of a frame.

    Args:
        session: of the file.
        sidecar: how the network wants to see pictures.

    Attributes:
        dim: length D of an embedding.
        preparation: of crops, or of the picture.

    Raises:
        WeightsError: it gives no vectors of crops or boxes.
        ConfigError: the sidecar contradicts the file, or says what is for detectors.
    """

    def __init__(self, session: Session, sidecar: Sidecar) -> None:
        self._session = session
        self._picture, self._boxes = _inputs(session)
        self.preparation = _preparation(session, self._picture, self._boxes, sidecar)
        width = self._width()
        self._projection = _projection(width) if width > MOST_NUMBERS else None
        self.dim = min(width, MOST_NUMBERS)

    def features(self, frame: Frame) -> FeatureMap:
        """The frame itself: the network runs when its boxes are known."""
        return FramePicture.of(frame)

    def embed(self, features: FeatureMap, boxes: Tensor) -> Tensor:
        """(N, D) embeddings on the CPU for (N, 4) boxes in pixels of the frame.

        Raises:
            WeightsError: the graph does not run.
        """
        if not isinstance(features, FramePicture):
            raise TypeError("features of another embedder")
        if not len(boxes):
            return torch.zeros(0, self.dim)
        frame = features.frame
        boxes = clipped(boxes.float(), frame.shape[:2])
        vectors = self._of_crops(frame, boxes) if self._boxes is None else self._at(frame, boxes)
        found = torch.from_numpy(np.asarray(vectors, np.float32))
        found = found if self._projection is None else found @ self._projection
        return EMBEDDING_NORM * normalize(found, dim=1)

    def _of_crops(self, frame: Frame, boxes: Tensor) -> NDArray[Any]:
        """Vectors of what is inside each box."""
        crops = cut_out(frame, boxes)
        return self._run(np.concatenate([prepare([crop], self.preparation)[0] for crop in crops]))

    def _run(self, pictures: NDArray[np.float32]) -> NDArray[Any]:
        step = self._picture.shape[0] or _STEP
        parts = []
        for start in range(0, len(pictures), step):
            part = pictures[start : start + step]
            missing = step - len(part) if self._picture.shape[0] else 0
            filled = np.pad(part, [(0, missing), (0, 0), (0, 0), (0, 0)])
            parts.append(self._vectors({self._picture.name: filled})[: len(part)])
        return np.concatenate(parts)

    def _at(self, frame: Frame, boxes: Tensor) -> NDArray[Any]:
        """Vectors of a picture's boxes."""
        assert self._boxes is not None
        pictures, fit = prepare([frame], self.preparation)
        regions = fit.in_picture(boxes).numpy()
        if self._boxes.shape[1] == 5:
            regions = np.pad(regions, [(0, 0), (1, 0)])
        return self._vectors({self._picture.name: pictures, self._boxes.name: regions})

    def _vectors(self, given: dict[str, NDArray[Any]]) -> NDArray[Any]:
        (found,) = self._session.run(given).values()
        return found.reshape(len(found), -1) if found.ndim else found.reshape(0, 0)

    def _width(self) -> int:
        """Length of a vector, by a trial with two boxes."""
        trial = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        boxes = torch.tensor([[0.0, 0, 32, 64], [32, 0, 64, 64]])
        vectors = self._of_crops(trial, boxes) if self._boxes is None else self._at(trial, boxes)
        if len(vectors) != 2 or vectors.shape[1] < 2:
            raise WeightsError(
                f"{self._session.path}: gives no vector a box; it has {self._session.describe()}"
            )
        return int(vectors.shape[1])


def load_embedder(path: Path, device: str = "cpu") -> OnnxEmbedder:
    """An embedder in an ONNX file, with what its sidecar says.

    Args:
        path: of the file.
        device: as `load_onnx` has it.

    Raises:
        MinetError: as `OnnxEmbedder`; or the file is damaged, or ONNX Runtime missing.
    """
    return OnnxEmbedder(Session(path, device), read_sidecar(path))


def _inputs(session: Session) -> tuple[Port, Port | None]:
    """The input for pictures, and the one for boxes if there is one."""
    pictures = [
        port for port in session.inputs if len(port.shape) == 4 and port.shape[1] in (3, None)
    ]
    boxes = [port for port in session.inputs if len(port.shape) == 2 and port.shape[1] in (4, 5)]
    known = len(pictures) == 1 and len(boxes) < 2
    if not known or len(session.inputs) != 1 + len(boxes) or len(session.outputs) != 1:
        raise WeightsError(
            f"{session.path}: no network that gives vectors, of crops (B, 3, h, w) or of a picture "
            f"and boxes (N, 4); it has {session.describe()}"
        )
    return pictures[0], boxes[0] if boxes else None


def _preparation(
    session: Session, picture: Port, boxes: Port | None, sidecar: Sidecar
) -> Preparation:
    """What the sidecar says, and else what most such networks are trained with."""
    if sidecar.layout or sidecar.classes or sidecar.calibration:
        raise ConfigError(
            f"{sidecar.path}: layout, classes and calibration are for detectors, and "
            f"{session.path.name} is to give vectors"
        )
    how = replace(_NORMAL, size=PICTURE if boxes else CROPS)
    how = replace(how, **sidecar.preparation)
    height, width = picture.shape[2:]
    if not (height and width):
        return how
    if "size" in sidecar.preparation and how.size != (width, height):
        raise ConfigError(
            f"{sidecar.path} says {how.size[0]} × {how.size[1]}, but {session.path} takes "
            f"pictures of {width} × {height} only"
        )
    return replace(how, size=(width, height), multiple=None)


def _projection(width: int) -> Tensor:
    """(width, MOST_NUMBERS), always the same; angles stay nearly as they are."""
    return torch.randn(width, MOST_NUMBERS, generator=torch.Generator().manual_seed(0))
