"""What the review page costs with 100,000 boxes and two hours of video, interaction by interaction.

    python -m benchmarks.review_page [--boxes 100000] [--hours 2]

Each is done ten times in Chromium, and its tasks are counted in time on the page's main thread, so
that other programs on the machine do not matter. An answer should take at most 100 ms, of which
50 ms are left to the browser's own work (web.dev, RAIL).
"""

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minet_core.files import TextFile
from minet_core.formats import read_json
from minet_core.formats.minet.result_json import JsonWriter
from minet_core.formats.review_page.columns import data_of_result
from minet_core.formats.review_page.page import write_html
from minet_core.formats.writers import VideoFacts
from minet_core.results import FrameDetections, Totals

BUDGET = 50.0
"""Milliseconds."""

RATE = 25
TIMES = 10
LENGTH = 250
"""Boxes of a track, mostly."""


def made_up(path: Path, boxes: int, frames: int) -> None:
    """Write a result of so many boxes: tracks of some ten seconds that drift, spread evenly."""
    random = np.random.default_rng(0)
    tracks = boxes // LENGTH
    starts = np.sort(random.integers(0, max(frames - LENGTH, 1), tracks))
    place = random.uniform(0, [1700, 900], (tracks, 2))
    speed = random.normal(0, 1, (tracks, 2))
    classes = ("person", "car", "bicycle", "dog")
    video = {
        **{"path": "video.mp4", "width": 1920, "height": 1080, "frame_rate": str(RATE)},
        **{"time_base": "1/25", "duration": frames / RATE, "pixel_aspect": "1"},
    }
    settings = {"start": None, "end": None, "max_frames": None, "stride": 1, "score": 0.3}
    file = TextFile(path)
    writer = JsonWriter(file, VideoFacts(video, "made up", settings, classes, None))
    totals = Totals()
    writer.begin()
    for frame in range(frames):
        own = np.arange(
            np.searchsorted(starts, frame - LENGTH, side="right"),
            np.searchsorted(starts, frame, side="right"),
        )
        corner = place[own] + speed[own] * (frame - starts[own])[:, None]
        labels = own % len(classes)
        scores = 0.5 + 0.4 * np.sin(own + frame / 30)
        found = FrameDetections(
            *(frame, None, frame / RATE),
            boxes=np.concatenate([corner, corner + np.array([60, 140])], axis=1),
            scores=scores,
            base_scores=scores,
            label_ids=labels,
            track_ids=own + 1,
            track_labels=labels,
            classes=classes,
        )
        writer.write(found)
        totals.add(found)
    writer.end(totals)
    file.complete()


def interactions(page: Any) -> dict[str, tuple[str | None, Callable[[int], None]]]:
    """What a person does → what is prepared first, and how it is done for the n-th time."""
    js: Callable[[str], Any] = page.evaluate
    press: Callable[[str], None] = page.keyboard.press
    some = "viewer.data.tracks[{n} * 17 % viewer.data.tracks.length]"

    later = "viewer.data.tracks[40 + {n}]"

    def choose(n: int) -> None:
        js(f"viewer.choose({some.format(n=n)})")

    return {
        "a frame on": (None, lambda _: press("ArrowRight")),
        "the scrubber dragged": (None, lambda n: js(f"viewer.player.seek({9000 + 3001 * n})")),
        "a track chosen": (None, choose),
        "the next track by key": (None, lambda _: press("ArrowDown")),
        "to the next stop": (None, lambda _: press("n")),
        "the timeline zoomed": (None, lambda n: press("+" if n % 2 else "-")),
        "a class filtered": (
            None,
            lambda n: page.click(f"#classes >> nth=0 >> button >> nth={n % 2}"),
        ),
        "the list sorted": (
            None,
            lambda n: page.select_option("#sort", "long" if n % 2 else "low"),
        ),
        "the list scrolled": (None, lambda n: js(f"get('list').scrollTop = {n * 900}")),
        "a track split": (
            f"(viewer.choose({later}), viewer.player.seek({later}.first + 100))",
            lambda _: press("s"),
        ),
        "a box moved by key": (
            f"(viewer.choose({later}), viewer.player.seek({later}.first + 5))",
            lambda _: press("Alt+ArrowRight"),
        ),
        "a track deleted": (f"viewer.choose({later})", lambda _: press("Delete")),
        "undone": (None, lambda _: press("u")),
        "done again": (None, lambda _: press("y")),
        "to the next doubt": (None, lambda _: press("q")),
    }


def spent(session: Any) -> float:
    """Milliseconds that the page's main thread has worked."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return 1000 * next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")


def settle(page: Any) -> None:
    """Until all that was asked for is drawn."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")
    page.wait_for_function("viewer.store.changed.size === 0", timeout=600_000)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")


def main() -> None:
    """Print a line for each interaction: median and longest."""
    from playwright.sync_api import sync_playwright

    asked = arguments()
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        path = Path(place) / "result.json"
        made_up(path, asked.boxes, round(asked.hours * 3600 * RATE))
        data = data_of_result(read_json(path))
        write_html(path.with_name("report.html"), data, [])
        program = shutil.which("chromium") or shutil.which("google-chrome")
        options = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=program, args=options)
        page = browser.new_context(
            viewport={"width": 1400, "height": 900}, bypass_csp=True
        ).new_page()
        page.set_default_timeout(600_000)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(path.with_name("report.html").as_uri())
        page.wait_for_function("typeof viewer !== 'undefined' && viewer.player.settled")
        settle(page)
        counts = f"boxes {len(data.frames)}, tracks {len(data.track_labels)}"
        print(f"{counts}; opened {spent(session):.0f} ms")
        for name, (before, do) in interactions(page).items():
            took = []
            for n in range(TIMES):
                if before is not None:
                    page.evaluate(f"({before.format(n=n)}, null)")
                    settle(page)
                begin = spent(session)
                do(n)
                settle(page)
                took.append(spent(session) - begin)
            median = statistics.median(took)
            mark = "" if median <= BUDGET else "  over the budget"
            print(f"{name:24} median {median:6.1f} ms, longest {max(took):6.1f}{mark}", flush=True)


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--boxes", type=int, default=100_000)
    parser.add_argument("--hours", type=float, default=2.0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
