"""Sights on the disk: all that a run has seen, so that tracks can be found again in seconds.

A frame takes the detector's boxes and scores, and what embeddings are cut from: the picture as a
JPEG, or the feature map in half precision. With the default model that is some 250 KB.
"""

import math
import struct
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from minet_core.errors import InputError
from minet_core.files import BytesFile
from minet_core.formats.picture_files import decoded, encoded
from minet_core.inference.sights import Sight
from minet_core.models.detector import BaseDetections, FeatureMap, FramePicture
from minet_core.text import shown

_MAGIC = b"minet-sights-2\n"
_KEY = 64
_HEAD = struct.Struct("<qqd qq qq ??? qqqq dqq")
"""Frame, pts, seconds, width, height, rows, columns, final, cut, camera?, feature map's shape (of
a picture zeros), stride of a cell, boxes dropped, bytes of the feature map or picture."""
_END, _NO_PTS = -1, -(2**63)


class Stamp(NamedTuple):
    """Which frame it is: index, pts, seconds."""

    frame: int
    pts: int | None
    time: float


class SightWriter:
    """Writes sights one after the other.

    Args:
        path: of the file.
        key: what they depend on, 64 characters.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._file = BytesFile(path)
        self._file.write(_MAGIC + key.encode())

    def write(self, stamp: Stamp, sight: Sight) -> None:
        """Add a frame.

        Raises:
            OutputError: it cannot be written.
        """
        assert sight.features is not None
        base, features = sight.base, sight.features
        if isinstance(features, FramePicture):
            shape, content = [0] * 4, encoded(features.frame, "jpg")
        else:
            values = features.values.to("cpu", torch.float16)
            shape, content = list(values.shape), values.numpy().tobytes()
        pts = _NO_PTS if stamp.pts is None else stamp.pts
        head = _HEAD.pack(
            *(stamp.frame, pts, stamp.time, *sight.size, *base.scores.shape),
            *(base.final, sight.cut, sight.camera is not None),
            *(*shape, features.stride, sight.dropped, len(content)),
        )
        parts = [_bytes(base.proposals), _bytes(base.boxes), _bytes(base.scores)]
        if sight.camera is not None:
            parts.append(sight.camera.double().numpy().tobytes())
        self._file.write(head + b"".join([*parts, content]))

    def complete(self, end: float | None) -> None:
        """Bring the file to its end.

        Args:
            end: seconds at which the source's last frame ends; None where it was not reached.

        Raises:
            OutputError: it cannot be written.
        """
        time = math.nan if end is None else end
        self._file.write(_HEAD.pack(_END, 0, time, *[0] * 4, *[False] * 3, *[0] * 4, 0.0, 0, 0))
        self._file.complete()

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


class SightFile:
    """Reads what a `SightWriter` has completed.

    Attributes:
        stamps: of the frames, in order.
        end: seconds at which the source's last frame ends; None where it was not reached.

    Raises:
        InputError: it is damaged, or not complete.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        self.stamps: list[Stamp] = []
        self._starts: list[int] = []
        self._file.seek(len(_MAGIC) + _KEY)
        while True:
            start, packed = self._file.tell(), self._file.read(_HEAD.size)
            if len(packed) < _HEAD.size:
                self._file.close()
                raise InputError(f"{shown(path)}: not complete")
            frame, pts, time, *rest = _HEAD.unpack(packed)
            if frame == _END:
                self.end = None if math.isnan(time) else time
                break
            self.stamps.append(Stamp(frame, None if pts == _NO_PTS else pts, time))
            self._starts.append(start)
            self._file.seek(_length(rest), 1)
        self.sight = lru_cache(maxsize=4)(self._sight)

    @property
    def frames(self) -> list[int]:
        """Indices of the frames that were looked at, in order."""
        return [stamp.frame for stamp in self.stamps]

    def _sight(self, place: int) -> Sight:
        """What was seen in a frame, by its place among them."""
        self._file.seek(self._starts[place])
        rest = _HEAD.unpack(self._file.read(_HEAD.size))[3:]
        width, height, rows, columns, final, cut, moved, *shape, stride, dropped, length = rest
        proposals, boxes = (self._array(np.float32, (rows, 4)) for _ in range(2))
        scores = self._array(np.float32, (rows, columns))
        camera = torch.from_numpy(self._array(np.float64, (2, 3))) if moved else None
        content = self._file.read(length)
        tensors = [torch.from_numpy(each) for each in (proposals, boxes, scores)]
        base = BaseDetections(tensors[0], tensors[1], tensors[2], final)
        features = _features(content, shape, stride)
        return Sight((width, height), base, features, cut, camera, dropped)

    def _array(self, kind: type, shape: tuple[int, ...]) -> "NDArray[np.generic]":
        size = np.dtype(kind).itemsize * math.prod(shape)
        return np.frombuffer(bytearray(self._file.read(size)), kind).reshape(shape)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


def is_kept(path: Path, key: str) -> bool:
    """Whether a file has the sights of this key, all of them."""
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC) + _KEY) != _MAGIC + key.encode():
                return False
        with closing(SightFile(path)):
            return True
    except (OSError, InputError):
        return False


def _length(rest: list[int]) -> int:
    """Bytes behind a frame's head."""
    _, _, rows, columns, _, _, moved, *_, length = rest
    return 4 * rows * (8 + columns) + 48 * moved + length


def _features(content: bytes, shape: list[int], stride: float) -> FeatureMap:
    if not any(shape):
        return FramePicture.of(decoded(content))
    values = np.frombuffer(bytearray(content), np.float16).reshape(shape)
    return FeatureMap(torch.from_numpy(values).float(), stride)


def _bytes(values: torch.Tensor) -> bytes:
    return values.float().contiguous().numpy().tobytes()
