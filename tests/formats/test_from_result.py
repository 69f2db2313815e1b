import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from result_factory import VIDEO, frame_of, write_result

from minet_core.boxes import NO_TRACK
from minet_core.errors import ConfigError, InputError
from minet_core.formats.class_names import LASTING, read_label_map
from minet_core.formats.minet.reader import from_result


def damaged(path: Path, **entries: Any) -> Path:
    document = {**json.loads(path.read_text()), **entries}
    path.write_text(json.dumps(document))
    return path


def test_rows_become_tracks_and_loose_boxes(tmp_path):
    path = write_result(
        tmp_path / "street",
        frame_of(0, [4, NO_TRACK], labels=[1, 0]),
        frame_of(1),
        frame_of(2, [9, 4], labels=[0, 1], scores=[0.6, 0.8]),
    )
    video = from_result(path)
    assert (video.name, video.source, video.frames) == ("street", "clips/street.mp4", 3)
    assert (video.frame_rate, video.variable_rate) == (Fraction(25), False)
    car, person = video.tracks
    assert (car.id, car.label, car.frames.tolist()) == (4, "car", [0, 2])
    assert car.boxes.tolist() == [[4, 0, 14, 10], [4, 2, 14, 12]]
    assert car.scores.tolist() == [0.5, 0.8]
    assert car.keyframes.all()
    assert (person.id, person.label) == (9, "person")
    assert (video.loose.frames.tolist(), video.loose.labels) == ([0], ("person",))


def test_interpolated_rows_are_no_keyframes(tmp_path):
    frames = [frame_of(i, [4], interpolated=np.array([i in (1, 2)])) for i in range(4)]
    (track,) = from_result(write_result(tmp_path, *frames)).tracks
    assert track.frames.tolist() == [0, 1, 2, 3]
    assert track.keyframes.tolist() == [True, False, False, True]


def test_result_of_a_minet_that_did_not_interpolate(tmp_path):
    path = write_result(tmp_path, frame_of(0, [4]))
    document = json.loads(path.read_text())
    assert document["columns"].pop() == "interpolated"
    document["rows"][0].pop()
    damaged(path, columns=document["columns"], rows=document["rows"])
    (track,) = from_result(path).tracks
    assert track.keyframes.tolist() == [True]


def test_track_has_the_class_its_scores_vote_for(tmp_path):
    frames = [frame_of(i, [1], labels=[i % 3 == 0], scores=[0.9]) for i in range(9)]
    (track,) = from_result(write_result(tmp_path, *frames)).tracks
    assert (track.label, len(track)) == ("person", 9)


def test_later_part_of_a_cut_track_gets_a_free_id(tmp_path):
    frames = [
        frame_of(i, [1, 5], labels=[i >= LASTING, 0], scores=[0.9, 0.9]) for i in range(2 * LASTING)
    ]
    tracks = from_result(write_result(tmp_path, *frames)).tracks
    found = [(t.id, t.label, int(t.frames[0]), len(t)) for t in tracks]
    assert found == [
        (1, "person", 0, LASTING),
        (5, "person", 0, 2 * LASTING),
        (6, "car", LASTING, LASTING),
    ]


def test_classes_that_a_map_joins_do_not_cut(tmp_path):
    (tmp_path / "map").write_text("person=thing\ncar=thing\n")
    frames = [frame_of(i, [1], labels=[i >= LASTING]) for i in range(2 * LASTING)]
    video = from_result(write_result(tmp_path, *frames), read_label_map(tmp_path / "map"))
    assert [(track.label, len(track)) for track in video.tracks] == [("thing", 2 * LASTING)]
    assert video.classes == ("thing",)


def test_class_that_a_map_leaves_out_has_a_vote_and_goes(tmp_path):
    (tmp_path / "map").write_text("person=\ncar=truck\n")
    frames = [frame_of(i, [1, 2, NO_TRACK], labels=[i == 0, 1, 0]) for i in range(3)]
    video = from_result(write_result(tmp_path, *frames), read_label_map(tmp_path / "map"))
    assert [(track.id, track.label, len(track)) for track in video.tracks] == [(2, "truck", 3)]
    assert len(video.loose) == 0


def test_class_that_a_map_does_not_know_is_an_error(tmp_path):
    (tmp_path / "map").write_text("car=truck\n")
    path = write_result(tmp_path, frame_of(0, [1]))
    with pytest.raises(ConfigError, match="knows no class 'person'"):
        from_result(path, read_label_map(tmp_path / "map"))


@pytest.mark.parametrize(
    ("frames", "settings", "looked_at", "length"),
    [
        pytest.param([0, 1, 2], {}, range(3), 3, id="whole video"),
        pytest.param([0, 20, 40], {"stride": 20}, range(0, 41, 20), 50, id="stride"),
        pytest.param([5, 6], {"start": 5, "end": 7}, range(5, 7), 50, id="part"),
        pytest.param([6, 8], {"start": 0.2, "stride": 2, "end": 9}, range(6, 9, 2), 50, id="time"),
        pytest.param([0, 1], {"max_frames": 2}, range(2), 50, id="first frames"),
        pytest.param([], {}, range(0), 50, id="nothing"),
    ],
)
def test_looked_at_is_what_the_run_has_seen(tmp_path, frames, settings, looked_at, length):
    path = write_result(tmp_path, *(frame_of(i, [1]) for i in frames), **settings)
    video = from_result(path)
    assert list(video.looked_at) == list(looked_at)
    assert video.frames == (length if frames or length == 3 else 0)


def test_uneven_times_make_a_variable_rate(tmp_path):
    frames = [frame_of(i, [1], time=i / 25 + (0.1 if i > 2 else 0)) for i in range(5)]
    video = from_result(write_result(tmp_path, *frames))
    assert video.variable_rate
    np.testing.assert_allclose(video.times, [0, 0.04, 0.08, 0.22, 0.26])


def test_times_of_frames_without_rows_are_between_those_with(tmp_path):
    frames = [frame_of(0), frame_of(1, [1], time=0.1), frame_of(2), frame_of(3, [1], time=0.2)]
    video = from_result(write_result(tmp_path, *frames))
    np.testing.assert_allclose(video.times, [0, 0.1, 0.15, 0.2])
    assert video.time_of(4) == pytest.approx(4 / 25)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        pytest.param({"version": 99}, "version 99", id="another version"),
        pytest.param({"schema": "other"}, "not a result", id="another schema"),
        pytest.param({"counts": {"frames": 0}}, "was not processed", id="frames"),
        pytest.param({"counts": {}}, "damaged", id="no counts"),
        pytest.param({"counts": {"frames": 10**9}}, "of 1000000000 frames", id="endless"),
        pytest.param({"video": {**VIDEO, "duration": float("inf")}}, "damaged", id="for ever"),
        pytest.param({"classes": []}, "a class that is not listed", id="classes"),
        pytest.param({"settings": {}}, "damaged", id="no settings"),
        pytest.param({"video": {**VIDEO, "frame_rate": "x"}}, "damaged", id="rate"),
    ],
)
def test_result_that_makes_no_sense_is_refused(tmp_path, entries, reason):
    path = damaged(write_result(tmp_path, frame_of(0, [1])), **entries)
    with pytest.raises(InputError, match=reason) as error:
        from_result(path)
    assert "\n" not in str(error.value)


def test_nan_and_double_boxes_are_refused(tmp_path):
    path = write_result(tmp_path, frame_of(0, [1, 2]))
    text = path.read_text()
    path.write_text(text.replace("2.0, 0.0, 12.0", "NaN, 0.0, 12.0"))
    with pytest.raises(InputError, match="not a number"):
        from_result(path)
    path.write_text(text.replace("0.0, 2, ", "0.0, 1, "))
    with pytest.raises(InputError, match="two boxes in one frame"):
        from_result(path)


def test_half_a_file_is_refused(tmp_path):
    path = write_result(tmp_path, frame_of(0, [1]))
    path.write_text(path.read_text()[:-20])
    with pytest.raises(InputError, match="not JSON, or only half of it"):
        from_result(path)
