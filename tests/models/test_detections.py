import numpy as np
import pytest
import torch
from eval_data import CAR, SharpEmbedder, person
from stub_model import stub_model
from torchvision.ops import box_iou
from video_factory import grey_images

from minet_core.boxes import NO_TRACK
from minet_core.config import PAPER, VIDEO
from minet_core.errors import InputError
from minet_core.inference.online import OnlineDetector
from minet_core.models.stored_detections import GRID_IOU, StoredBoxes, grid
from minet_core.models.zoo import Model

FRAME = np.zeros((48, 64, 3), np.uint8)


def stored(rows, classes=("person", "car")) -> StoredBoxes:
    """Of (frame, box, class, score)."""
    scores = np.array([row[3] for row in rows], np.float64)
    return StoredBoxes(
        source="boxes.txt",
        classes=classes,
        frames=np.array([row[0] for row in rows], np.int64),
        boxes=np.array([row[1] for row in rows], np.float64).reshape(-1, 4),
        label_ids=np.array([row[2] for row in rows], np.int64),
        scores=scores,
        base_scores=scores,
        track_ids=np.full(len(rows), NO_TRACK),
        covered=frozenset({0, 1}),
    )


def from_file(rows) -> Model:
    return Model("file", stub_model().detector, SharpEmbedder(), stored=stored(rows))


class TestDetector:
    def test_rows_of_a_frame_in_order(self):
        boxes = stored([(0, CAR, 1, 0.5), (2, person(2), 0, 0.25)])
        first, second, third = (boxes.detections(i, FRAME) for i in range(3))
        assert first.boxes[0].tolist() == list(CAR)
        assert first.scores[0].tolist() == [0, 0.5]
        assert second.scores.sum() == 0
        assert third.scores.max(dim=0).values.tolist() == [0.25, 0]

    def test_frames_can_be_skipped(self):
        assert stored([(5, CAR, 1, 0.5)]).detections(5, FRAME).scores.max() == 0.5

    def test_one_box_of_two_classes_is_one_box(self):
        found = stored([(0, CAR, 1, 0.5), (0, CAR, 0, 0.25)]).detections(0, FRAME)
        assert found.scores[0].tolist() == [0.25, 0.5]
        assert (found.scores.amax(dim=1) > 0).sum() == 1

    def test_grid_lies_in_the_frame_beside_the_boxes(self):
        corner = grid(64, 48)[0].tolist()  # a given box just where the grid has one
        found = stored([(0, corner, 1, 0.5)]).detections(0, FRAME)
        beside = found.boxes[1:]
        assert len(beside) > 50
        assert (found.scores[1:] == 0).all()
        assert box_iou(beside, found.boxes[:1]).max() < GRID_IOU
        assert beside.min() >= 0
        assert (beside[:, 2:] <= torch.tensor([64, 48])).all()
        assert torch.equal(found.proposals, found.boxes)

    @pytest.mark.parametrize("size", [(1, 1), (3, 400), (400, 3)])
    def test_grid_of_any_frame(self, size):
        boxes = grid(*size)
        assert boxes.isfinite().all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()

    def test_clipping(self):
        boxes = stored([(0, CAR, 1, 7.0), (1, CAR, 1, -3.0)])
        high, low = (boxes.detections(i, FRAME) for i in range(2))
        assert 0.999 < high.scores.max() < 1
        assert low.scores.max() == 0
        assert boxes.warnings == ["boxes.txt: scores outside 0 … 1, clipped: 2"]

    @pytest.mark.parametrize(
        ("row", "complaint"),
        [
            ((3, CAR, 1, np.nan), "boxes.txt, frame 3: a number is missing or not finite"),
            ((3, (5, 5, 5, 9), 1, 0.5), "boxes.txt, frame 3: a box is inverted or without area"),
            ((-1, CAR, 1, 0.5), "boxes.txt, frame -1: a frame before the first"),
        ],
    )
    def test_unsound_rows(self, row, complaint):
        with pytest.raises(InputError, match=complaint):
            stored([row])


class TestStep:
    """`OnlineDetector.step` is `update` before anything is left out for display."""

    def test_same_ids_and_scores_as_update(self):
        one, other = (OnlineDetector(stub_model(), PAPER) for _ in range(2))
        for i, image in enumerate(grey_images(6)):
            shown = one.update(image, frame=i, pts=i, time=i / 25)
            whole = other.step(image, frame=i, time=i / 25)
            rows = [int(np.flatnonzero(whole.track_ids == t)[0]) for t in shown.track_ids]
            assert len(rows) == 2
            np.testing.assert_array_equal(whole.boxes[rows], shown.boxes)
            np.testing.assert_array_equal(whole.scores[rows, shown.label_ids], shown.scores)
            np.testing.assert_array_equal(whole.base[rows, shown.label_ids], shown.base_scores)
            assert whole.scores.shape == (2, 3)

    def test_without_memory_scores_are_the_base_scores(self):
        whole = OnlineDetector(stub_model(), None).step(grey_images(1)[0], frame=0, time=0.0)
        np.testing.assert_array_equal(whole.scores, whole.base)
        assert (whole.track_ids == NO_TRACK).all()

    def test_given_detections_are_not_asked_for_again(self):
        model = stub_model(fail_at=0)
        base = stub_model().detector.detect([grey_images(1)[0]])[0]
        whole = OnlineDetector(model, PAPER).step(grey_images(1)[0], frame=0, time=0.0, base=base)
        assert whole.track_ids.tolist() == [1, 2]

    def test_memory_never_detects_on_the_grid(self):
        online = OnlineDetector(from_file([(i, CAR, 1, 1.0) for i in range(8)]), PAPER)
        for i, image in enumerate(grey_images(8)):
            whole = online.step(image, frame=i, time=i / 25)
            assert (whole.scores > 0).sum() == 1
            assert np.isfinite(whole.scores).all()
            assert whole.track_ids[whole.scores.max(axis=1) > 0].tolist() == [1]


@pytest.mark.parametrize("config", [None, PAPER, VIDEO])
def test_no_box_of_a_file_is_suppressed(config):
    """Two people that overlap by three quarters are two, whoever is the surer by a hair."""
    close = [(4.0, 8.0, 32.0, 40.0), (8.0, 8.0, 36.0, 40.0)]
    rows = [
        (i, box, 0, score) for i in range(5) for box, score in zip(close, (0.9, 0.89), strict=True)
    ]
    online = OnlineDetector(from_file(rows), config)
    for i, image in enumerate(grey_images(5)):
        found = online.update(image, frame=i, pts=None, time=i / 25)
        assert sorted(box.tolist() for box in found.boxes) == sorted(map(list, close))


def test_sure_boxes_of_a_file_that_overlap_are_tracks():
    close = [(4.0, 8.0, 32.0, 40.0), (8.0, 8.0, 36.0, 40.0)]
    rows = [(i, box, 0, 0.9) for i in range(5) for box in close]
    online = OnlineDetector(from_file(rows), VIDEO)
    for i, image in enumerate(grey_images(5)):
        found = online.update(image, frame=i, pts=None, time=i / 25)
    assert sorted(found.track_ids.tolist()) == [1, 2]
