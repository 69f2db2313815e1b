"""Measure how well an identify network tells objects apart, apart from any detector's mistakes.

    python scripts/measure_identify.py mot:ROOT [--weights FILE] [--preset paper]

The true boxes of a dataset with track ids are given as detections, score 0.9; the bundled
detector's other proposals are the negatives. What is scored is whether the memory gives a box the
id it gave the same object before: IDF1, association accuracy and identity switches.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torchvision.ops import box_iou

from minet_core.config import PRESETS
from minet_core.datasets.base import FrameTruth
from minet_core.datasets.open import open_dataset
from minet_core.evaluation.frames import EvalFrame, FoundBoxes, TrueBoxes
from minet_core.evaluation.tracking import TrackingAccumulator
from minet_core.inference.online import OnlineDetector
from minet_core.models.detector import BaseDetections, Detector, Frame
from minet_core.models.identify import load_identify
from minet_core.models.weights import weights_folder
from minet_core.models.zoo import Model, load_model
from minet_core.scores import ScoreKind

SCORE = 0.9


class TrueDetector:
    """The true boxes of the next frame, with a detector's proposals as background.

    Attributes:
        truth: of the frame that comes next.
    """

    score_kind = ScoreKind.SIGMOID

    def __init__(self, proposer: Detector, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.truth: FrameTruth
        self._proposer = proposer

    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        """True boxes first, each with SCORE in its class; then proposals that are not theirs."""
        (found,) = self._proposer.detect(frames)
        boxes = torch.from_numpy(self.truth.boxes).float()
        elsewhere = (box_iou(found.proposals, boxes) < 0.5).all(dim=1)
        every = torch.cat([boxes, found.proposals[elsewhere]])
        scores = torch.zeros(len(every), len(self.classes))
        scores[range(len(boxes)), self.truth.label_ids] = SCORE
        return [BaseDetections(every, every, scores)]


def main() -> None:
    """Run the memory over every video of the dataset and print the scores of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    bundled = weights_folder() / "minet-nano-identify.safetensors"
    parser.add_argument("--weights", type=Path, default=bundled)
    parser.add_argument("--preset", choices=PRESETS, default="paper")
    arguments = parser.parse_args()

    dataset = open_dataset(arguments.data)
    detector = TrueDetector(load_model(device="cpu").detector, dataset.classes)
    model = Model("true boxes", detector, load_identify(arguments.weights))
    accumulator = TrackingAccumulator(dataset.classes)
    for video in dataset.videos:
        online = OnlineDetector(model, PRESETS[arguments.preset], score=0.0)
        frames = []
        for index, image in video.images():
            detector.truth = truth = video.frame(index)
            time = float(index / video.frame_rate)
            found = online.update(image, frame=index, pts=None, time=time)
            shown = found.scores > SCORE / 10
            frames.append(
                EvalFrame(
                    video.name,
                    index,
                    TrueBoxes.of(truth.boxes, truth.label_ids, truth.track_ids, truth.ignore),
                    FoundBoxes.of(
                        found.boxes[shown],
                        found.label_ids[shown],
                        found.scores[shown],
                        found.track_ids[shown],
                    ),
                )
            )
        accumulator.add_video(video.name, frames)
    for name, scores in accumulator.result().videos.items():
        print(  # noqa: T201
            f"{name}: IDF1 {100 * scores.idf1:.1f}, AssA {100 * scores.ass_a:.1f}, "
            f"{scores.id_switches} switches, {scores.true_tracks} tracks"
        )


if __name__ == "__main__":
    main()
