"""Networks of Hugging Face that have classes of their own, as a `Detector`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_convert, clip_boxes_to_image

from minet_core.errors import WeightsError
from minet_core.models.batches import by_size
from minet_core.models.class_columns import ClassColumns
from minet_core.models.detector import BaseDetections, Frame
from minet_core.models.proposals import Calibration, of_a_pixel, score_table
from minet_core.scores import ScoreKind


class QueryDetector:
    """What all of them have in common: every query is a proposal, with a score of every class.

    Args:
        model: the network, in evaluation mode, on the device.
        processor: prepares pictures as it came with the network.
        classes: which columns of the scores are classes.
        score_kind: what the scores are.
        calibration: Platt's (a, b), or None for scores as the network gives them.

    Attributes:
        classes: names.
        score_kind: as given; calibrated scores are independent probabilities.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        classes: ClassColumns,
        score_kind: ScoreKind,
        calibration: Calibration | None = None,
    ) -> None:
        self.model = model
        self.processor = processor
        self.classes = classes.names
        self.calibration = calibration
        self._kind = score_kind
        self._columns = np.array(classes.columns)

    @property
    def score_kind(self) -> ScoreKind:
        """What the score columns mean."""
        return ScoreKind.SIGMOID if self.calibration else self._kind

    @torch.no_grad()
    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        """Every query of each frame whose box is a pixel or more; frames of one size go together.

        Raises:
            WeightsError: the network gives no boxes and logits.
        """
        return by_size(frames, self._detect_equal)

    def _detect_equal(self, frames: list[Frame]) -> list[BaseDetections]:
        height, width = frames[0].shape[:2]
        outputs = self._outputs(frames)
        boxes = box_convert(outputs["pred_boxes"].cpu().float(), "cxcywh", "xyxy")
        boxes = boxes * torch.tensor(self._reach(width, height) * 2)
        scores = self._scores(outputs["logits"].cpu().float())
        return [
            self._detections(clip_boxes_to_image(own, (height, width)), own_scores)
            for own, own_scores in zip(boxes, scores, strict=True)
        ]

    def inputs(self, frames: list[Frame]) -> Mapping[str, Any]:
        """What the network takes: pictures, and whatever else its processor makes of them."""
        prepared: Mapping[str, Any] = self.processor(
            images=frames, return_tensors="pt", input_data_format="channels_last"
        )
        return prepared

    def _outputs(self, frames: list[Frame]) -> dict[str, Tensor]:
        inputs = {name: value.to(self.model.device) for name, value in self.inputs(frames).items()}
        outputs = self.model(**inputs)
        try:
            return {name: outputs[name] for name in ("pred_boxes", "logits")}
        except KeyError:
            kind = type(self.model).__name__
            raise WeightsError(f"{kind} gives no boxes with a score of every class") from None

    def _reach(self, width: int, height: int) -> tuple[int, int]:
        """Width and height in pixels of the frame of what boxes are shares of."""
        return width, height

    def _scores(self, logits: Tensor) -> Tensor:
        """(B, N, columns) probabilities, the background first where there is one."""
        if self._kind is ScoreKind.SOFTMAX:
            return logits.softmax(dim=-1).roll(1, dims=-1)
        return logits.sigmoid()

    def _detections(self, boxes: Tensor, scores: Tensor) -> BaseDetections:
        kept = of_a_pixel(boxes.numpy())
        table = score_table(scores.numpy()[kept], self._kind, self._columns, self.calibration)
        return BaseDetections(boxes[kept], boxes[kept], torch.from_numpy(table))


def own_classes(model: Any) -> tuple[ClassColumns, ScoreKind]:
    """The classes of a network's config, and what its scores are.

    One more column than there are labels means that there is nothing; then they are a
    distribution. DETR, YOLOS and Table Transformer have it, the later ones have not.
    """
    labels = {int(column): str(name) for column, name in model.config.id2label.items()}
    softmax = model.config.model_type in _SOFTMAX
    return ClassColumns.of(labels), ScoreKind.SOFTMAX if softmax else ScoreKind.SIGMOID


_SOFTMAX = {"detr", "yolos", "table-transformer"}
