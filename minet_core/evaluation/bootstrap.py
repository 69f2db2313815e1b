"""The bootstrap: confidence intervals of a mean over few tracks."""

import math
from dataclasses import dataclass

import numpy as np

from minet_core.evaluation.frames import Floats

DRAWS = 2000
"""Number of draws of the tracks."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval; NaN if it is unknown."""

    low: float
    high: float


def ratio_interval(
    numerators: Floats, denominators: Floats, *, level: float = 0.95, seed: int = 0
) -> Interval:
    """Interval of Σ numerators / Σ denominators over (K,) tracks.

    Tracks are drawn, not frames, because the frames of one track are not independent. With fewer
    than two tracks with a denominator, the interval is NaN.
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
    """Interval of the first ratio minus the second, over the same (K,) tracks in the same order.

    Both ratios use the same draws, so common variation of the tracks cancels out.
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
