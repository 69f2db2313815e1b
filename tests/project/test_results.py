import pytest
from result_factory import frame_of

from minet_core.boxes import NO_TRACK
from minet_core.results import COLUMNS, TrackletTable, VideoResult


def tracklets_of(*frames):
    table = TrackletTable()
    for frame in frames:
        table.add(frame)
    return table.tracklets()


def test_row_has_the_columns_in_order():
    (row,) = frame_of(3, [7], labels=[1]).rows()
    assert dict(zip(COLUMNS, row, strict=True)) == {
        "frame": 3,
        "pts": 30,
        "time": 0.12,
        "track_id": 7,
        "label": "car",
        "label_id": 1,
        "score": 0.5,
        "base_score": 0.4,
        "x1": 7.0,
        "y1": 3.0,
        "x2": 17.0,
        "y2": 13.0,
        "interpolated": 0,
    }


def test_row_holds_plain_rounded_numbers():
    (row,) = frame_of(1, [2], scores=[1 / 3], time=2 / 3).rows()
    assert [type(value) for value in row] == [int, int, float, int, str, int] + [float] * 6 + [int]
    assert (row[2], row[6]) == (0.666667, 0.333333)


def test_row_without_track_or_timestamp_has_none():
    detections = frame_of(0, [NO_TRACK, 4], pts=None)
    assert [(row[1], row[3]) for row in detections.rows()] == [(None, None), (None, 4)]
    assert detections.tracked == 1


def test_tracklet_sums_up_its_rows():
    first, second = tracklets_of(
        frame_of(0, [1, 2], scores=[0.2, 0.9]), frame_of(1, [1], scores=[0.6])
    )
    assert (first.id, first.first_frame, first.last_frame, first.boxes) == (1, 0, 1, 2)
    assert first.score == pytest.approx(0.4)
    assert (second.id, second.last_frame, second.boxes) == (2, 0, 1)


def test_gap_covers_the_frames_without_a_box():
    (tracklet,) = tracklets_of(
        frame_of(0, [1]), frame_of(1), frame_of(2), frame_of(3, [1]), frame_of(4), frame_of(5, [1])
    )
    assert tracklet.gaps == [(1, 2), (4, 4)]


def test_absence_at_the_end_is_no_gap():
    (tracklet,) = tracklets_of(frame_of(0, [1]), frame_of(1))
    assert (tracklet.last_frame, tracklet.gaps) == (0, [])


def test_frames_that_were_skipped_make_no_gap():
    (tracklet,) = tracklets_of(frame_of(0, [1]), frame_of(5, [1]), frame_of(10, [1]))
    assert tracklet.gaps == []


def test_boxes_without_track_make_no_tracklet():
    assert tracklets_of(frame_of(0, [NO_TRACK, NO_TRACK])) == []


def test_class_of_a_tracklet_is_the_latest_vote():
    (tracklet,) = tracklets_of(
        frame_of(0, [1], labels=[0], votes=[0]), frame_of(1, [1], labels=[0], votes=[1])
    )
    assert tracklet.label_id == 1


def test_video_result_finds_the_boxes_of_a_track():
    result = VideoResult([frame_of(0, [1, 2]), frame_of(1), frame_of(2, [2])])
    frames, boxes = result.boxes_of(2)
    assert frames.tolist() == [0, 2]
    assert boxes.tolist() == [[2, 0, 12, 10], [2, 2, 12, 12]]
    assert [tracklet.id for tracklet in result.tracklets()] == [1, 2]
    assert result.boxes_of(9)[1].shape == (0, 4)


def test_data_frame_has_nullable_integers():
    table = VideoResult([frame_of(0, [NO_TRACK, 3], pts=None), frame_of(1)]).to_pandas()
    assert tuple(table.columns) == COLUMNS
    assert table.track_id.isna().tolist() == [True, False]
    assert table.track_id[1] == 3
    assert str(table.pts.dtype) == "Int64"


def test_empty_video_is_an_empty_data_frame_with_the_columns():
    table = VideoResult().to_pandas()
    assert (tuple(table.columns), len(table)) == (COLUMNS, 0)
