"""Composed pairs: the boxes are where the objects are, and the generator decides everything."""

from typing import ClassVar

import numpy as np
import pytest
import torch

from minet_core.errors import InputError
from minet_core.training.data.composed import ComposedPairs, Composition
from minet_core.training.data.pairs import Pair, View

SIZE = 120
STILL = Composition(light=0.0, blur=0.0)


class Coloured:
    """Grey pictures with one square of a colour of its own; its class is the red value."""

    name = "coloured"
    notes: ClassVar[list[str]] = []

    def __init__(self, side: int = 40) -> None:
        self._side = side

    def draw(self, generator: torch.Generator) -> Pair:
        image = np.full((SIZE, SIZE, 3), 128, np.uint8)
        red = int(torch.randint(256, (1,), generator=generator))
        image[10 : 10 + self._side, 20 : 20 + self._side] = (red, 0, 255)
        box = np.array([[20, 10, 20 + self._side, 10 + self._side]], np.float32)
        view = View(image, box, np.array([red]), np.array([1]))
        return Pair(view, view, "square")


def drawn(seed: int, rules: Composition = STILL) -> Pair:
    return ComposedPairs(Coloured(), rules).draw(torch.Generator().manual_seed(seed))


def test_the_same_generator_gives_the_same_pair() -> None:
    first, again, other = drawn(1, Composition()), drawn(1, Composition()), drawn(2, Composition())
    np.testing.assert_array_equal(first.query.image, again.query.image)
    np.testing.assert_array_equal(first.query.boxes, again.query.boxes)
    assert not np.array_equal(first.query.image, other.query.image)


@pytest.mark.parametrize("seed", range(8))
def test_a_track_is_the_same_object_in_both_views(seed: int) -> None:
    pair = drawn(seed)
    assert len(pair.shared())
    labels = [dict(zip(v.track_ids, v.label_ids, strict=True)) for v in (pair.support, pair.query)]
    for track in pair.shared():
        assert labels[0][track] == labels[1][track]
    assert pair.support.boxes.shape != pair.query.boxes.shape or not np.allclose(
        pair.support.boxes, pair.query.boxes
    )


@pytest.mark.parametrize("seed", range(8))
def test_boxes_lie_in_the_picture_and_objects_are_mostly_visible(seed: int) -> None:
    crowded = Composition(objects=(6, 9), height=(0.3, 0.6), light=0.0, blur=0.0)
    for view in (drawn(seed, crowded).support, drawn(seed, crowded).query):
        assert (view.boxes >= 0).all()
        assert (view.boxes <= SIZE).all()
        assert (view.boxes[:, 2:] > view.boxes[:, :2]).all()
        for box, label in zip(view.boxes, view.label_ids, strict=True):
            left, top, right, bottom = box.astype(int)
            inside = view.image[top:bottom, left:right]
            assert (inside == (label, 0, 255)).all(axis=2).mean() > 0.2


def test_what_is_too_small_to_cut_is_a_clear_error() -> None:
    with pytest.raises(InputError, match="no object"):
        ComposedPairs(Coloured(side=4)).draw(torch.Generator().manual_seed(0))
