from dataclasses import replace

import numpy as np
import pytest
from evaluation_frames import at, frame, random_frames
from hypothesis import given
from hypothesis import strategies as st

from minet_core.evaluation.matching import ApProtocol
from minet_core.evaluation.precision.average_precision import ApAccumulator
from minet_core.evaluation.precision.video_bootstrap import (
    drawn_weights,
    draws_interval,
    mean_ap_draws,
)

CLASSES = ("cat", "dog")
PROTOCOLS = (ApProtocol.VOC50, ApProtocol.DEVKIT, ApProtocol.COCO)
videos = st.lists(random_frames(), min_size=2, max_size=4)


def accumulated(videos, protocol=ApProtocol.VOC50) -> ApAccumulator:
    accumulator = ApAccumulator(CLASSES, protocol)
    for number, frames in enumerate(videos):
        for entry in frames:
            accumulator.add(replace(entry, video=str(number)))
        accumulator.end_video()
    return accumulator


def weighted(accumulator, weights, protocol=ApProtocol.VOC50) -> float:
    tallies = list(accumulator._tallies.by_video())
    columns = np.array(weights, dtype=np.float64)[:, None]
    return mean_ap_draws(tallies, columns, protocol)[0]


@given(videos, st.sampled_from(PROTOCOLS))
def test_every_video_once_is_the_precision_itself(videos, protocol):
    accumulator = accumulated(videos, protocol)
    ones = [1] * len(videos)
    assert weighted(accumulator, ones, protocol) == pytest.approx(
        accumulator.result().mean, nan_ok=True
    )


@given(videos, st.data())
def test_a_video_drawn_twice_is_a_video_that_is_there_twice(videos, data):
    numbers = st.lists(st.integers(0, 3), min_size=len(videos), max_size=len(videos))
    weights = data.draw(numbers)
    repeated = [frames for frames, n in zip(videos, weights, strict=True) for _ in range(n)]
    assert weighted(accumulated(videos), weights) == pytest.approx(
        accumulated(repeated).result().mean, nan_ok=True
    )


def test_the_interval_holds_what_single_videos_have():
    """One video is all right and one all wrong, so a draw has 0, 1 or something between."""
    right = [frame([(at(0), 0, 1)], [(at(0), 0, 0.9)])]
    wrong = [frame([(at(0), 0, 1)], [(at(500), 0, 0.8)])]
    draws = accumulated([right, wrong]).draws()
    assert set(draws.round(6)) == {0, 0.5, 1}
    interval = draws_interval(draws)
    assert (interval.low, interval.high) == (0, 1)


def test_the_same_videos_have_the_same_draws():
    np.testing.assert_array_equal(drawn_weights(7), drawn_weights(7))
    assert (drawn_weights(7).sum(axis=0) == 7).all()


def test_one_video_says_nothing_of_others():
    accumulator = accumulated([[frame([(at(0), 0, 1)])]])
    assert len(accumulator.draws()) == 0
    assert np.isnan(draws_interval(accumulator.draws()).low)
