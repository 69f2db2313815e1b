"""Methods that need the whole video: merge two passes, link boxes over time.

    merge_passes   MINetΔ: the forward and the backward pass together (§IV-C)
    seq_nms        Han et al., "Seq-NMS for Video Object Detection", 2016 (arXiv 1602.08465)
    tube_link      Gkioxari and Malik, "Finding Action Tubes", CVPR 2015 (arXiv 1411.6031)

All take frames with whole score vectors before class-wise suppression, in ascending order, and
return new frames. Consecutive given frames are neighbours, so a stride is no gap. A (box, class)
pair that a method suppresses gets the score 0. Class-wise suppression follows, as after the online
method (`scores.classwise_nms`).
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

import numpy as np
import torch

from minet_core.assignment import best_pairs
from minet_core.boxes import NO_TRACK, Floats, box_iou, paired_iou
from minet_core.errors import InputError
from minet_core.inference.box_paths import BestPaths, Ints, LinkedBoxes
from minet_core.inference.score_frames import ScoredFrame
from minet_core.scores import classwise_nms


class Rescore(StrEnum):
    """How a path's boxes get their new score from their old ones."""

    MEAN = "mean"
    MAX = "max"


def merge_passes(
    forward: Sequence[ScoredFrame], backward: Sequence[ScoredFrame], iou: float = 0.5
) -> list[ScoredFrame]:
    """The forward pass, with the scores of both (MINetΔ).

    Boxes are assigned one to one, by the largest sum of overlaps, among pairs that overlap by `iou`
    or more. The detector finds the same boxes in both passes, so most overlap fully. A pair keeps
    the forward box, base scores and id, and gets the mean score. The others keep their scores;
    those of the backward pass have no id. The paper says only that the results are combined; the
    rest is our interpretation.

    Args:
        forward: frames of the pass whose ids are kept, in any order.
        backward: the same frames, in any order.
        iou: minimum overlap of two boxes of one object.

    Returns:
        Frames in the order of `forward`; first its boxes, then unmatched backward boxes.

    Raises:
        InputError: the passes are not over the same frames.
    """
    others = {frame.frame: frame for frame in backward}
    if {frame.frame for frame in forward} != set(others):
        raise InputError("the forward and the backward pass are not over the same frames")
    return [_merged(frame, others[frame.frame], iou) for frame in forward]


def _merged(forward: ScoredFrame, backward: ScoredFrame, iou: float) -> ScoredFrame:
    overlaps = box_iou(forward.boxes, backward.boxes)
    # Pairs with too little overlap are worth nothing, so they cannot replace a good pair.
    overlaps[overlaps < iou] = 0.0
    rows, others = best_pairs(overlaps)
    paired = overlaps[rows, others] > 0
    rows, others = rows[paired], others[paired]
    scores = forward.scores.copy()
    scores[rows] = (scores[rows] + backward.scores[others]) / 2
    alone = np.delete(np.arange(len(backward.boxes)), others)
    return ScoredFrame(
        frame=forward.frame,
        boxes=np.concatenate([forward.boxes, backward.boxes[alone]]),
        scores=np.concatenate([scores, backward.scores[alone]]),
        base=np.concatenate([forward.base, backward.base[alone]]),
        track_ids=np.concatenate([forward.track_ids, np.full(len(alone), NO_TRACK)]),
    )


def seq_nms(
    frames: Sequence[ScoredFrame],
    *,
    link_iou: float = 0.5,
    nms_iou: float = 0.3,
    floor: float = 0.001,
    rescore: Rescore = Rescore.MEAN,
) -> list[ScoredFrame]:
    """Boost weak boxes by strong boxes linked to them (Seq-NMS).

    Per class, repeated until no box is left: take the path of linked boxes with the largest sum of
    scores, give its boxes the path's mean (or highest) score, and suppress boxes that overlap them
    in their frames. Path and suppression follow the paper and the settings of its best-known
    implementation (FGFA's). That stops at paths with a sum below 0.01; ours continues to `floor`,
    as evaluation does.

    Args:
        frames: ascending; score vectors of one length.
        link_iou: minimum overlap of linked boxes of neighbouring frames.
        nms_iou: minimum overlap at which a box of the path suppresses another box of its frame.
        floor: pairs with this score or less are ignored and unchanged.
        rescore: the new score of a path's boxes.

    Raises:
        InputError: the frames are not in ascending order.
    """
    linked = LinkedBoxes.of(frames, link_iou)
    scores = _stacked(frames)
    for column in scores.T:
        rows = np.flatnonzero(column > floor)
        column[rows] = _seq_nms_class(linked.subset(rows), column[rows], nms_iou, rescore)
    return _rescored(frames, scores)


def _seq_nms_class(graph: LinkedBoxes, scores: Floats, nms_iou: float, rescore: Rescore) -> Floats:
    paths = BestPaths(graph, starts=scores, gains=scores[graph.after])
    new = np.zeros_like(scores)
    while len(path := paths.take()):
        new[path] = scores[path].mean() if rescore is Rescore.MEAN else scores[path].max()
        paths.remove(_overlapped(graph, paths, path, nms_iou))
    return new


def _overlapped(graph: LinkedBoxes, paths: BestPaths, path: Ints, iou: float) -> Ints:
    """The remaining boxes in the path's frames that overlap its box there, including itself."""
    first, last = np.searchsorted(graph.bounds, path[[0, -1]], side="right") - 1
    bounds = graph.bounds[first : last + 2]
    # The path has one box in each of its frames, so their boxes are adjacent.
    rows = np.arange(bounds[0], bounds[-1])
    own = np.repeat(path, np.diff(bounds))
    close = paired_iou(graph.boxes[rows], graph.boxes[own]) >= iou
    suppressed: Ints = rows[paths.left[rows] & (close | (rows == own))]
    return suppressed


def tube_link(
    frames: Sequence[ScoredFrame],
    *,
    overlap_weight: float = 1.0,
    link_iou: float = 0.3,
    nms_iou: float = 0.45,
    floor: float = 0.001,
) -> list[ScoredFrame]:
    """Give the boxes of a tube their mean score (tube linking).

    Per class, after suppression in each frame: a link between boxes i and j of neighbouring
    frames is worth s_i + s_j + λ·IoU. The path with the highest value is a tube; its boxes are
    removed, and so on until no link is left. A box without a link keeps its score.

    In the original a tube runs through the whole video, with any jumps. Objects here come and go,
    so a tube may begin and end anywhere, and boxes are linked only if they overlap enough; this is
    our interpretation.

    Args:
        frames: ascending; score vectors of one length.
        overlap_weight: λ.
        link_iou: minimum overlap of linked boxes of neighbouring frames.
        nms_iou: overlap above which the lower score of a frame is suppressed first.
        floor: pairs with this score or less are ignored and unchanged.

    Raises:
        InputError: the frames are not in ascending order.
    """
    linked = LinkedBoxes.of(frames, link_iou)
    kept = [_suppressed(frame, nms_iou, floor) for frame in frames]
    scores = _stacked([replace(f, scores=s) for f, s in zip(frames, kept, strict=True)])
    for column in scores.T:
        rows = np.flatnonzero(column > floor)
        column[rows] = _tube_link_class(linked.subset(rows), column[rows], overlap_weight)
    return _rescored(frames, scores)


def _tube_link_class(graph: LinkedBoxes, scores: Floats, overlap_weight: float) -> Floats:
    gains = scores[graph.before] + scores[graph.after] + overlap_weight * graph.overlaps
    paths = BestPaths(graph, starts=np.zeros_like(scores), gains=gains)
    new = scores.copy()
    while len(path := paths.take()) > 1:
        new[path] = scores[path].mean()
        paths.remove(path)
    return new


def _suppressed(frame: ScoredFrame, iou: float, floor: float) -> Floats:
    """Scores (N, C) with 0 where class-wise suppression removes a pair above the floor."""
    boxes, scores = torch.from_numpy(frame.boxes), torch.from_numpy(frame.scores)
    rows, classes = (kept.numpy() for kept in classwise_nms(boxes, scores, iou, floor))
    left = np.where(frame.scores > floor, 0.0, frame.scores)
    left[rows, classes] = frame.scores[rows, classes]
    return left


def _stacked(frames: Sequence[ScoredFrame]) -> Floats:
    """Scores (N, C) of all frames' boxes, one frame after the other; a new array."""
    return np.concatenate([frame.scores for frame in frames]) if frames else np.zeros((0, 0))


def _rescored(frames: Sequence[ScoredFrame], scores: Floats) -> list[ScoredFrame]:
    """The frames with the scores (N, C) of all their boxes."""
    ends = np.cumsum([len(frame.boxes) for frame in frames])
    parts = np.split(scores, ends[:-1]) if frames else []
    return [replace(frame, scores=part) for frame, part in zip(frames, parts, strict=True)]
