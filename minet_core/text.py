"""Text files that a user or another program has written."""

import codecs
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
