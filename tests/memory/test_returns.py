"""An object that comes back under a new slot: the newcomer takes the name of the older one."""

from dataclasses import replace

import pytest
from memory_scene import BETWEEN, Scene, at

from minet_core.config import VIDEO, MemoryConfig

STRICT = replace(VIDEO, gate=8.0)
"""A gate that no box passes which looks half like an object and has no place any more."""


def reported(looks: list[int], config: MemoryConfig = STRICT) -> list[dict[int, int]]:
    """Object 0 leaves for 15 frames; names after each further frame, with a box of such a look."""
    scene = Scene(config)
    for t in range(10):
        scene.frame([at(100), at(900)], [0, 2], t)
    for t in range(10, 25):
        scene.frame([at(900)], [2], t)
    names = []
    for t, look in enumerate(looks, start=25):
        scene.frame([at(110), at(900)], [look, 2], t)
        names.append(scene.memory.names())
    return names


def test_it_is_known_again_once_it_has_as_many_boxes_as_vouch_for_a_slot() -> None:
    before, after = {1: 1, 2: 2, 3: 3}, {2: 2, 3: 1}
    assert reported([BETWEEN] * 5) == [before, before, after, after, after]


def test_a_stranger_stays_one() -> None:
    assert reported([3] * 5)[-1] == {1: 1, 2: 2, 3: 3}


def test_an_object_that_was_seen_beside_the_newcomer_is_another_one() -> None:
    scene = Scene(STRICT)
    for t in range(10):
        scene.frame([at(100)], [0], t)
    scene.frame([at(150)], [0], 10)
    for t in range(11, 20):
        scene.frame([at(100), at(150)], [0, 0], t)
    assert scene.memory.names() == {1: 1, 2: 2}


def test_the_first_of_two_newcomers_takes_the_name() -> None:
    scene = Scene(STRICT)
    for t in range(10):
        scene.frame([at(100)], [0], t)
    for t in range(10, 25):
        scene.frame([], [], t)
    for t in range(25, 30):
        scene.frame([at(60), at(140)], [BETWEEN, BETWEEN], t)
    assert sorted(scene.memory.names().values()) in ([1, 2], [1, 3])


@pytest.mark.parametrize(
    "config", [replace(STRICT, return_gate=None), replace(STRICT, return_gate=99)]
)
def test_the_gate_decides(config: MemoryConfig) -> None:
    assert reported([BETWEEN] * 5, config)[-1] == {1: 1, 2: 2, 3: 3}
