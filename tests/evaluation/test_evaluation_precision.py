import io
import math
import sys
from contextlib import redirect_stdout
from random import Random

import numpy as np
import pytest
from evaluation_frames import at, frame, random_frames
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from minet_core.boxes import edges_of_inclusive
from minet_core.errors import ConfigError, InputError
from minet_core.evaluation.frames import (
    EvalFrame,
    FoundBoxes,
    TrueBoxes,
)
from minet_core.evaluation.matching import ApProtocol
from minet_core.evaluation.precision.average_precision import ApAccumulator
from minet_core.evaluation.precision.result import ApResult

CLASSES = ("cat", "dog")


def score(
    *frames: EvalFrame,
    protocol: ApProtocol = ApProtocol.VOC50,
    classes: tuple[str, ...] = CLASSES,
) -> ApResult:
    accumulator = ApAccumulator(classes, protocol)
    for one in frames:
        accumulator.add(one)
    return accumulator.result()


def test_area_under_a_curve_worked_by_hand() -> None:
    truth = [(at(0), 0, 1), (at(100), 0, 2), (at(200), 0, 3)]
    found = [
        (at(0), 0, 0.9),
        (at(500), 0, 0.8),
        (at(100), 0, 0.7),
        (at(600), 0, 0.6),
        (at(200), 0, 0.5),
    ]

    cat = score(frame(truth, found)).classes[0]

    assert cat.curve.precision == pytest.approx([1, 2 / 3, 3 / 5])
    assert cat.curve.recall == pytest.approx([1 / 3, 2 / 3, 1])
    assert cat.curve.scores.tolist() == [0.9, 0.7, 0.5]
    assert cat.ap == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    assert (cat.truths, cat.true_positives, cat.false_positives) == (3, 3, 2)
    # Of 101 recalls, 0 … 0.33, 0.34 … 0.66 and 0.67 … 1.
    coco = score(frame(truth, found), protocol=ApProtocol.COCO).classes[0]
    assert coco.ap == pytest.approx((34 * 1 + 33 * 2 / 3 + 34 * 3 / 5) / 101)


def test_precision_is_the_best_at_this_recall_or_more() -> None:
    truth = [(at(0), 0, 1), (at(100), 0, 2)]
    found = [(at(500), 0, 0.9), (at(0), 0, 0.8), (at(100), 0, 0.7)]
    assert score(frame(truth, found)).classes[0].ap == pytest.approx(2 / 3)


@pytest.mark.parametrize("protocol", list(ApProtocol))
def test_a_second_detection_of_an_object_is_false(protocol: ApProtocol) -> None:
    truth = [(at(0), 0, 1)]
    result = score(frame(truth, [(at(0), 0, 0.9), (at(1), 0, 0.8)]), protocol=protocol)
    assert result.classes[0].ap == 1
    assert (result.classes[0].true_positives, result.classes[0].false_positives) == (1, 1)


@pytest.mark.parametrize("protocol", list(ApProtocol))
def test_a_detection_goes_to_the_best_box_that_is_free(protocol: ApProtocol) -> None:
    truth = [(at(0), 0, 1), (at(8), 0, 2)]
    found = [(at(0), 0, 0.9), (at(1), 0, 0.8)]
    assert score(frame(truth, found), protocol=protocol).classes[0].true_positives == 2


def test_equal_scores_keep_their_order() -> None:
    truth = [(at(0), 0, 1)]
    right, wrong = (at(0), 0, 0.5), (at(500), 0, 0.5)
    assert score(frame(truth, [right, wrong])).mean == 1
    assert score(frame(truth, [wrong, right])).mean == 0.5
    assert score(frame([], [wrong]), frame(truth, [right], number=1)).mean == 0.5


@pytest.mark.parametrize("protocol", list(ApProtocol))
def test_detections_on_ignored_boxes_count_neither_way(protocol: ApProtocol) -> None:
    truth = [(at(0), 0, 1), (at(100), 0, 2, True)]
    found = [(at(100), 0, 0.9), (at(101), 0, 0.8), (at(0), 0, 0.7)]
    cat = score(frame(truth, found), protocol=protocol).classes[0]
    assert (cat.truths, cat.true_positives, cat.false_positives, cat.ap) == (1, 1, 0, 1)


@pytest.mark.parametrize("protocol", list(ApProtocol))
def test_a_box_that_counts_comes_before_an_ignored_one(protocol: ApProtocol) -> None:
    truth = [(at(0), 0, 1, True), (at(5), 0, 2)]
    cat = score(frame(truth, [(at(0), 0, 0.9)]), protocol=protocol).classes[0]
    assert cat.true_positives == 1


def test_the_devkit_asks_less_overlap_of_small_boxes() -> None:
    # 10 × 10: (10 · 10) / (20 · 20) = 0.25 is enough.
    truth = [(at(0, side=10), 0, 1)]
    a_third, a_quarter, less = ([((0.0, 0.0, 10.0, height), 0, 0.9)] for height in (3.0, 2.5, 2.4))
    assert score(frame(truth, a_third)).mean == 0
    assert score(frame(truth, a_third), protocol=ApProtocol.DEVKIT).mean == 1
    assert score(frame(truth, a_quarter), protocol=ApProtocol.DEVKIT).mean == 1
    assert score(frame(truth, less), protocol=ApProtocol.DEVKIT).mean == 0


def test_the_devkit_asks_half_of_large_boxes() -> None:
    # 40 × 40: (40 · 40) / (50 · 50) = 0.64, so one half.
    truth = [(at(0, side=40), 0, 1)]
    half, less = ([((0.0, 0.0, 40.0, height), 0, 0.9)] for height in (20.0, 19.9))
    assert score(frame(truth, half), protocol=ApProtocol.DEVKIT).mean == 1
    assert score(frame(truth, less), protocol=ApProtocol.DEVKIT).mean == 0


def test_inclusive_boxes_count_their_last_pixel() -> None:
    # 10 × 10 and 10 × 5 pixels share a half; as edges they would be 9 × 9 and 9 × 4.
    truth, found = np.array([[0, 0, 9, 9]]), np.array([[0, 0, 9, 4]])

    def mean(truth: np.ndarray, found: np.ndarray) -> float:
        boxes = TrueBoxes.of(truth, [0]), FoundBoxes.of(found, [0], [0.9])
        return score(EvalFrame("v", 0, *boxes)).mean

    assert mean(truth, found) == 0
    assert mean(edges_of_inclusive(truth), edges_of_inclusive(found)) == 1


@pytest.mark.parametrize("protocol", list(ApProtocol))
def test_classes_without_true_boxes_are_left_out_of_the_mean(protocol: ApProtocol) -> None:
    classes = ("cat", "dog", "cow")
    truth = [(at(0), 0, 1), (at(100), 2, 2)]
    found = [(at(0), 0, 0.9), (at(0), 1, 0.9)]

    result = score(frame(truth, found), protocol=protocol, classes=classes)

    assert [entry.ap for entry in result.classes] == pytest.approx([1, math.nan, 0], nan_ok=True)
    assert result.classes[1].false_positives == 1
    assert result.mean == 0.5
    assert result.mean_over(["cat", "dog"]) == 1
    assert math.isnan(result.mean_over(["dog"]))
    assert result.protocol is protocol


@pytest.mark.parametrize("protocol", list(ApProtocol))
def test_frames_without_boxes(protocol: ApProtocol) -> None:
    assert math.isnan(score(frame(), protocol=protocol).mean)
    assert score(frame([(at(0), 0, 1)]), protocol=protocol).mean == 0


@given(random_frames(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_frames_does_not_matter(frames: list[EvalFrame], random: Random) -> None:
    shuffled = list(frames)
    random.shuffle(shuffled)
    assert score(*shuffled).mean == pytest.approx(score(*frames).mean, nan_ok=True)


@given(random_frames(), st.sampled_from(list(ApProtocol)))
@settings(max_examples=40, deadline=None)
def test_perfect_detections_score_one(frames: list[EvalFrame], protocol: ApProtocol) -> None:
    perfect = [
        EvalFrame(
            f.video,
            f.number,
            f.truth,
            FoundBoxes.of(
                f.truth.boxes, f.truth.label_ids, np.linspace(1, 0.5, len(f.truth.boxes))
            ),
        )
        for f in frames
    ]
    any_truth = any(len(f.truth.boxes) for f in frames)
    expected = 1.0 if any_truth else math.nan
    assert score(*perfect, protocol=protocol).mean == pytest.approx(expected, nan_ok=True)


@given(random_frames(), st.floats(0, 1), st.sampled_from(list(ApProtocol)))
@settings(max_examples=40, deadline=None)
def test_another_false_positive_never_helps(
    frames: list[EvalFrame], stray_score: float, protocol: ApProtocol
) -> None:
    stray = frame(found=[(at(0), 0, stray_score), (at(0), 1, stray_score)], number=99)
    before, after = score(*frames, protocol=protocol), score(*frames, stray, protocol=protocol)
    for old, new in zip(before.classes, after.classes, strict=True):
        assert math.isnan(old.ap) or new.ap <= old.ap + 1e-12


@given(random_frames())
@settings(max_examples=60, deadline=None)
def test_all_point_precision_against_a_computation_from_the_definition(
    frames: list[EvalFrame],
) -> None:
    result = score(*frames)
    for label, entry in enumerate(result.classes):
        assert entry.ap == pytest.approx(by_definition(frames, label), nan_ok=True)


def by_definition(frames: list[EvalFrame], label: int) -> float:
    """The area as an integral over recall, every number from scratch, in plain Python."""
    truths = sum(int((f.truth.label_ids == label).sum()) for f in frames)
    if truths == 0:
        return math.nan
    detections = sorted(
        (
            (-float(f.found.scores[row]), index, tuple(map(float, f.found.boxes[row])))
            for index, f in enumerate(frames)
            for row in range(len(f.found.scores))
            if f.found.label_ids[row] == label
        ),
    )
    used: set[tuple[int, int]] = set()
    points = []
    for rank, (_, index, box) in enumerate(detections, start=1):
        truth = frames[index].truth
        candidates = [
            (plain_iou(box, tuple(map(float, truth.boxes[row]))), -row)
            for row in range(len(truth.boxes))
            if truth.label_ids[row] == label and (index, row) not in used
        ]
        overlap, row = max(candidates, default=(0.0, 0))
        if overlap >= 0.5:
            used.add((index, -row))
        points.append((len(used) / truths, len(used) / rank))
    steps = [(found + 1) / truths for found in range(truths)]
    best = [max((p for r, p in points if r >= step - 1e-12), default=0.0) for step in steps]
    return sum(best) / truths


def plain_iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


@given(random_frames(), st.data())
@settings(max_examples=30, deadline=None)
def test_coco_equals_a_whole_run_of_pycocotools(
    frames: list[EvalFrame], data: st.DataObject
) -> None:
    with_crowds = [
        EvalFrame(
            f.video,
            f.number,
            TrueBoxes.of(
                f.truth.boxes,
                f.truth.label_ids,
                ignore=data.draw(st.lists(st.booleans(), min_size=n, max_size=n)),
            ),
            f.found,
        )
        for f in frames
        for n in [len(f.truth.boxes)]
    ]
    result = score(*with_crowds, protocol=ApProtocol.COCO)
    expected = whole_pycocotools(with_crowds)
    assert [entry.ap for entry in result.classes] == pytest.approx(expected, nan_ok=True)


@given(random_frames())
@settings(max_examples=30, deadline=None)
def test_our_matching_equals_that_of_pycocotools(frames: list[EvalFrame]) -> None:
    result = score(*frames, protocol=ApProtocol.VOC50)
    means = [
        entry.curve.mean_at_101_recalls() if entry.truths else math.nan for entry in result.classes
    ]
    assert means == pytest.approx(whole_pycocotools(frames), nan_ok=True)


def whole_pycocotools(frames: list[EvalFrame]) -> list[float]:
    """AP50 of every class, the way pycocotools is meant to be used."""
    truth, found = COCO(), COCO()
    for coco in (truth, found):
        coco.dataset = {
            "images": [{"id": f.number} for f in frames],
            "categories": [{"id": label, "name": name} for label, name in enumerate(CLASSES)],
            "annotations": [],
        }
    for f in frames:
        rows = zip(f.truth.boxes, f.truth.label_ids, f.truth.ignore, strict=True)
        for box, label, crowd in rows:
            append(truth, f.number, box, label, iscrowd=int(crowd))
        for box, label, one in zip(f.found.boxes, f.found.label_ids, f.found.scores, strict=True):
            append(found, f.number, box, label, iscrowd=0, score=float(one))
    with redirect_stdout(io.StringIO()):
        truth.createIndex()
        found.createIndex()
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][0, :, :, 0, -1].mean(axis=0)
    return [math.nan if value < 0 else float(value) for value in precision]


def append(
    coco: COCO, image: int, box: np.ndarray, label: int, iscrowd: int, **more: float
) -> None:
    x1, y1, x2, y2 = map(float, box)
    coco.dataset["annotations"].append(
        {
            "id": len(coco.dataset["annotations"]) + 1,
            "image_id": image,
            "category_id": int(label),
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": (x2 - x1) * (y2 - y1),
            "iscrowd": iscrowd,
            **more,
        }
    )


def test_coco_looks_at_the_100_surest_of_a_class_and_frame(
    capfd: pytest.CaptureFixture[str],
) -> None:
    strays = [(at(500 + i), 0, 0.9) for i in range(100)]
    one = frame([(at(0), 0, 1)], [*strays, (at(0), 0, 0.5)])
    assert score(one, protocol=ApProtocol.COCO).mean == 0
    assert score(one).mean == pytest.approx(1 / 101)
    without_truth = frame(found=strays + strays)
    assert score(without_truth, protocol=ApProtocol.COCO).classes[0].false_positives == 100
    assert capfd.readouterr().out == ""


def test_coco_without_pycocotools_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools.cocoeval", None)
    with pytest.raises(ConfigError, match="pip install pycocotools"):
        ApAccumulator(CLASSES, ApProtocol.COCO)


@pytest.mark.parametrize(
    ("truth", "found", "complaint"),
    [
        ([((0, 0, math.nan, 5), 0, 1)], [], "true box 0 has a coordinate"),
        ([((9, 0, 5, 5), 0, 1)], [], "true box 0 is inverted"),
        ([(at(0), 0, 7), (at(50), 1, 7)], [], "true box 1 repeats a track id"),
        ([(at(0), -1, 7)], [], "the class of true box 0 is negative"),
        ([(at(0), 2, 7)], [], "the class of true box 0 is unknown"),
        ([], [(at(0), 0, 0.5), (at(0), 0, math.nan)], "predicted score 1 is not a finite number"),
        ([], [((0, 5, 5, 0), 0, 0.5)], "predicted box 0 is inverted"),
        ([], [((0, 0, math.inf, 5), 0, 0.5)], "predicted box 0 has a coordinate"),
        ([], [(at(0), 5, 0.5)], "the class of predicted box 0 is unknown"),
        ([], [(at(0), 0, 0.5, 3), (at(9), 0, 0.4, 3)], "predicted box 1 repeats a track id"),
    ],
)
def test_bad_boxes_are_refused_with_their_place(
    truth: list[tuple[object, ...]], found: list[tuple[object, ...]], complaint: str
) -> None:
    with pytest.raises(InputError, match=f"street, frame 7: {complaint}"):
        score(frame(truth, found, number=7, video="street"))


def test_columns_of_another_length_are_refused() -> None:
    nothing = FoundBoxes.of([], [], [])
    with pytest.raises(InputError, match="v, frame 0: 2 true boxes come with another number"):
        EvalFrame("v", 0, TrueBoxes.of([at(0), at(1)], [0]), nothing)
    with pytest.raises(InputError, match="v, frame 0: predicted boxes are not rows of four"):
        EvalFrame("v", 0, TrueBoxes.of([], []), FoundBoxes.of([[0, 0, 5]], [0], [0.5]))


def test_one_box_may_have_two_classes() -> None:
    both = frame([], [(at(0), 0, 0.5, 3), (at(0), 1, 0.4, 3)])
    assert [entry.false_positives for entry in score(both).classes] == [1, 1]


def test_classes_need_names_of_their_own() -> None:
    with pytest.raises(ConfigError, match="'cat' is named twice"):
        ApAccumulator(("cat", "cat"))
