"""Parquet: the rows of detections.csv, of all videos in one file, for pandas and its kin.

The first column is the name of the video; the others are those of docs/result-format.md with their
types. Each video is a group of rows of its own, so that one can be read without the others.

Of folders of pictures one more column, `picture`, names the frame's.

Where a result was made with --score-vectors there is one more column, `scores`: a list with the
score of every class, null for a box that was not detected as it is (interpolated, for example).
The names of the classes are in the file's metadata, by video, as JSON under `score_classes`.
"""

import json
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from minet_core.errors import ConfigError
from minet_core.export_options import ExportOptions
from minet_core.files import one_line
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.minet.result_csv import PICTURE
from minet_core.formats.minet.writer import VIDEO, frame_detections, picture_of
from minet_core.results import COLUMNS

_SCORES = "scores"
_NAMES = (VIDEO, *COLUMNS, PICTURE, _SCORES)

_TYPES = {VIDEO: "string", "label": "string", PICTURE: "string"} | dict.fromkeys(
    ("frame", "pts", "track_id", "label_id", "interpolated"), "int64"
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
    schema = _schema(pa, annotations)
    with one_line(place), parquet.ParquetWriter(place, schema) as writer:
        for video in annotations:
            rows = list(_rows(video))
            columns = list(zip(*rows, strict=True)) or [()] * len(_NAMES)
            # A schema without pictures or scores leaves them out.
            table = dict(zip(_NAMES, columns, strict=True))
            writer.write_table(pa.table({name: table[name] for name in schema.names}, schema))
    return [place]


def _schema(pa: Any, annotations: Sequence[VideoAnnotations]) -> Any:
    named = [PICTURE] if any(video.pictures for video in annotations) else []
    names = (VIDEO, *COLUMNS, *named)
    fields = [(name, getattr(pa, _TYPES.get(name, "float64"))()) for name in names]
    classes = {
        video.name: video.vectors.classes for video in annotations if video.vectors is not None
    }
    if not classes:
        return pa.schema(fields)
    fields.append((_SCORES, pa.list_(pa.float32())))
    return pa.schema(fields, metadata={"score_classes": json.dumps(classes, ensure_ascii=False)})


def _rows(video: VideoAnnotations) -> Iterator[tuple[Any, ...]]:
    for frame in frame_detections(video):
        for row in frame.rows():
            scores = None if video.vectors is None else video.vectors.of(row[0], row[-5:-1])
            yield (video.name, *row, picture_of(video, frame.frame), scores)


def _pyarrow(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise ConfigError("Parquet needs pyarrow: pip install pyarrow") from None
