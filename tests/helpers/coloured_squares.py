"""Three coloured squares: red goes right and green left, past each other; blue stands below.

The detector takes every square for a car, and the embedder knows colours: what comes out can be
foretold.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from stub_model import CLASSES
from torch import Tensor

from minet_core.models.detector import BaseDetections, FeatureMap, Frame
from minet_core.models.zoo import Model
from minet_core.scores import ScoreKind

WIDTH, HEIGHT, SIDE = 160, 120, 20
COLOURS = {"red": (250, 20, 20), "green": (20, 250, 20), "blue": (20, 20, 250)}
FRAMES = 24


def box_at(name: str, frame: int) -> tuple[float, float, float, float]:
    x = {"red": 4.0 + 4 * frame, "green": 130.0 - 4 * frame, "blue": 70.0}[name]
    y = {"red": 30.0, "green": 42.0, "blue": 90.0}[name]
    return x, y, x + SIDE, y + SIDE


def picture(frame: int, names: Sequence[str] = tuple(COLOURS)) -> Frame:
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for name in names:
        x1, y1, x2, y2 = (int(side) for side in box_at(name, frame))
        image[y1:y2, x1:x2] = COLOURS[name]
    return image


def write_pictures(folder: Path, frames: int = FRAMES) -> Path:
    """A folder of pictures, which is a video."""
    folder.mkdir()
    for frame in range(frames):
        Image.fromarray(picture(frame)).save(folder / f"{frame:03}.png")
    return folder


class ColourDetector:
    """Finds the coloured squares, and an empty place; takes every square for a car.

    Args:
        kind: what scores mean.
        weak: colours of which it is unsure.
        blind: whether it must not be asked any more.
    """

    classes = CLASSES

    def __init__(
        self,
        kind: ScoreKind = ScoreKind.SIGMOID,
        weak: Sequence[str] = tuple(COLOURS),
        *,
        blind: bool = False,
    ) -> None:
        self.score_kind = kind
        self.weak = weak
        self.blind = blind

    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        assert not self.blind, "everything was seen already"
        return [self._detect(frame) for frame in frames]

    def _detect(self, frame: Frame) -> BaseDetections:
        rows, scores = [[2.0, 95.0, 22.0, 115.0]], [[0.05] * len(CLASSES)]
        for name, colour in COLOURS.items():
            ys, xs = (np.abs(frame.astype(int) - colour).max(axis=2) < 30).nonzero()
            if len(xs):
                rows.append([xs.min() + 1.0, ys.min() - 1.0, xs.max() + 2.0, ys.max() + 0.0])
                sure = 0.65 if name in self.weak else 0.9
                scores.append([0.2 * sure, sure, *[0.0] * (len(CLASSES) - 2)])
        boxes, values = torch.tensor(rows), torch.tensor(scores)
        if self.score_kind is ScoreKind.SOFTMAX:
            values = torch.cat([1 - values.sum(dim=1, keepdim=True), values], dim=1)
        return BaseDetections(boxes, boxes, values)


class ColourEmbedder:
    """The mean colour inside a box, of length one."""

    dim = 3

    def features(self, frame: Frame) -> FeatureMap:
        return FeatureMap(torch.from_numpy(frame).permute(2, 0, 1)[None].float(), 1.0)

    def embed(self, features: FeatureMap, boxes: Tensor) -> Tensor:
        found = [self._mean(features.values[0], box) for box in boxes.tolist()]
        stacked = torch.stack(found) if found else torch.zeros(0, 3)
        return torch.nn.functional.normalize(stacked, dim=1)

    def _mean(self, image: Tensor, box: list[float]) -> Tensor:
        x1, y1, x2, y2 = (max(0, int(side)) for side in box)
        inside = image[:, y1:y2, x1:x2]
        return inside.mean(dim=(1, 2)) if inside.numel() else torch.ones(3)


def colour_model(**options: Any) -> Model:
    return Model("colours", ColourDetector(**options), ColourEmbedder())
