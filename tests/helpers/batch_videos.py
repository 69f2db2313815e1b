"""Videos for runs of several, and a detector that dies in the long ones."""

import re
from pathlib import Path

import numpy as np
from video_factory import write_video

DETECTOR = """
import os, signal
from pathlib import Path
CLASSES = ("person",)
seen = 0

def detect(frame):
    global seen
    seen += frame.shape[0] == 40
    if seen == 110:
        in_the_long_one()
    return [[4.0, 8, 16, 24]], [0.9], [0]

def in_the_long_one():
    {more}
"""


def grey(path: Path, frames: int, height: int = 32) -> Path:
    image = np.full((height, 32, 3), 90, np.uint8)
    return write_video(path, [image] * frames, options={"preset": "ultrafast"})


def three_scenes(path: Path, frames: tuple[int, int, int]) -> Path:
    """A video of three still pictures that have nothing in common."""
    random = np.random.default_rng(0)
    coarse = random.integers(40, 200, (3, 5, 4), np.uint8)
    grounds = [np.kron(each, np.ones((8, 8), np.uint8))[:, :, None].repeat(3, 2) for each in coarse]
    images = [ground for ground, n in zip(grounds, frames, strict=True) for _ in range(n)]
    return write_video(path, images, options={"preset": "ultrafast"})


def write_detector(more: str) -> None:
    Path("own.py").write_text(DETECTOR.format(more=more))


def contents(folder: str) -> dict[str, bytes]:
    paths = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def without_weights(files: dict[str, bytes]) -> dict[str, bytes]:
    hashes = rb'"(own.py|key)": "\w{64}"'
    return {name: re.sub(hashes, b"", content) for name, content in files.items()}
