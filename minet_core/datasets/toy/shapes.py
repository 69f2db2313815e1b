"""What the toy's objects look like: the outline tells the class, the texture the instance."""

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SPRITE = 128
"""Side of a sprite in pixels; the outline fits into the circle that touches its sides."""

_CIRCLE = 48
"""Corners of a disc."""


def _polygon(corners: int, turn: float = 0.0) -> NDArray[np.float64]:
    angles = 2 * np.pi * np.arange(corners) / corners + turn
    return np.stack([np.sin(angles), -np.cos(angles)], axis=1)


def _star(points: int, inner: float) -> NDArray[np.float64]:
    corners = _polygon(2 * points)
    corners[1::2] *= inner
    return corners


def _cross(arm: float) -> NDArray[np.float64]:
    # One corner of the plus, turned three times by a right angle.
    reach = np.sqrt(1 - arm**2)
    corner = np.array([[arm, -arm], [arm, -reach], [-arm, -reach]])
    quarter = np.array([[0, -1], [1, 0]])
    turns = [np.linalg.matrix_power(quarter, k) for k in range(4)]
    return np.concatenate([corner @ turn for turn in turns])


OUTLINES = {
    "disc": _polygon(_CIRCLE),
    "hexagon": _polygon(6),
    "square": _polygon(4, np.pi / 4),
    "triangle": _polygon(3),
    "star": _star(5, 0.5),
    "cross": _cross(0.34),
}
"""Class → corners, (K, 2) x and y within the unit circle."""


def sprite(cv2: ModuleType, rng: np.random.Generator, shape: str) -> list[Floats]:
    """A new instance of a shape: (s, s, 4) BGR and opacity, BGR multiplied by opacity, 0 to 255.

    It comes in sizes SPRITE, SPRITE / 2, … down to 16, for drawing at any size without aliasing.
    """
    # Four times as large, and reduced: OpenCV's own smooth edges reach a pixel too far.
    large = 4 * SPRITE
    corners = OUTLINES[shape] * (large / 2 - 8) + (large - 1) / 2
    mask = np.zeros((large, large), np.uint8)
    cv2.fillPoly(mask, [corners.round().astype(np.int32)], 255)
    mask = cv2.resize(mask, (SPRITE, SPRITE), interpolation=cv2.INTER_AREA)
    opacity = mask.astype(np.float32)[..., None] / 255
    whole = np.concatenate([texture(cv2, rng) * opacity, 255 * opacity], axis=2)
    sizes = [whole.astype(np.float32)]
    while len(sizes[-1]) > 16:
        half = len(sizes[-1]) // 2
        sizes.append(cv2.resize(sizes[-1], (half, half), interpolation=cv2.INTER_AREA))
    return sizes


def texture(cv2: ModuleType, rng: np.random.Generator) -> Floats:
    """(SPRITE, SPRITE, 3) a pattern in two colours, lit from one side."""
    kind = (_stripes, _checks, _blotches, _spots)[rng.integers(4)]
    pattern = kind(cv2, rng)[..., None]
    first, second = rng.uniform(20, 255, (2, 3))
    colours = first + (second - first) * pattern
    x, y = np.meshgrid(*2 * [np.linspace(-1, 1, SPRITE)])
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + 0.25 * (x * np.cos(angle) + y * np.sin(angle))
    lit: Floats = np.clip(colours * light[..., None], 0, 255).astype(np.float32)
    return lit


def smooth_noise(
    cv2: ModuleType, rng: np.random.Generator, height: int, width: int, cell: int
) -> Floats:
    """(height, width) random values from 0 to 1 that change over about `cell` pixels."""
    coarse = rng.random((height // cell + 2, width // cell + 2), np.float32)
    grown: Floats = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    noise: Floats = grown.clip(0, 1)
    return noise


def _stripes(_: ModuleType, rng: np.random.Generator) -> Floats:
    return _wave(rng, rng.uniform(0, np.pi), rng.uniform(3, 8))


def _checks(_: ModuleType, rng: np.random.Generator) -> Floats:
    angle, count = rng.uniform(0, np.pi), rng.uniform(2, 5)
    across, along = _wave(rng, angle, count), _wave(rng, angle + np.pi / 2, count)
    checks: Floats = np.abs(across - along)
    return checks


def _wave(rng: np.random.Generator, angle: float, count: float) -> Floats:
    """`count` soft-edged stripes across the sprite."""
    x, y = np.meshgrid(*2 * [np.linspace(0, 2 * np.pi, SPRITE, dtype=np.float32)])
    phase = rng.uniform(0, 2 * np.pi)
    wave = np.sin(count * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    stripes: Floats = np.clip(0.5 + 2 * wave, 0, 1).astype(np.float32)
    return stripes


def _blotches(cv2: ModuleType, rng: np.random.Generator) -> Floats:
    noise = smooth_noise(cv2, rng, SPRITE, SPRITE, int(rng.integers(14, 30)))
    blotches: Floats = np.clip(0.5 + 8 * (noise - 0.5), 0, 1)
    return blotches


def _spots(cv2: ModuleType, rng: np.random.Generator) -> Floats:
    canvas = np.zeros((SPRITE, SPRITE), np.uint8)
    for x, y in rng.integers(0, SPRITE, (int(rng.integers(8, 24)), 2)):
        centre, radius = (int(x), int(y)), int(rng.integers(5, 13))
        cv2.circle(canvas, centre, radius, 255, -1, cv2.LINE_AA)
    return (canvas / 255).astype(np.float32)
