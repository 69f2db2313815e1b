"""Text that a user or another program has written, and paths as messages show them."""

import codecs
import os
from pathlib import Path


def read_text(path: Path, errors: str = "strict") -> str:
    """A file's text: in UTF-8, or in UTF-16 as PowerShell writes it, told by its first bytes.

    Args:
        path: of the file.
        errors: what to do about bytes that are no UTF-8, as `bytes.decode` has it.

    Raises:
        OSError: it cannot be read.
        UnicodeDecodeError: it is in neither.
    """
    data = path.read_bytes()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    return data.decode("utf-8-sig", errors)


def shown(path: str | os.PathLike[str]) -> str:
    """A path as it can stand in a one-line message, whatever characters are in it."""
    text = os.fspath(path)
    return text if text.isprintable() else ascii(text)
