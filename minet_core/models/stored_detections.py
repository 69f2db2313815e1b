"""Boxes read from a file in a detector's place: memory and tracklets for any detector in the world.

A file may hold five boxes a frame, and an identifier also has to learn what its object is not. So
a fixed grid of boxes stands beside the given ones, with scores of 0: embeddings are taken there as
everywhere, and nothing is ever detected there.
"""

import hashlib
import json
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from minet_core.box_tensors import box_iou
from minet_core.boxes import SHARES, VideoBoxes, are_shares
from minet_core.errors import InputError
from minet_core.models.detector import BaseDetections, Frame
from minet_core.models.proposals import SUREST
from minet_core.scores import ScoreKind

GRID = (2, 4, 8)
"""Grid boxes are squares of the frame's shorter side divided by these."""
GRID_IOU = 0.5
"""A grid box that overlaps a given one by as much is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredBoxes(VideoBoxes):
    """The boxes of one video, read from a file; a row a (box, class) pair, sorted by frame.

    Attributes:
        source: the file, for messages.
        classes: names, by label id.
        frames: (N,) int64, 0-based.
        boxes: (N, 4) float64 xyxy by edges, in pixels.
        label_ids: (N,) int64.
        scores: (N,) float64 final scores.
        base_scores: (N,) float64 a detector's own scores, where the file has others beside.
        track_ids: (N,) int64, NO_TRACK where a row has none.
        covered: label ids that the file's maker can say.
        notes: what to know of the file, a line each.
        cut: score below which the file has nothing; None where it does not tell.
        vectors: (N, C) score of every class, where the file has them.
        looked_at: how many frames its maker looked at; None where it does not tell.

    Raises:
        InputError: a number is not finite, or a box has no area; the message names the frame.
            Or the boxes are shares of the picture.
    """

    source: str
    classes: tuple[str, ...]
    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]
    label_ids: NDArray[np.int64]
    scores: NDArray[np.float64]
    base_scores: NDArray[np.float64]
    track_ids: NDArray[np.int64]
    covered: frozenset[int]
    notes: tuple[str, ...] = ()
    cut: float | None = None
    looked_at: int | None = None
    vectors: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        numbers = np.column_stack([self.boxes, self.scores, self.base_scores])
        finite = np.all(np.isfinite(numbers), axis=1)
        self._refuse(~np.asarray(finite), "a number is missing or not finite")
        flat = np.any(self.boxes[:, 2:] <= self.boxes[:, :2], axis=1)
        self._refuse(np.asarray(flat), "a box is inverted or without area")
        self._refuse(self.frames < 0, "a frame before the first")
        if are_shares(self.boxes):
            raise InputError(f"{self.source}: {SHARES}")

    def check_length(self, frames: int) -> None:
        """See that all rows are of frames that exist.

        Raises:
            InputError: one is not.
        """
        self._refuse(self.frames >= frames, f"the video has {frames} frames only")

    @property
    def digest(self) -> str:
        """sha256 of all that a detector makes of it."""
        digest = hashlib.sha256(json.dumps(self.classes).encode())
        for column in (self.frames, self.boxes, self.label_ids, self.base_scores):
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()

    def beyond(self, frames: int) -> int:
        """How many rows are of frames after so many."""
        return int((self.frames >= frames).sum())

    @property
    def score_kind(self) -> ScoreKind:
        """What its scores are as base detections."""
        return ScoreKind.SIGMOID

    @property
    def warnings(self) -> list[str]:
        """What is wrong with the file and does no harm, a line each."""
        outside = int(((self.base_scores < 0) | (self.base_scores > 1)).sum())
        return [f"{self.source}: scores outside 0 … 1, clipped: {outside}"] if outside else []

    def detections(self, index: int, frame: Frame) -> BaseDetections:
        """The boxes of a 0-based frame as base detections; of the picture, its size is looked at.

        Rows with the very same box are one box with several classes.
        """
        span = self.span(index)
        return from_final(
            torch.from_numpy(self.boxes[span]).float(),
            torch.from_numpy(self.label_ids[span]),
            torch.from_numpy(self.base_scores[span]).float(),
            len(self.classes),
            frame,
        )

    def _refuse(self, wrong: NDArray[np.bool_], complaint: str) -> None:
        if wrong.any():
            raise InputError(f"{self.source}, frame {self.frames[wrong.argmax()]}: {complaint}")


def from_final(
    boxes: Tensor, labels: Tensor, scores: Tensor, classes: int, frame: Frame
) -> BaseDetections:
    """Base detections of a list of boxes with one class and one score each.

    Rows with the very same box become one with several classes, and the fixed grid stands beside.

    Args:
        boxes: (N, 4) xyxy in pixels of the frame.
        labels: (N,) int64, from 0 to `classes` - 1.
        scores: (N,) probabilities; certain ones are cut off.
        classes: how many there are.
        frame: of which only the size is looked at.
    """
    given, row_of = torch.unique(boxes, dim=0, return_inverse=True)
    table = torch.zeros(len(given), classes)
    table[row_of.flatten(), labels] = scores.clamp(0, SUREST)
    beside = grid(frame.shape[1], frame.shape[0])
    beside = beside[(box_iou(beside, given) < GRID_IOU).all(dim=1)]
    regions = torch.cat([given, beside])
    table = torch.cat([table, torch.zeros(len(beside), classes)])
    return BaseDetections(regions, regions, table, final=True)


def grid(width: int, height: int) -> Tensor:
    """(G, 4) xyxy squares of a few sizes that cover a frame evenly, in a fixed order."""
    boxes = []
    for parts in GRID:
        side = min(width, height) / parts
        lefts = torch.linspace(0, width - side, max(1, round(width / side)))
        tops = torch.linspace(0, height - side, max(1, round(height / side)))
        corners = torch.cartesian_prod(lefts, tops)
        boxes.append(torch.cat([corners, corners + side], dim=1))
    return torch.cat(boxes)
