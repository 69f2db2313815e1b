"""How objects move in the made-up scenes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WIDTH, HEIGHT, FRAMES = 1280, 720, 160


@dataclass(frozen=True, slots=True)
class World:
    """N objects over T frames.

    Attributes:
        boxes: (T, N, 4) xyxy in pixels, whole though hidden or outside.
        depth: (N,) of two that overlap the one with more hides the other.
    """

    boxes: Floats
    depth: Floats


def world(name: str, seed: int) -> World:
    """One of `WORLDS`."""
    chance = np.random.default_rng((seed, number(name)))
    places, sizes, depth, flicker, span = WORLDS[name](chance)
    count = len(sizes)
    whole = sizes[None].repeat(FRAMES, 0)
    whole = whole * np.exp(flicker * wander(chance, count, 1, span))
    boxes = np.concatenate([places - whole / 2, places + whole / 2], axis=-1)
    return World(boxes, depth + 1e-3 * np.arange(count))


def number(name: str) -> int:
    """A seed from a name, the same everywhere."""
    seed: int = sum(ord(letter) * 31**place for place, letter in enumerate(name)) % 100003
    return seed


def wander(chance: Generator, count: int, deviation: float, frames: float) -> Floats:
    """(T, N, 2) an Ornstein-Uhlenbeck process that forgets itself in so many frames."""
    steps, now = np.zeros((FRAMES, count, 2)), np.zeros((count, 2))
    kept = np.exp(-1 / frames)
    for frame in range(FRAMES):
        now = kept * now + np.sqrt(1 - kept**2) * deviation * chance.normal(size=(count, 2))
        steps[frame] = now
    return steps


Made = tuple[Floats, Floats, Floats, float, float]
"""Centres (T, N, 2), sizes (N, 2), depth (N,), how much sizes flicker, and over how many frames."""


def _street(chance: Generator) -> Made:
    """Fourteen people who walk both ways, behind each other, at their own pace."""
    count = 14
    high = chance.uniform(90, 260, count)
    wide = high * chance.uniform(0.35, 0.45, count)
    feet = HEIGHT * 0.35 + high * 1.1
    ways = chance.choice([-1, 1], count)
    pace = ways * chance.uniform(0.008, 0.02, count) * high
    start = chance.uniform(0, WIDTH, count) - pace * FRAMES / 2
    sway = wander(chance, count, 1, 25) * (high * 0.006)[None, :, None]
    speed = sway * [1, 0.15] + np.stack([pace, 0 * pace], axis=1)[None]
    places = np.stack([start, feet], axis=1)[None] + np.cumsum(speed, axis=0)
    return places, np.stack([wide, high], axis=1), high, 0.03, 10


def _vehicles(chance: Generator) -> Made:
    """Sixteen vehicles on four lanes, both ways: near ones hide far ones for long."""
    count = 16
    lane = chance.integers(0, 4, count)
    high = np.array([45, 60, 85, 115])[lane] * chance.uniform(0.9, 1.2, count)
    wide = high * chance.uniform(1.5, 2.6, count)
    road = np.array([300, 330, 380, 440])[lane] + 0.0
    pace = np.array([1, 1, -1, -1])[lane] * chance.uniform(0.02, 0.07, count) * wide
    start = chance.uniform(-0.4, 1.4, count) * WIDTH - pace * FRAMES / 2
    brake = 1 + 0.6 * np.clip(wander(chance, count, 1, 40)[..., 0], -1.3, 1)
    speed = np.stack([pace * brake, 0 * brake], axis=-1)
    places = np.stack([start, road], axis=1)[None] + np.cumsum(speed, axis=0)
    return places, np.stack([wide, high], axis=1), road, 0.03, 10


def _birds(chance: Generator) -> Made:
    """Twelve small birds on the wing: fast, turning, and their boxes beat with the wings."""
    count = 12
    high = chance.uniform(18, 40, count)
    start = chance.uniform([100, 80], [WIDTH - 100, HEIGHT - 80], (count, 2))
    pace = chance.uniform(0.1, 0.35, count) * high
    start_angle = chance.uniform(0, 6.28, count)
    angle = start_angle + np.cumsum(wander(chance, count, 0.08, 15)[..., 0], axis=0)
    speed = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * pace[None, :, None]
    places = start[None] + np.cumsum(speed, axis=0)
    return places, np.stack([high * 1.4, high], axis=1), high, 0.22, 4


def _pan(chance: Generator) -> Made:
    """Eight people before a camera that swings fast; nobody is told how."""
    count = 8
    high = chance.uniform(90, 180, count)
    across = chance.uniform(-0.5, 1.5, count) * WIDTH
    start = np.stack([across, chance.uniform(250, 450, count)], axis=1)
    walk = wander(chance, count, 1, 20) * (high * 0.012)[None, :, None] * [1, 0.2]
    swing = wander(chance, 1, 1, 8) * [[28.0, 7.0]]
    places = start[None] + np.cumsum(walk, axis=0) + np.cumsum(swing, axis=0)
    return places, np.stack([high * 0.4, high], axis=1), high, 0.03, 10


def _crowd(chance: Generator) -> Made:
    """Twenty-six people close together."""
    count = 26
    high = chance.uniform(110, 170, count)
    start = np.array([WIDTH / 2, HEIGHT / 2]) + chance.normal(size=(count, 2)) * [260, 60]
    speed = wander(chance, count, 1, 20) * (high * 0.02)[None, :, None] * [1, 0.3]
    places = start[None] + np.cumsum(speed, axis=0)
    depth = places[0, :, 1] + high / 2
    return places, np.stack([high * 0.4, high], axis=1), depth, 0.03, 10


def _dogs(chance: Generator) -> Made:
    """Five large dogs that start, stop and turn."""
    count = 5
    high = chance.uniform(90, 200, count)
    wide = high * chance.uniform(0.9, 1.5, count)
    start = chance.uniform([200, 250], [WIDTH - 200, HEIGHT - 200], (count, 2))
    speed = wander(chance, count, 1, 12) * (high * 0.07)[None, :, None] * [1, 0.35]
    places = start[None] + 0.7 * np.cumsum(speed, axis=0)
    return places, np.stack([wide, high], axis=1), high, 0.12, 10


WORLDS: dict[str, Callable[[Generator], Made]] = {
    "street": _street,
    "vehicles": _vehicles,
    "crowd": _crowd,
    "birds": _birds,
    "dogs": _dogs,
    "pan": _pan,
}
