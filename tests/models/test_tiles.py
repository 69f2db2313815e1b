"""Crops beside the whole frame: each object once, where it is, whatever the detector."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from minet_cli.main import run
from minet_core import load_model
from minet_core.formats import read_json
from minet_core.models.detector import BaseDetections, Frame
from minet_core.models.stored_detections import from_final
from minet_core.models.tiles import TiledDetector, crops
from minet_core.scores import ScoreKind


class Bright:
    """Finds the bright rectangle of a picture, if it is a twelfth as wide as it, as best it can."""

    classes = ("lamp", "sun")

    def __init__(self, kind: ScoreKind = ScoreKind.SIGMOID, *, final: bool = False) -> None:
        self.score_kind = kind
        self.final = final
        self.batches: list[int] = []

    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        self.batches.append(len(frames))
        return [self._detect(frame) for frame in frames]

    def _detect(self, frame: Frame) -> BaseDetections:
        rows, columns = (np.flatnonzero(frame[..., 0].any(axis=axis)) for axis in (1, 0))
        seen = len(columns) * 12 >= frame.shape[1]
        boxes = torch.zeros(0, 4)
        if seen:
            box = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
            boxes = torch.tensor([box], dtype=torch.float32)
        score = len(columns) / frame.shape[1]
        if self.final:
            labels = torch.zeros(len(boxes), dtype=torch.int64)
            return from_final(boxes, labels, torch.full((len(boxes),), score), 2, frame)
        return BaseDetections(boxes, boxes, self._scores(score).repeat(len(boxes), 1))

    def _scores(self, score: float) -> Tensor:
        if self.score_kind is ScoreKind.SOFTMAX:
            return torch.tensor([[1 - score, score, 0]])
        return torch.tensor([[score, 0]])


def frame(left: int, top: int, right: int, lower: int) -> Frame:
    picture = np.zeros((180, 320, 3), np.uint8)
    picture[top:lower, left:right] = 255
    return picture


def found(detector: Bright, picture: Frame, tiles: int = 3) -> list[list[float]]:
    base = TiledDetector(detector, tiles).detect([picture])[0]
    scores = base.scores[:, 1:] if detector.score_kind is ScoreKind.SOFTMAX else base.scores
    return base.boxes[scores.amax(dim=1) > 0].tolist()


@pytest.mark.parametrize(("size", "count"), [((1920, 1080), 3), ((1080, 1920), 3), ((101, 67), 2)])
def test_crops_cover_the_frame_and_overlap(size, count):
    width, height = size
    places = crops(width, height, count)
    assert len({(right - left, lower - top) for left, top, right, lower in places}) == 1
    seen = np.zeros((height, width), int)
    for left, top, right, lower in places:
        assert 0 <= left < right <= width
        assert 0 <= top < lower <= height
        seen[top:lower, left:right] += 1
    assert seen.min() == 1
    assert seen.max() > 1


def test_one_crop_is_the_frame():
    assert crops(640, 360, 1) == [(0, 0, 640, 360)]


@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("left", range(4, 300, 37))
def test_small_objects_are_found_once_and_whole(left, final):
    box = [left, 70, left + 16, 88]
    assert found(Bright(final=final), frame(*box), tiles=1) == []
    assert found(Bright(final=final), frame(*box)) == [box]


@pytest.mark.parametrize("final", [False, True])
def test_large_objects_are_those_of_the_whole_frame(final):
    assert found(Bright(final=final), frame(20, 20, 300, 160)) == [[20, 20, 300, 160]]


def test_scores_with_a_background():
    assert found(Bright(ScoreKind.SOFTMAX), frame(150, 70, 166, 88)) == [[150, 70, 166, 88]]


def test_all_crops_of_all_frames_are_one_batch():
    detector = Bright()
    pictures = [frame(150, 70, 166, 88), frame(4, 4, 20, 20)]
    bases = TiledDetector(detector, 3).detect(pictures)
    assert detector.batches == [2 * (1 + len(crops(320, 180, 3)))]
    assert [base.boxes.tolist() for base in bases] == [[[150, 70, 166, 88]], [[4, 4, 20, 20]]]


def test_finished_boxes_of_one_crop_may_overlap():
    """Two people in front of each other, whom the detector has told apart."""
    boxes = torch.tensor([[100.0, 40, 140, 140], [108, 40, 148, 140]])

    class Pair(Bright):
        def _detect(self, frame: Frame) -> BaseDetections:
            seen = boxes if frame.shape[1] == 320 else torch.zeros(0, 4)
            labels = torch.zeros(len(seen), dtype=torch.int64)
            return from_final(seen, labels, torch.full((len(seen),), 0.9), 2, frame)

    assert found(Pair(final=True), frame(0, 0, 1, 1)) == boxes.tolist()


def test_around_a_model():
    model = load_model(detector=Bright(), device="cpu", tiles=3)
    assert model.detector.classes == ("lamp", "sun")
    assert len(model.detector.detect([frame(150, 70, 166, 88)])[0]) == 1


def test_the_command_sees_what_only_crops_show(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(Path(__file__).parent)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(4):
        left = 150 + number
        picture = Image.fromarray(frame(left, 70, left + 16, 88))
        picture.save(pictures / f"{number}.png")
    (tmp_path / "own.py").write_text(
        "from test_tiles import Bright\n\n\ndef build():\n    return Bright()\n"
    )
    common = ["detect", "pictures", "--model", "own.py:build", "--device", "cpu", "--score", "0.1"]
    assert run([*common, "-o", "plain"]) == 0
    assert run([*common, "-o", "tiled", "--tiles", "3"]) == 0
    assert len(read_json("plain/pictures/result.json").rows) == 0
    header, rows, _ = read_json("tiled/pictures/result.json")
    assert header["settings"]["tiles"] == 3
    assert sorted(rows.frame) == [0, 1, 2, 3]
