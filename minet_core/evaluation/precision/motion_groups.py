"""Motion IoU of true objects, and the groups slow, medium and fast.

The motion IoU of a true box is its mean overlap with the boxes of its own track in the frames
around it (Zhu et al., Flow-Guided Feature Aggregation, 2017).
"""

from enum import StrEnum

import numpy as np

from minet_core.boxes import paired_iou
from minet_core.errors import InputError
from minet_core.evaluation.frames import Bools, Floats, Ints

RADIUS = 10
"""Number of frames before and after a box."""


class MotionGroup(StrEnum):
    """Speed of an object in one frame, by motion IoU."""

    SLOW = "slow"
    MEDIUM = "medium"
    FAST = "fast"

    def contains(self, motion: Floats) -> Bools:
        """Which values (N,) are in the group: slow above 0.9, fast below 0.7."""
        if self is MotionGroup.SLOW:
            return motion > 0.9
        if self is MotionGroup.FAST:
            return motion < 0.7
        return (motion >= 0.7) & (motion <= 0.9)


def motion_iou(video: str, frames: Ints, track_ids: Ints, boxes: Floats) -> Floats:
    """Motion IoU of every true box of one video.

    The mean overlap with the same track's boxes at most RADIUS frames away; frames without the
    track are left out. A box alone in that window counts as slow: 1.0. So does a box without a
    track.

    Args:
        video: its name, for error messages.
        frames: (N,) 0-based, in any order.
        track_ids: (N,) negative for boxes without a track.
        boxes: (N, 4) xyxy by edges (inclusive annotations: see `frames.edges_of_inclusive`).

    Returns:
        (N,) from 0 to 1, in the order of the arguments.

    Raises:
        InputError: a track has two boxes in one frame.
    """
    order = np.lexsort((frames, track_ids))
    order = order[track_ids[order] >= 0]
    frame, track, box = frames[order], track_ids[order], boxes[order]
    total, count = np.zeros(len(order)), np.zeros(len(order))
    # A track has at most one box per frame, so boxes more than RADIUS rows apart are too far.
    for step in range(1, RADIUS + 1):
        gap = frame[step:] - frame[:-step]
        first = np.flatnonzero((track[step:] == track[:-step]) & (gap <= RADIUS))
        _check_single(video, frame, track, first[gap[first] == 0])
        overlaps = paired_iou(box[first], box[first + step])
        for side in (first, first + step):
            total[side] += overlaps
            count[side] += 1
    motion = np.ones(len(boxes))
    motion[order] = np.divide(total, count, out=np.ones_like(total), where=count > 0)
    return motion


def _check_single(video: str, frame: Ints, track: Ints, repeated: Ints) -> None:
    if len(repeated):
        row = repeated[0]
        raise InputError(f"{video}, frame {frame[row]}: track {track[row]} has two boxes")
