"""What the bundled model does before its first frame, and what it leaves alone."""

import os
import subprocess
import sys
from pathlib import Path

FIRST_FRAME = """
import sys
import numpy as np
from minet_core import VideoDetector
from minet_core.options import DetectOptions
VideoDetector(options=DetectOptions(device="cpu")).detect(np.zeros((64, 96, 3), np.uint8), time=0.0)
slow = ("torchvision", "torch._dynamo", "scipy.ndimage", "scipy.linalg", "pandas", "matplotlib")
print([name for name in slow if name in sys.modules])
"""


def test_the_first_frame_needs_neither_torchvision_nor_the_compiler() -> None:
    command = [sys.executable, "-c", FIRST_FRAME]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_library_makes_an_id_of_this_machine_for_its_telemetry(tmp_path: Path) -> None:
    """ONNX Runtime's, which is on where nobody says no, begins with a file of it there."""
    quiet = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS")
    own = {name: value for name, value in os.environ.items() if name not in quiet}
    places = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", FIRST_FRAME], env=own | places, check=True)
    assert not list(tmp_path.rglob("Microsoft"))
