"""Weak boxes before an object's first sure one."""

from dataclasses import replace

import pytest
import torch
from memory_scene import Scene, at

from minet_core.boxes import NO_TRACK
from minet_core.config import VIDEO, MemoryConfig
from minet_core.memory import Looked
from minet_core.memory.snapshot import restore_memory, save_memory


def ids_of(scene: Scene, x: float, value: float, time: float, *, cut: bool = False) -> int:
    """Id of the only box of a frame."""
    _, _, match = scene.frame([at(x)], [0], time, values=[value], cut=cut)
    (number,) = scene.ids(match, [at(x)])
    return number


def test_a_slot_takes_over_the_weak_boxes_of_its_object() -> None:
    scene = Scene(VIDEO)
    weak = {ids_of(scene, 100 + 3 * i, 0.15, i) for i in range(5)}
    assert len(weak) == 1
    assert weak.pop() < NO_TRACK
    _, _, match = scene.frame([at(115)], [0], 5.0, values=[0.9])
    assert match.promoted == {1: -2}
    assert scene.ids(match, [at(115)]) == [1]
    assert not scene.memory.tentative.current


def test_the_slot_knows_how_its_object_has_moved() -> None:
    scene, late = Scene(VIDEO), Scene(VIDEO)
    for i in range(6):
        ids_of(scene, 100 + 4 * i, 0.15, i)
    for one in (scene, late):
        ids_of(one, 124, 0.9, 6.0)
    (known,), (new,) = scene.memory.slots, late.memory.slots
    assert float(known.track.mean[0, 1]) == pytest.approx(4, abs=1)
    assert float(new.track.mean[0, 1]) == 0


@pytest.mark.parametrize("x", [400.0, 100.0])
def test_a_box_elsewhere_or_too_late_is_another_s(x: float) -> None:
    scene = Scene(VIDEO)
    first = ids_of(scene, 100, 0.15, 0.0)
    if x == 100:
        for i in range(1, 6):
            scene.frame([], [], i)
    assert ids_of(scene, x, 0.15, 6.0) not in {first, NO_TRACK}


def test_none_goes_on_over_a_cut() -> None:
    scene = Scene(VIDEO)
    first = ids_of(scene, 100, 0.15, 0.0)
    assert ids_of(scene, 100, 0.29, 1.0, cut=True) not in {first, NO_TRACK}
    assert len(scene.memory.tentative.current) == 1


def test_a_known_object_s_second_box_begins_none() -> None:
    scene = Scene(VIDEO)
    boxes = [at(100), [102.0, 100.0, 142.0, 150.0]]
    for i in range(4):
        _, _, match = scene.frame(boxes, [0, 0], i, values=[0.9, 0.25])
        assert scene.ids(match, boxes) == [1, NO_TRACK]


def test_noise_costs_no_ids_and_is_forgotten() -> None:
    scene = Scene(VIDEO)
    for i in range(50):
        ids_of(scene, 100.0 + 97 * (i * i % 31), 0.1, i)
    assert scene.memory.next_id == 1
    assert len(scene.memory.tentative.current) <= 4


@pytest.mark.parametrize("config", [replace(VIDEO, tentative=False), MemoryConfig()])
def test_without_them_weak_boxes_have_no_id(config: MemoryConfig) -> None:
    scene = Scene(config)
    assert ids_of(scene, 100, 0.09, 0.0) == NO_TRACK


def test_a_box_without_an_embedding_begins_none() -> None:
    memory = Scene(VIDEO).memory
    scores = torch.full((2, 5), 0.01)
    scores[:, 0] = torch.tensor([0.05, 0.2])  # 0.05 exceeds itself in double precision
    boxes = torch.tensor([at(100), at(400)])
    looked = Looked(boxes[1:], torch.zeros(1, memory.dim), boxes, scores, torch.tensor([1]))
    assert float(scores[0, 0].double()) > VIDEO.write_threshold
    match = memory.match(memory.read(looked, 0.0), torch.arange(2))
    assert match.track_ids.tolist() == [NO_TRACK, -2]


def test_go_on_from_a_saved_state() -> None:
    whole, stopped = Scene(VIDEO), Scene(VIDEO)
    for scene in (whole, stopped):
        for i in range(3):
            ids_of(scene, 100 + 3 * i, 0.15, i)
    resumed = Scene(VIDEO)
    restore_memory(resumed.memory, save_memory(stopped.memory))
    resumed.noise.set_state(whole.noise.get_state())
    for scene in (whole, resumed):
        assert ids_of(scene, 109, 0.15, 3.0) == -2
        assert ids_of(scene, 400, 0.15, 4.0) == -3
        assert ids_of(scene, 112, 0.9, 5.0) == 1
    one, other = whole.memory.slots[0].track, resumed.memory.slots[0].track
    assert torch.equal(one.mean, other.mean)
