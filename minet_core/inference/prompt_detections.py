"""Drawn boxes as detections that a memory can begin with."""

import torch
from torch import Tensor

from minet_core.box_tensors import box_iou
from minet_core.errors import ConfigError, InputError
from minet_core.inference.prompts import FirstBoxes
from minet_core.models.detector import BaseDetections, Detector
from minet_core.scores import ScoreKind
from minet_core.suggest import did_you_mean

CERTAIN = 0.99
"""Score of a class that the user named: short of 1, which no later sight could change."""

_SAME = 0.5
"""Overlap from which a detection of the first frame tells the class of an unlabelled box."""


class Drawn:
    """The user's boxes, in a model's terms.

    Args:
        first: what was drawn.
        detector: the model's.

    Raises:
        ConfigError: a label is no class of the model.
    """

    def __init__(self, first: FirstBoxes, detector: Detector) -> None:
        classes, kind = detector.classes, detector.score_kind
        for label in first.labels:
            if label is not None and label not in classes:
                raise ConfigError(f"the model has no class {label!r}{did_you_mean(label, classes)}")
        self._boxes = torch.tensor(first.boxes, dtype=torch.float32)
        self._columns = [
            None if label is None else classes.index(label) + (kind is ScoreKind.SOFTMAX)
            for label in first.labels
        ]
        self._kind = kind

    def __len__(self) -> int:
        return len(self._boxes)

    def before(self, own: BaseDetections, width: int, height: int) -> BaseDetections:
        """The drawn boxes, then the frame's own detections, which are negatives of the former.

        Args:
            own: what the detector says of the first frame.
            width: of that frame in pixels.
            height: likewise.

        Raises:
            InputError: a box lies outside the frame.
        """
        inside = (self._boxes[:, :2] < torch.tensor([width, height])) & (self._boxes[:, 2:] > 0)
        if not bool(inside.all()):
            number = int(inside.all(dim=1).int().argmin()) + 1
            raise InputError(f"drawn box {number} lies outside the frame of {width}×{height}")
        return BaseDetections(
            torch.cat([self._boxes, own.proposals]),
            torch.cat([self._boxes, own.boxes]),
            torch.cat([self._scores(own), own.scores]),
        )

    def _scores(self, own: BaseDetections) -> Tensor:
        """What is known of each box's class: by its label, else by the detection it covers."""
        count = own.scores.shape[1]
        neutral = 1 / count if self._kind is ScoreKind.SOFTMAX else 0.5
        rest = (1 - CERTAIN) / (count - 1) if self._kind is ScoreKind.SOFTMAX else 1 - CERTAIN
        overlap = box_iou(self._boxes, own.boxes)
        scores = torch.full((len(self), count), neutral)
        for i, column in enumerate(self._columns):
            if column is not None:
                scores[i] = rest
                scores[i, column] = CERTAIN
            elif len(own) and float(overlap[i].max()) >= _SAME:
                scores[i] = own.scores[int(overlap[i].argmax())]
        return scores
