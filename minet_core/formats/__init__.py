"""Annotation formats: one module each, written row by row as a video is read."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from minet_core.formats.base import ResultWriter, VideoFacts
from minet_core.formats.minet_csv import write_csv
from minet_core.formats.minet_json import StoredResult, read_json, write_json
from minet_core.formats.mot import write_mot

Opener = Callable[[Path, VideoFacts], AbstractContextManager[ResultWriter]]

OPENERS: dict[str, Opener] = {"json": write_json, "csv": write_csv, "mot": write_mot}
"""Format name, as in `config.FORMATS` → context manager that opens its writer."""

__all__ = ["OPENERS", "Opener", "ResultWriter", "StoredResult", "VideoFacts", "read_json"]
