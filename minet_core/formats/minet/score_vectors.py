"""scores.f32: the score of every class for each row of result.json, for methods that need them.

Little-endian float32, a row of C values for each row there, in its order; no header.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minet_core.errors import InputError
from minet_core.files import BytesFile
from minet_core.formats.minet.result_json import read_json
from minet_core.results import FrameDetections, Totals
from minet_core.text import shown

TYPE = np.dtype("<f4")


class ScoreVectorWriter:
    """Writes each frame's score vectors as they come."""

    def __init__(self, file: BytesFile) -> None:
        self._file = file

    def begin(self) -> None:
        """Nothing comes before the rows."""

    def resume(self, totals: Totals) -> None:
        """Go on after the rows of these totals."""

    def write(self, detections: FrameDetections) -> None:
        """Add one frame, which has score vectors."""
        if detections.score_vectors is None:
            raise ValueError("these detections were made without score vectors")
        self._file.write(detections.score_vectors.astype(TYPE).tobytes())

    def end(self, totals: Totals) -> None:
        """Nothing comes after the rows."""


def read_score_vectors(result: str | Path) -> NDArray[np.float32]:
    """The score vectors beside a result.json, row by row.

    Args:
        result: path of the result.json.

    Returns:
        (N, C) scores of the classes in the order of `classes`, mapped from the disk, read-only.

    Raises:
        InputError: there are none, or they do not fit the rows.
    """
    result = Path(result)
    return map_score_vectors(result, *_layout(result))


def map_score_vectors(result: Path, name: str, rows: int, classes: int) -> NDArray[np.float32]:
    """As `read_score_vectors`, for a result whose header was read before.

    Args:
        result: path of the result.json.
        name: of the file beside it.
        rows: of the result.
        classes: of the result.
    """
    path = result.with_name(name)
    try:
        size = path.stat().st_size
        if size != rows * classes * TYPE.itemsize:
            raise InputError(
                f"{shown(path)}: {size} bytes do not fit {rows} rows of {classes} classes"
            )
        if not size:
            return np.zeros((rows, classes), TYPE)
        return np.memmap(path, TYPE, mode="r", shape=(rows, classes))
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be read ({error.strerror})") from None


def _layout(result: Path) -> tuple[str, int, int]:
    """Name of the file, rows and classes."""
    header, rows, _ = read_json(result)
    if header.get("score_vectors") is None:
        raise InputError(f"{shown(result)}: made without --score-vectors")
    return header["score_vectors"], len(rows), len(header["classes"])
