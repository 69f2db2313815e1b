from pathlib import Path

import pytest
from hypothesis import settings
from stub_model import stub_model
from video_factory import write_grey_video

from minet_core.models.zoo import Model

# A busy machine is no failure, and every run tries the same examples, whatever an earlier one
# found. scripts/test-everywhere tries others.
settings.register_profile("same", deadline=None, derandomize=True, database=None)
settings.register_profile("others", deadline=None, derandomize=False, database=None)
settings.load_profile("same")


@pytest.fixture
def model() -> Model:
    return stub_model()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Ten frames of 64×48 pixels at 25 frames a second."""
    return write_grey_video(tmp_path / "clip.mp4")
