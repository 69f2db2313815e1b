"""What detectors of three kinds would say of a made-up scene."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.made_scenes.worlds import FRAMES, HEIGHT, WIDTH, Floats, World, number, world

Ints = NDArray[np.int64]

_CELLS = 16
"""Rows and columns by which it is counted how much of a box is seen."""
_FRAME = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT], dtype=np.float64)
_TRUE, _DETECTED = 0.12, 0.15
"""Share of an object that is to be seen for a true box, and for a detection."""
PASSING, STANDING = -1, -2
"""Owners of false boxes: of this frame alone, or one of three things that are taken for objects."""


@dataclass(frozen=True, slots=True)
class Level:
    """One kind of detector; scores are log-odds.

    Attributes:
        name: for tables.
        sure: mean score of an object in full view.
        noise: deviation of each side of a box, in its size.
        taste: deviation of an object's scores from others'.
        parts: chance of a second box, of a part of an object.
        standing: chance, in a frame, of a box on each of three things; and its mean score.
        passing: other false boxes a frame.
    """

    name: str
    sure: float = 0.0
    noise: float = 0.0
    taste: float = 0.3
    parts: float = 0.0
    standing: tuple[float, float] = (0.0, 0.0)
    passing: float = 0.0


TRUE = Level("true")
"""All boxes as they are, and no others."""
LEVELS = (
    TRUE,
    Level("good", 2.6, 0.025, 0.3, 0.03, (0.15, -1.6), 0.3),
    Level("poor", 0.6, 0.06, 0.5, 0.08, (0.5, -1.0), 1.5),
)


@dataclass(slots=True)
class Sighting:
    """A frame: the truth, and what a detector says.

    Attributes:
        true_boxes: (T, 4) xyxy.
        true_ids: (T,).
        boxes: (N, 4) xyxy.
        scores: (N,).
        owners: (N,) whose they are; see `PASSING`.
        seen: (N,) share of the owner that is in view.
        covers: (N,) who hides it, -1 for nobody.
    """

    true_boxes: Floats
    true_ids: Ints
    boxes: Floats
    scores: Floats
    owners: Ints
    seen: Floats
    covers: Ints


@dataclass(slots=True)
class _Rows:
    """Boxes of a frame while they are made: box, score, owner, seen, cover."""

    rows: list[tuple[Floats, float, int, float, int]] = field(default_factory=list)

    def columns(self) -> tuple[Floats, Floats, Ints, Floats, Ints]:
        """What a `Sighting` has of them, without slivers and the weakest."""
        boxes = np.array([row[0] for row in self.rows]).reshape(-1, 4)
        scores, owners, seen, covers = (
            np.array([row[i] for row in self.rows]) for i in range(1, 5)
        )
        stays = scores > 0.05
        stays &= (boxes[:, 2:] > boxes[:, :2] + 2).all(axis=1)
        owners, covers = owners.astype(np.int64), covers.astype(np.int64)
        return boxes[stays], scores[stays], owners[stays], seen[stays], covers[stays]


def sightings(name: str, seed: int, level: Level) -> Iterator[Sighting]:
    """Every frame of a world of `worlds.WORLDS`."""
    made = world(name, seed)
    rank = [one.name for one in LEVELS].index(level.name)
    chance = np.random.default_rng((seed, number(name), 7, rank))
    count = made.boxes.shape[1]
    things = chance.uniform([0, 0], [WIDTH * 0.9, HEIGHT * 0.8], (3, 2))
    sizes = np.exp(chance.normal(4.2, 0.4, (3, 2)))
    taste = chance.normal(size=count) * level.taste
    moods = np.cumsum(chance.normal(size=(FRAMES, count)) * 0.25, axis=0)
    moods -= np.linspace(0, 1, FRAMES)[:, None] * moods[-1]
    for frame in range(FRAMES):
        boxes, covers = made.boxes[frame], _covers(made, frame)
        seen, extents = _in_view(made, frame)
        shown = np.minimum(boxes[:, 2:], _FRAME[:2]) - np.maximum(boxes[:, :2], 0)
        inside = (shown > 0.3 * (boxes[:, 2:] - boxes[:, :2])).all(axis=1)
        true = inside & (seen > _TRUE)
        clipped = boxes[true].clip(0, _FRAME)
        if level is TRUE:
            ids = np.flatnonzero(true)
            rows = (clipped, np.full(len(ids), 0.9), ids, seen[true], covers[true])
        else:
            odds = level.sure + taste + 0.5 * moods[frame].clip(-2, 2)
            own = _Rows()
            for i in np.flatnonzero(inside):
                look = boxes[i], extents[i], float(odds[i]), int(i), float(seen[i]), int(covers[i])
                _detect(own, look, level, chance)
            _err(own, things, sizes, level, chance)
            rows = own.columns()
        yield Sighting(clipped, np.flatnonzero(true) + 1, *rows)


def _detect(
    rows: _Rows,
    look: tuple[Floats, Floats, float, int, float, int],
    level: Level,
    chance: Generator,
) -> None:
    """The box of one object, and sometimes a second one of a part of it."""
    box, extent, odds, owner, seen, cover = look
    score = odds + chance.normal() * 0.6 - 6.4 * (1 - seen) * (seen < 0.95)
    if seen < _DETECTED or score < -3:
        return
    cut = seen < 0.6 and chance.random() < 0.7
    box = (extent if cut else box).clip(0, _FRAME)
    noise = level.noise * np.tile(box[2:] - box[:2], 2)
    wider = 1 + 1.5 * (seen < 0.7)
    found = box + chance.normal(size=4) * level.noise * wider * np.tile(box[2:] - box[:2], 2)
    rows.rows.append((found, _chance(score), owner, seen, cover))
    if chance.random() < level.parts * (1 + 3 * (seen < 0.8)):
        part = box.copy()
        part[3] -= (box[3] - box[1]) * chance.uniform(0.35, 0.55)
        part = part + chance.normal(size=4) * noise
        rows.rows.append((part, _chance(score - chance.normal(1.2, 1.0)), owner, 0.6 * seen, cover))


def _err(rows: _Rows, things: Floats, sizes: Floats, level: Level, chance: Generator) -> None:
    """Boxes on nothing."""
    often, mean = level.standing
    for corner, size in zip(things, sizes, strict=True):
        if chance.random() < often:
            noise = chance.normal(size=4) * 0.06 * np.tile(size, 2)
            box = np.concatenate([corner, corner + size]) + noise
            rows.rows.append((box, _chance(chance.normal(mean, 0.7)), STANDING, 1.0, -1))
    for _ in range(chance.poisson(level.passing)):
        corner = chance.uniform([0, 0], [WIDTH * 0.9, HEIGHT * 0.8])
        box = np.concatenate([corner, corner + np.exp(chance.normal(4.2, 0.5, 2))])
        rows.rows.append((box, _chance(chance.normal(-2.0, 0.7)), PASSING, 1.0, -1))


def _chance(odds: float) -> float:
    return float(1 / (1 + np.exp(-odds)))


def _in_view(made: World, frame: int) -> tuple[Floats, Floats]:
    """(N,) share of each box that nothing hides, and (N, 4) the box around that."""
    boxes, at = made.boxes[frame], (np.arange(_CELLS) + 0.5) / _CELLS
    seen, extents = np.ones(len(boxes)), boxes.copy()
    for i, box in enumerate(boxes):
        x, y = (box[k] + at * (box[k + 2] - box[k]) for k in (0, 1))
        free = ((x > 0) & (x < WIDTH))[None, :] & ((y > 0) & (y < HEIGHT))[:, None]
        for other in boxes[made.depth > made.depth[i]]:
            within_x, within_y = (x > other[0]) & (x < other[2]), (y > other[1]) & (y < other[3])
            free &= ~(within_x[None, :] & within_y[:, None])
        seen[i] = free.mean()
        if free.any():
            rows, columns = (np.flatnonzero(free.any(axis=axis)) for axis in (1, 0))
            low, high = np.array([columns[0], rows[0]]), np.array([columns[-1], rows[-1]]) + 1
            size = np.tile(box[2:] - box[:2], 2)
            extents[i] = np.tile(box[:2], 2) + np.concatenate([low, high]) / _CELLS * size
    return seen, extents


def _covers(made: World, frame: int) -> Ints:
    """(N,) who hides most of each box, -1 for nobody."""
    boxes = made.boxes[frame]
    covers = np.full(len(boxes), -1)
    for i, box in enumerate(boxes):
        near = np.flatnonzero(made.depth > made.depth[i])
        low = np.maximum(box[:2], boxes[near, :2])
        shared = (np.minimum(box[2:], boxes[near, 2:]) - low).clip(0).prod(axis=1)
        if shared.max(initial=0) > 0:
            covers[i] = near[shared.argmax()]
    return covers
