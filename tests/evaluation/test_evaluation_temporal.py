import math

import numpy as np
import pytest
from evaluation_frames import at, frame

from minet_core.errors import ConfigError, InputError
from minet_core.evaluation.bootstrap import difference_interval, ratio_interval
from minet_core.evaluation.frames import EvalFrame
from minet_core.evaluation.tracks.steadiness import TemporalAccumulator, TemporalResult

HERE = at(0)


def score(*frames: EvalFrame, shown: float = 0.3) -> TemporalResult:
    accumulator = TemporalAccumulator(("cat", "dog"), shown)
    for one in frames:
        accumulator.add(one)
    return accumulator.result()


def along(*scores: float | None, track: int = 1, video: str = "v") -> list[EvalFrame]:
    """One still cat, found with these scores; None where it is not found."""
    return [
        frame([(HERE, 0, track)], [] if s is None else [(HERE, 0, s)], number, video)
        for number, s in enumerate(scores)
    ]


def test_jitter_is_the_mean_change_from_frame_to_frame() -> None:
    result = score(*along(0.9, 0.7, 0.8))
    assert result.jitter == pytest.approx((0.2 + 0.1) / 2)


def test_what_is_not_found_has_the_score_nought() -> None:
    wrong_class = frame([(HERE, 0, 1)], [(HERE, 1, 0.9)], 2)
    too_far = frame([(HERE, 0, 1)], [(at(25), 0, 0.9)], 3)
    result = score(*along(0.9, None), wrong_class, too_far)
    assert result.jitter == pytest.approx(0.9 / 3)


def test_the_surest_detection_gives_the_score() -> None:
    two = frame([(HERE, 0, 1)], [(HERE, 0, 0.2), (at(1), 0, 0.6)], 1)
    assert score(*along(0.6), two).jitter == 0


def test_nothing_is_counted_over_gaps_of_the_annotation() -> None:
    first, _, last = along(0.9, 0.5, 0.1)
    absent = frame(number=1)
    assert math.isnan(score(first, absent, last).jitter)
    # Every second frame of a video is a step all the same.
    assert score(first, last).jitter == pytest.approx(0.8)


def test_tracks_of_two_videos_do_not_mix() -> None:
    result = score(*along(0.9), *along(0.1, video="w"))
    assert list(result.tracks) == [("v", 1), ("w", 1)]
    assert math.isnan(result.jitter)


def test_recall_of_tracks_at_shares_of_their_boxes() -> None:
    half = along(0.9, 0.9, None, 0.1)
    most = along(0.9, 0.9, 0.9, None, 0.3, video="w")
    result = score(*half, *most)
    assert result.tracks["v", 1].covered == 2
    assert result.tracks["w", 1].covered == 4
    assert (result.recall(0.5), result.recall(0.8), result.recall(0.81)) == (1, 0.5, 0)
    assert score(*half, *most, shown=0.5).recall(0.8) == 0


def test_what_is_not_found_is_not_found_at_any_score() -> None:
    result = score(*along(None, None, 0.2, None), shown=0.0)
    assert (result.recall(0.25), result.recall(0.5)) == (1.0, 0.0)


def test_a_fragmentation_is_a_track_found_again() -> None:
    assert score(*along(None, 0.9, 0.1, 0.9, None, None, 0.9, None)).fragmentations == 2
    assert score(*along(0.9, 0.9), *along(None, None, video="w")).fragmentations == 0


def test_ignored_boxes_and_boxes_without_a_track_take_no_part() -> None:
    truth = [(HERE, 0, 1, True), (at(100), 0, -1)]
    result = score(frame(truth), frame(truth, number=1))
    assert result.tracks == {}
    assert math.isnan(result.jitter)
    assert math.isnan(result.recall(0.5))


def test_a_result_does_not_change_afterwards() -> None:
    accumulator = TemporalAccumulator(("cat",))
    first, second = along(0.9, 0.8)
    accumulator.add(first)
    early = accumulator.result()
    accumulator.add(second)
    assert (early.tracks["v", 1].boxes, accumulator.result().tracks["v", 1].boxes) == (1, 2)


def test_frames_must_come_in_order() -> None:
    first, second = along(0.9, 0.8)
    with pytest.raises(InputError, match="v, frame 0: comes after frame 1"):
        score(second, first)
    with pytest.raises(InputError, match="v, frame 1: this video's frames are not consecutive"):
        score(first, *along(0.9, video="w"), second)


def test_the_interval_of_two_tracks_is_their_range() -> None:
    # Jitter 0.1 and 0.3: drawn with replacement, one in four draws is all of one track.
    result = score(*along(0.5, 0.6), *along(0.5, 0.8, video="w"))
    interval = result.jitter_interval()
    assert (interval.low, interval.high) == pytest.approx((0.1, 0.3))
    assert result.jitter == pytest.approx(0.2)


def test_one_track_decides_nothing() -> None:
    interval = score(*along(0.5, 0.6)).jitter_interval()
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


def test_the_interval_narrows_with_tracks_and_holds_the_truth() -> None:
    random = np.random.default_rng(1)
    few, many = (random.uniform(0, 1, count) for count in (10, 1000))
    narrow = ratio_interval(many, np.ones(1000))
    wide = ratio_interval(few, np.ones(10))
    # The mean of 1000 uniform values has a standard error of 0.0091.
    assert narrow.high - narrow.low == pytest.approx(2 * 1.96 * 0.0091, rel=0.05)
    assert narrow.low < many.mean() < narrow.high
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.array([0.1, 0.5, 0.2, 0.9, 0.35])
    assert ratio_interval(values, np.ones(5)) == ratio_interval(values, np.ones(5))
    assert ratio_interval(values, np.ones(5), seed=1) != ratio_interval(values, np.ones(5))


def test_what_two_results_share_cancels_out() -> None:
    values = np.array([0.1, 0.5, 0.2, 0.9, 0.35])
    interval = difference_interval(values, np.ones(5), values + 0.25, np.ones(5))
    assert (interval.low, interval.high) == pytest.approx((-0.25, -0.25))


def test_with_memory_against_without() -> None:
    steady = score(*along(0.5, 0.6), *along(0.5, 0.7, video="w"))
    # The same tracks, in another order.
    shaky = score(*along(0.5, 1.0, video="w"), *along(0.5, 0.9))
    interval = steady.jitter_difference(shaky)
    assert (interval.low, interval.high) == pytest.approx((-0.3, -0.3))
    with pytest.raises(ConfigError, match="the same true tracks"):
        steady.jitter_difference(score(*along(0.5, 0.6)))
