"""The memory against what the paper promises, on objects with embeddings made for the test."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from minet_core.boxes import NO_TRACK
from minet_core.config import PAPER, VIDEO, MemoryConfig
from minet_core.identifier import RunningRidge, update
from minet_core.memory import (
    DynamicMemory,
    Match,
    Reading,
    assign,
    association_weights,
    reweight,
)
from minet_core.scores import ScoreKind, best_class_rows, classwise_nms, foreground
from minet_core.snapshot import restore_memory, save_memory

DIM, CLASSES = 32, 5
KINDS = [ScoreKind.SOFTMAX, ScoreKind.SIGMOID]
BASIS = torch.linalg.qr(torch.randn(DIM, DIM, generator=torch.Generator().manual_seed(0))).Q
BETWEEN = DIM
LOOKS = torch.cat([BASIS, (BASIS[:1] + BASIS[1:2]) / 2**0.5])
"""Looks of objects; that of BETWEEN is as much like object 0 as like object 1."""


def scores_of(kind: ScoreKind, labels: list[int], values: list[float]) -> Tensor:
    """Rows that give each label its value, and the rest to nothing in particular."""
    label, value = torch.tensor(labels), torch.tensor(values)[:, None]
    if kind is ScoreKind.SIGMOID:
        return torch.full((len(labels), CLASSES), 0.01).scatter(1, label[:, None], value)
    rest = torch.full((len(labels), CLASSES + 1), 0.002)
    rest[:, :1] = 1 - value - 0.002 * (CLASSES - 1)
    return rest.scatter(1, label[:, None] + 1, value)


class Scene:
    """Frames of objects for a memory: each has a box, a base score and an embedding direction.

    Background proposals with random embeddings are added beside the objects, as detectors do.
    """

    def __init__(self, config: MemoryConfig, kind: ScoreKind = ScoreKind.SIGMOID) -> None:
        columns = CLASSES + (kind is ScoreKind.SOFTMAX)
        self.memory = DynamicMemory(config, kind, columns, DIM)
        self.kind = kind
        self.noise = torch.Generator().manual_seed(7)

    def embed(self, directions: list[int], copies: int) -> Tensor:
        """(N, copies, D) unit vectors scattered around the looks."""
        scatter = torch.randn(len(directions), copies, DIM, generator=self.noise) * 0.02
        return torch.nn.functional.normalize(LOOKS[directions][:, None] + scatter, dim=-1)

    def frame(
        self,
        boxes: list[list[float]],
        directions: list[int],
        time: float,
        *,
        labels: list[int] | None = None,
        values: list[float] | None = None,
        order: Tensor | None = None,
    ) -> tuple[Reading, Tensor, Match]:
        count, noise = len(boxes), 20
        corner = torch.rand(noise, 2, generator=self.noise) * 100 + 5000
        all_boxes = torch.cat(
            [torch.tensor(boxes).reshape(-1, 4), torch.cat([corner, corner + 30], 1)]
        )
        base = scores_of(
            self.kind,
            (labels or [0] * count) + [0] * noise,
            (values or [0.9] * count) + [0.01] * noise,
        )
        background = torch.randn(noise, DIM, generator=self.noise)
        embeddings = torch.cat(
            [self.embed(directions, 1)[:, 0], torch.nn.functional.normalize(background, dim=1)]
        )
        if order is not None:
            all_boxes, base, embeddings = all_boxes[order], base[order], embeddings[order]
        reading = self.memory.read(embeddings, all_boxes, time)
        scores = reweight(base, reading.scores, self.kind)
        classes = foreground(scores, self.kind)
        rows = best_class_rows(
            *classwise_nms(all_boxes, classes, self.memory.config.nms, 0.001), classes
        )
        match = self.memory.match(reading, rows, all_boxes, base, scores, time)
        own = [int(i) for i in (match.boxes[[i for _, i in match.writing]]).flatten().tolist()]
        directions_of = {tuple(map(int, b)): d for b, d in zip(boxes, directions, strict=True)}
        written = [directions_of[tuple(own[i : i + 4])] for i in range(0, len(own), 4)]
        count = self.memory.support_boxes(match).shape[1]
        self.memory.write(match, all_boxes, embeddings, self.embed(written, count))
        return reading, scores, match

    def ids(self, match: Match, boxes: list[list[float]]) -> list[int]:
        """Track ids in the order of the boxes; NO_TRACK where a box was suppressed."""
        found = {
            tuple(box.tolist()): int(i) for box, i in zip(match.boxes, match.track_ids, strict=True)
        }
        return [found.get(tuple(torch.tensor(box).tolist()), NO_TRACK) for box in boxes]


def at(x: float, y: float = 100.0) -> list[float]:
    """A 40 × 80 box."""
    return [x, y, x + 40, y + 80]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("config", [PAPER, VIDEO])
def test_an_empty_memory_is_the_plain_detector(kind: ScoreKind, config: MemoryConfig) -> None:
    base = scores_of(kind, [0, 1, 2, 3], [0.9, 0.5, 0.2, 0.05])
    memory = DynamicMemory(config, kind, base.shape[1], DIM)
    reading = memory.read(torch.randn(4, DIM), torch.rand(4, 4), 0.0)
    torch.testing.assert_close(reweight(base, reading.scores, kind), base.double())


@given(
    st.integers(0, 1000),
    st.integers(0, 6),
    st.floats(-100, 100),
    st.sampled_from([5.0, 20.0, 80.0]),
)
@settings(deadline=None)
def test_weights_are_a_distribution_and_eta_cancels(
    seed: int, slots: int, eta: float, mu: float
) -> None:
    association = torch.randn(
        9, slots, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    config = replace(PAPER, scale=mu)
    weights = association_weights(association, config)
    assert weights.shape == (9, slots + 1)
    assert bool(((weights >= 0) & (weights <= 1)).all())
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(9, dtype=torch.float64))
    shifted = association_weights(association, replace(config, shift=eta))
    torch.testing.assert_close(shifted, weights, rtol=1e-9, atol=1e-12)


def test_equation_5_by_hand() -> None:
    weights = association_weights(torch.tensor([[0.6, 0.4]], dtype=torch.float64), PAPER)
    odds = torch.tensor([1.0, 2.718281828459045**2, 2.718281828459045**-2], dtype=torch.float64)
    torch.testing.assert_close(weights[0], odds / odds.sum())


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_reweighted_distributions_stay_distributions(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    base = torch.rand(6, CLASSES + 1, generator=generator).softmax(1)
    memory = torch.rand(6, CLASSES + 1, generator=generator, dtype=torch.float64).softmax(1)
    out = reweight(base, memory, ScoreKind.SOFTMAX)
    torch.testing.assert_close(out.sum(dim=1), torch.ones(6, dtype=torch.float64))
    pairs = reweight(base, memory, ScoreKind.SIGMOID)
    for result in (out, pairs):
        assert bool(((result >= 0) & (result <= 1)).all())


def test_equation_7_in_pairs_has_its_pivot_at_one_half() -> None:
    base = torch.tensor([[0.4, 0.6, 0.4]], dtype=torch.float64)
    memory = torch.tensor([[0.4, 0.6, 0.5]], dtype=torch.float64)
    out = reweight(base, memory, ScoreKind.SIGMOID)[0]
    expected = [0.16 / (0.16 + 0.36), 0.36 / (0.36 + 0.16), 0.4]
    torch.testing.assert_close(out, torch.tensor(expected, dtype=torch.float64))


def test_gate_comes_before_the_assignment() -> None:
    association = torch.tensor([[0.9, 0.45], [0.6, 0.0]], dtype=torch.float64)
    assert assign(association, 0.5) == [(0, 0)]


def test_two_doubtful_pairs_do_not_outbid_a_sure_one() -> None:
    association = torch.tensor([[1.0, 0.7], [0.65, 0.0]], dtype=torch.float64)
    assert assign(association, 0.5) == [(0, 0)]


def test_two_sure_pairs_outbid_one() -> None:
    association = torch.tensor([[1.0, 0.9], [0.9, 0.0]], dtype=torch.float64)
    assert assign(association, 0.5) == [(0, 1), (1, 0)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("config", [PAPER, VIDEO])
def test_objects_seen_in_every_frame_keep_their_ids(kind: ScoreKind, config: MemoryConfig) -> None:
    scene = Scene(config, kind)
    seen = []
    for t in range(40):
        boxes = [at(100 + 2 * t), at(400 - 2 * t), at(800)]
        _, _, match = scene.frame(boxes, [0, 1, 2], t / 25)
        seen.append(scene.ids(match, boxes))
    assert seen == [seen[0]] * 40
    assert len(set(seen[0])) == 3
    assert NO_TRACK not in seen[0]


@given(st.permutations(range(23)))
@settings(deadline=None, max_examples=15)
def test_a_permutation_of_detections_permutes_the_result(order: list[int]) -> None:
    results = []
    for rows in (torch.arange(23), torch.tensor(order)):
        scene = Scene(PAPER)
        boxes = [at(100), at(300), at(500)]
        scene.frame(boxes, [0, 1, 2], 0.0, values=[0.9, 0.8, 0.7])
        _, scores, match = scene.frame(
            [at(104), at(304), at(504)], [0, 1, 2], 0.04, values=[0.5, 0.6, 0.4], order=rows
        )
        inverse = rows.argsort()
        results.append((scores[inverse], scene.ids(match, [at(104), at(304), at(504)])))
    torch.testing.assert_close(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]


def remembered(decay: float, values: list[float]) -> float:
    scene = Scene(replace(PAPER, decay=decay))
    for t, value in enumerate(values):
        scene.frame([at(100)], [0], t / 25, values=[value])
    (slot,) = scene.memory.slots
    return float(slot.score[0])


@given(st.lists(st.floats(0.2, 0.99), min_size=1, max_size=8))
@settings(deadline=None, max_examples=20)
def test_sigma_0_remembers_the_present_and_sigma_1_the_running_mean(values: list[float]) -> None:
    assert remembered(0.0, values) == pytest.approx(values[-1], abs=1e-6)
    assert remembered(1.0, values) == pytest.approx(sum(values) / len(values), abs=1e-6)


def test_equation_8_by_hand() -> None:
    assert remembered(0.95, [0.9, 0.5]) == pytest.approx((0.5 + 0.95 * 0.9) / 1.95)


def test_the_cap_keeps_memory_scores_moving_on_long_footage() -> None:
    values = [0.9] * 60 + [0.3] * 60
    capped = Scene(replace(PAPER, match_cap=5))
    for t, value in enumerate(values):
        capped.frame([at(100)], [0], t / 25, values=[value])
    assert float(capped.memory.slots[0].score[0]) == pytest.approx(0.3, abs=0.01)
    assert remembered(0.95, values) > 0.4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("config", [PAPER, VIDEO])
def test_twenty_distant_slots_do_not_move_a_newcomer_s_score(
    kind: ScoreKind, config: MemoryConfig
) -> None:
    scene = Scene(config, kind)
    crowd = [at(60.0 * i, 800) for i in range(20)]
    for t in range(5):
        scene.frame(crowd, list(range(20)), t / 25, labels=[1] * 20)
    boxes = [*crowd, at(100, 100)]
    values = [0.9] * 20 + [0.5]
    _, scores, _ = scene.frame(boxes, list(range(21)), 0.2, labels=[1] * 20 + [0], values=values)
    assert abs(float(foreground(scores, kind)[20, 0]) - 0.5) <= 0.02


def test_memory_lifts_a_weak_sight_of_a_known_object() -> None:
    scene = Scene(PAPER)
    for t in range(5):
        scene.frame([at(100)], [0], t / 25, values=[0.9])
    _, scores, match = scene.frame([at(100)], [0], 0.2, values=[0.4])
    assert float(scores[0, 0]) > 0.7
    assert scene.ids(match, [at(100)]) == [1]


def test_a_box_too_weak_to_write_takes_the_id_and_writes_nothing() -> None:
    scene = Scene(PAPER)
    for t in range(5):
        scene.frame([at(100)], [0], t / 25, values=[0.95])
    (slot,) = scene.memory.slots
    score, matches = slot.score.clone(), slot.matches
    _, _, match = scene.frame([at(100)], [0], 0.2, values=[0.09])
    assert scene.ids(match, [at(100)]) == [1]
    assert match.writing == ()
    assert torch.equal(slot.score, score)
    assert slot.matches == matches


def test_a_weak_box_that_matches_nothing_opens_no_slot() -> None:
    scene = Scene(PAPER)
    _, _, match = scene.frame([at(100)], [0], 0.0, values=[0.09])
    assert scene.ids(match, [at(100)]) == [NO_TRACK]
    assert scene.memory.slots == []


def test_a_preset_may_ask_more_of_a_newcomer_than_of_a_known_object() -> None:
    scene = Scene(replace(PAPER, open_threshold=0.5))
    _, _, match = scene.frame([at(100)], [0], 0.0, values=[0.4])
    assert scene.ids(match, [at(100)]) == [NO_TRACK]
    scene.frame([at(100)], [0], 0.04, values=[0.6])
    _, _, match = scene.frame([at(100)], [0], 0.08, values=[0.2])
    assert scene.ids(match, [at(100)]) == [1]
    assert len(match.writing) == 1


def test_overlapping_newcomers_of_two_classes_open_one_slot() -> None:
    scene = Scene(PAPER)
    boxes = [at(100), at(102)]
    _, _, match = scene.frame(boxes, [0, 0], 0.0, labels=[0, 1], values=[0.8, 0.6])
    assert scene.ids(match, boxes) == [1, NO_TRACK]
    assert match.duplicates.tolist().count(True) == 1


def test_slots_retire_after_their_time_not_their_frames() -> None:
    scene = Scene(VIDEO)
    scene.frame([at(100)], [0], 0.0)
    scene.frame([], [], 1.9)
    assert [slot.id for slot in scene.memory.slots] == [1]
    scene.frame([], [], 2.1)
    assert scene.memory.slots == []


def test_the_longest_unmatched_slots_make_room() -> None:
    scene = Scene(replace(VIDEO, max_slots=2))
    scene.frame([at(100)], [0], 0.0)
    scene.frame([at(300), at(500)], [1, 2], 0.1)
    assert sorted(slot.id for slot in scene.memory.slots) == [2, 3]


def test_paper_never_retires_and_finds_an_object_again() -> None:
    scene = Scene(PAPER)
    for t in range(5):
        scene.frame([at(100), at(300)], [0, 1], t / 25)
    for t in range(5, 200):
        scene.frame([at(300)], [1], t / 25)
    _, _, match = scene.frame([at(900), at(300)], [0, 1], 8.0)
    assert scene.ids(match, [at(900), at(300)]) == [1, 2]


def test_a_look_alike_elsewhere_does_not_inherit_a_departed_id() -> None:
    scene = Scene(VIDEO)
    for t in range(10):
        scene.frame([at(100 - 8 * t), at(1500)], [0, 1], t / 25)
    for t in range(10, 20):
        scene.frame([at(1500)], [1], t / 25)
    for t in range(20, 60):
        # it looks exactly like the one that left, but comes in at the other side
        boxes = [at(1200 - 2 * t), at(1500)]
        _, _, match = scene.frame(boxes, [0, 1], t / 25)
        ids = scene.ids(match, boxes)
        assert ids[0] not in (1, NO_TRACK)
        assert ids[1] == 2


def test_a_cut_lets_looks_alone_decide_for_one_frame() -> None:
    scene = Scene(VIDEO)
    for t in range(5):
        scene.frame([at(100)], [0], t / 25)
    embedding, far = scene.embed([0], 1)[0], torch.tensor([at(2000)])
    near_only = scene.memory.read(embedding, far, 0.2).association
    after_cut = scene.memory.read(embedding, far, 0.2, cut=True).association
    assert float(near_only) < 0
    assert float(after_cut) > 0.8


def test_two_slots_on_one_object_become_the_older() -> None:
    scene = Scene(VIDEO)
    for t in range(8):
        scene.frame([at(100), at(150 - 6 * t)], [0, 1], t / 25, labels=[0, 1])
    boxes = [at(100), at(102)]
    _, _, match = scene.frame(boxes, [0, 1], 0.32, labels=[0, 1])
    assert scene.ids(match, boxes) == [1, NO_TRACK]
    assert [slot.id for slot in scene.memory.slots] == [1]


def taken_for_a_new_one(frames: int) -> Scene:
    """Object 0 is hidden, and looks like object 1 for some frames, up to 0.8 s, when it is back."""
    scene = Scene(VIDEO)
    for t in range(8):
        scene.frame([at(100), at(900)], [0, 2], t / 25)
    for t in range(8, 20 - frames):
        scene.frame([at(900)], [2], t / 25)
    boxes = [at(100), at(900)]
    for t in range(20 - frames, 20):
        _, _, match = scene.frame(boxes, [1, 2], t / 25)
    assert scene.ids(match, boxes) == [3, 2]
    return scene


def living(scene: Scene) -> list[int]:
    return sorted(slot.id for slot in scene.memory.slots)


class TestOneObjectWithTwoSlotsByTurns:
    def test_keeps_the_id_that_is_known_better(self) -> None:
        scene, boxes = taken_for_a_new_one(3), [at(100), at(900)]
        _, _, match = scene.frame(boxes, [0, 2], 0.8)
        assert scene.ids(match, boxes) == [1, 2]
        assert living(scene) == [1, 2]
        assert [len(slot.ridge.window) for slot in scene.memory.slots if slot.id == 1] == [
            8 + 3 + 1
        ]

    def test_keeps_the_later_id_where_that_is_known_better(self) -> None:
        scene = taken_for_a_new_one(3)
        boxes = [at(100), at(900)]
        for t in range(20, 30):
            scene.frame(boxes, [1, 2], t / 25)
        _, _, match = scene.frame(boxes, [0, 2], 1.2)
        assert scene.ids(match, boxes) == [3, 2]
        assert living(scene) == [2, 3]

    def test_is_two_objects_where_both_are_there(self) -> None:
        scene = taken_for_a_new_one(3)
        for t in range(20, 30):
            scene.frame([at(100), at(900)], [1, 2], t / 25)
        boxes = [at(100), at(130), at(900)]
        _, _, match = scene.frame(boxes, [0, 1, 2], 1.2)
        assert scene.ids(match, boxes) == [1, 3, 2]

    def test_is_two_objects_where_the_other_was_elsewhere(self) -> None:
        scene, boxes = taken_for_a_new_one(3), [at(60), at(900)]
        _, _, match = scene.frame(boxes, [0, 2], 0.8)
        assert scene.ids(match, boxes) == [1, 2]
        assert living(scene) == [1, 2, 3]

    def test_is_two_objects_where_the_other_had_gone_before(self) -> None:
        scene, boxes = taken_for_a_new_one(3), [at(100), at(900)]
        scene.frame([at(900)], [2], 0.8)
        _, _, match = scene.frame(boxes, [0, 2], 0.84)
        assert scene.ids(match, boxes) == [1, 2]
        assert living(scene) == [1, 2, 3]

    def test_is_two_objects_where_both_were_seen_before_one_hid_the_other(self) -> None:
        scene = Scene(VIDEO)
        for t in range(8):
            scene.frame([at(70), at(100)], [0, 1], t / 25)
        _, _, match = scene.frame([at(93)], [0], 0.32)
        assert scene.ids(match, [at(93)]) == [1]
        assert living(scene) == [1, 2]

    def test_gives_no_slot_two_boxes(self) -> None:
        """Two that were hidden come back, each as another class, where a third is lost."""
        scene, hidden = Scene(VIDEO), [at(94), at(106)]
        for t in range(3):
            scene.frame([hidden[0], at(900)], [0, 2], t / 25)
        for t in range(15, 18):
            scene.frame([hidden[1], at(900)], [1, 2], t / 25, labels=[1, 0])
        for t in range(28, 40):
            _, _, match = scene.frame([at(100), at(900)], [3, 2], t / 25)
        assert scene.ids(match, [at(100)]) == [4]
        _, _, match = scene.frame([*hidden, at(900)], [0, 1, 2], 1.6, labels=[0, 1, 0])
        ids = [int(i) for i in match.track_ids if i != NO_TRACK]
        assert len(ids) == len(set(ids))

    def test_is_not_looked_for_over_a_cut(self) -> None:
        scene, boxes = taken_for_a_new_one(3), [at(100), at(900)]
        read = scene.memory.read
        scene.memory.read = partial(read, cut=True)  # type: ignore[method-assign]
        _, _, match = scene.frame(boxes, [0, 2], 0.8)
        assert scene.ids(match, boxes) == [1, 2]
        assert living(scene) == [1, 2, 3]


class TestAnObjectThatIsRecognisedLate:
    """Back in sight it looked like another object, and got slot 3; then like its old self too."""

    def seen(self, scene: Scene, look: int, first: int, count: int) -> list[int]:
        """Ids at 100 and 900 after some more frames; that at 100 looks so."""
        boxes = [at(100), at(900)]
        for t in range(first, first + count):
            _, _, match = scene.frame(boxes, [look, 2], t / 25)
        return scene.ids(match, boxes)

    def test_gets_its_id_back(self) -> None:
        scene = taken_for_a_new_one(3)
        assert self.seen(scene, BETWEEN, 20, 3) == [3, 2]
        assert self.seen(scene, BETWEEN, 23, 1) == [1, 2]
        assert living(scene) == [1, 2]

    def test_is_known_by_the_looks_of_both_slots(self) -> None:
        scene = taken_for_a_new_one(3)
        self.seen(scene, BETWEEN, 20, 4)
        (slot,) = (slot for slot in scene.memory.slots if slot.id == 1)
        assert slot.matches == len(slot.ridge.window) == 8 + 3 + 4
        direct = RunningRidge(DIM, 30)
        for samples in slot.ridge.window:
            update([direct], [samples])
        torch.testing.assert_close(slot.ridge.gram, direct.gram)
        torch.testing.assert_close(slot.ridge.moment, direct.moment)

    def test_must_look_like_itself_in_a_row(self) -> None:
        scene = taken_for_a_new_one(3)
        self.seen(scene, BETWEEN, 20, 3)
        self.seen(scene, 1, 23, 1)
        assert self.seen(scene, BETWEEN, 24, 3) == [3, 2]
        assert self.seen(scene, BETWEEN, 27, 1) == [1, 2]

    def test_is_another_where_both_have_been_in_sight_since(self) -> None:
        scene = taken_for_a_new_one(3)
        both = [at(100), at(130), at(900)]
        _, _, match = scene.frame(both, [1, 0, 2], 0.8)
        assert scene.ids(match, both) == [3, 1, 2]
        assert self.seen(scene, BETWEEN, 21, 8) == [3, 2]
        assert living(scene) == [1, 2, 3]

    def test_is_another_where_it_was_in_sight_before(self) -> None:
        scene, both = Scene(VIDEO), [at(100), at(160)]
        for t in range(8):
            scene.frame(both, [1, 0], t / 25)
        for t in range(8, 20):
            _, _, match = scene.frame(both[:1], [BETWEEN], t / 25)
        assert scene.ids(match, both[:1]) == [1]
        assert living(scene) == [1, 2]

    def test_is_another_where_it_was_seen_last_when_that_one_came(self) -> None:
        scene = Scene(VIDEO)
        for t in range(8):
            scene.frame([at(160)], [0], t / 25)
        scene.frame([at(160), at(100)], [0, 1], 8 / 25)
        for t in range(9, 20):
            _, _, match = scene.frame([at(100)], [BETWEEN], t / 25)
        assert scene.ids(match, [at(100)]) == [2]
        assert living(scene) == [1, 2]

    def test_is_not_two(self) -> None:
        """Two come back as others, and then both look like the one that was hidden."""
        scene, two = Scene(VIDEO), [at(70), at(130)]
        for t in range(8):
            scene.frame([at(100)], [0], t / 25)
        for t in range(12, 15):
            scene.frame(two, [1, 1], t / 25)
        for t in range(15, 19):
            _, _, match = scene.frame(two, [BETWEEN, BETWEEN], t / 25)
        assert sorted(scene.ids(match, two)) in ([1, 2], [1, 3])

    def test_goes_on_as_fast_as_it_went(self) -> None:
        scene = taken_for_a_new_one(3)
        for t in range(8):
            look = 1 if t < 4 else BETWEEN
            _, _, match = scene.frame([at(100 + 4 * t)], [look], 0.8 + t / 25)
        assert scene.ids(match, [at(128)]) == [1]
        (slot,) = (slot for slot in scene.memory.slots if slot.id == 1)
        assert slot.velocity.tolist() == pytest.approx([100, 0], abs=10)

    def test_is_another_where_it_could_not_have_got_to(self) -> None:
        scene, far = Scene(VIDEO), [at(500)]
        for t in range(8):
            scene.frame([at(100)], [0], t / 25)
        for look, start in ((1, 8), (BETWEEN, 16)):
            for t in range(start, start + 8):
                _, _, match = scene.frame(far, [look], t / 25)
        assert scene.ids(match, far) == [2]
        assert living(scene) == [1, 2]

    @pytest.mark.parametrize("stopped", [False, True])
    def test_is_another_where_the_scene_has_changed(self, *, stopped: bool) -> None:
        scene = Scene(VIDEO)
        for t in range(8):
            scene.frame([at(100)], [0], t / 25)
        read = scene.memory.read
        scene.memory.read = partial(read, cut=True)  # type: ignore[method-assign]
        scene.frame([at(900)], [2], 8 / 25)
        scene.memory.read = read  # type: ignore[method-assign]
        if stopped:
            fresh = Scene(VIDEO)
            restore_memory(fresh.memory, save_memory(scene.memory))
            scene = fresh
        for look, start in ((1, 20), (BETWEEN, 28)):
            for t in range(start, start + 8):
                _, _, match = scene.frame([at(100)], [look], t / 25)
        assert scene.ids(match, [at(100)]) == [3]
        assert living(scene) == [1, 2, 3]

    def test_is_one_of_two_that_it_looks_like(self) -> None:
        scene = Scene(VIDEO)
        for t in range(8):
            scene.frame([at(80), at(120)], [0, 1], t / 25)
        for t in range(12, 15):
            scene.frame([at(100)], [3], t / 25)
        for t in range(15, 19):
            _, _, match = scene.frame([at(100)], [BETWEEN], t / 25)
        assert scene.ids(match, [at(100)])[0] in (1, 2)
        assert living(scene) == [1, 2]

    def test_is_recognised_by_a_restored_memory(self) -> None:
        scene = taken_for_a_new_one(3)
        self.seen(scene, BETWEEN, 20, 2)
        fresh = Scene(VIDEO)
        restore_memory(fresh.memory, save_memory(scene.memory))
        assert self.seen(fresh, BETWEEN, 22, 2) == [1, 2]


@pytest.mark.parametrize("config", [PAPER, VIDEO])
def test_a_restored_memory_goes_on_as_if_never_stopped(
    config: MemoryConfig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("state") / "memory.pt"
    scenes = [Scene(config), Scene(config)]
    for t in range(50):
        boxes, directions = [at(100 + 3 * t), at(900 - 3 * t)], [0, 1]
        if t % 7 == 3:
            boxes, directions = boxes[1:], directions[1:]
        if t == 40:
            torch.save(save_memory(scenes[1].memory), path)
            fresh = Scene(config)
            fresh.noise.set_state(scenes[1].noise.get_state())
            restore_memory(fresh.memory, torch.load(path, weights_only=True))
            scenes[1] = fresh
        out = [scene.frame(boxes, directions, t / 25) for scene in scenes]
        assert torch.equal(out[0][1], out[1][1])
        assert torch.equal(out[0][2].track_ids, out[1][2].track_ids)


def test_learnt_identifiers_equal_the_direct_solution() -> None:
    """Golden: the rows of Eq. 2 written out, with the weights of the expected sample of 96."""
    scene = Scene(PAPER)
    rows: list[Tensor] = []
    labels: list[Tensor] = []
    original = scene.memory.write

    def record(match: Match, proposals: Tensor, embeddings: Tensor, support: Tensor) -> None:
        overlap_free = proposals[:, 0] != match.boxes[match.writing[0][1]][0]
        negatives = embeddings[overlap_free].double()
        weight = min(1.0, 96 / len(negatives))
        rows.extend([support[0].double(), negatives * weight**0.5])
        labels.extend([torch.ones(len(support[0])), torch.zeros(len(negatives))])
        original(match, proposals, embeddings, support)

    scene.memory.write = record  # type: ignore[method-assign]
    for t in range(4):
        scene.frame([at(100), at(500)], [0, 1], t / 25)
    a, y = torch.cat(rows), torch.cat(labels).double()
    expected = torch.linalg.solve(a.T @ a + 0.1 * torch.eye(DIM, dtype=a.dtype), a.T @ y)
    torch.testing.assert_close(scene.memory.slots[0].identifier, expected)
