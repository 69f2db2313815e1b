"""Files that appear under their final name only when they are complete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from minet_core.errors import OutputError


@contextmanager
def complete_text(path: Path) -> Iterator[TextIO]:
    """Write UTF-8 text under a temporary name beside `path`; rename it on a clean exit.

    After an exception nothing is left, and a file that was there before stays as it was.

    Raises:
        OutputError: the file cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
