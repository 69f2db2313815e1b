"""COCO's matching of one frame, by pycocotools."""

from typing import Any

import numpy as np

from minet_core.errors import ConfigError
from minet_core.evaluation.frames import EvalFrame, Floats
from minet_core.evaluation.precision.curve import FALSE_POSITIVE, TRUE_POSITIVE


class CocoMatcher:
    """True and false positives at an overlap of one half, as in COCO's AP50.

    An ignored true box is a COCO crowd: it takes any detection that is inside it by half.
    Only the 100 best detections of a class and frame count.

    pycocotools keeps everything in dictionaries, far too much for a long video, and writes to the
    terminal. So it gets one class of one frame at a time, through the two methods of its evaluation
    that do the work silently.

    Raises:
        ConfigError: pycocotools is not installed.
    """

    limit: int | None = 100

    def __init__(self) -> None:
        try:
            from pycocotools.cocoeval import COCOeval
        except ImportError as error:
            raise ConfigError(
                "the protocol coco needs pycocotools: pip install pycocotools"
            ) from error
        self._coco = COCOeval(iouType="bbox")
        self._coco.params.iouThrs = np.array([0.5])

    def __call__(self, frame: EvalFrame, label: int) -> tuple[Floats, Floats]:
        """Scores (N,) and outcomes (N,) of one class in one frame, by descending score."""
        coco, key = self._coco, (0, label)
        coco._gts[key] = _truths(frame, label)
        coco._dts[key] = _detections(frame, label)
        coco.ious = {key: coco.computeIoU(*key)}
        seen = coco.evaluateImg(*key, aRng=(0, float("inf")), maxDet=self.limit)
        counts = ~seen["dtIgnore"][0].astype(bool)
        scores = np.array(seen["dtScores"], dtype=np.float64)
        outcomes = np.where(seen["dtMatches"][0] > 0, TRUE_POSITIVE, FALSE_POSITIVE)
        return scores[counts], outcomes[counts]


def _truths(frame: EvalFrame, label: int) -> list[dict[str, Any]]:
    truth = frame.truth
    rows = np.flatnonzero(truth.label_ids == label)
    return [
        _entry(i, truth.boxes[row]) | {"iscrowd": int(crowd), "ignore": int(crowd)}
        for i, (row, crowd) in enumerate(zip(rows, truth.ignore[rows], strict=True))
    ]


def _detections(frame: EvalFrame, label: int) -> list[dict[str, Any]]:
    found = frame.found
    rows = np.flatnonzero(found.label_ids == label)
    return [
        _entry(i, found.boxes[row]) | {"score": float(found.scores[row])}
        for i, row in enumerate(rows)
    ]


def _entry(index: int, box: Floats) -> dict[str, Any]:
    x1, y1, x2, y2 = box.tolist()
    width, height = x2 - x1, y2 - y1
    # An id of 0 would mean "no match".
    return {"id": index + 1, "bbox": [x1, y1, width, height], "area": width * height}
