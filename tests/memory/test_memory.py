"""The memory against what the paper promises, on objects with embeddings made for the test."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_scene import CLASSES, DIM, KINDS, Scene, at, scores_of
from torch import Tensor

from minet_core.boxes import NO_TRACK
from minet_core.config import PAPER, VIDEO, MemoryConfig
from minet_core.memory import DynamicMemory, Looked, Match
from minet_core.memory.association import assign
from minet_core.memory.equations import association_weights, exponents, reweight
from minet_core.memory.snapshot import restore_memory, save_memory
from minet_core.scores import ScoreKind, foreground


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("config", [PAPER, VIDEO])
def test_an_empty_memory_is_the_plain_detector(kind: ScoreKind, config: MemoryConfig) -> None:
    base = scores_of(kind, [0, 1, 2, 3], [0.9, 0.5, 0.2, 0.05])
    memory = DynamicMemory(config, kind, base.shape[1], DIM)
    boxes = torch.rand(4, 4)
    reading = memory.read(Looked(boxes, torch.randn(4, DIM), boxes, base), 0.0)
    torch.testing.assert_close(reading.reweighted, base.double())


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
    weights = association_weights(exponents(association, config))
    assert weights.shape == (9, slots + 1)
    assert bool(((weights >= 0) & (weights <= 1)).all())
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(9, dtype=torch.float64))
    shifted = association_weights(exponents(association, replace(config, shift=eta)))
    torch.testing.assert_close(shifted, weights, rtol=1e-9, atol=1e-12)


def test_equation_5_by_hand() -> None:
    association = torch.tensor([[0.6, 0.4]], dtype=torch.float64)
    weights = association_weights(exponents(association, PAPER))
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


def pairs_over(rows: list[list[float]], threshold: float) -> list[tuple[int, int]]:
    association = torch.tensor(rows, dtype=torch.float64)
    return assign(association - threshold, association >= threshold)


def test_gate_comes_before_the_assignment() -> None:
    assert pairs_over([[0.9, 0.45], [0.6, 0.0]], 0.5) == [(0, 0)]


def test_two_doubtful_pairs_do_not_outbid_a_sure_one() -> None:
    assert pairs_over([[1.0, 0.7], [0.65, 0.0]], 0.5) == [(0, 0)]


def test_two_sure_pairs_outbid_one() -> None:
    assert pairs_over([[1.0, 0.9], [0.9, 0.0]], 0.5) == [(0, 1), (1, 0)]


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


def test_the_longest_unmatched_slots_make_room() -> None:
    scene = Scene(replace(VIDEO, max_slots=2))
    for t in range(4):
        scene.frame([at(100)], [0], t / 25)
    scene.frame([at(300), at(500)], [1, 2], 0.16)
    assert sorted(slot.id for slot in scene.memory.slots) == [2, 3]


def test_paper_never_retires_and_finds_an_object_again() -> None:
    scene = Scene(PAPER)
    for t in range(5):
        scene.frame([at(100), at(300)], [0, 1], t / 25)
    for t in range(5, 200):
        scene.frame([at(300)], [1], t / 25)
    _, _, match = scene.frame([at(900), at(300)], [0, 1], 8.0)
    assert scene.ids(match, [at(900), at(300)]) == [1, 2]


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

    def record(match: Match, support: Tensor | None = None) -> None:
        assert support is not None
        looked = match.reading.looked
        overlap_free = looked.proposals[:, 0] != match.boxes[match.writing[0][1]][0]
        negatives = looked.embeddings[overlap_free].double()
        weight = min(1.0, 96 / len(negatives))
        rows.extend([support[0].double(), negatives * weight**0.5])
        labels.extend([torch.ones(len(support[0])), torch.zeros(len(negatives))])
        original(match, support)

    scene.memory.write = record  # type: ignore[method-assign]
    for t in range(4):
        scene.frame([at(100), at(500)], [0, 1], t / 25)
    a, y = torch.cat(rows), torch.cat(labels).double()
    expected = torch.linalg.solve(a.T @ a + 0.1 * torch.eye(DIM, dtype=a.dtype), a.T @ y)
    torch.testing.assert_close(scene.memory.slots[0].identifier, expected)
