"""Pages that are opened in a browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Tab
from edits_data import result_of
from video_factory import write_grey_video, write_video

from minet_core.formats import read_json
from minet_core.formats.review_page.columns import data_of_result
from minet_core.formats.review_page.page import PageVideo, write_html


@pytest.fixture(scope="module")
def context(browser) -> Iterator[Any]:
    # Conditions are evaluated in the page, which its own content policy would forbid.
    context = browser.new_context(viewport={"width": 1000, "height": 640}, bypass_csp=True)
    yield context
    context.close()


@pytest.fixture
def tab(context) -> Iterator[Tab]:
    """A tab in which nothing may go wrong unseen."""
    tab = Tab(context.new_page())
    yield tab
    tab.page.close()
    assert tab.complaints == []


@pytest.fixture
def clip(tmp_path) -> Path:
    return write_grey_video(tmp_path / "clip.mp4", 30)


@pytest.fixture(scope="module")
def result(tmp_path_factory) -> Path:
    """A result that can be edited, with its page beside it."""
    folder = tmp_path_factory.mktemp("street")
    path = result_of(folder)
    write_video(folder / "clip.mp4", [np.full((36, 64, 3), 90, np.uint8)] * 12)
    write_html(folder / "report.html", data_of_result(read_json(path)), [PageVideo("clip.mp4")])
    return path


@pytest.fixture
def edited(result, tab) -> Tab:
    """The page of that result, opened, with nothing done yet."""
    tab.open(result.with_name("report.html"))
    tab.get("(localStorage.clear(), null)")
    tab.page.reload()
    return tab.settle()
