"""Match detections to true boxes, within one frame and one class.

Every protocol here matches greedily: detections by descending score, each to the free true box that
it overlaps most. The protocols differ in the minimum overlap.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from minet_core.boxes import box_iou
from minet_core.evaluation.frames import Bools, EvalFrame, Floats, Ints

UNMATCHED = -1
"""The detection is on no free true box: a false positive."""
DROPPED = -2
"""The detection is on an ignored true box: neither right nor wrong."""


class ApProtocol(StrEnum):
    """How average precision is computed; do not compare numbers of different protocols."""

    VOC50 = "voc50"
    """Overlap of one half or more; area under the whole precision envelope."""
    DEVKIT = "devkit"
    """As voc50, but small true boxes need less overlap: the ImageNet VID development kit."""
    COCO = "coco"
    """COCO's AP50: matched by pycocotools, 100 detections per class and frame, 101 recalls."""


def overlap_thresholds(boxes: Floats, protocol: ApProtocol) -> Floats:
    """Minimum overlap (N,) for each of the true boxes (N, 4).

    The development kit tolerates about five pixels on every side, which matters below 25 × 25:
    min(0.5, wh / ((w + 10)(h + 10))).
    """
    if protocol is not ApProtocol.DEVKIT:
        return np.full(len(boxes), 0.5)
    sizes = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(np.minimum(0.5, sizes.prod(axis=1) / (sizes + 10).prod(axis=1)))


@dataclass(frozen=True, slots=True, eq=False)
class ClassFrame:
    """The detections and true boxes of one class in one frame.

    Attributes:
        detections: (D,) rows of the frame's detections, by descending score; ties keep their order.
        truths: (T,) rows of the frame's true boxes that count.
        overlaps: (D, T).
        thresholds: (T,) minimum overlap.
        on_ignored: (D,) true if the detection overlaps an ignored true box enough.
    """

    detections: Ints
    truths: Ints
    overlaps: Floats
    thresholds: Floats
    on_ignored: Bools

    def match(self, last: Bools | None = None) -> Ints:
        """True box of each detection: (D,) columns of `overlaps`, UNMATCHED or DROPPED.

        Boxes that count come before ignored boxes. An ignored box takes any number of detections.

        Args:
            last: (T,) boxes that come last if two overlap a detection equally.
        """
        order = np.arange(len(self.truths)) if last is None else np.argsort(last, kind="stable")
        chosen = _greedy(self.overlaps[:, order], self.thresholds[order])
        hit = chosen >= 0
        matched = np.where(self.on_ignored, DROPPED, UNMATCHED)
        matched[hit] = order[chosen[hit]]
        return matched


def class_frame(frame: EvalFrame, label: int, protocol: ApProtocol) -> ClassFrame:
    """True boxes and detections of one class in a frame."""
    truth, found = frame.truth, frame.found
    rows = np.flatnonzero(found.label_ids == label)
    rows = rows[np.argsort(-found.scores[rows], kind="stable")]
    of_class = truth.label_ids == label
    counted = np.flatnonzero(of_class & ~truth.ignore)
    ignored = truth.boxes[of_class & truth.ignore]
    on_ignored = box_iou(found.boxes[rows], ignored) >= overlap_thresholds(ignored, protocol)
    return ClassFrame(
        detections=rows,
        truths=counted,
        overlaps=box_iou(found.boxes[rows], truth.boxes[counted]),
        thresholds=overlap_thresholds(truth.boxes[counted], protocol),
        on_ignored=np.asarray(on_ignored.any(axis=1)),
    )


def _greedy(overlaps: Floats, thresholds: Floats) -> Ints:
    """For each row, the free column with the largest sufficient overlap; the first of equals."""
    chosen = np.full(len(overlaps), UNMATCHED)
    free = overlaps >= thresholds
    for row in np.flatnonzero(free.any(axis=1)):
        if free[row].any():
            chosen[row] = np.where(free[row], overlaps[row], -1.0).argmax()
            free[:, chosen[row]] = False
    return chosen
