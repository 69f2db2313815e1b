"""Platt scaling of a detector's scores, fitted on labelled pictures or video.

Eq. 7 multiplies scores as probabilities, but most detectors' scores are not. The model is
P(right) = sigmoid(a · logit(score) + b) (Platt, "Probabilistic outputs for support vector
machines", 1999), fitted by maximum likelihood.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit

from minet_core.config import MemoryConfig
from minet_core.datasets.dataset import Dataset, FrameTruth
from minet_core.datasets.vocabulary import ClassMap
from minet_core.errors import InputError
from minet_core.evaluation.frames import Bools, EvalFrame, Floats, FoundBoxes
from minet_core.evaluation.matching import DROPPED, ApProtocol, class_frame
from minet_core.evaluation.predictions.convert import true_boxes
from minet_core.models.detector import BaseDetections, Detector
from minet_core.models.proposals import SUREST, Calibration
from minet_core.scores import classwise_nms

FLOOR = 0.02
"""Minimum raw score of a detection that counts."""
LEAST = 100
"""Minimum number of right detections, and of wrong ones, for a fit."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Detections of labelled pictures: (box, class) pairs after class-wise suppression.

    A pair is right if it overlaps an unmatched object of its class by half, in order of scores.

    Attributes:
        raw: (D,) the detector's own scores.
        right: (D,) whether each is right.
        pictures: number of pictures.
        objects: number of annotated objects of the detector's classes in them.
    """

    raw: Floats
    right: Bools
    pictures: int = 0
    objects: int = 0


def outcomes(
    detector: Detector, dataset: Dataset, names: ClassMap, advance: Callable[[int], None]
) -> Outcomes:
    """Run a detector over the annotated frames of a dataset.

    Args:
        detector: without calibration, with independent probabilities.
        dataset: pictures with ground truth.
        names: the detector's classes in the dataset.
        advance: called with 1 after each frame.
    """
    parts, pictures, objects = [(np.zeros(0), np.zeros(0, np.bool_))], 0, 0
    covered = np.unique(names.ids)
    for video in dataset.videos:
        chosen = set(video.chosen.tolist())
        for number, image in video.images():
            if number not in chosen or not (truth := video.frame(number)).annotated:
                continue
            base = detector.detect([image])[0].finite()
            frame = _frame(video.name, number, base, truth, dataset, names)
            parts += _outcomes(frame)
            objects += int((np.isin(truth.label_ids, covered) & ~truth.ignore).sum())
            pictures += 1
            advance(1)
    raw, right = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Outcomes(raw, right, pictures, objects)


def _frame(
    video: str,
    number: int,
    base: BaseDetections,
    truth: FrameTruth,
    dataset: Dataset,
    names: ClassMap,
) -> EvalFrame:
    scores = torch.from_numpy(names.project(base.scores.numpy(), len(dataset.classes)))
    rows, labels = classwise_nms(base.boxes, scores, MemoryConfig().nms, FLOOR)
    found = FoundBoxes.of(base.boxes[rows], labels, scores[rows, labels])
    return EvalFrame(video, number, true_boxes(truth, inclusive=dataset.inclusive), found)


def _outcomes(frame: EvalFrame) -> Iterator[tuple[Floats, Bools]]:
    for label in frame.labels:
        of_class = class_frame(frame, label, ApProtocol.VOC50)
        matched = of_class.match()
        counted = matched != DROPPED
        yield frame.found.scores[of_class.detections][counted], matched[counted] >= 0


def fit(found: Outcomes) -> Calibration:
    """Platt's (a, b) by maximum likelihood.

    Raises:
        InputError: there are too few detections, or higher scores are not more often right.
    """
    right = int(found.right.sum())
    wrong = len(found.right) - right
    if min(right, wrong) < LEAST:
        raise InputError(
            f"too few detections: {right} right and {wrong} wrong in {found.pictures} pictures "
            f"with {found.objects} objects of the model's classes; the minimum is {LEAST} of "
            "each: label more pictures"
        )
    slope, offset = fit_platt(found.raw, found.right)
    if slope <= 0:
        raise InputError(
            "higher scores are not more often right here, so a calibration is not possible: "
            "`minet model --picture` shows whether the boxes are right"
        )
    return slope, offset


def fit_platt(raw: Floats, right: Bools) -> tuple[float, float]:
    """Platt's (a, b) by maximum likelihood; the loss is convex, so any start works."""

    def loss(ab: Floats) -> float:
        return log_loss(raw, right, (float(ab[0]), float(ab[1])))

    a, b = minimize(loss, x0=(1.0, 0.0)).x
    return float(a), float(b)


def log_loss(raw: Floats, right: Bools, calibration: Calibration) -> float:
    """Mean negative log-likelihood of the detections under sigmoid(a · logit + b)."""
    z = calibration[0] * _logit(raw) + calibration[1]
    return float(-np.where(right, log_expit(z), log_expit(-z)).mean())


def scaled(raw: Floats, calibration: Calibration) -> Floats:
    """(D,) probabilities of (D,) raw scores."""
    return np.asarray(expit(calibration[0] * _logit(raw) + calibration[1]))


def _logit(raw: Floats) -> Floats:
    return np.asarray(logit(np.clip(raw, 1 - SUREST, SUREST)))


@dataclass(frozen=True, slots=True)
class Bin:
    """Detections of similar scores.

    Attributes:
        low: minimum score; the maximum is a tenth above.
        count: number of detections.
        mean: their mean score.
        right: share that is right.
    """

    low: float
    count: int
    mean: float
    right: float


def reliability(scores: Floats, right: Bools) -> list[Bin]:
    """Number of detections and share that is right, for each tenth of the score."""
    tenths = np.clip((scores * 10).astype(np.int64), 0, 9)
    bins = []
    for tenth in np.unique(tenths):
        inside = tenths == tenth
        mean, share = float(scores[inside].mean()), float(right[inside].mean())
        bins.append(Bin(tenth / 10, int(inside.sum()), mean, share))
    return bins
