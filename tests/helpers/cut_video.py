"""A video of three scenes, 12 frames each: one square goes over another ground in each of them."""

from pathlib import Path

import numpy as np
from coloured_squares import COLOURS, HEIGHT, WIDTH, box_at
from video_factory import Image, write_video

LENGTH = 12
FIRSTS = (0, LENGTH, 2 * LENGTH)
"""First frame of each scene."""


def grounds() -> list[Image]:
    """Greys that have nothing in common, coarse enough to outlive a codec."""
    random = np.random.default_rng(0)
    coarse = random.integers(40, 140, (3, 6, 8), np.uint8)
    size = HEIGHT // 6, WIDTH // 8
    return [np.kron(each, np.ones(size, np.uint8))[:, :, None].repeat(3, 2) for each in coarse]


def pictures(colours: tuple[str, ...] = ("red", "green", "blue")) -> list[Image]:
    """Every frame; the square of each scene has a colour, and moves as that one does."""
    images = []
    for ground, name in zip(grounds(), colours, strict=True):
        for frame in range(LENGTH):
            image = ground.copy()
            x1, y1, x2, y2 = (int(side) for side in box_at(name, frame))
            image[y1:y2, x1:x2] = COLOURS[name]
            images.append(image)
    return images


def write_cut_video(path: Path, colours: tuple[str, ...] = ("red", "green", "blue")) -> Path:
    options = {"preset": "ultrafast", "qp": "0", "x264-params": "keyint=5:scenecut=0"}
    return write_video(path, pictures(colours), pixel_format="yuv444p", options=options)
