"""A real Label Studio shows, under each number that we write, the frame that was meant.

Of videos that start at 0, later than their clock, after their sound, and at less than a frame a
second. And a project without a frame rate, which counts 24 a second, is read back right.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import click
import numpy as np
from prove_label_studio import (
    EMAIL,
    MILLISECONDS,
    PASSWORD,
    call,
    make_project,
    running,
)

from minet_core.export_options import ExportOptions
from minet_core.formats.annotations import NO_LOOSE_BOXES, Track, VideoAnnotations
from minet_core.formats.label_studio.reader import read_label_studio
from minet_core.formats.label_studio.writer import CONFIG, TASKS, write_label_studio
from minet_core.video import open_video

FRAMES = 40
WIDTH, HEIGHT = 320, 180
GREY_STEP = 5

FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "use_editlist": "0"}
VIDEOS: dict[str, dict[str, Any]] = {
    "zero": {},
    "fragments": {"late": Fraction(1, 15), "options": FRAGMENTS},
    "sound-first": {"late": Fraction(1, 2), "sound": True},
    "between": {"late": Fraction(51, 100), "sound": True},
    "slow": {"rate": Fraction(2, 5)},
}
"""Name → how `make_video` makes it."""

SEEK = """async (number) => {
    const video = document.querySelector('video');
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    window.Htx.annotationStore.selected.names.get('video').setFrame(number);
    for (let i = 0; i < 100 && (video.seeking || video.readyState < 2); i++) await pause(20);
    await pause(80);
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0);
    return [context.getImageData(4, 4, 1, 1).data[0], video.currentTime];
}"""
"""In the page: go to a frame as the editor does, and read a pixel of the picture, and the time."""


@click.command()
@click.option("--server", type=click.Path(path_type=Path), required=True, help="label-studio")
def prove(server: Path) -> None:
    """Import tasks of each video, go to each number, and compare what is shown."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        media = folder / "media"
        media.mkdir()
        videos = [make_video(media / f"{name}.mp4", **how) for name, how in VIDEOS.items()]
        (folder / "export").mkdir()
        write_label_studio(videos, folder / "export", ExportOptions())
        with running(server.absolute(), folder / "data", media) as address:
            project = make_project(address, folder / "export", media)
            with editor(address) as page:
                for task in tasks_of(address, project):
                    check(page, address, project, task)
                check_default_rate(page, address, folder / "export", media)


def make_video(
    path: Path,
    late: Fraction = Fraction(0),
    rate: Fraction = Fraction(30),
    *,
    sound: bool = False,
    options: dict[str, str] | None = None,
) -> VideoAnnotations:
    """A video whose grey tells the frame, and a track with a box in every one of them."""
    with av.open(path, "w", container_options=options or {}) as container:
        stream: Any = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = tick = Fraction(1, 30_000)
        audio: Any = container.add_stream("aac", rate=16_000, layout="mono") if sound else None
        for i in range(FRAMES):
            grey = np.full((HEIGHT, WIDTH, 3), 20 + GREY_STEP * i, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            frame.pts, frame.time_base = round((late + i / rate) / tick), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if audio is not None:
            silence = np.zeros((1, 32_000), np.int16)
            tone = av.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
            tone.sample_rate, tone.pts, tone.time_base = 16_000, 0, Fraction(1, 16_000)
            container.mux(audio.encode(tone))
            container.mux(audio.encode(None))
    with open_video(path) as reader:
        info = reader.info
    frames = np.arange(FRAMES)
    boxes = np.stack([frames, frames, frames + 20, frames + 20], axis=1).astype(np.float64)
    every = np.ones(FRAMES, np.bool_)
    track = Track(1, "square", frames, boxes, np.ones(FRAMES), every, ~every)
    return VideoAnnotations(
        *(path.stem, str(path), WIDTH, HEIGHT, FRAMES, info.frame_rate, False, 1),
        *(("square",), (track,), NO_LOOSE_BOXES),
        start_time=info.start_time,
    )


def tasks_of(address: str, project: int) -> list[dict[str, Any]]:
    """The tasks of a project, as the server has them."""
    tasks = call(address, f"/api/tasks?project={project}&fields=all")["tasks"]
    return [call(address, f"/api/tasks/{task['id']}") for task in tasks]


@contextmanager
def editor(address: str) -> Iterator[Any]:
    """A browser's page that is logged in."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        page.set_default_timeout(MILLISECONDS)
        page.goto(f"{address}/user/login", wait_until="domcontentloaded")
        page.fill("input[name=email]", EMAIL)
        page.fill("input[name=password]", PASSWORD)
        with page.expect_navigation(wait_until="commit"):
            page.press("input[name=password]", "Enter")
        yield page
        browser.close()


def shown(page: Any, address: str, project: int, task: int, numbers: Sequence[int]) -> list[int]:
    """The frames that the editor shows under these numbers."""
    page.goto(f"{address}/projects/{project}/data?task={task}", wait_until="commit")
    page.wait_for_function("document.querySelector('video')?.readyState >= 2")
    page.wait_for_function("window.Htx?.annotationStore?.selected?.names?.get('video')?.length > 1")
    page.wait_for_timeout(3000)  # the editor goes to its first frame when it is ready
    greys = [page.evaluate(SEEK, number)[0] for number in numbers]
    return [round((grey - 20) / GREY_STEP) for grey in greys]


def check(page: Any, address: str, project: int, task: dict[str, Any]) -> None:
    """See that each entry's number shows the frame that its box is of."""
    name, (region,) = task["data"]["name"], task["predictions"][0]["result"]
    entries = region["value"]["sequence"]
    numbers = [entry["frame"] for entry in entries]
    wanted = [round(entry["x"] * WIDTH / 100) for entry in entries]
    found = shown(page, address, project, task["id"], numbers)
    reach = page.evaluate("window.Htx.annotationStore.selected.names.get('video').length")
    known = [i for i, number in enumerate(numbers) if number <= reach]
    wrong = [(numbers[i], wanted[i], found[i]) for i in known if wanted[i] != found[i]]
    click.echo(
        f"{name}: numbers {numbers[0]} to {numbers[-1]} of {reach}, {len(known)} of {len(numbers)} "
        f"can be gone to, {len(wrong)} show another frame"
    )
    if wrong:
        raise click.ClickException(f"{name}: number, frame meant, frame shown: {wrong}")


def check_default_rate(page: Any, address: str, folder: Path, media: Path) -> None:
    """See that a project without a frame rate, which counts 24 a second, is read back right."""
    config = (folder / CONFIG).read_text(encoding="utf-8")
    (folder / CONFIG).write_text(config.replace(' framerate="$fps"', ""), encoding="utf-8")
    project = make_project(address, folder, media)
    task = next(t for t in tasks_of(address, project) if t["data"]["name"] == "zero")
    numbers = [1, 2, 9, 17, 25, 32]
    found = shown(page, address, project, task["id"], numbers)
    (value,) = page.evaluate(
        "window.Htx.annotationStore.selected.serializeAnnotation().map((each) => each.value)"
    )
    # The editor has put its own times and length to our entries; these are others of that kind.
    times = {round(entry["frame"] / entry["time"], 6) for entry in value["sequence"]}
    if times != {24.0}:
        raise click.ClickException(f"it counts at {times}, not at 24")
    one = value["sequence"][0]
    value["sequence"] = [
        {**one, "frame": n, "time": n / 24, "enabled": n < numbers[-1]} for n in numbers
    ]
    region = {**task["predictions"][0]["result"][0], "value": value}
    drawn = {"data": task["data"], "annotations": [{"result": [region]}]}
    (video,) = read_label_studio(json.dumps([drawn]), TASKS, lambda _: None)
    read = video.tracks[0].frames[video.tracks[0].keyframes].tolist()
    click.echo(f"no rate in the project: {numbers} show {found}, and are read as {read}")
    if read != found:
        raise click.ClickException("they are read as other frames")


if __name__ == "__main__":
    prove()
