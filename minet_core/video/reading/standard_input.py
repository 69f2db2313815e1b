"""Standard input as FFmpeg can read it."""

import shutil
import sys
import tempfile
from io import UnsupportedOperation
from typing import IO

from minet_core.errors import InputError

_HEAD = 4096

# What may stand before the media data and the index of an mp4 or mov.
_PREAMBLE = {b"ftyp", b"free", b"skip", b"wide", b"uuid", b"pdin"}


class _Pipe:
    """A pipe whose first bytes have been looked at; FFmpeg needs no more of it than this."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int) -> bytes:
        """What there is, up to `size` bytes; nothing at the end."""
        if self._head:
            part, self._head = self._head[:size], self._head[size:]
            return part
        return self._rest.read1(size)  # type: ignore[attr-defined, no-any-return]

    def close(self) -> None:
        """Let it go; the pipe itself stays open, as it is the process's."""


def open_standard_input() -> IO[bytes] | _Pipe:
    """The video on standard input, to be closed by the caller.

    It is read as it comes. An mp4 whose index stands at its end makes no sense before that, so
    one that comes by a pipe goes to a temporary file first; it has no name, and ends with the
    process however that ends.

    Raises:
        InputError: it is closed, a terminal, or too large for the disk.
    """
    try:
        stdin = open(sys.stdin.fileno(), "rb", closefd=False)  # noqa: SIM115
    except (AttributeError, UnsupportedOperation, OSError):
        raise InputError("-: standard input is closed") from None
    if stdin.isatty():
        raise InputError("-: standard input is a terminal; send a video into it")
    if stdin.seekable():
        return stdin
    head = stdin.read(_HEAD)
    return _copied(head, stdin) if index_comes_last(head) else _Pipe(head, stdin)


def index_comes_last(head: bytes) -> bool:
    """Whether a file that begins like this is an mp4 or mov with its index behind the media data.

    >>> index_comes_last(b"\\0\\0\\0\\x0cftypisom" + b"\\0\\1\\0\\0mdat")
    True
    """
    at = 0
    while head[at + 4 : at + 8] in _PREAMBLE:
        at += max(int.from_bytes(head[at : at + 4]), 8)
    return head[at + 4 : at + 8] == b"mdat"


def _copied(head: bytes, rest: IO[bytes]) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115
    try:
        file.write(head)
        shutil.copyfileobj(rest, file)
        file.seek(0)
    except OSError as error:
        file.close()
        raise InputError(
            f"-: this mp4 has its index at its end, and cannot be kept until then "
            f"({error.strerror}); save it to a file first"
        ) from None
    return file
