"""`minet review` in a thread, and requests to it."""

import http.client
import threading
from pathlib import Path

from minet_core.runs.review.served_result import open_review
from minet_core.runs.review.server import ReviewServer


def serve(folder: Path) -> tuple[ReviewServer, threading.Thread, list[str]]:
    """A server that listens, and the lines it has said."""
    lines: list[str] = []
    (folder / "copies").mkdir(exist_ok=True)
    server = ReviewServer(open_review(folder, folder / "copies", lines.append))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    return server, thread, lines


def ask(
    server: ReviewServer, path: str, method: str = "GET", body: str | None = None, **headers: str
) -> tuple[int, bytes, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, given)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, answer
