"""What the bundled model loads before its first frame: what is slow to load and not needed, not."""

import subprocess
import sys

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
