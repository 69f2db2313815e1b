"""Frames of one size share a run of a network."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from minet_core.models.detector import BaseDetections, Frame


def by_size(
    frames: Sequence[Frame], detect: Callable[[list[Frame]], list[BaseDetections]]
) -> list[BaseDetections]:
    """What `detect` says of each frame, asked once about all frames of one size."""
    places: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for place, frame in enumerate(frames):
        places[frame.shape].append(place)
    found: dict[int, BaseDetections] = {}
    for same in places.values():
        found.update(zip(same, detect([frames[place] for place in same]), strict=True))
    return [found[place] for place in range(len(frames))]
