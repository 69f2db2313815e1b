"""Tracklets joined at the end of a video: who is one object, and who is not."""

import io

import numpy as np
import pytest
import torch

from minet_core.boxes import NO_TRACK
from minet_core.config import Existence
from minet_core.inference.tracklets import JoinedTrack, TrackletLinker, linked
from minet_core.results import FrameDetections

DIM = 8
RULE = Existence()


class Video:
    """Shows a linker tracklets that look like axes of the embedding."""

    def __init__(self) -> None:
        self.linker = TrackletLinker(RULE)

    def show(
        self,
        frames: int,
        *objects: tuple[int, int, float],
        scene: int = 0,
        label: int = 0,
        score: float = 0.9,
        pan: float = 0.0,
        promoted: dict[int, int] | None = None,
    ) -> None:
        """So many frames with (slot, look, left side) of each object; a pan shifts the picture."""
        for _ in range(frames):
            ids = np.array([slot for slot, _, _ in objects], np.int64)
            looks = np.eye(DIM, dtype=np.float32)[[look for _, look, _ in objects]]
            boxes = np.array([[x, 0, x + 40, 80] for _, _, x in objects], np.float64)
            self.linker.add(
                scene,
                ids,
                boxes.reshape(-1, 4),
                np.full(len(ids), label),
                np.full(len(ids), score),
                looks.reshape(-1, DIM),
                {int(i): look for i, look in zip(ids, looks, strict=True) if i > NO_TRACK},
                promoted=promoted or {},
                camera=np.array([[1.0, 0.0, pan], [0.0, 1.0, 0.0]]),
            )

    def ids(self) -> dict[int, int]:
        return {slot: track.id for slot, track in self.linker.tracks().items()}


def test_an_object_that_comes_back_is_one_track() -> None:
    video = Video()
    video.show(10, (1, 0, 100.0), (2, 1, 500.0))
    video.show(20, (2, 1, 500.0))
    video.show(10, (3, 0, 120.0), (2, 1, 500.0))
    assert video.ids() == {1: 1, 2: 2, 3: 1}


def test_a_chain_of_tracklets_is_one_track() -> None:
    video = Video()
    for slot in (1, 2, 3, 4):
        video.show(5, (slot, 0, 100.0))
        video.show(5)
    assert video.ids() == {1: 1, 2: 1, 3: 1, 4: 1}


def test_another_look_is_another_object() -> None:
    video = Video()
    video.show(10, (1, 0, 100.0))
    video.show(5)
    video.show(10, (2, 1, 100.0))
    assert video.ids() == {1: 1, 2: 2}


def test_two_that_were_there_at_once_are_two() -> None:
    video = Video()
    video.show(10, (1, 0, 100.0))
    video.show(1, (1, 0, 100.0), (2, 0, 120.0))
    video.show(10, (2, 0, 120.0))
    assert video.ids() == {1: 1, 2: 2}


@pytest.mark.parametrize(("x", "same"), [(160.0, True), (900.0, False)])
def test_nobody_walks_faster_than_can_be(x: float, *, same: bool) -> None:
    video = Video()
    video.show(10, (1, 0, 100.0))
    video.show(10)
    video.show(10, (2, 0, x))
    assert (video.ids()[2] == 1) is same


@pytest.mark.parametrize(("pan", "same"), [(60.0, True), (0.0, False)])
def test_who_stands_still_is_found_where_the_camera_has_moved_it(pan: float, *, same: bool) -> None:
    video = Video()
    video.show(10, (1, 0, 100.0))
    video.show(10, pan=pan)
    video.show(10, (2, 0, 700.0))
    assert (video.ids()[2] == 1) is same


def test_nothing_is_joined_over_a_cut_nor_over_classes() -> None:
    for scene, label in ((1, 0), (0, 1)):
        video = Video()
        video.show(10, (1, 0, 100.0))
        video.show(10)
        video.show(10, (2, 0, 100.0), scene=scene, label=label)
        assert video.ids() == {1: 1, 2: 2}


def test_the_nearer_of_two_look_alikes_goes_on() -> None:
    video = Video()
    video.show(10, (1, 0, 100.0))
    video.show(10)
    video.show(10, (2, 0, 110.0), (3, 0, 180.0))
    assert video.ids() == {1: 1, 2: 1, 3: 3}


def test_who_walks_on_unseen_is_expected_where_they_were_going() -> None:
    video = Video()
    for step in range(10):
        video.show(1, (1, 0, 100.0 + 10 * step))
    video.show(10)
    for step in range(10):
        video.show(1, (2, 0, 190.0), (3, 0, 300.0 + 10 * step))
    assert video.ids() == {1: 1, 2: 2, 3: 1}


def test_what_is_never_sure_is_no_track_unless_it_is_a_part_of_one() -> None:
    video = Video()
    video.show(5, (1, 0, 100.0), (9, 5, 700.0), score=0.4)
    video.show(5)
    video.show(5, (2, 0, 100.0), score=0.9)
    assert video.ids() == {1: 1, 2: 1}


def test_a_sure_box_is_a_track_however_long_the_video_goes_on() -> None:
    for more in (50, 250):
        video = Video()
        video.show(1, (1, 0, 100.0))
        video.show(more, (2, 1, 500.0))
        assert video.ids() == {1: 1, 2: 2}


def test_a_track_has_the_weak_boxes_before_its_slot() -> None:
    video = Video()
    video.show(5, (-2, 0, 100.0), (-3, 1, 500.0), score=0.2)
    video.show(1, (1, 0, 100.0), promoted={1: -2})
    video.show(9, (1, 0, 100.0))
    tracks = video.linker.tracks()
    assert {number: track.id for number, track in tracks.items()} == {1: 1, -2: 1}
    assert tracks[-2] == tracks[1]


def test_tracks_of_weak_boxes_alone_are_none_however_sure() -> None:
    video = Video()
    video.show(8, (-2, 0, 100.0), score=0.9)
    assert video.ids() == {}


def test_tentative_tracks_that_have_ended_are_not_held() -> None:
    video = Video()
    for number in range(2, 150):
        video.show(4, (-number, 0, 100.0), score=0.2)
    assert len(video.linker.save()["held"]) < 30


def test_scenes_that_were_processed_apart_keep_their_weak_boxes() -> None:
    first, second = Video(), Video()
    for video in (first, second):
        video.show(5, (-2, 0, 100.0), score=0.2)
        video.show(9, (1, 0, 100.0), promoted={1: -2})
    both = Video()
    both.linker.follow_with(first.linker.save(), 0, 0)
    both.linker.follow_with(second.linker.save(), 10, 20)
    assert both.ids() == {1: 1, -2: 1, 11: 11, -22: 11}


def test_what_can_be_no_track_any_more_is_not_held() -> None:
    video = Video()
    for slot in range(1, 400):
        video.show(1, (slot, slot % DIM, 100.0), score=0.5)
    held = video.linker.save()["held"]
    assert len(held) < 110


def test_goes_on_from_a_saved_state() -> None:
    whole, stopped = Video(), Video()
    for video in (whole, stopped):
        video.show(17, (1, 0, 100.0), (2, 1, 500.0))
    buffer = io.BytesIO()
    torch.save(stopped.linker.save(), buffer)
    buffer.seek(0)
    resumed = Video()
    resumed.linker.restore(torch.load(buffer, weights_only=True))
    for video in (whole, resumed):
        video.show(20, (2, 1, 500.0))
        video.show(9, (3, 0, 120.0))
    assert whole.linker.save() == resumed.linker.save()
    assert whole.ids() == resumed.ids() == {1: 1, 2: 2, 3: 1}


def frame(scores: list[float], slots: list[int], vectors: np.ndarray | None = None):
    count = len(scores)
    return FrameDetections(
        *(0, None, 0.0),
        boxes=np.arange(4.0 * count).reshape(count, 4),
        scores=np.array(scores),
        base_scores=np.array(scores),
        label_ids=np.zeros(count, np.int64),
        track_ids=np.array(slots, np.int64),
        track_labels=np.zeros(count, np.int64),
        classes=("person", "car"),
        score_vectors=vectors,
    )


TRACKS = {5: JoinedTrack(2, 0, 0.9), 6: JoinedTrack(6, 1, 0.8)}


class TestAFrameWhenTheVideoIsKnown:
    def test_has_the_ids_of_tracks(self) -> None:
        found = linked(frame([0.9, 0.8, 0.7], [5, 7, NO_TRACK]), TRACKS, 0.3)
        assert found.track_ids.tolist() == [2, NO_TRACK, NO_TRACK]

    def test_knows_a_weak_box_by_what_came_later(self) -> None:
        found = linked(frame([0.1, 0.1], [5, 7]), TRACKS, 0.3)
        assert found.track_ids.tolist() == [2]
        assert found.scores.tolist() == pytest.approx([0.5])  # odds 1 : 9 times 9 : 1
        assert found.base_scores.tolist() == [0.1]

    def test_lifts_no_other_class_than_the_track_s(self) -> None:
        found = linked(frame([0.4], [6]), TRACKS, 0.3)
        assert (found.scores.tolist(), found.track_labels.tolist()) == ([0.4], [1])

    def test_keeps_score_vectors_in_step_and_the_best_first(self) -> None:
        vectors = np.array([[0.4, 0.1], [0.3, 0.2]])
        found = linked(frame([0.4, 0.3], [NO_TRACK, 5], vectors), TRACKS, 0.3)
        assert found.scores.tolist() == pytest.approx([27 / 34, 0.4])
        assert found.score_vectors is not None
        assert found.score_vectors.tolist() == [[pytest.approx(27 / 34), 0.2], [0.4, 0.1]]

    def test_of_certain_boxes_stays_certain(self) -> None:
        found = linked(frame([1.0], [5]), TRACKS, 0.3)
        assert found.scores.tolist() == [1.0]

    def test_without_boxes_has_none(self) -> None:
        assert len(linked(frame([], []), TRACKS, 0.3)) == 0
