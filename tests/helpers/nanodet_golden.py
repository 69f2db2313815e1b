"""The picture behind tests/data/nanodet_golden.npz, and how its rows were chosen.

scripts/nanodet_golden.mjs says how the three steps are run.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

GOLDEN = Path(__file__).parents[1] / "data" / "nanodet_golden.npz"
SIZE = 416
CLASSES, DISTANCES = 80, 44
ROWS_PER_STRIDE = (52 * 52, 26 * 26, 13 * 13)
SAMPLED = 20

Canvas = NDArray[np.float64]


def picture() -> NDArray[np.uint8]:
    """A wall clock, a small one, an orange and a traffic light, (416, 416, 3) RGB.

    Sums, products and comparisons only: these round alike everywhere, sines do not.
    """
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64) / SIZE
    wall = np.stack((0.45 + 0.3 * y, 0.6 + 0.2 * y, 0.95 - 0.2 * y), axis=-1)
    tiles = ((x * 24) % 1 < 0.1) | ((y * 36) % 1 < 0.1)
    table = np.stack((0.40 - 0.08 * tiles, 0.45 - 0.06 * tiles, 0.25 + 0.05 * x), axis=-1)
    canvas = np.where((y > 0.62)[..., None], table, wall)
    _clock(canvas, x, y, 0.70, 0.33, 0.27)
    _clock(canvas, x, y, 0.12, 0.20, 0.05)
    _orange(canvas, x, y, 0.30, 0.75, 0.12)
    _traffic_light(canvas, x, y, 0.42, 0.12)
    return (canvas.clip(0, 1) * 255).round().astype(np.uint8)


def _disc(x: Canvas, y: Canvas, cx: float, cy: float, radius: float) -> NDArray[np.bool_]:
    return (x - cx) * (x - cx) + (y - cy) * (y - cy) < radius * radius


def _clock(canvas: Canvas, x: Canvas, y: Canvas, cx: float, cy: float, radius: float) -> None:
    canvas[_disc(x, y, cx, cy, radius)] = 0.1
    canvas[_disc(x, y, cx, cy, 0.88 * radius)] = 0.95
    for across, along in ((1.0, 0.0), (0.866, 0.5), (0.5, 0.866), (0.0, 1.0)):
        for sx, sy in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            hour_x, hour_y = cx + 0.75 * radius * sx * across, cy + 0.75 * radius * sy * along
            canvas[_disc(x, y, hour_x, hour_y, 0.07 * radius)] = 0.05
    canvas[(abs(x - cx) < 0.04 * radius) & (y < cy) & (y > cy - 0.6 * radius)] = 0.0
    canvas[(abs(y - cy) < 0.04 * radius) & (x > cx) & (x < cx + 0.5 * radius)] = 0.0


def _orange(canvas: Canvas, x: Canvas, y: Canvas, cx: float, cy: float, radius: float) -> None:
    lit_x, lit_y = x - cx + 0.35 * radius, y - cy + 0.4 * radius
    shade = 1 - 0.6 * ((lit_x * lit_x + lit_y * lit_y) / (radius * radius)).clip(0, 1)
    inside = _disc(x, y, cx, cy, radius)
    canvas[inside] = shade[inside][:, None] * np.array((0.95, 0.5, 0.1))


def _traffic_light(canvas: Canvas, x: Canvas, y: Canvas, left: float, top: float) -> None:
    canvas[(x > left) & (x < left + 0.05) & (y > top) & (y < top + 0.13)] = 0.08
    for lamp, colour in enumerate(((0.95, 0.1, 0.1), (0.5, 0.4, 0.1), (0.1, 0.35, 0.2))):
        canvas[_disc(x, y, left + 0.025, top + 0.025 + 0.04 * lamp, 0.016)] = colour


def pack(outputs: Path) -> None:
    """Keep of each stride its strongest rows and as many evenly spread ones."""
    values = np.fromfile(outputs, "<f4")
    counts = [rows * width for width in (CLASSES, DISTANCES) for rows in ROWS_PER_STRIDE]
    parts = np.split(values, np.cumsum(counts)[:-1])
    probabilities = np.concatenate([part.reshape(-1, CLASSES) for part in parts[:3]])
    distances = np.concatenate([part.reshape(-1, DISTANCES) for part in parts[3:]])
    chosen = []
    first = 0
    for rows in ROWS_PER_STRIDE:
        best = probabilities[first : first + rows].max(axis=1).argsort()[-SAMPLED:]
        spread = np.linspace(0, rows - 1, SAMPLED).astype(np.int64)
        chosen.append(first + np.union1d(best, spread))
        first += rows
    kept = np.concatenate(chosen)
    np.savez_compressed(
        GOLDEN, rows=kept, probabilities=probabilities[kept], distances=distances[kept]
    )


if __name__ == "__main__":
    step, file = sys.argv[1], Path(sys.argv[2])
    if step == "picture":
        picture().tofile(file)
    else:
        pack(file)
