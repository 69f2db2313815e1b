"""`minet review`: the page of a result over loopback, which saves edits as they are made.

Whoever knows the address may read the page and the video and write edits.json, nothing else: the
address has a random token, names in it are looked up in a table and never on the disk, and other
sites' pages are told apart by the headers `Host` and `Origin`.
"""

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

from minet_core.errors import MinetError
from minet_core.formats.edits.file import NAME
from minet_core.runs.review.going_on_job import GoingOn, going_on_from
from minet_core.runs.review.served_result import Review, open_review

PAGE, GOING_ON = "", "going-on"
LOOPBACK = "127.0.0.1"
MOST_BYTES = 50_000_000
"""Of an edits.json that is sent."""
_CHUNK = 1 << 20
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_TYPES = {".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm", ".mov": "video/mp4"}


class ReviewServer(ThreadingHTTPServer):
    """Serves one review to this machine.

    Args:
        review: what to serve.
        port: 0 for any that is free.

    Raises:
        OSError: the port is taken.
    """

    daemon_threads = True

    def __init__(self, review: Review, port: int = 0) -> None:
        self.review = review
        self.token = secrets.token_urlsafe(24)
        self.going = GoingOn()
        super().__init__((LOOPBACK, port), _Handler)

    @property
    def host(self) -> str:
        """Address and port."""
        return f"{LOOPBACK}:{self.server_port}"

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{self.host}/{self.token}/"

    def go_on(self) -> None:
        """Find the tracks again around what was mended, unless that is being done already."""
        opened = self.review

        def renew() -> None:
            self.review = open_review(opened.file_read, opened.place, opened.say)

        self.going.begin(lambda told: going_on_from(opened.file_read, told), renew)

    def server_close(self) -> None:
        """Wait until nothing is written any more, and let the port go."""
        self.going.wait()
        super().server_close()


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing is told of requests."""

    def name(self) -> str | None:
        """What is asked for, without the token; None where that may not be."""
        own = {self.server.host, f"localhost:{self.server.server_port}"}
        origin = self.headers.get("Origin")
        _, token, *rest = [*self.path.split("?")[0].split("/"), ""]
        is_known = secrets.compare_digest(token.encode(), self.server.token.encode())
        is_ours = origin is None or origin.removeprefix("http://") in own
        if not is_known or not is_ours or self.headers.get("Host") not in own or len(rest) < 2:
            return None
        return rest[0]

    def do_GET(self) -> None:
        """The page, or a video."""
        name = self.name()
        if name == PAGE:
            self.answer(HTTPStatus.OK, self.server.review.page.encode(), "text/html; charset=utf-8")
            return
        if name == GOING_ON:
            self.answer_going_on()
            return
        try:
            path = None if name is None else self.server.review.file(name)
        except MinetError as error:
            self.answer(HTTPStatus.INTERNAL_SERVER_ERROR, str(error).encode())
            return
        if path is None:
            self.answer(HTTPStatus.NOT_FOUND, b"not found")
        else:
            self.send_part(path)

    def do_POST(self) -> None:
        """Going on from the edits."""
        if self.name() != GOING_ON:
            self.answer(HTTPStatus.NOT_FOUND, b"not found")
            return
        self.server.go_on()
        self.answer_going_on()

    def answer_going_on(self) -> None:
        """Tell how far it is."""
        told = json.dumps(asdict(self.server.going.told))
        self.answer(HTTPStatus.OK, told.encode(), "application/json")

    def do_PUT(self) -> None:
        """The edits, to be written beside the result."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            self.close_connection = True
            self.answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"too large")
            return
        content = self.rfile.read(int(length))
        if self.server.going.is_running:
            self.answer(HTTPStatus.CONFLICT, b"tracks are being found again")
            return
        if self.name() != NAME:
            self.answer(HTTPStatus.NOT_FOUND, b"not found")
            return
        try:
            self.server.review.save(content.decode())
        except (MinetError, UnicodeDecodeError) as error:
            self.answer(HTTPStatus.BAD_REQUEST, str(error).encode())
        else:
            self.answer(HTTPStatus.NO_CONTENT, b"")

    def answer(
        self, status: HTTPStatus, content: bytes, kind: str = "text/plain; charset=utf-8"
    ) -> None:
        """Send a whole answer."""
        self.send_response(status)
        self.send_common(kind, len(content))
        self.wfile.write(content)

    def send_part(self, path: Path) -> None:
        """Send a file, or the part of it that is asked for, as players do to seek."""
        size = path.stat().st_size
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        first = int(asked[1]) if asked else 0
        last = min(int(asked[2]), size - 1) if asked and asked[2] else size - 1
        if first > last:
            self.answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"")
            return
        self.send_response(HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Accept-Ranges", "bytes")
        kind = _TYPES.get(path.suffix.lower(), "application/octet-stream")
        self.send_common(kind, last - first + 1)
        with path.open("rb") as file:
            file.seek(first)
            left = last - first + 1
            try:
                while left and (content := file.read(min(_CHUNK, left))):
                    self.wfile.write(content)
                    left -= len(content)
            except ConnectionError:
                self.close_connection = True  # a player that has seeked elsewhere

    def send_common(self, kind: str, length: int) -> None:
        """The headers of every answer."""
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()


def review(
    path: Path, port: int, begin: Callable[[ReviewServer], None], say: Callable[[str], None]
) -> None:
    """Serve a result until the user stops it.

    Args:
        path: of the result.
        port: 0 for any that is free.
        begin: is given the server when it listens.
        say: is told, in a line, what takes long.

    Raises:
        InputError: as `open_review`.
        MinetError: the port is taken.
    """
    with TemporaryDirectory(prefix="minet-review-") as place:
        opened = open_review(path, Path(place), say)
        try:
            server = ReviewServer(opened, port)
        except OSError as error:
            raise MinetError(f"port {port} cannot be had: {error.strerror}") from None
        with server:
            begin(server)
            server.serve_forever()
