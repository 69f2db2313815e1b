"""Average precision of slow, medium and fast objects.

True boxes of the other groups are "outside": detections on them are neither right nor wrong. A
false positive has no speed, so its group is a matter of definition. Two rules are in use. Both are
implemented exactly, including fractional weights:

    MEGA    uses the true boxes of the detection's class; most later papers quote it.
    FGFA    uses the true boxes of all classes; the original.

Under both, an unmatched detection counts fully if it overlaps a true box of the group more than any
outside, and not at all in the opposite case. If both overlaps are equal (usually zero), its weight
is the share of the true boxes *outside*; this looks inverted, but both do it. In a frame without
such true boxes, its weight is the group's share of the whole dataset, where a frame without any
annotation counts as one fast object.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from minet_core.boxes import box_iou
from minet_core.errors import ConfigError, InputError
from minet_core.evaluation.frames import Bools, EvalFrame, Floats
from minet_core.evaluation.matching import (
    DROPPED,
    UNMATCHED,
    ApProtocol,
    ClassFrame,
    class_frame,
)
from minet_core.evaluation.precision.curve import SHARED, TRUE_POSITIVE
from minet_core.evaluation.precision.motion_groups import MotionGroup
from minet_core.evaluation.precision.result import ApResult, ClassTallies


class MotionRule(StrEnum):
    """The rule that weights the false positives of a motion group."""

    MEGA = "mega"
    FGFA = "fgfa"


class MotionApAccumulator:
    """Computes average precision by motion group, from frames in any order.

    Args:
        classes: names, in the order of the class ids.
        protocol: voc50 or devkit.
        rule: weights the false positives.

    Raises:
        ConfigError: the protocol is coco, for which motion groups are not defined.
    """

    def __init__(
        self,
        classes: Sequence[str],
        protocol: ApProtocol = ApProtocol.VOC50,
        rule: MotionRule = MotionRule.MEGA,
    ) -> None:
        if protocol is ApProtocol.COCO:
            raise ConfigError("motion groups are defined under voc50 and devkit, not under coco")
        self.rule = rule
        self._protocol = protocol
        self._classes = len(classes)
        self._tallies = {group: ClassTallies(classes) for group in MotionGroup}
        self._members = dict.fromkeys(MotionGroup, 0)

    def add(self, frame: EvalFrame, motion: Floats) -> None:
        """Add a frame.

        Args:
            frame: true boxes and detections.
            motion: (T,) motion IoU of the true boxes (`motion_groups.motion_iou`).

        Raises:
            InputError: `motion` is not one value per true box, or a label is no index of `classes`.
        """
        frame.check_labels(self._classes)
        if motion.shape != frame.truth.label_ids.shape:
            raise InputError(f"{frame.place}: a true box has no motion IoU, or one has several")
        counted = motion[~frame.truth.ignore]
        values = counted if len(counted) else np.zeros(1)
        for group in MotionGroup:
            self._members[group] += int(group.contains(values).sum())
        outside = {group: ~group.contains(motion) for group in MotionGroup}
        true_labels = frame.true_labels
        for label in frame.labels:
            if self.rule is MotionRule.MEGA and label not in true_labels:
                self._add_absent(frame, label)
                continue
            entry = class_frame(frame, label, self._protocol)
            for group in MotionGroup:
                self._add_class(group, frame, label, entry, outside[group])

    def _add_absent(self, frame: EvalFrame, label: int) -> None:
        """Add detections of a class without true boxes in the frame, under MEGA's rule."""
        scores = frame.found.scores[frame.found.label_ids == label]
        for tallies in self._tallies.values():
            tallies.add(label, 0, scores, np.full(len(scores), SHARED))

    def _add_class(
        self, group: MotionGroup, frame: EvalFrame, label: int, entry: ClassFrame, outside: Bools
    ) -> None:
        class_outside = outside[entry.truths]
        matched = entry.match(last=class_outside)
        hits, misses = matched >= 0, matched == UNMATCHED
        outcomes = np.full(len(matched), TRUE_POSITIVE)
        outcomes[misses] = self._miss_outcomes(frame, entry, outside, misses)
        counts = (matched != DROPPED) & ~np.isnan(outcomes)
        counts[hits] = ~class_outside[matched[hits]]
        scores = frame.found.scores[entry.detections]
        truths = int((~class_outside).sum())
        self._tallies[group].add(label, truths, scores[counts], outcomes[counts])

    def _miss_outcomes(
        self, frame: EvalFrame, entry: ClassFrame, outside: Bools, misses: Bools
    ) -> Floats:
        """Outcomes of a class's unmatched detections; NaN for detections that do not count."""
        if self.rule is MotionRule.MEGA:
            return _weigh(entry.overlaps[misses], outside[entry.truths])
        looked_at = ~frame.truth.ignore
        boxes = frame.found.boxes[entry.detections[misses]]
        return _weigh(box_iou(boxes, frame.truth.boxes[looked_at]), outside[looked_at])

    def result(self) -> dict[MotionGroup, ApResult]:
        """Average precision of every group over the frames so far."""
        total = max(1, sum(self._members.values()))
        return {
            group: tallies.result(self._protocol, self._members[group] / total)
            for group, tallies in self._tallies.items()
        }


def _weigh(overlaps: Floats, outside: Bools) -> Floats:
    """Outcomes (D,) of unmatched detections from their overlaps (D, T) with true boxes."""
    if len(outside) == 0:
        return np.full(len(overlaps), SHARED)
    inside_best = overlaps[:, ~outside].max(axis=1, initial=-1.0)
    outside_best = overlaps[:, outside].max(axis=1, initial=-1.0)
    weights = np.full(len(overlaps), -float(outside.mean()))
    weights[inside_best > outside_best] = -1.0
    weights[inside_best < outside_best] = np.nan
    return weights
