"""Pairs of rows and columns that are worth most together."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


def best_pairs(worth: NDArray[Any]) -> tuple[Indices, Indices]:
    """Rows and columns of the best assignment (Hungarian), rows ascending.

    Args:
        worth: (M, K).
    """
    from scipy.optimize import linear_sum_assignment  # slow to load

    rows, columns = linear_sum_assignment(worth, maximize=True)
    return rows, columns
