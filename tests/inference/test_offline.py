from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minet_core.boxes import NO_TRACK, box_iou
from minet_core.errors import InputError
from minet_core.inference.box_paths import BestPaths, LinkedBoxes
from minet_core.inference.offline import Rescore, merge_passes, seq_nms, tube_link
from minet_core.inference.score_frames import ScoredFrame

METHODS = pytest.mark.parametrize("method", [seq_nms, tube_link])


def frame(
    number: int,
    boxes: Sequence[Sequence[float]],
    scores: Sequence[Sequence[float]],
    ids: Sequence[int] | None = None,
    classes: int = 1,
) -> ScoredFrame:
    values = np.array(scores or np.zeros((0, classes)), dtype=np.float64)
    return ScoredFrame(
        frame=number,
        boxes=np.array(boxes, dtype=np.float64).reshape(-1, 4),
        scores=values,
        base=values / 2,
        track_ids=np.array(ids or [NO_TRACK] * len(boxes), dtype=np.int64),
    )


def at(x: float, side: float = 20) -> list[float]:
    return [x, 0, x + side, side]


def still(*scores: float) -> list[ScoredFrame]:
    """One box that does not move, of one class, with these scores."""
    return [frame(number, [at(0)], [[score]]) for number, score in enumerate(scores)]


def scores_of(frames: Sequence[ScoredFrame]) -> list[float]:
    return [round(float(s), 9) for f in frames for s in f.scores[:, 0]]


@st.composite
def crowds(draw: st.DrawFn, classes: int = 2) -> list[ScoredFrame]:
    """A few frames of boxes that overlap a lot, some frames empty, with distinct scores."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frames = []
    for number in range(draw(st.integers(1, 5))):
        count = int(random.integers(0, 4))
        corners = random.uniform(0, 12, (count, 2))
        boxes = np.concatenate([corners, corners + random.uniform(15, 25, (count, 2))], axis=1)
        scores = random.random((count, classes))
        frames.append(frame(number, boxes.tolist(), scores.tolist(), classes=classes))
    return frames


@METHODS
def test_boxes_of_a_single_frame_keep_their_scores(method) -> None:
    alone = frame(7, [at(0), at(100)], [[0.9, 0.2], [0.3, 0.4]], ids=[4, NO_TRACK])
    (after,) = method([alone])
    assert np.array_equal(after.scores, alone.scores)
    assert after.frame == 7
    assert after.boxes is alone.boxes
    assert after.base is alone.base
    assert after.track_ids is alone.track_ids


@METHODS
def test_a_weak_frame_of_a_steady_track_is_lifted_to_the_mean(method) -> None:
    assert scores_of(method(still(0.9, 0.1, 0.8))) == [0.6, 0.6, 0.6]


def test_a_weak_frame_can_be_lifted_to_the_highest_score() -> None:
    assert scores_of(seq_nms(still(0.9, 0.1, 0.8), rescore=Rescore.MAX)) == [0.9, 0.9, 0.9]


@METHODS
def test_what_moves_too_far_is_not_linked(method) -> None:
    jump = [frame(0, [at(0)], [[0.9]]), frame(1, [at(50)], [[0.1]]), frame(2, [at(0)], [[0.7]])]
    assert scores_of(method(jump)) == [0.9, 0.1, 0.7]


@METHODS
def test_an_empty_frame_breaks_the_link(method) -> None:
    first, _, last = still(0.9, 0.5, 0.1)
    assert scores_of(method([first, frame(1, [], []), last])) == [0.9, 0.1]


@METHODS
def test_a_stride_does_not(method) -> None:
    sparse = [frame(f.frame * 5, f.boxes.tolist(), f.scores.tolist()) for f in still(0.9, 0.1)]
    assert scores_of(method(sparse)) == [0.5, 0.5]


@METHODS
def test_classes_are_linked_apart(method) -> None:
    two = [frame(0, [at(0)], [[0.9, 0.2]]), frame(1, [at(0)], [[0.5, 0.4]])]
    assert [f.scores.round(9).tolist() for f in method(two)] == [[[0.7, 0.3]], [[0.7, 0.3]]]


@METHODS
def test_pairs_under_the_floor_stay_as_they_are(method) -> None:
    assert scores_of(method(still(0.9, 0.05, 0.7), floor=0.05)) == [0.9, 0.05, 0.7]


@METHODS
def test_nothing_and_empty_frames_are_fine(method) -> None:
    assert method([]) == []
    assert len(method([frame(0, [], []), frame(1, [], [])])) == 2


@METHODS
def test_frames_out_of_order_are_refused(method) -> None:
    with pytest.raises(InputError, match="frame 0 comes after frame 1"):
        method(still(0.9, 0.8)[::-1])


@METHODS
def test_the_frames_given_stay_as_they_were(method) -> None:
    frames = still(0.9, 0.1)
    method(frames)
    assert scores_of(frames) == [0.9, 0.1]


def test_seq_nms_suppresses_what_overlaps_the_path() -> None:
    beside = [frame(n, [at(0), at(5), at(100)], [[0.9], [s], [0.2]]) for n, s in ((0, 0.8), (1, 1))]
    # The better path runs through the second box of frame 1: 0.9 + 1.
    assert scores_of(seq_nms(beside)) == [0.95, 0, 0.2, 0, 0.95, 0.2]


def test_tube_linking_suppresses_before_it_links() -> None:
    crowded = [frame(n, [at(0), at(5)], [[0.9], [0.8]]) for n in range(2)]
    assert scores_of(tube_link(crowded)) == [0.9, 0, 0.9, 0]


def test_tube_linking_weighs_overlap_against_score() -> None:
    fork = [
        frame(0, [at(10)], [[0.5]]),
        frame(1, [at(10), at(18)], [[0.4], [0.6]]),
    ]
    on_top = tube_link(fork, overlap_weight=1.0)
    assert scores_of(on_top) == [0.45, 0.45, 0.6]
    assert scores_of(tube_link(fork, overlap_weight=0.0)) == [0.55, 0.4, 0.55]


@METHODS
@given(crowds(), st.randoms(use_true_random=False))
def test_the_order_of_boxes_does_not_matter(method, frames, random) -> None:
    orders = [random.sample(range(len(f.boxes)), len(f.boxes)) for f in frames]
    shuffled = [
        frame(f.frame, f.boxes[order].tolist(), f.scores[order].tolist(), classes=2)
        for f, order in zip(frames, orders, strict=True)
    ]
    for after, again, order in zip(method(frames), method(shuffled), orders, strict=True):
        assert np.allclose(after.scores[order], again.scores, atol=1e-12)


@given(crowds(classes=1))
def test_seq_nms_does_what_enumerating_all_paths_does(frames) -> None:
    assert scores_of(seq_nms(frames)) == pytest.approx(_enumerated_seq_nms(frames))


@given(crowds(classes=1))
def test_paths_taken_one_after_the_other_are_the_best(frames) -> None:
    graph = LinkedBoxes.of(frames, 0.4)
    scores = np.array(scores_of(frames))
    gains = scores[graph.before] + scores[graph.after] + graph.overlaps
    paths = BestPaths(graph, np.zeros(len(scores)), gains)
    worth = {
        (int(a), int(b)): float(g) for a, b, g in zip(graph.before, graph.after, gains, strict=True)
    }
    while len(path := paths.take()):
        everything = list(_paths(np.flatnonzero(paths.left).tolist(), set(worth)))
        best = max(sum(worth[link] for link in pairwise(p)) for p in everything)
        assert sum(worth[link] for link in pairwise(path.tolist())) == pytest.approx(best)
        paths.remove(path)
    assert not paths.left.any()


def _paths(boxes: Sequence[int], links: set[tuple[int, int]]) -> Iterator[tuple[int, ...]]:
    """Every path through these boxes, by brute force."""
    growing: list[tuple[int, ...]] = [(box,) for box in boxes]
    while growing:
        yield from growing
        growing = [(*p, box) for p in growing for box in boxes if (p[-1], box) in links]


def _enumerated_seq_nms(frames: Sequence[ScoredFrame]) -> list[float]:
    where = [(index, f.boxes[row]) for index, f in enumerate(frames) for row in range(len(f.boxes))]
    scores = [float(s) for f in frames for s in f.scores[:, 0]]
    count = range(len(where))

    def overlap(a: int, b: int) -> float:
        return float(box_iou(where[a][1][None], where[b][1][None])[0, 0])

    links = {
        (a, b)
        for a in count
        for b in count
        if where[b][0] - where[a][0] == 1 and overlap(a, b) >= 0.5
    }
    # what is below the floor takes no part
    left = {box for box in count if scores[box] > 0.001}
    new = [0.0 if box in left else scores[box] for box in count]
    while left:
        path = max(_paths(sorted(left), links), key=lambda p: sum(scores[box] for box in p))
        for box in path:
            new[box] = sum(scores[b] for b in path) / len(path)
            beside = {b for b in left if where[b][0] == where[box][0] and overlap(b, box) >= 0.3}
            left -= beside | {box}
    return [round(score, 9) for score in new]


def test_merging_gives_the_mean_of_both_passes_and_the_ids_of_the_first() -> None:
    forward = frame(3, [at(0), at(100)], [[0.9], [0.2]], ids=[7, 8])
    backward = frame(3, [at(100), at(0)], [[0.6], [0.5]], ids=[1, 2])
    (merged,) = merge_passes([forward], [backward])
    assert scores_of([merged]) == [0.7, 0.4]
    assert merged.track_ids.tolist() == [7, 8]
    assert np.array_equal(merged.boxes, forward.boxes)
    assert np.array_equal(merged.base, forward.base)


def test_boxes_of_one_pass_only_keep_their_scores_and_bring_no_ids() -> None:
    forward = frame(0, [at(0)], [[0.9]], ids=[7])
    backward = frame(0, [at(50), at(15)], [[0.6], [0.3]], ids=[1, 2])
    (merged,) = merge_passes([forward], [backward])
    assert scores_of([merged]) == [0.9, 0.6, 0.3]
    assert merged.track_ids.tolist() == [7, NO_TRACK, NO_TRACK]
    assert merged.boxes[:, 0].tolist() == [0, 50, 15]


def test_merging_pairs_frames_by_number_whatever_their_order() -> None:
    forward = still(0.8, 0.6)
    backward = still(0.4, 0.2)[::-1]
    assert scores_of(merge_passes(forward, backward)) == [0.6, 0.4]


def test_passes_over_other_frames_are_refused() -> None:
    with pytest.raises(InputError, match="not over the same frames"):
        merge_passes(still(0.8, 0.6), still(0.8))


@given(crowds())
def test_merging_a_pass_with_itself_changes_nothing(frames) -> None:
    for merged, given_ in zip(merge_passes(frames, frames[::-1]), frames, strict=True):
        assert np.allclose(merged.scores, given_.scores)
        assert np.array_equal(merged.boxes, given_.boxes)
