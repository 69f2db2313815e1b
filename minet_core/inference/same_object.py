"""Which tracklets of a video show the same object.

Two tracklets can be one object if one ends before the other begins, in the same scene, and they
have the same class. The log-odds that they are one are a sum of

    likeness: how well each identifier recognises the boxes of the other (γ_A · a_B and γ_B · a_A),
    place: how far the second begins from where the first was going, and the second came from,
    size: how much the object has grown or shrunk, and
    time: fewer objects return after a longer gap.

The weights are a logistic regression on pairs of tracklets of eleven sequences with truth. The
best assignment of ends to beginnings decides which pairs to join.
"""

import math
from collections.abc import Sequence

import numpy as np

from minet_core.assignment import best_pairs
from minet_core.inference.held_tracklet import Glimpse, Held

FEWEST = 3
"""Minimum boxes of a tracklet to join: fewer show no identity."""

_GATE = -1.1
"""Minimum log-odds to join: below 0, as a join that is missed costs more than a wrong one."""

_PRIOR, _LIKENESS, _PLACE, _SIZE, _TIME = -0.3, 7.7, 1.65, 0.8, 0.6
"""Log-odds of a pair without likeness one frame apart, and the weights of the terms."""

_NEAR, _NEAR_PER_FRAME = 0.2, 0.05
"""Usual distance from the expected place, in √area of a box, and its growth per frame."""

_GROWTH = 0.2
"""Usual difference of the logarithm of the size."""

_KEPT_VELOCITY = 0.98
"""Share of a velocity that remains after a frame in which the object is not seen."""

_LONGEST = 200
"""Maximum frames between the end of one and the beginning of the other."""


def joined(held: list[Held]) -> list[tuple[Held, Held]]:
    """Pairs (before, after) of the same object: the best assignment of ends to beginnings."""
    able = sorted((one for one in held if one.boxes >= FEWEST), key=lambda one: one.first)
    begins = [one.first[0] for one in able]
    worth: dict[tuple[int, int], float] = {}
    for a, before in enumerate(able):
        low = int(np.searchsorted(begins, before.last[0] + 1))
        high = int(np.searchsorted(begins, before.last[0] + _LONGEST, side="right"))
        for b in range(low, high):
            margin = _log_odds(before, able[b]) - _GATE
            if margin >= 0:
                worth[a, b] = margin + 1e-6
    return [(able[a], able[b]) for a, b in _assigned(worth, len(able))]


def _log_odds(before: Held, after: Held) -> float:
    """Log-odds that two tracklets are the same object."""
    if before.label != after.label or before.last[1] != after.first[1]:
        return -math.inf
    gap = after.first[0] - before.last[0]
    (_, x, y, size), (_, x2, y2, size2) = before.end[-1], after.start[0]
    unseen = (1 - _KEPT_VELOCITY**gap) / (1 - _KEPT_VELOCITY)
    (vx, vy), (vx2, vy2) = _velocity(before.end), _velocity(after.start)
    dx, dy = x2 - x - unseen * (vx + vx2) / 2, y2 - y - unseen * (vy + vy2) / 2
    way = math.hypot(dx, dy) / size2 / (_NEAR + _NEAR_PER_FRAME * gap)
    growth = math.log(size2 / size) / _GROWTH
    odds = _PRIOR - _PLACE * math.log1p(way**2) - _SIZE * math.log1p(growth**2)
    odds -= _TIME * math.log(gap)
    if odds + _LIKENESS < _GATE:  # no likeness would suffice, and it takes longest to compute
        return -math.inf
    return odds + _LIKENESS * _likeness(before, after)


def _velocity(seen: Sequence[Glimpse]) -> tuple[float, float]:
    """Mean velocity of the centre, in pixels per frame."""
    first, last = seen[0], seen[-1]
    frames = max(last.frame - first.frame, 1)
    return (last.x - first.x) / frames, (last.y - first.y) / frames


def _likeness(a: Held, b: Held) -> float:
    """How well each identifier recognises the samples of the other tracklet."""
    forward = np.median(np.stack(b.samples) @ a.identifier)
    backward = np.median(np.stack(a.samples) @ b.identifier)
    return float(forward + backward) / 2


def _assigned(worth: dict[tuple[int, int], float], count: int) -> list[tuple[int, int]]:
    """The pairs of the best assignment, solved for each group of competing tracklets."""
    if not worth:
        return []
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows, columns = (np.array(side) for side in zip(*worth, strict=True))
    # Ends and beginnings are different sides, so a tracklet is two nodes.
    graph = coo_array((np.ones(len(rows)), (rows, columns + count)), (2 * count, 2 * count))
    _, group = connected_components(graph, directed=False)
    pairs: list[tuple[int, int]] = []
    for number in np.unique(group[rows]):
        ends = np.unique(rows[group[rows] == number])
        begins = np.unique(columns[group[rows] == number])
        table = np.array([[worth.get((int(a), int(b)), 0.0) for b in begins] for a in ends])
        chosen = zip(*best_pairs(table), strict=True)
        pairs += [(int(ends[i]), int(begins[j])) for i, j in chosen if table[i, j] > 0]
    return pairs
