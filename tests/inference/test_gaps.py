"""Gaps of tracks that are filled: which, with what, and what is left alone."""

from collections.abc import Sequence

import numpy as np
import pytest
from result_factory import frame_of

from minet_core.boxes import NO_TRACK
from minet_core.inference.gaps import filled
from minet_core.results import FrameDetections

SIZE = (360, 640)


def fill(
    frames: Sequence[FrameDetections],
    longest: int = 8,
    cuts: Sequence[int] = (),
    sizes: Sequence[tuple[int, int]] | None = None,
) -> list[FrameDetections]:
    given = zip(sizes or [SIZE] * len(frames), frames, strict=True)
    return [found for _, found in filled(given, longest, cuts)]


def seen(*places: int, frames: int = 12) -> list[FrameDetections]:
    """Track 7 in these frames of a video."""
    return [frame_of(i, [7] if i in places else []) for i in range(frames)]


def places(frames: Sequence[FrameDetections]) -> list[int]:
    return [found.frame for found in frames if 7 in found.track_ids]


def test_box_lies_between_its_neighbours_and_says_that_nobody_saw_it() -> None:
    before = frame_of(0, [7], scores=[0.9])
    after = frame_of(4, [7], scores=[0.5], labels=[1])
    after.boxes[:] = [[15, 16, 33, 34]]
    frames = [before, frame_of(1), frame_of(2), frame_of(3), after]
    between = fill(frames)[1]
    assert between.boxes.tolist() == [[9, 4, 21, 16]]
    assert between.scores.tolist() == [pytest.approx(0.8)]
    assert between.base_scores.tolist() == [0]
    assert (between.track_ids.tolist(), between.labels) == ([7], ["car"])
    assert between.interpolated is not None
    assert between.interpolated.tolist() == [True]


def test_detected_rows_stay_as_they_were_and_the_best_comes_first() -> None:
    first, last = (frame_of(i, [7], scores=[0.6]) for i in (0, 2))
    both = frame_of(1, [3, NO_TRACK], scores=[0.7, 0.4])
    middle = fill([first, both, last])[1]
    assert middle.track_ids.tolist() == [3, 7, NO_TRACK]
    assert middle.scores.tolist() == [0.7, pytest.approx(0.6), 0.4]
    assert middle.interpolated is not None
    assert middle.interpolated.tolist() == [False, True, False]
    assert middle.base_scores.tolist() == [0.4, 0, 0.4]


@pytest.mark.parametrize(("longest", "filled_up"), [(3, False), (4, True), (100, True)])
def test_gap_is_filled_up_to_a_length(longest: int, filled_up: bool) -> None:
    found = places(fill(seen(0, 1, 6, 7), longest))
    assert found == ([*range(8)] if filled_up else [0, 1, 6, 7])


def test_only_gaps_are_filled() -> None:
    assert places(fill(seen(3, 5, 8))) == [3, 4, 5, 6, 7, 8]


def test_boxes_without_a_track_have_no_gaps() -> None:
    frames = [frame_of(0, [NO_TRACK]), frame_of(1), frame_of(2, [NO_TRACK])]
    assert [len(found) for found in fill(frames)] == [1, 0, 1]


def test_no_line_leads_over_a_cut() -> None:
    assert places(fill(seen(0, 4, 6), cuts=[2])) == [0, 4, 5, 6]
    assert places(fill(seen(0, 4, 6), cuts=[4])) == [0, 4, 5, 6]
    assert places(fill(seen(0, 4, 6), cuts=[5])) == [0, 1, 2, 3, 4, 6]


def test_no_line_leads_through_a_picture_of_another_size() -> None:
    sizes = [SIZE, SIZE, (100, 100), SIZE, SIZE, SIZE]
    assert places(fill(seen(0, 3, 5, frames=6), sizes=sizes)) == [0, 3, 4, 5]


def test_a_pause_is_as_long_as_the_frames_missing_in_it() -> None:
    """Twenty frames a second, and a pause of five frames in the second gap."""
    times = [i / 20 for i in range(6)] + [i / 20 + 0.25 for i in range(6, 12)]
    frames = [frame_of(i, [7] if i in (0, 2, 4, 7) else [], time=t) for i, t in enumerate(times)]
    assert places(fill(frames, 6)) == [0, 1, 2, 3, 4, 7]
    found = fill(frames, 7)
    assert places(found) == [*range(8)]
    # From 4 to 7 are eight frames' time, of which one has passed at 5 and seven at 6.
    assert [found[i].boxes[0, 1] for i in (5, 6)] == [
        pytest.approx(4 + 3 / 8),
        pytest.approx(6.625),
    ]


def test_the_pace_of_the_stamps_changes_nothing() -> None:
    frames = [frame_of(i, [7] if i in (0, 5) else [], time=i * 60.0) for i in range(6)]
    assert places(fill(frames)) == [*range(6)]


def test_score_vectors_know_the_box_s_own_class_only() -> None:
    vectors = np.array([[0.6, 0.2]])
    frames = [
        frame_of(0, [7], scores=[0.6], score_vectors=vectors),
        frame_of(1, score_vectors=np.zeros((0, 2))),
        frame_of(2, [7], scores=[0.6], score_vectors=vectors),
    ]
    found = fill(frames)[1].score_vectors
    assert found is not None
    assert found.tolist() == [[pytest.approx(0.6), 0]]


def test_frames_come_as_soon_as_no_gap_can_reach_them() -> None:
    taken: list[int] = []

    def video():
        for i in range(1000):
            taken.append(i)
            yield SIZE, frame_of(i, [7])

    next(filled(video(), 5, ()))
    assert taken == [*range(7)]
