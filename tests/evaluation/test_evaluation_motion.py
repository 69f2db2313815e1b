import math
import os
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from evaluation_frames import at, frame, random_frames
from hypothesis import given, settings
from hypothesis import strategies as st

from minet_core.boxes import box_iou, edges_of_inclusive
from minet_core.errors import ConfigError, InputError
from minet_core.evaluation.frames import EvalFrame
from minet_core.evaluation.matching import ApProtocol
from minet_core.evaluation.precision.average_precision import ApAccumulator
from minet_core.evaluation.precision.motion_groups import MotionGroup, motion_iou
from minet_core.evaluation.precision.motion_precision import MotionApAccumulator, MotionRule

SLOW, MEDIUM, FAST = 0.95, 0.8, 0.5


def motion_of(*rows: tuple[int, int, tuple[float, float, float, float]]) -> list[float]:
    """Motion IoU of (frame, track, box)."""
    frames, tracks, boxes = (np.array(column) for column in zip(*rows, strict=True))
    return motion_iou("v", frames, tracks, boxes.astype(float)).tolist()


def test_motion_is_the_mean_overlap_with_the_frames_around() -> None:
    # Widths 10, 5 and 10: neighbours overlap by one half, the ends by all.
    wide, narrow = (0, 0, 10, 10), (0, 0, 5, 10)
    motion = motion_of((0, 1, wide), (1, 1, narrow), (2, 1, wide))
    assert motion == pytest.approx([(0.5 + 1) / 2, 0.5, (1 + 0.5) / 2])


def test_frames_without_the_track_are_left_out_and_tracks_do_not_mix() -> None:
    still, moved = (0, 0, 10, 10), (50, 0, 60, 10)
    motion = motion_of((5, 2, moved), (9, 1, still), (0, 1, still), (1, 2, still))
    assert motion == [0, 1, 1, 0]


def test_ten_frames_are_near_and_eleven_are_not() -> None:
    here, there = (0, 0, 10, 10), (50, 0, 60, 10)
    assert motion_of((0, 1, here), (10, 1, there)) == [0, 0]
    assert motion_of((0, 1, here), (11, 1, there)) == [1, 1]


def test_boxes_with_nothing_to_move_against_are_slow() -> None:
    box, other = (0, 0, 10, 10), (50, 0, 60, 10)
    assert motion_of((0, 1, box), (0, -1, box), (0, -1, box), (1, -1, other)) == [1, 1, 1, 1]
    assert motion_iou("v", *(np.zeros(0, np.int64),) * 2, np.zeros((0, 4))).shape == (0,)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_motion_against_a_computation_from_the_definition(seed: int) -> None:
    random = np.random.default_rng(seed)
    # Many tracks with holes, in any order of rows.
    keys = random.permutation([(t, i) for t in range(25) for i in range(15)])[:250]
    corners = random.uniform(0, 20, (len(keys), 2))
    boxes = np.concatenate([corners, corners + random.uniform(1, 30, (len(keys), 2))], axis=1)

    motion = motion_iou("v", keys[:, 0], keys[:, 1], boxes)

    overlaps = box_iou(boxes, boxes)
    gap = np.abs(keys[:, None, 0] - keys[None, :, 0])
    near = (keys[:, None, 1] == keys[None, :, 1]) & (gap > 0) & (gap <= 10)
    for row, others in enumerate(near):
        assert motion[row] == pytest.approx(overlaps[row, others].mean() if others.any() else 1)


def test_a_track_twice_in_a_frame_is_refused() -> None:
    box = (0, 0, 10, 10)
    with pytest.raises(InputError, match="v, frame 4: track 1 has two boxes"):
        motion_of((4, 1, box), (3, 1, box), (4, 1, box))


def test_groups_meet_at_their_bounds() -> None:
    values = np.array([0.0, 0.69, 0.7, 0.9, 0.91, 1.0])
    groups = {group: group.contains(values).nonzero()[0].tolist() for group in MotionGroup}
    assert groups == {
        MotionGroup.FAST: [0, 1],
        MotionGroup.MEDIUM: [2, 3],
        MotionGroup.SLOW: [4, 5],
    }


def in_groups(
    *frames: tuple[EvalFrame, list[float]], rule: MotionRule = MotionRule.MEGA
) -> dict[MotionGroup, tuple[float, float]]:
    """Average precision and weight of false positives of class 0, by group."""
    accumulator = MotionApAccumulator(("cat", "dog"), rule=rule)
    for one, motion in frames:
        accumulator.add(one, np.array(motion))
    return {
        group: (result.classes[0].ap, result.classes[0].false_positives)
        for group, result in accumulator.result().items()
    }


def test_groups_worked_by_hand() -> None:
    truth = [(at(0), 0, 1), (at(100), 0, 2)]
    found = [
        (at(20), 0, 0.95),  # touches the slow object, finds nothing
        (at(0), 0, 0.9),  # finds the slow one
        (at(100), 0, 0.8),  # finds the fast one
        (at(500), 0, 0.7),  # touches nothing: half of the objects here are outside each group
    ]
    # An empty frame stands for a fast object, so shares are a third slow and two thirds fast.
    empty = frame(found=[(at(0), 0, 0.6)], number=1)

    groups = in_groups((frame(truth, found), [SLOW, FAST]), (empty, []))

    assert groups[MotionGroup.SLOW] == pytest.approx((1 / 2, 1 + 1 / 2 + 1 / 3))
    assert groups[MotionGroup.FAST] == pytest.approx((1, 1 / 2 + 2 / 3))
    assert groups[MotionGroup.MEDIUM] == pytest.approx((math.nan, 0), nan_ok=True)


def test_mega_looks_at_the_class_and_fgfa_at_all_classes() -> None:
    # A false cat on a slow dog, in a frame with no cat; a medium cat elsewhere sets the shares.
    on_dog = frame([(at(0), 1, 1)], [(at(0), 0, 0.9)])
    elsewhere = frame([(at(0), 0, 1)], number=1)
    frames = (on_dog, [SLOW]), (elsewhere, [MEDIUM])

    mega, fgfa = (in_groups(*frames, rule=rule) for rule in MotionRule)

    assert [mega[group][1] for group in MotionGroup] == [0.5, 0.5, 0]
    assert [fgfa[group][1] for group in MotionGroup] == [1, 0, 0]


def test_of_two_equal_overlaps_the_group_s_own_object_is_found() -> None:
    twins = frame([(at(0), 0, 1), (at(0), 0, 2)], [(at(0), 0, 0.9)])
    groups = in_groups((twins, [SLOW, FAST]))
    assert groups[MotionGroup.SLOW][0] == groups[MotionGroup.FAST][0] == 1


def test_ignored_boxes_are_in_no_group() -> None:
    truth = [(at(0), 0, 1), (at(100), 0, 2, True)]
    found = [(at(100), 0, 0.9), (at(0), 0, 0.8)]
    # A false cat without a true one counts by the share of slow objects: all that count.
    only_a_dog = frame([(at(0), 1, 1)], [(at(0), 0, 0.1)], number=1)
    groups = in_groups((frame(truth, found), [SLOW, FAST]), (only_a_dog, [SLOW]))
    assert groups[MotionGroup.SLOW] == (1, 1)
    assert groups[MotionGroup.FAST] == pytest.approx((math.nan, 0), nan_ok=True)


@given(random_frames(), st.sampled_from([ApProtocol.VOC50, ApProtocol.DEVKIT]))
@settings(max_examples=30, deadline=None)
def test_one_group_with_everything_is_plain_average_precision(
    frames: list[EvalFrame], protocol: ApProtocol
) -> None:
    plain = ApAccumulator(("cat", "dog"), protocol)
    for rule in MotionRule:
        grouped = MotionApAccumulator(("cat", "dog"), protocol, rule)
        for one in frames:
            # An empty frame would count as a fast object.
            if len(one.truth.boxes):
                grouped.add(one, np.full(len(one.truth.boxes), SLOW))
                if rule is MotionRule.MEGA:
                    plain.add(one)
        slow = grouped.result()[MotionGroup.SLOW]
        assert slow.mean == pytest.approx(plain.result().mean, nan_ok=True)
        assert slow.protocol is protocol


def test_what_cannot_be_grouped_is_refused() -> None:
    with pytest.raises(ConfigError, match="not under coco"):
        MotionApAccumulator(("cat",), ApProtocol.COCO)
    with pytest.raises(InputError, match="v, frame 0: a true box has no motion IoU"):
        MotionApAccumulator(("cat",)).add(frame([(at(0), 0, 1)]), np.zeros(0))


@pytest.mark.skipif(
    "MINET_IMAGENET_VID" not in os.environ,
    reason="MINET_IMAGENET_VID does not name the folder that holds Annotations/VID",
)
def test_published_values_of_imagenet_vid() -> None:
    folder = Path(os.environ["MINET_IMAGENET_VID"], "Annotations/VID/val/ILSVRC2015_val_00000000")
    rows = [row for path in sorted(folder.glob("*.xml")) for row in annotated(path)]
    frames, tracks, boxes = (np.array(column) for column in zip(*rows, strict=True))

    motion = motion_iou(folder.name, frames, tracks, edges_of_inclusive(boxes))

    published = [0.66981274, 0.72318784, 0.77688297, 0.8042379, 0.83955929]
    first_objects = [int((frames == number).argmax()) for number in range(5)]
    assert motion[first_objects] == pytest.approx(published, abs=1e-7)


def annotated(path: Path) -> list[tuple[int, int, list[int]]]:
    """Frame, track and box of every object in an annotation file."""
    sides = ("xmin", "ymin", "xmax", "ymax")
    return [
        (
            int(path.stem),
            int(entry.findtext("trackid", "")),
            [int(entry.findtext(f"bndbox/{side}", "")) for side in sides],
        )
        for entry in ET.parse(path).iter("object")
    ]
