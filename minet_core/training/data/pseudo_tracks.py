"""Pseudo-tracks: what of unannotated footage is certain enough to learn identities from.

Sure detections are linked from frame to frame by overlap alone, and a stretch ends wherever the
link is in doubt: two boxes that compete, an object that stays away. So a stretch is one object
with high probability, and appearance, which is to be learnt, has had no say in it. One object may
leave several stretches, but never two at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import box_iou


@dataclass(frozen=True, slots=True)
class LinkRules:
    """When a link is certain, and which stretches are kept.

    Attributes:
        score: minimum score of a detection that is linked.
        iou: minimum overlap of a detection with the place a stretch is expected at.
        margin: by how much that overlap exceeds the next best of either side.
        absence: most frames in which a stretch may go without a detection.
        boxes: minimum number of boxes of a stretch.
        mean_score: minimum mean score of a stretch.
    """

    score: float = 0.3
    iou: float = 0.5
    margin: float = 0.2
    absence: int = 4
    boxes: int = 6
    mean_score: float = 0.4


@dataclass(slots=True)
class Stretch:
    """An object for as long as there is no doubt.

    Attributes:
        frames: indices into the frames given, increasing.
        rows: in each of them, the row of its box.
        scores: of each box.
        box: (4,) the newest.
        velocity: (4,) change of the box from frame to frame.
    """

    frames: list[int]
    rows: list[int]
    scores: list[float]
    box: NDArray[np.float64]
    velocity: NDArray[np.float64] = field(default_factory=lambda: np.zeros(4))

    def expected(self, frame: int) -> NDArray[np.float64]:
        """(4,) where its box should be in a later frame."""
        return self.box + self.velocity * (frame - self.frames[-1])

    def extend(self, frame: int, row: int, score: float, box: NDArray[np.float64]) -> None:
        """Add its box in a later frame."""
        motion = (box - self.box) / (frame - self.frames[-1])
        self.velocity = motion if len(self.frames) == 1 else (self.velocity + motion) / 2
        self.frames.append(frame)
        self.rows.append(row)
        self.scores.append(score)
        self.box = box


def certain_stretches(
    boxes: Sequence[NDArray[np.float64]],
    scores: Sequence[NDArray[np.float64]],
    rules: LinkRules | None = None,
) -> list[Stretch]:
    """Link the detections of a video's frames.

    Args:
        boxes: of each frame, (N, 4) xyxy in pixels, after suppression of duplicates.
        scores: of each frame, (N,).
        rules: when to link.

    Returns:
        Stretches worth keeping, by their first frame.
    """
    rules = rules or LinkRules()
    active: list[Stretch] = []
    every: list[Stretch] = []
    for frame, (found, certainty) in enumerate(zip(boxes, scores, strict=True)):
        sure = np.flatnonzero(certainty >= rules.score)
        active = [s for s in active if frame - s.frames[-1] <= rules.absence]
        expected = np.array([s.expected(frame) for s in active]).reshape(-1, 4)
        overlap = box_iou(expected, found[sure])
        linked = _certain_links(overlap, rules)
        for stretch, column in linked:
            row = int(sure[column])
            active[stretch].extend(frame, row, float(certainty[row]), found[row])
        taken = {column for _, column in linked}
        active = _without_doubtful(active, overlap, linked, rules)
        for column in set(range(len(sure))) - taken:
            row = int(sure[column])
            new = Stretch([frame], [row], [float(certainty[row])], found[row].astype(np.float64))
            active.append(new)
            every.append(new)
    return [stretch for stretch in every if _worth_keeping(stretch, rules)]


def _certain_links(overlap: NDArray[np.float64], rules: LinkRules) -> list[tuple[int, int]]:
    """(stretch, detection) pairs that prefer each other by the margin."""
    links = []
    for stretch, row in enumerate(overlap):
        if not row.size or row.max() < rules.iou:
            continue
        column = int(row.argmax())
        rivals = np.append(np.delete(row, column), np.delete(overlap[:, column], stretch))
        if row[column] - rivals.max(initial=0.0) >= rules.margin:
            links.append((stretch, column))
    return links


def _without_doubtful(
    active: list[Stretch],
    overlap: NDArray[np.float64],
    linked: list[tuple[int, int]],
    rules: LinkRules,
) -> list[Stretch]:
    """Stretches that were linked, or that nothing came near: the others may be mistaken."""
    sure = {stretch for stretch, _ in linked}
    return [
        stretch
        for i, stretch in enumerate(active)
        if i in sure or overlap[i].max(initial=0.0) < rules.iou
    ]


def _worth_keeping(stretch: Stretch, rules: LinkRules) -> bool:
    return len(stretch.frames) >= rules.boxes and float(np.mean(stretch.scores)) >= rules.mean_score
