"""Randomness by counter: what a run draws depends on its seed and on where it is, on nothing else.

Sample i of step s has a generator of its own. So the state of all randomness is the step, a global
batch can be divided among any number of processes, and a run that was stopped goes on exactly.
"""

from enum import IntEnum

import numpy as np
import torch


class Use(IntEnum):
    """What randomness is for; each use of a sample has its own."""

    DRAW = 0
    NETWORK = 1
    MEASURE = 2


def seed_of(seed: int, step: int, index: int, use: Use, attempt: int = 0) -> int:
    """A seed from a run's seed, the step, the sample's index in the global batch and its use."""
    words = np.random.SeedSequence([seed, step, index, use, attempt]).generate_state(1, np.uint64)
    return int(words[0])


def generator(seed: int, step: int, index: int, use: Use, attempt: int = 0) -> torch.Generator:
    """A generator on the CPU with that seed."""
    return torch.Generator().manual_seed(seed_of(seed, step, index, use, attempt))


def uniform(generator: torch.Generator) -> float:
    """A number from 0 to 1."""
    return float(torch.rand((), generator=generator))


def choice(count: int, generator: torch.Generator) -> int:
    """A number from 0 to count - 1."""
    return int(torch.randint(count, (), generator=generator))
