"""The detections of each video in a file, so that a stopped run can resume.

A file's name is a digest of everything its detections depend on, so detections with other settings
are never mixed up. Metrics are not part of the digest.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minet_core.datasets.problems import Problem
from minet_core.evaluation.frames import FoundBoxes
from minet_core.evaluation.passes import FoundOf
from minet_core.evaluation.predictions.convert import Found
from minet_core.files import one_line
from minet_core.publishing import replace_bytes

FOLDER = ".minet-eval"
"""Name of the folder of these files, inside the output folder."""

_DIGEST_BYTES = 32
_COLUMNS = ("boxes", "label_ids", "scores", "track_ids")

Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True, eq=False)
class FoundInVideo:
    """The detections of one video.

    Attributes:
        frames: for frames 0, 1, …: variant → its detections.
        warnings: a line each.
        problems: problems of its pictures, and where.
    """

    frames: list[FoundOf]
    warnings: list[str]
    problems: list[tuple[Problem, str]]


class FoundFiles:
    """Reads and writes these files.

    Args:
        folder: their folder; made with the first file.
        depends_on: what all of them depend on, as JSON values.
    """

    def __init__(self, folder: Path, depends_on: Mapping[str, Any]) -> None:
        self._folder = folder
        self._depends_on = dict(depends_on)

    def read(self, video: Mapping[str, Any]) -> FoundInVideo | None:
        """The detections of a video; None without a file, or with a damaged one.

        Args:
            video: what else its file depends on.
        """
        try:
            content = self._path(video).read_bytes()
        except OSError:
            return None
        digest, packed = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(packed).digest() != digest:
            return None
        with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
            return _unpacked(dict(arrays))

    def write(self, video: Mapping[str, Any], found: FoundInVideo) -> None:
        """Save the detections of a video.

        Raises:
            OutputError: the file cannot be written.
        """
        with one_line(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **_packed(found))
        packed = buffer.getvalue()
        replace_bytes(self._path(video), hashlib.sha256(packed).digest() + packed)

    def _path(self, video: Mapping[str, Any]) -> Path:
        text = json.dumps([self._depends_on, dict(video)], sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()}.npz"


def _packed(found: FoundInVideo) -> Arrays:
    """An array per variant and column, with all frames concatenated."""
    names = list(found.frames[0]) if found.frames else []
    notes = {"variants": names, "warnings": found.warnings, "problems": found.problems}
    arrays: Arrays = {"notes": np.frombuffer(json.dumps(notes).encode(), np.uint8)}
    for i, name in enumerate(names):
        frames = [frame[name] for frame in found.frames]
        arrays[f"{i}-rows"] = np.array([len(frame.shown) for frame in frames])
        arrays[f"{i}-shown"] = np.concatenate([frame.shown for frame in frames])
        for column in _COLUMNS:
            values = [getattr(frame.boxes, column) for frame in frames]
            arrays[f"{i}-{column}"] = np.concatenate(values)
    return arrays


def _unpacked(arrays: Mapping[str, NDArray[Any]]) -> FoundInVideo:
    notes = json.loads(arrays["notes"].tobytes())
    by_variant = {name: _frames(i, arrays) for i, name in enumerate(notes["variants"])}
    return FoundInVideo(
        frames=[
            dict(zip(by_variant, frame, strict=True))
            for frame in zip(*by_variant.values(), strict=True)
        ],
        warnings=notes["warnings"],
        problems=[(Problem(kind), place) for kind, place in notes["problems"]],
    )


def _frames(variant: int, arrays: Mapping[str, NDArray[Any]]) -> list[Found]:
    ends = np.cumsum(arrays[f"{variant}-rows"])[:-1]
    columns = (np.split(arrays[f"{variant}-{column}"], ends) for column in _COLUMNS)
    shown = np.split(arrays[f"{variant}-shown"], ends)
    return [
        Found(FoundBoxes(*values), keep)
        for values, keep in zip(zip(*columns, strict=True), shown, strict=True)
    ]
