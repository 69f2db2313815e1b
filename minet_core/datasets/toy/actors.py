"""How the toy's objects move, and what stands in front of and behind them."""

from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from minet_core.datasets.toy.shapes import Floats, smooth_noise, sprite

Bgr = NDArray[np.uint8]

REFERENCE = 320
"""Width in pixels for which speeds and sizes are given; for others they are scaled."""


@dataclass(frozen=True, slots=True)
class Swing:
    """A value that goes to and fro: middle + reach · sin(2π t / period + phase)."""

    middle: float
    reach: float
    period: float
    phase: float

    def __call__(self, frame: float) -> float:
        """The value at a frame."""
        turn = 2 * np.pi * frame / self.period + self.phase
        return float(self.middle + self.reach * np.sin(turn))


def swing(rng: np.random.Generator, middle: float, reach: float, slowest: float) -> Swing:
    """A swing whose period is at most `slowest` frames, and a third of that at least."""
    period = rng.uniform(slowest / 3, slowest)
    return Swing(middle, reach, period, rng.uniform(0, 2 * np.pi))


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """An object and its path, a straight line that is reflected outside the frame, and wobbles.

    Attributes:
        shape: its class.
        sprites: see `sprite`.
        start: (2,) place at frame 0 in pixels.
        velocity: (2,) pixels a frame.
        low: (2,) where the path turns back.
        high: (2,) where the path turns back.
        wobble: pixels beside the straight line, in y.
        log_radius: logarithm of the radius in pixels.
        turn: radians a frame.
    """

    shape: str
    sprites: list[Floats]
    start: NDArray[np.float64]
    velocity: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    wobble: Swing
    log_radius: Swing
    turn: float

    def place(self, frame: float) -> NDArray[np.float64]:
        """(2,) centre, x and y in pixels."""
        span = self.high - self.low
        along = (self.start + self.velocity * frame - self.low) % (2 * span)
        straight: NDArray[np.float64] = self.low + np.minimum(along, 2 * span - along)
        straight[1] += self.wobble(frame)
        return straight


def new_actor(
    cv2: ModuleType, rng: np.random.Generator, shapes: tuple[str, ...], width: int, height: int
) -> Actor:
    """A random object for a frame of this size."""
    unit = width / REFERENCE
    speed = unit * rng.choice([0.1, 1.0, 4.5]) * rng.uniform(0.7, 1.4)
    heading = rng.uniform(0, 2 * np.pi)
    shape = str(rng.choice(shapes))
    radius = unit * rng.uniform(15, 40)
    # Objects leave the frame to the left and right, and come back there.
    low = np.array([-1.2 * radius, radius])
    high = np.array([width, height]) - low
    return Actor(
        shape=shape,
        sprites=sprite(cv2, rng, shape),
        start=rng.uniform(low, high),
        velocity=speed * np.array([np.cos(heading), 0.6 * np.sin(heading)]),
        low=low,
        high=high,
        wobble=swing(rng, 0.0, 2 * speed, 60),
        log_radius=swing(rng, np.log(radius), rng.uniform(0, 0.4), 240),
        turn=rng.normal(0, 0.015),
    )


@dataclass(slots=True, eq=False)
class Bar:
    """Something long that stands in front, across the whole frame."""

    texture: Bgr
    upright: bool
    place: Swing
    thickness: int

    def part(self, frame: int, width: int, height: int) -> tuple[slice, slice]:
        """Rows and columns it covers."""
        first = round(self.place(frame) * (width if self.upright else height))
        span = slice(max(first, 0), max(first + self.thickness, 0))
        return (slice(0, height), span) if self.upright else (span, slice(0, width))


def new_bar(cv2: ModuleType, rng: np.random.Generator, width: int, height: int) -> Bar:
    """A random bar for a frame of this size."""
    return Bar(
        texture=ground(cv2, rng, width, height),
        upright=bool(rng.random() < 0.75),
        place=swing(rng, rng.uniform(0.1, 0.9), rng.uniform(0, 0.15), 150),
        thickness=round(rng.uniform(10, 26) * width / REFERENCE),
    )


def ground(cv2: ModuleType, rng: np.random.Generator, width: int, height: int) -> Bgr:
    """(height, width, 3) clutter of all scales in a few colours."""
    ground = np.empty((height, width, 3), np.float32)
    ground[:] = rng.uniform(50, 190, 3)
    for cell, strength in ((width // 3, 90), (width // 10, 70), (width // 40, 50)):
        noise = smooth_noise(cv2, rng, height, width, max(2, cell))[..., None] - 0.5
        # Mostly light and dark, with a tint: the colours are for the objects.
        tint = rng.uniform(0.5, 1.3, 3) * rng.choice([-1.0, 1.0])
        ground += noise * tint.astype(np.float32) * strength * 1.6
    return np.clip(ground, 0, 255).astype(np.uint8)
