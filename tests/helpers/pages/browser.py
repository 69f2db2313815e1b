"""A real browser for tests of HTML pages; without one they are skipped, and say so."""

import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from video_factory import GREY_STEP

PATIENCE = 300
"""Seconds that a busy machine may take for a page; nothing waits longer than it has to."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    with api.sync_playwright() as playwright:
        # A container often lets no process have a sandbox, and has little shared memory.
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        yield playwright.chromium.launch(
            executable_path=program, args=arguments, timeout=PATIENCE * 1000
        )


class Tab:
    """An open viewer page.

    Args:
        page: of playwright.

    Attributes:
        page: likewise.
        complaints: what the browser's console has against it.
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, line: Any) -> None:
        if line.type == "error":
            self.complaints.append(line.text)

    def open(self, path: Path, place: str = "") -> "Tab":
        """Open a page from its file, and wait until its picture is there."""
        self.page.goto(path.as_uri() + place)
        return self.settle()

    def wait(self, condition: str) -> "Tab":
        """Wait until a condition on `viewer` is true."""
        self.page.wait_for_function(f"() => {condition}", timeout=PATIENCE * 1000)
        return self

    def settle(self) -> "Tab":
        """Wait until what is shown is what was asked for, and drawn."""
        self.wait("viewer.player.settled && viewer.store.state.shown === viewer.store.state.frame")
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        return self.wait("viewer.store.changed.size === 0")

    def press(self, *keys: str) -> "Tab":
        for key in keys:
            self.page.keyboard.press(key)
        return self.settle()

    def drawn_index(self) -> int:
        """The index that the picture's grey tells, of 64×48 pixels, where no box of a test is."""
        grey = self.screen(self.place_of((28, 1, 46, 5), (64, 48))).mean()
        return round((float(grey) - 20) / GREY_STEP)

    def shows(self, frame: int, drawn: int | None = None) -> bool:
        """Whether the page says that it shows a frame, and soon has its picture on the screen.

        Args:
            frame: the number that is to be read.
            drawn: the index that is to be seen, if it is another.
        """
        end = time.monotonic() + PATIENCE
        wanted = frame if drawn is None else drawn
        while self.drawn_index() != wanted:  # a picture is painted a little after it was sought
            if time.monotonic() > end:
                return False
        return self.frame == frame

    def get(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    @property
    def frame(self) -> int:
        """The frame that the page says it shows."""
        return int(self.page.input_value("#frame"))

    @property
    def track(self) -> int | None:
        """Id of the chosen tracklet."""
        track: int | None = self.get("viewer.store.state.track?.id ?? null")
        return track

    def place_of(self, box: Sequence[float], size: tuple[int, int]) -> list[float]:
        """A box of the video, of this size, in pixels of the screen."""
        stage = self.page.locator("#stage").bounding_box()
        kx, ky = stage["width"] / size[0], stage["height"] / size[1]
        x, y = stage["x"], stage["y"]
        return [x + box[0] * kx, y + box[1] * ky, x + box[2] * kx, y + box[3] * ky]

    def screen(self, part: Sequence[float]) -> "np.ndarray":
        """What is on the screen: (height, width, 3) RGB.

        Args:
            part: left, top, right and bottom, which are rounded.
        """
        import cv2

        left, top, right, bottom = map(round, part)
        clip = {"x": left, "y": top, "width": right - left, "height": bottom - top}
        png = np.frombuffer(self.page.screenshot(clip=clip), np.uint8)
        picture = cv2.imdecode(png, cv2.IMREAD_COLOR)
        assert picture is not None
        return np.asarray(picture[:, :, ::-1])
