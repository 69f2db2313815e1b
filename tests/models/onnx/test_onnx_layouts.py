"""Every layout, with a graph whose boxes are known.

All graphs see a frame of 128 × 128 in 64 × 64 pixels, and find a cat and a dog in it.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto
from onnx_factory import write_graph

from minet_core.models.detector import BaseDetections
from minet_core.models.onnx.detector import load_onnx
from minet_core.models.onnx.layouts.grids import places
from minet_core.scores import ScoreKind

CLASSES = ("cat", "dog", "cow")
NAMES = "{0: 'cat', 1: 'dog', 2: 'cow'}"
TRUE = np.array([[16, 32, 80, 96], [64, 8, 120, 40]], np.float32)
SEEN = TRUE / 2
SCORES = np.array([[0.9, 0.2, 0.05], [0.1, 0.7, 0.05]], np.float32)
FRAME = np.zeros((128, 128, 3), np.uint8)
SIZE = (64, 64)
CELLS, CELLS_OF_FOUR = 84, 85  # at strides 8, 16 and 32; and at 64 too
ROWS = [20, 70]
"""The cells that see the two objects; all others see nothing."""


def logit(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.log(scores / (1 - scores))


def centres(boxes: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.hstack([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]])


def table(rows: int, columns: int) -> NDArray[np.float32]:
    return np.zeros((1, rows, columns), np.float32)


def classes_file(path: Path) -> None:
    path.with_name(f"{path.name}.toml").write_text('classes = ["cat", "dog", "cow"]')


def yolo(path: Path, *, cells_first: bool = False) -> None:
    values = table(CELLS, 7)
    values[0, ROWS, :4], values[0, ROWS, 4:] = centres(SEEN), SCORES
    values = values if cells_first else values.transpose(0, 2, 1).copy()
    write_graph(path, {"output0": values}, metadata={"names": NAMES, "task": "detect"})


def yolo_cells_first(path: Path) -> None:
    yolo(path, cells_first=True)


def yolo_masks(path: Path) -> None:
    values = np.full((1, 7 + 32, CELLS), 0.5, np.float32)
    values[0, :7] = 0
    values[0, :4, ROWS], values[0, 4:7, ROWS] = centres(SEEN), SCORES
    masks = np.zeros((1, 32, 16, 16), np.float32)
    metadata = {"names": NAMES, "task": "segment"}
    write_graph(path, {"output0": values, "output1": masks}, metadata=metadata)


def yolov5(path: Path) -> None:
    values = table(3 * CELLS, 8)
    values[0, ROWS, :4] = centres(SEEN)
    values[0, ROWS, 4], values[0, ROWS, 5:] = 0.95, SCORES / 0.95
    write_graph(path, {"output0": values}, metadata={"names": str(list(CLASSES)), "stride": "32"})


def yolox_table(*, decoded: bool) -> NDArray[np.float32]:
    corners, strides = places(SIZE, (8, 16, 32))
    values = table(CELLS, 8)
    values[0, :, :2], values[0, :, 2:4] = 0.5, -5
    seen = centres(SEEN)
    values[0, ROWS, :2] = seen[:, :2] / strides[ROWS] - corners[ROWS]
    values[0, ROWS, 2:4] = np.log(seen[:, 2:] / strides[ROWS])
    if decoded:
        values[0, :, :2] = (values[0, :, :2] + corners) * strides
        values[0, :, 2:4] = np.exp(values[0, :, 2:4]) * strides
    values[0, ROWS, 4], values[0, ROWS, 5:] = 0.95, SCORES / 0.95
    return values


def yolox(path: Path) -> None:
    write_graph(path, {"output": yolox_table(decoded=False)})
    classes_file(path)


def yolox_decoded(path: Path) -> None:
    write_graph(path, {"output": yolox_table(decoded=True)})
    classes_file(path)


def nanodet_plus(path: Path) -> None:
    values = table(CELLS_OF_FOUR, 3 + 32)
    strides = (8, 16, 32, 64)
    rows = cells_in_objects(strides)
    values[0, rows, :3] = SCORES
    values[0, rows, 3:] = side_logits(rows, strides, 0.0, 8)
    write_graph(path, {"output": values})
    classes_file(path)


def cells_in_objects(strides: tuple[int, ...]) -> list[int]:
    """For each object a cell of stride 8 whose corner and middle are inside it."""
    corners, steps = places(SIZE, strides)
    points, inside = corners * steps, []
    for box in SEEN:
        fits = (steps[:, 0] == 8) & (points > box[:2]).all(1) & (points + 4 < box[2:]).all(1)
        inside.append(int(np.flatnonzero(fits)[0]))
    return inside


def side_logits(rows: list[int], strides: tuple[int, ...], middle: float, bins: int):
    """Logits that put a side's whole weight on its two neighbouring distances."""
    corners, steps = (values[rows] for values in places(SIZE, strides))
    points = (corners + middle) * steps
    sides = np.hstack([points - SEEN[:, :2], SEEN[:, 2:] - points]) / steps
    logits = np.full((len(rows), 4, bins), -100, np.float32)
    for row, side in np.ndindex(sides.shape):
        below = int(sides[row, side])
        share = sides[row, side] - below
        logits[row, side, below] = np.log(1 - share)
        logits[row, side, below + 1] = np.log(np.maximum(share, 1e-30))
    return logits.reshape(len(rows), 4 * bins)


def nanodet_tables(rows: list[int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    scores, sides = table(CELLS, 3), table(CELLS, 44)
    scores[0, rows] = SCORES
    sides[0, rows] = side_logits(rows, (8, 16, 32), 0.5, 11)
    return scores, sides


def nanodet(path: Path) -> None:
    scores, sides = nanodet_tables(cells_in_objects((8, 16, 32)))
    write_graph(path, {"scores": logit(np.clip(scores, 1e-6, 1)), "distances": sides})
    classes_file(path)


def nanodet_heads(path: Path) -> None:
    scores, sides = nanodet_tables(cells_in_objects((8, 16, 32)))
    parts = {8: slice(0, 64), 16: slice(64, 80), 32: slice(80, 84)}
    heads = {f"cls_pred_stride_{stride}": scores[:, part] for stride, part in parts.items()}
    heads |= {f"dis_pred_stride_{stride}": sides[:, part] for stride, part in parts.items()}
    write_graph(path, {name: np.ascontiguousarray(value) for name, value in heads.items()})
    classes_file(path)


def shares() -> NDArray[np.float32]:
    """Both objects and a query that sees nothing, as shares of the picture."""
    values = np.concatenate([centres(SEEN) / 64, [[0.5, 0.5, 0.1, 0.1]]])
    return values[None].astype(np.float32)


NOTHING = np.full((1, 3), 1e-4, np.float32)
QUERY_SCORES = np.concatenate([SCORES, NOTHING])


def rf_detr(path: Path) -> None:
    logits = logit(np.hstack([QUERY_SCORES, np.full((3, 1), 0.99, np.float32)]))[None]
    write_graph(path, {"dets": shares(), "labels": logits})
    classes_file(path)


def rf_detr_told(path: Path) -> None:
    logits = logit(np.hstack([np.full((3, 1), 0.99, np.float32), QUERY_SCORES]))[None]
    told = {
        "class_id_to_name": {"1": "cat", "2": "dog", "3": "cow"},
        "means": [0.485, 0.456, 0.406],
        "stds": [0.229, 0.224, 0.225],
    }
    metadata = {"rfdetr_inference": json.dumps(told)}
    write_graph(path, {"dets": shares(), "labels": logits}, metadata=metadata)


def huggingface(path: Path) -> None:
    write_graph(path, {"logits": logit(QUERY_SCORES)[None], "pred_boxes": shares()})
    config = {"id2label": dict(enumerate(CLASSES))}
    path.with_name("config.json").write_text(json.dumps(config))
    prepared = {"size": {"height": 64, "width": 64}, "do_normalize": False}
    path.with_name("preprocessor_config.json").write_text(json.dumps(prepared))


def yolo_rtdetr(path: Path) -> None:
    values = np.concatenate([shares(), QUERY_SCORES[None]], axis=2)
    write_graph(path, {"output0": values}, metadata={"names": NAMES, "task": "detect"})


def end2end(path: Path) -> None:
    values = table(300, 6)
    values[0, :2, :4] = SEEN
    values[0, :2, 4:] = [[0.9, 0], [0.7, 1]]
    write_graph(path, {"output0": values}, metadata={"names": NAMES, "task": "detect"})


def end2end_masks(path: Path) -> None:
    values = np.concatenate([table(300, 6), np.full((1, 300, 32), 0.5, np.float32)], axis=2)
    values[0, :2, :4] = SEEN
    values[0, :2, 4:6] = [[0.9, 0], [0.7, 1]]
    metadata = {"names": NAMES, "task": "segment", "end2end": "True"}
    write_graph(path, {"output0": values}, metadata=metadata)


def mmdeploy(path: Path) -> None:
    dets = np.hstack([SEEN, [[0.9], [0.7]]]).astype(np.float32)[None]
    write_graph(path, {"dets": dets, "labels": np.array([[0, 1]])})
    classes_file(path)


SIZES = {"orig_target_sizes": (TensorProto.INT64, (1, 2))}


def rt_detr(path: Path) -> None:
    outputs = {
        "labels": np.array([[0, 1, 2]]),
        "boxes": np.concatenate([SEEN, SEEN[:1]])[None],
        "scores": np.array([[0.9, 0.7, 0.2]], np.float32),
    }
    write_graph(path, outputs, others=SIZES)
    classes_file(path)


def torchvision(path: Path) -> None:
    outputs = {"a": SEEN, "b": np.array([1, 2]), "c": np.array([0.9, 0.7], np.float32)}
    write_graph(path, outputs, free={"a": ("n", 4), "b": ("n",), "c": ("n",)})
    classes_file(path)


ALL_SCORES = [yolo, yolo_cells_first, yolo_masks, yolov5, yolox, yolox_decoded, nanodet_plus]
ALL_SCORES += [nanodet, nanodet_heads, rf_detr, rf_detr_told, huggingface, yolo_rtdetr]
BEST_ONLY = [end2end, end2end_masks, mmdeploy, rt_detr, torchvision]
NAMES_OF = {"yolo_cells_first": "yolo", "yolo_masks": "yolo", "yolox_decoded": "yolox"}
NAMES_OF |= {"nanodet_heads": "nanodet", "rf_detr_told": "rf-detr", "end2end_masks": "end2end"}


def named(builder: Callable[[Path], None]) -> str:
    return NAMES_OF.get(builder.__name__, builder.__name__.replace("_", "-"))


def detect(builder: Callable[[Path], None], folder: Path) -> BaseDetections:
    builder(folder / "model.onnx")
    detector = load_onnx(folder / "model.onnx")
    assert detector.recognised.layout.name == named(builder)
    assert detector.classes == CLASSES
    assert detector.score_kind is ScoreKind.SIGMOID
    return detector.detect([FRAME])[0]


@pytest.mark.parametrize("builder", ALL_SCORES)
def test_boxes_with_a_score_of_every_class(builder, tmp_path: Path) -> None:
    found = detect(builder, tmp_path)
    best = found.scores.amax(dim=1).argsort(descending=True)[:2]
    np.testing.assert_allclose(found.boxes[best], TRUE, atol=2e-3)
    np.testing.assert_allclose(found.scores[best], SCORES, atol=1e-5)
    assert bool((found.proposals == found.boxes).all())


@pytest.mark.parametrize("builder", BEST_ONLY)
def test_boxes_with_one_class(builder, tmp_path: Path) -> None:
    found = detect(builder, tmp_path)
    best = found.scores.amax(dim=1).argsort(descending=True)[:2]
    np.testing.assert_allclose(found.boxes[best], TRUE, atol=1e-4)
    second = 0.2 if builder is rt_detr else 0  # the same box once more, as a cow
    np.testing.assert_allclose(found.scores[best], [[0.9, 0, second], [0, 0.7, 0]], atol=1e-6)
    # What an identifier has to learn its object from, the rest, is a grid of empty boxes.
    assert len(found) > 20
    assert not found.scores[~np.isin(np.arange(len(found)), best)].any()
