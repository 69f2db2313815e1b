from math import inf
from pathlib import Path

import pytest
from browser import browser
from hypothesis import HealthCheck, settings
from stub_model import stub_model
from video_factory import write_grey_video

from minet_core.models.zoo import Model

__all__ = ["browser"]
"""A fixture that all tests share: there can be one Playwright in a process."""

# A busy machine is no failure, and every run tries the same examples, whatever an earlier one
# found. scripts/test-everywhere tries others.
settings.register_profile(
    "same",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("others", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")


@pytest.fixture(autouse=True)
def no_progress_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands write lines of progress only when they take long; tests count the other lines."""
    monkeypatch.setattr("minet_cli.showing.progress.LEAST_SECONDS", inf)
    monkeypatch.setattr("minet_cli.showing.progress.MOST_SECONDS", inf)


@pytest.fixture
def model() -> Model:
    return stub_model()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Ten frames of 64×48 pixels at 25 frames a second."""
    return write_grey_video(tmp_path / "clip.mp4")
