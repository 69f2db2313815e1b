"""Annotation formats: one module each, written row by row as a video is read."""

from collections.abc import Callable

from minet_core.files import TextFile
from minet_core.formats.minet.result_csv import CsvWriter
from minet_core.formats.minet.result_json import JsonWriter, StoredResult, read_json
from minet_core.formats.minet.score_vectors import read_score_vectors
from minet_core.formats.minet.stored_doubts import read_doubts
from minet_core.formats.mot.result_text import MotWriter
from minet_core.formats.writers import ResultWriter, VideoFacts

WRITERS: dict[str, Callable[[TextFile, VideoFacts], ResultWriter]] = {
    "json": JsonWriter,
    "csv": CsvWriter,
    "mot": MotWriter,
}
"""Format name, as in `options.FORMATS` → what writes it."""

__all__ = [
    "WRITERS",
    "ResultWriter",
    "StoredResult",
    "VideoFacts",
    "read_doubts",
    "read_json",
    "read_score_vectors",
]
