"""The measuring script: its matching and precision on cases worked out by hand."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(SCRIPTS)
    return pytest.importorskip("measure_detector", reason="needs OpenCV")


def test_an_object_is_found_once_and_by_its_class(script: ModuleType) -> None:
    true_boxes = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10]])
    boxes = torch.tensor([[0.0, 0, 10, 9], [0, 0, 10, 10], [20, 0, 30, 10], [20, 0, 30, 4]])
    right = script.match(boxes, torch.tensor([0, 0, 0, 1]), true_boxes, torch.tensor([0, 1]))
    assert right.tolist() == [True, False, False, False]


def test_nothing_is_right_without_objects(script: ModuleType) -> None:
    none = torch.zeros(0, dtype=torch.int64)
    assert script.match(torch.ones(2, 4), torch.zeros(2), torch.zeros(0, 4), none).sum() == 0


def test_average_precision_by_hand(script: ModuleType) -> None:
    # Precision 1, 1/2, 2/3, 2/4, 3/5; the envelope at the three hits is 1, 2/3 and 3/5.
    pairs = script.Pairs(
        label=np.array([0, 0, 0, 0, 0, 1]),
        raw=np.array([0.5, 0.9, 0.8, 0.7, 0.6, 0.99]),
        right=np.array([True, True, False, True, False, False]),
    )
    assert script.average_precision(pairs, 0, 4) == pytest.approx((1 + 2 / 3 + 3 / 5) / 4)


def test_reads_yolo_labels_as_pixels(script: ModuleType, tmp_path: Path) -> None:
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    script.cv2.imwrite(str(tmp_path / "images" / "a.png"), np.zeros((50, 100, 3), np.uint8))
    (tmp_path / "labels" / "a.txt").write_text("1 0.5 0.5 0.2 0.4\n0 0.5 0.5 1 1\n")
    (tmp_path / "classes.txt").write_text("unknown\ncat\n")
    columns = script.class_columns(tmp_path / "classes.txt", ("dog", "cat"), None)
    ((frame, boxes, classes),) = script.read_examples(
        tmp_path / "images", tmp_path / "labels", columns
    )
    assert frame.shape == (50, 100, 3)
    torch.testing.assert_close(boxes, torch.tensor([[40.0, 15, 60, 35]]))
    assert classes.tolist() == [1]
