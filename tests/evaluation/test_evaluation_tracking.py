import math
import sys

import pytest
from evaluation_frames import Box, at, frame

from minet_core.errors import ConfigError, InputError
from minet_core.evaluation.frames import EvalFrame
from minet_core.evaluation.tracks.metrics import TrackingAccumulator, TrackingResult

A, B = at(0), at(100)


def score(*videos: list[EvalFrame], classes: tuple[str, ...] = ("cat", "dog")) -> TrackingResult:
    accumulator = TrackingAccumulator(classes)
    for frames in videos:
        accumulator.add_video(frames[0].video, frames)
    return accumulator.result()


def named(
    *names: tuple[int | None, int | None], video: str = "v", found_a: Box = A
) -> list[EvalFrame]:
    """Two still cats, A and B; frame by frame the track ids they were found under."""
    return [
        frame(
            [(A, 0, 10), (B, 0, 20)],
            [(box, 0, 0.9, name) for box, name in ((found_a, a), (B, b)) if name is not None],
            number,
            video,
        )
        for number, (a, b) in enumerate(names)
    ]


def test_perfect_tracks_score_one(capfd: pytest.CaptureFixture[str]) -> None:
    overall = score(named((7, 3), (7, 3), (7, 3))).overall
    assert (overall.hota, overall.det_a, overall.ass_a) == pytest.approx((1, 1, 1))
    assert (overall.mota, overall.idf1, overall.id_switches) == (1, 1, 0)
    assert (overall.true_boxes, overall.true_tracks) == (6, 2)
    assert capfd.readouterr().out == ""


def test_one_switch_worked_by_hand() -> None:
    overall = score(named((1, 2), (1, 2), (3, 2), (3, 2))).overall

    assert overall.id_switches == 1
    assert overall.mota == pytest.approx(1 - 1 / 8)
    # One name for A covers two of its four boxes: 6 rightly named of 8 true and 8 found.
    assert overall.idf1 == pytest.approx(2 * 6 / (8 + 8))
    # At every overlap the four boxes of A are associated by 2 / 4, those of B by 4 / 4.
    assert overall.det_a == pytest.approx(1)
    assert overall.ass_a == pytest.approx((4 * 1 / 2 + 4 * 1) / 8)
    assert overall.hota == pytest.approx(math.sqrt(3 / 4))


def test_hota_averages_over_overlaps_worked_by_hand() -> None:
    # A is found with an overlap of 0.62: enough for 12 of the 19 overlaps 0.05 … 0.95.
    overall = score(named((1, 2), (1, 2), found_a=(0, 0, 30, 18.6))).overall
    # Beyond, A is missed twice and found twice where nothing is: 2 of 2 + 2 + 2.
    assert overall.det_a == pytest.approx((12 * 1 + 7 * 2 / 6) / 19)
    assert overall.ass_a == pytest.approx(1)
    assert overall.hota == pytest.approx((12 * 1 + 7 * math.sqrt(2 / 6)) / 19)
    assert (overall.mota, overall.idf1) == (1, 1)


def test_misses_and_false_positives() -> None:
    frames = [*named((1, 2), (None, 2), (1, 2)), frame(found=[(at(500), 0, 0.9, 5)], number=3)]
    overall = score(frames).overall
    assert (overall.misses, overall.false_positives, overall.fragmentations) == (1, 1, 1)
    assert overall.mota == pytest.approx(1 - 2 / 6)
    assert overall.idf1 == pytest.approx(2 * 5 / (6 + 6))


def test_detections_without_a_track_take_no_part() -> None:
    one = frame([(A, 0, 1)], [(A, 0, 0.9), (at(500), 0, 0.9)])
    overall = score([one]).overall
    assert (overall.misses, overall.false_positives) == (1, 0)


def test_what_falls_to_an_ignored_box_is_taken_out() -> None:
    truth = [(A, 0, 1), (B, 0, -1, True)]
    found = [(A, 0, 0.9, 7), (B, 0, 0.9, 8), (at(102), 0, 0.8, 9)]
    overall = score([frame(truth, found)]).overall
    # The ignored box takes one detection; the other one beside it is false.
    assert (overall.true_boxes, overall.misses, overall.false_positives) == (1, 0, 1)


def test_an_ignored_box_does_not_take_what_belongs_to_another() -> None:
    truth = [(A, 0, 1), (at(10), 0, 2, True)]
    assert score([frame(truth, [(at(2), 0, 0.9, 7)])]).overall.mota == 1
    # An overlap below one half is not on the ignored box.
    far = frame([(A, 0, 1), (at(100), 0, 2, True)], [(A, 0, 0.9, 7), (at(115), 0, 0.9, 8)])
    assert score([far]).overall.false_positives == 1


def test_classes_are_tracked_apart_and_pooled() -> None:
    cat = [((A, 0, 1)), ((B, 1, 2))]
    frames = [
        frame(cat, [(A, 0, 0.9, 7), (B, 1, 0.9, 8)]),
        frame(cat, [(A, 1, 0.9, 7), (B, 1, 0.9, 8)], number=1),
    ]
    result = score(frames)
    assert result.classes["cat"].mota == pytest.approx(1 / 2)
    assert result.classes["dog"].mota == pytest.approx(1 - 1 / 2)
    assert (result.overall.misses, result.overall.false_positives) == (1, 1)
    assert result.overall.mota == pytest.approx(1 - 2 / 4)


def test_a_class_without_true_boxes_has_counts_and_no_scores() -> None:
    result = score([frame([(A, 0, 1)], [(A, 0, 0.9, 7), (B, 1, 0.9, 8)])], classes=("a", "b", "c"))
    assert list(result.classes) == ["a", "b"]
    assert math.isnan(result.classes["b"].hota)
    assert math.isnan(result.classes["b"].mota)
    assert result.classes["b"].false_positives == 1
    assert result.overall.mota == 0


def test_videos_are_scored_apart_and_pooled() -> None:
    result = score(
        named((1, 2), (1, 2)),
        named((1, 2), (2, 1), video="w"),
        [frame(video="empty")],
    )
    assert result.videos["v"].id_switches == 0
    assert result.videos["w"].id_switches == 2
    assert result.overall.id_switches == 2
    assert result.overall.mota == pytest.approx(1 - 2 / 8)
    assert math.isnan(result.videos["empty"].hota)
    assert result.videos["empty"].true_boxes == 0


def test_nothing_at_all() -> None:
    result = score()
    assert math.isnan(result.overall.hota)
    assert result.classes == result.videos == {}


def test_bad_input_is_refused_with_its_place() -> None:
    first, second = named((1, 2), (1, 2))
    with pytest.raises(InputError, match="v: the video is given twice"):
        score([first], [second])
    with pytest.raises(InputError, match="v, frame 0: comes after frame 1"):
        score([second, first])
    with pytest.raises(InputError, match="v, frame 0: not a frame of w"):
        TrackingAccumulator(("cat",)).add_video("w", [first])
    with pytest.raises(InputError, match="v, frame 0: a true box has no track id"):
        score([frame([(A, 0, -1)])])
    with pytest.raises(InputError, match="v, frame 0: the class of true box 0 is unknown"):
        score([frame([(A, 9, 1)])])


def test_without_trackeval_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trackeval.metrics", None)
    with pytest.raises(ConfigError, match="pip install trackeval"):
        TrackingAccumulator(("cat",))
