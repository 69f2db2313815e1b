"""Small data and settings that a training on a CPU takes a second with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK
from minet_core.datasets import Dataset, FrameTruth, Problems, VideoTruth, make_toy
from minet_core.datasets.pictures import PictureFiles
from minet_core.training.settings import TINY, TrainConfig
from minet_core.video.drawing.lettering import load_opencv

TOY_SIZE = 96


def toy(folder: Path) -> str:
    """Two videos to learn from and one to measure on, as `--data` names them."""
    make_toy(folder, seed=5, train=2, val=1, frames=6, size=TOY_SIZE, classes=("disc", "star"))
    return f"toy:{folder}"


def tiny(data: str, **settings: Any) -> TrainConfig:
    """Few steps of minet-tiny on pictures of 96 × 72."""
    quick: dict[str, Any] = {"steps": 4, "batch": 2, "shorter": 48, "longer": 64, "warmup": 0}
    quick |= {"lr": 0.01, "optimizer": "sgd"}
    return replace(TINY, data=((data, 1.0),), **(quick | settings))


class Watcher:
    """Keeps what it is told; `at_step` is called after each step."""

    def __init__(self, at_step: Callable[[int], None] = lambda _: None) -> None:
        self.notes: list[str] = []
        self.rows: list[Mapping[str, float]] = []
        self.best: list[int] = []
        self._at_step = at_step

    def note(self, line: str) -> None:
        self.notes.append(line)

    def begins(self, done: int, config: TrainConfig) -> None:
        pass

    def step(self, done: int, numbers: Mapping[str, float]) -> None:
        self.rows.append(dict(numbers))
        self._at_step(done)

    def measured(self, done: int, found: object, *, best: bool) -> None:  # noqa: ARG002
        if best:
            self.best.append(done)


def write_picture(path: Path, image: NDArray[np.uint8]) -> Path:
    """RGB, without loss if the name ends in .png."""
    path.parent.mkdir(parents=True, exist_ok=True)
    load_opencv().imwrite(str(path), image[..., ::-1])
    return path


def truth(
    index: int,
    boxes: Sequence[Sequence[float]],
    tracks: Sequence[int] | None = None,
    ignore: Sequence[bool] | None = None,
) -> FrameTruth:
    count = len(boxes)
    none = np.zeros(count, np.bool_)
    return FrameTruth(
        index,
        np.array(boxes, np.float64).reshape(-1, 4),
        np.zeros(count, np.int64),
        np.array(tracks if tracks is not None else [NO_TRACK] * count, np.int64),
        none if ignore is None else np.array(ignore, np.bool_),
        none,
        none,
    )


def video(
    folder: Path,
    truths: Sequence[FrameTruth],
    problems: Problems,
    *,
    name: str = "street",
    size: tuple[int, int] = (64, 48),
    broken: Sequence[int] = (),
) -> VideoTruth:
    """A video of grey pictures, frame i of brightness 10 · i; broken ones cannot be decoded."""
    paths = [folder / name / f"{index}.png" for index in range(len(truths))]
    for index, path in enumerate(paths):
        write_picture(path, np.full((size[1], size[0], 3), 10 * index, np.uint8))
        if index in broken:
            path.write_bytes(b"no picture")
    return VideoTruth(
        name,
        PictureFiles(len(truths), lambda index: paths[index]),
        lambda index: truths[index],
        size=lambda: size,
        problems=problems,
    )


def dataset(*videos: VideoTruth, problems: Problems) -> Dataset:
    return Dataset("made", ("thing",), videos, False, problems)


def random(number: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(number)
