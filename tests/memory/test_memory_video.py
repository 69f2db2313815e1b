"""What the preset `video` adds to the paper: position, existence, shared evidence, time."""

import math
from dataclasses import replace

import pytest
import torch
from memory_scene import BASIS, CLASSES, DIM, Scene, at
from torch import Tensor

from minet_core.boxes import NO_TRACK
from minet_core.config import VIDEO, Existence, MemoryConfig
from minet_core.memory import DynamicMemory, Looked, Match
from minet_core.memory.association import sureness
from minet_core.memory.clock import Clock
from minet_core.memory.evidence import Evidence, together
from minet_core.memory.slots import Slot, existence_scores
from minet_core.scores import ScoreKind

SURE = Existence(sightings=3, threshold=0.5)


class TestClock:
    def times(self, seconds: list[float]) -> list[float]:
        clock, frames = Clock(), []
        for time in seconds:
            clock = clock.at(time)
            frames.append(clock.frames)
        return frames

    @pytest.mark.parametrize("pace", [0.01, 1.0, 60.0, 3600.0])
    def test_the_pace_of_the_stamps_does_not_matter(self, pace: float) -> None:
        assert self.times([pace * i for i in range(6)]) == [0, 1, 2, 3, 4, 5]

    def test_a_pause_counts_as_the_frames_that_are_missing(self) -> None:
        assert self.times([0.0, 1.0, 2.0, 3.0, 8.0, 9.0]) == [0, 1, 2, 3, 8, 9]

    def test_stamps_that_stand_still_count_frames(self) -> None:
        assert self.times([5.0, 5.0, 5.0]) == [0, 1, 2]


class TestSureness:
    def of(self, boxes: list[list[float]], certainty: list[float]) -> list[float]:
        values = torch.tensor(certainty, dtype=torch.float64)
        return [float(v) for v in sureness(torch.tensor(boxes), values, VIDEO)]

    def test_a_box_alone_keeps_its_score(self) -> None:
        assert self.of([at(0), at(500)], [0.8, 0.3]) == pytest.approx([0.8, 0.3])

    def test_equally_sure_boxes_keep_theirs(self) -> None:
        assert self.of([at(0), at(1)], [0.9, 0.9]) == pytest.approx([0.9, 0.9])

    def test_a_weaker_box_loses_by_its_overlap(self) -> None:
        overlap = 20 / 60
        odds = 0.6 / 0.4 * torch.tensor(-VIDEO.overlap * overlap).exp()
        expected = float(odds / (1 + odds))
        assert self.of([at(0), at(20)], [0.9, 0.6]) == pytest.approx([0.9, expected])

    def test_without_the_term_nothing_is_lost(self) -> None:
        certainty = torch.tensor([0.9, 0.6])
        plain = replace(VIDEO, overlap=0.0)
        boxes = torch.tensor([at(0), at(1)])
        assert torch.equal(sureness(boxes, certainty, plain), certainty)


def of(scores: list[float]) -> Evidence:
    evidence = Evidence()
    for score in scores:
        evidence.add(score)
    return evidence


def slot_with(scores: list[float], memory: Tensor) -> Slot:
    scene = Scene(VIDEO)
    scene.frame([at(100)], [0], 0.0, values=[0.9])
    (slot,) = scene.memory.slots
    slot.evidence, slot.score = of(scores), memory
    return slot


class TestExistence:
    @pytest.mark.parametrize(
        ("scores", "expected"),
        [
            ([0.8] * 3, 0.8),
            ([0.5, 0.1, 0.8, 0.1, 2 / 3], 2 / 3),  # odds 1, 4 and 2; the others do not count
            ([0.3] * 1000, 0.3),
            ([1.0] * 5, 0.999),
        ],
    )
    def test_is_what_the_best_boxes_vouch_for(self, scores: list[float], expected: float) -> None:
        slot = slot_with(scores, torch.zeros(2))
        assert slot.existence(SURE) == pytest.approx(expected)

    @pytest.mark.parametrize(
        ("scores", "likely"),
        [([0.83], False), ([0.86], True), ([0.59] * 2, False), ([0.62] * 2, True)],
    )
    def test_weak_boxes_need_company_and_sure_ones_do_not(
        self, scores: list[float], likely: bool
    ) -> None:
        slot = slot_with(scores, torch.zeros(2))
        assert (slot.existence(SURE) >= SURE.threshold) is likely

    def test_needs_company_where_weaker_objects_are_wanted_too(self) -> None:
        weak = replace(SURE, threshold=0.1)
        slot = slot_with([0.2], torch.zeros(2))
        assert slot.existence(weak) < weak.threshold
        slot.evidence.add(0.2)
        assert slot.existence(weak) >= weak.threshold

    def test_does_not_grow_with_the_time_that_a_false_object_stands_there(self) -> None:
        scores = [0.95 if i % 201 == 200 else 0.3 for i in range(5000)]
        assert of([0.95] * 3).existence(SURE, 0.5, moved=False) == pytest.approx(0.95)
        assert of(scores).existence(SURE, 0.5, moved=False) < 0.4

    def test_is_vouched_for_by_the_best_sixth_of_an_object_that_stands(self) -> None:
        evidence = of([0.3, 0.95] * 3 + [0.3] * 54)
        rule = replace(SURE, moved=0.0)
        stands = evidence.existence(rule, 0.5, moved=False)
        odds = (3 * math.log(0.95 / 0.05) + 7 * math.log(0.3 / 0.7)) / 10
        assert stands == pytest.approx(1 / (1 + math.exp(-odds)))
        assert evidence.existence(rule, 0.5, moved=True) == pytest.approx(0.95)

    def test_keeps_as_many_scores_of_any_time(self) -> None:
        assert len(of([0.5] * 100_000).scores) <= 64

    def test_of_joined_tracks_weighs_their_boxes_alike(self) -> None:
        weak, sure = [0.2] * 640, [0.9] * 20
        joined = together([of(weak), of(sure)]).existence(SURE, 0.5, moved=False)
        assert joined == pytest.approx(of(weak + sure).existence(SURE, 0.5, moved=False), abs=0.05)
        assert joined < 0.5 < together([of(weak[:20]), of(sure)]).existence(SURE, 0.5, moved=False)

    def test_lifts_the_slot_s_class_and_pushes_down_no_other(self) -> None:
        slot = slot_with([0.8] * 3, torch.tensor([0.6, 0.525, 0.0], dtype=torch.float64))
        (row,) = existence_scores([slot], SURE, ScoreKind.SIGMOID)
        assert row.tolist() == pytest.approx([0.8, 0.7, 0.5])

    def test_of_a_distribution_is_the_share_of_the_foreground(self) -> None:
        slot = slot_with([0.8] * 3, torch.tensor([0.4, 0.45, 0.15], dtype=torch.float64))
        (row,) = existence_scores([slot], SURE, ScoreKind.SOFTMAX)
        assert row.tolist() == pytest.approx([0.2, 0.6, 0.2])

    @pytest.mark.parametrize(("kind", "neutral"), [(ScoreKind.SIGMOID, 1 / 2), ("softmax", 1 / 4)])
    def test_says_nothing_before_it_is_likely(self, kind: ScoreKind, neutral: float) -> None:
        slot = slot_with([0.5] * 3, torch.full((4,), 0.1, dtype=torch.float64))
        (row,) = existence_scores([slot], SURE, ScoreKind(kind))
        assert row.tolist() == [neutral] * 4

    def test_decides_which_slots_are_reported(self) -> None:
        scene, reported = Scene(VIDEO), []
        for t in range(6):
            scene.frame([at(100), at(500)], [0, 1], t / 25, values=[0.65, 0.5])
            reported.append(scene.memory.names())
        assert reported == [{}] * 2 + [{1: 1}] * 4

    def walked(self, places: list[float], value: float, config: MemoryConfig = VIDEO) -> list[bool]:
        """Whether a box of this score at each left side is reported as an object."""
        scene, reported = Scene(config), []
        for t, left in enumerate(places):
            scene.frame([at(left)], [0], t / 25, values=[value])
            reported.append(bool(scene.memory.names()))
        return reported

    def test_a_weak_object_counts_once_it_has_moved(self) -> None:
        still, walks = [100.0] * 60, [100.0 + 3 * t for t in range(60)]
        assert not any(self.walked(still, 0.4))
        found = self.walked(walks, 0.4)
        assert not any(found[:20])  # 57 pixels are its size
        assert all(found[35:])

    def test_without_the_term_its_motion_does_not_count(self) -> None:
        calm = replace(VIDEO, existence=Existence(moved=0.0))
        assert not any(self.walked([100.0 + 3 * t for t in range(60)], 0.4, calm))

    def test_who_comes_back_has_not_moved(self) -> None:
        there = [100.0 + 3 * t for t in range(40)]
        found = self.walked([*there, *reversed(there)], 0.4)
        assert found[39]
        assert not found[-1]

    def test_a_few_boxes_elsewhere_are_no_motion(self) -> None:
        assert not any(self.walked([100.0] * 30 + [160.0] * 5 + [100.0] * 30, 0.4))


def sure_scene(frames: int = 10) -> Scene:
    """Object 0 walks to the right and stands at 100 + 2 · frames in the next one."""
    scene = Scene(VIDEO)
    for t in range(frames):
        scene.frame([at(100 + 2 * t), at(900)], [0, 1], t / 25)
    return scene


class TestAWeakBoxOfASureObject:
    def test_is_lifted_at_its_place(self) -> None:
        _, scores, match = sure_scene().frame([at(120), at(900)], [0, 1], 0.4, values=[0.1, 0.9])
        assert float(scores[0, 0]) == pytest.approx(0.5, abs=0.01)  # odds 1 : 9 times 9 : 1
        assert match.track_ids.tolist()[0] == 1

    def test_lifts_no_other_box_beside_it(self) -> None:
        scene, boxes = sure_scene(), [at(120), at(150), at(900)]
        _, _, match = scene.frame(boxes, [0, 0, 1], 0.4, values=[0.8, 0.2, 0.9])
        reported = match.scores[:3, 0].tolist()
        assert reported[0] > 0.8
        assert reported[1] == pytest.approx(0.2)

    def test_is_not_lifted_elsewhere(self) -> None:
        boxes = [at(500), at(900)]
        _, scores, _ = sure_scene().frame(boxes, [3, 1], 0.4, values=[0.1, 0.9])
        assert float(scores[0, 0]) == pytest.approx(0.1, abs=0.01)

    def test_is_not_pushed_down_by_its_own_slot(self) -> None:
        scene = Scene(VIDEO)
        for t in range(30):
            _, scores, match = scene.frame([at(100)], [0], t / 25, values=[0.35])
            assert float(scores[0, 0]) >= 0.35 - 1e-6
        assert match.track_ids.tolist()[0] == 1


def test_reading_changes_nothing() -> None:
    scene = sure_scene()
    before = (
        scene.memory.clock,
        scene.memory.scene,
        [s.track.mean.clone() for s in scene.memory.slots],
    )
    reading, _, _ = sure_scene().frame([at(300)], [0], 0.4)
    scene.memory.read(reading.looked, 0.4, cut=True, camera=torch.eye(2, 3))
    after = scene.memory.clock, scene.memory.scene, [s.track.mean for s in scene.memory.slots]
    assert before[:2] == after[:2]
    assert all(torch.equal(a, b) for a, b in zip(before[2], after[2], strict=True))


@pytest.mark.parametrize("pace", [0.2, 7.0, 3600.0])
def test_ids_do_not_hang_on_the_pace_of_the_stamps(pace: float) -> None:
    seen = []
    for seconds in (1 / 25, pace):
        scene = Scene(VIDEO)
        for t in range(40):
            away = 8 <= t < 20
            boxes = [at(900 - 3 * t)] if away else [at(100 + 3 * t), at(900 - 3 * t)]
            looks = [1] if away else [0, 1]
            _, _, match = scene.frame(boxes, looks, t * seconds)
            seen.append(scene.ids(match, boxes))
    assert seen[:40] == seen[40:]


def test_a_slot_seen_in_the_last_frame_is_never_too_old() -> None:
    scene = Scene(VIDEO)
    for t in range(8):  # a picture every ten minutes
        _, _, match = scene.frame([at(100)], [0], 600.0 * t, values=[0.4])
    assert match.track_ids.tolist()[0] == 1


def test_sure_boxes_that_cross_keep_their_ids() -> None:
    scene, seen = Scene(VIDEO), []
    for t in range(40):
        boxes = [at(100 + 2 * t), at(180 - 2 * t)]
        _, _, match = scene.frame(boxes, [0, 1], t / 25, values=[0.9, 0.9], final=True)
        seen.append(scene.ids(match, boxes))
    del seen[20]  # the very same box twice
    assert seen == [[1, 2]] * 39


def test_a_second_box_on_an_object_opens_no_slot() -> None:
    scene = Scene(VIDEO)
    for t in range(5):
        boxes = [at(100), at(112)]
        scene.frame(boxes, [0, 0], t / 25, values=[0.9, 0.6])
    assert [slot.id for slot in scene.memory.slots] == [1]


@pytest.mark.parametrize(("label", "slots"), [(0, [1]), (1, [1, 2])])
def test_a_known_object_explains_a_surer_box_of_its_class_over_it(
    label: int, slots: list[int]
) -> None:
    scene = Scene(VIDEO)
    for t in range(5):
        scene.frame([at(100)], [0], t / 25, values=[0.6])
    boxes = [at(100), at(112)]
    scene.frame(boxes, [0, 2], 0.2, labels=[0, label], values=[0.6, 0.7], final=True)
    assert [slot.id for slot in scene.memory.slots] == slots


def test_looks_alone_decide_after_a_cut() -> None:
    scene = sure_scene()
    _, _, near = sure_scene().frame([at(500), at(900)], [0, 1], 0.4)
    _, _, cut = scene.frame([at(500), at(20)], [0, 1], 0.4, cut=True)
    assert near.track_ids.tolist()[0] == 3
    assert cut.track_ids.tolist()[:2] == [1, 2]
    _, _, match = scene.frame([at(502), at(20)], [0, 1], 0.44)
    assert match.track_ids.tolist()[:2] == [1, 2]


def test_a_look_alike_far_away_does_not_inherit_an_id() -> None:
    scene = Scene(VIDEO)
    for t in range(10):
        scene.frame([at(100 - 8 * t), at(1500)], [0, 1], t / 25)
    for t in range(10, 20):
        scene.frame([at(1500)], [1], t / 25)
    for t in range(20, 40):
        boxes = [at(1200 - 2 * t), at(1500)]
        _, _, match = scene.frame(boxes, [0, 1], t / 25)
        ids = scene.ids(match, boxes)
        assert ids[0] not in (1, NO_TRACK)
        assert ids[1] == 2


def test_an_object_is_found_again_where_it_vanished() -> None:
    scene = sure_scene()
    for t in range(10, 22):
        scene.frame([at(900)], [1], t / 25)
    _, _, match = scene.frame([at(130), at(900)], [0, 1], 22 / 25)
    assert match.track_ids.tolist()[:2] == [1, 2]


@pytest.mark.parametrize(("missing", "expected"), [(0, 1), (1, 3)])
def test_a_pause_ends_slots_that_were_missing_before_it(missing: int, expected: int) -> None:
    scene = sure_scene()
    for t in range(10, 10 + missing):
        scene.frame([at(900)], [1], t / 25)
    _, _, match = scene.frame([at(120), at(900)], [0, 1], 60.0)
    assert match.track_ids.tolist()[:2] == [expected, 2]


@pytest.mark.parametrize(("frames", "left"), [(45, [1, 2]), (46, [2])])
def test_a_slot_goes_when_it_has_been_awaited_for_long(frames: int, left: list[int]) -> None:
    scene = sure_scene()
    for t in range(10, 10 + frames):
        scene.frame([at(900)], [1], t / 25)
    assert [slot.id for slot in scene.memory.slots] == left


def test_a_slot_that_is_not_sure_goes_soon() -> None:
    scene = Scene(VIDEO)
    scene.frame([at(100), at(900)], [0, 1], 0.0, values=[0.5, 0.9])
    for t in range(1, 4):
        scene.frame([at(900)], [1], t / 25)
    assert [slot.id for slot in scene.memory.slots] == [2]


def test_positions_follow_the_camera() -> None:
    ids = []
    for camera in (None, torch.tensor([[1.0, 0.0, 300.0], [0.0, 1.0, 0.0]])):
        scene = sure_scene()
        reading, _, _ = sure_scene().frame([at(420), at(1200)], [0, 1], 0.4)
        moved = scene.memory.read(reading.looked, 0.4, camera=camera)
        match = scene.memory.match(moved, torch.arange(2))
        ids.append(match.track_ids.tolist())
    assert ids == [[3, 4], [1, 2]]


class TestBoxesWithoutEmbedding:
    """Only some boxes of a frame are embedded."""

    def after(self, looked: Looked) -> tuple[DynamicMemory, Match]:
        memory = DynamicMemory(VIDEO, ScoreKind.SIGMOID, CLASSES, DIM)
        rows = torch.arange(len(looked.boxes))
        for frame in range(4):
            match = memory.match(memory.read(looked, frame / 25), rows)
            memory.write(match)
        return memory, match

    def test_they_match_nothing_and_teach_nothing(self) -> None:
        boxes = torch.tensor([at(900), at(100), at(500)])
        scores = torch.full((3, CLASSES), 0.01)
        scores[1:, 0] = 0.9
        own, rows = BASIS[[0, 1]], torch.tensor([1, 2])
        memory, match = self.after(Looked(boxes[rows], own, boxes, scores, embedded=rows))
        alone, _ = self.after(Looked(boxes[rows], own, boxes[rows], scores[rows]))
        assert match.track_ids.tolist() == [NO_TRACK, 1, 2]
        assert torch.equal(match.scores[0], scores[0].double())
        for one, other in zip(memory.slots, alone.slots, strict=True):
            assert torch.equal(one.identifier, other.identifier)
            assert torch.equal(one.score, other.score)

    def test_a_box_stands_for_its_shifted_copies(self) -> None:
        boxes, scores = torch.tensor([at(100), at(500)]), torch.full((2, CLASSES), 0.9)
        learnt = []
        for support in (None, BASIS[[0, 1], None].expand(-1, VIDEO.positives, -1)):
            memory = DynamicMemory(VIDEO, ScoreKind.SIGMOID, CLASSES, DIM)
            reading = memory.read(Looked(boxes, BASIS[[0, 1]], boxes, scores), 0.0)
            memory.write(memory.match(reading, torch.arange(2)), support)
            learnt.append(torch.stack([slot.identifier for slot in memory.slots]))
        assert torch.equal(*learnt)
