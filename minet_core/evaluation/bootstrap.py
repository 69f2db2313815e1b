"""How far a mean over few tracks can be trusted: the bootstrap."""

import math
from dataclasses import dataclass

import numpy as np

from minet_core.evaluation.frames import Floats

DRAWS = 2000
"""Times the tracks are drawn anew."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A range that holds the value with a given confidence; NaN where nothing can be said."""

    low: float
    high: float


def ratio_interval(
    numerators: Floats, denominators: Floats, *, level: float = 0.95, seed: int = 0
) -> Interval:
    """Interval of Σ numerators / Σ denominators over (K,) tracks.

    Tracks, not frames, are drawn: the frames of one track are no independent evidence. With fewer
    than two tracks that have a denominator the interval is NaN.
    """
    return difference_interval(
        numerators, denominators, np.zeros(len(numerators)), denominators, level=level, seed=seed
    )


def difference_interval(
    numerators: Floats,
    denominators: Floats,
    other_numerators: Floats,
    other_denominators: Floats,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Interval of the first ratio less the second, over the same (K,) tracks in the same order.

    Both ratios are taken from the same draws, so what the tracks have in common cancels out.
    """
    columns = np.stack([numerators, denominators, other_numerators, other_denominators], axis=1)
    columns = columns[(columns[:, 1] > 0) & (columns[:, 3] > 0)]
    if len(columns) < 2:
        return Interval(math.nan, math.nan)
    sums = _drawn_sums(columns, np.random.default_rng(seed))
    values = sums[:, 0] / sums[:, 1] - sums[:, 2] / sums[:, 3]
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def _drawn_sums(columns: Floats, random: np.random.Generator) -> Floats:
    """Sums (DRAWS, C) of the columns (K, C) over K rows drawn with replacement."""
    tracks = len(columns)
    draws = (random.integers(tracks, size=tracks) for _ in range(DRAWS))
    return np.array([columns[rows].sum(axis=0) for rows in draws])
