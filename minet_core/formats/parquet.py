"""Parquet: the rows of detections.csv, of all videos in one file, for pandas and its kin.

The first column is the name of the video; the others are those of docs/result-format.md with their
types. Each video is a group of rows of its own, so that one can be read without the others.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from minet_core.config import ExportOptions
from minet_core.errors import ConfigError
from minet_core.files import one_line
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.rows import VIDEO, frame_detections
from minet_core.results import COLUMNS

_TYPES = {VIDEO: "string", "label": "string"} | dict.fromkeys(
    ("frame", "pts", "track_id", "label_id"), "int64"
)
"""Column → type, of those that are not float64."""


def write_parquet(
    annotations: Sequence[VideoAnnotations],
    place: Path,
    options: ExportOptions,  # noqa: ARG001
) -> list[Path]:
    """Write all videos into one file.

    Raises:
        ConfigError: pyarrow is not installed, or a name or a frame does not fit, see `sampled`.
        OutputError: it cannot be written.
    """
    pa, parquet = _pyarrow("pyarrow"), _pyarrow("pyarrow.parquet")
    names = (VIDEO, *COLUMNS)
    schema = pa.schema([(name, getattr(pa, _TYPES.get(name, "float64"))()) for name in names])
    with one_line(place), parquet.ParquetWriter(place, schema) as writer:
        for video in annotations:
            rows = [(video.name, *row) for frame in frame_detections(video) for row in frame.rows()]
            columns = list(zip(*rows, strict=True)) or [()] * len(names)
            writer.write_table(pa.table(dict(zip(names, columns, strict=True)), schema=schema))
    return [place]


def _pyarrow(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise ConfigError("Parquet needs pyarrow: pip install 'minet[parquet]'") from None
