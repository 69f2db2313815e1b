"""A real Label Studio takes what `minet export` writes: the project, the tracks, the editor."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import click
import numpy as np

from minet_core.exports import export
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.label_studio.writer import CONFIG, TASKS
from minet_core.formats.readers import read_annotations

EMAIL, PASSWORD = "prove@example.com", "prove-secret"
TOKEN = "0123456789abcdef0123456789abcdef01234567"
PRECISION = 0.02
"""Pixels; percentages have four decimals."""

SECONDS_TO_START = 600

MILLISECONDS = 240_000
"""For the editor to load."""

SETTLE = 15_000
"""Milliseconds for it to draw."""


@click.command()
@click.option("--server", type=click.Path(path_type=Path), required=True, help="label-studio")
@click.option("--result", type=click.Path(path_type=Path), required=True, help="result.json")
@click.option("--screenshot", type=click.Path(path_type=Path), default="label-studio.png")
@click.option("--seconds", default=1.0, help="Where in the video the screenshot is taken.")
def prove(server: Path, result: Path, screenshot: Path, seconds: float) -> None:
    """Export a result, import it, read it back, compare, and take a picture of the editor."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        exported = export([result], "label-studio", folder / "export")
        (video,) = exported.videos
        assert video.source is not None
        media = Path(video.source).absolute().parent
        with running(server.absolute(), folder / "data", media) as address:
            project = make_project(address, folder / "export", media)
            read = read_back(address, project, folder / "back.json")
            compare(video, read)
            look(address, project, screenshot, seconds)
    boxes = sum(len(track) for track in video.tracks)
    click.echo(f"the same {len(video.tracks)} tracks with {boxes} boxes; see {screenshot}")


@contextmanager
def running(server: Path, data: Path, media: Path) -> Iterator[str]:
    """A server with nothing in it, that may serve the files beside a folder; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(data),
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(media.parent),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }
    user = ["--username", EMAIL, "--password", PASSWORD, "--user-token", TOKEN]
    command = [str(server), "start", "--no-browser", "--port", str(port), *user]
    data.mkdir()
    with (data / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **settings}, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://localhost:{port}"
            wait_for(address, process, data / "server.log")
            yield address
        finally:
            process.terminate()
            process.wait()


def wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until the server answers; its first start makes a database."""
    for _ in range(SECONDS_TO_START):
        if process.poll() is not None:
            break
        try:
            urlopen(f"{address}/version").close()
        except URLError:
            time.sleep(1)
        else:
            return
    last = log.read_text(errors="replace").splitlines()[-1:]
    raise click.ClickException(f"the server does not answer; it has said last: {last}")


def call(address: str, path: str, content: Any = None) -> Any:
    """Ask the API; with content, post it."""
    headers = {"Authorization": f"Token {TOKEN}", "Content-Type": "application/json"}
    data = None if content is None else json.dumps(content).encode()
    with urlopen(Request(address + path, data, headers)) as answer:
        return json.load(answer)


def make_project(address: str, folder: Path, media: Path) -> int:
    """A project with our config, whose tasks are ours; its number."""
    config = (folder / CONFIG).read_text(encoding="utf-8")
    project = call(address, "/api/projects", {"title": "minet", "label_config": config})["id"]
    # Label Studio serves local files only of a storage that some project has.
    storage = {"project": project, "path": str(media), "title": "media"}
    call(address, "/api/storages/localfiles", storage)
    tasks = json.loads((folder / TASKS).read_text(encoding="utf-8"))
    answer = call(address, f"/api/projects/{project}/import", tasks)
    click.echo(f"imported: {answer['task_count']} task, {answer['prediction_count']} prediction")
    return int(project)


def read_back(address: str, project: int, path: Path) -> VideoAnnotations:
    """What the server has, as minet reads it."""
    tasks = call(address, f"/api/tasks?project={project}&fields=all")["tasks"]
    path.write_text(json.dumps([call(address, f"/api/tasks/{task['id']}") for task in tasks]))
    (video,) = read_annotations(path)
    return video


def compare(ours: VideoAnnotations, theirs: VideoAnnotations) -> None:
    """See that both have the same tracks."""
    # A box of no track has come back as a track of one frame.
    tracks = theirs.tracks[: len(ours.tracks)]
    names = [[(track.id, track.label) for track in each] for each in (ours.tracks, tracks)]
    if names[0] != names[1] or len(theirs.tracks) != len(ours.tracks) + len(ours.loose):
        raise click.ClickException(f"other tracks came back: {names}")
    for one, other in zip(ours.tracks, tracks, strict=True):
        same = one.frames.tolist() == other.frames.tolist()
        if not same or np.abs(one.boxes - other.boxes).max() > PRECISION:
            raise click.ClickException(f"track {one.id} came back with other boxes")


def look(address: str, project: int, path: Path, seconds: float) -> None:
    """A picture of the editor with our boxes, at some place of the video."""
    from playwright.sync_api import sync_playwright

    (task,) = call(address, f"/api/tasks?project={project}&fields=all")["tasks"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium")
        )
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        page.set_default_timeout(MILLISECONDS)
        page.goto(f"{address}/user/login", wait_until="domcontentloaded")
        page.fill("input[name=email]", EMAIL)
        page.fill("input[name=password]", PASSWORD)
        with page.expect_navigation(wait_until="commit"):
            page.press("input[name=password]", "Enter")
        page.goto(f"{address}/projects/{project}/data?task={task['id']}", wait_until="commit")
        page.wait_for_function("document.querySelector('video')?.readyState >= 2")
        page.wait_for_timeout(SETTLE)  # the editor goes to the first frame when it is ready
        page.evaluate("s => { document.querySelector('video').currentTime = s }", seconds)
        page.wait_for_timeout(SETTLE)
        page.screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    prove()
