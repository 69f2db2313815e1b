"""Objects that the user draws in the first frame are followed, and no others (Fig. 5)."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coloured_squares import COLOURS, FRAMES, box_at, colour_model, picture
from stub_model import stub_model
from video_factory import write_grey_video

from minet_cli.main import run
from minet_core.config import PRESETS, VIDEO
from minet_core.errors import ConfigError, InputError
from minet_core.formats import read_json
from minet_core.inference.online import OnlineDetector
from minet_core.inference.prompted.planting import planting
from minet_core.inference.prompted.prompts import FirstBoxes, following, read_first_boxes
from minet_core.memory.snapshot import restore_memory, save_memory
from minet_core.models import zoo
from minet_core.results import FrameDetections
from minet_core.scores import ScoreKind


def draw(*names: str, labels: Sequence[str | None] | None = None) -> FirstBoxes:
    boxes = tuple(box_at(name, 0) for name in names)
    return FirstBoxes(boxes, tuple(labels) if labels else (None,) * len(boxes))


def online(
    first: FirstBoxes, kind: ScoreKind = ScoreKind.SIGMOID, preset: str = "video"
) -> OnlineDetector:
    model = colour_model(kind=kind)
    return OnlineDetector(
        model,
        following(PRESETS[preset]),
        plan=planting(first.anchors, model, only=True),
        score=0.0,
    )


def follow(
    detector: OnlineDetector, frames: Sequence[int], names: Sequence[str] = tuple(COLOURS)
) -> list[FrameDetections]:
    return [
        detector.update(picture(i, names), frame=i, pts=i, time=i / 25.0)  #
        for i in frames
    ]


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return shared / (sum(areas) - shared)


@pytest.mark.parametrize("kind", ScoreKind)
@pytest.mark.parametrize("preset", PRESETS)
def test_drawn_objects_are_followed_past_each_other_and_no_other_is(kind, preset):
    found = follow(online(draw("green", "red"), kind, preset), range(FRAMES))
    for i, detections in enumerate(found):
        assert sorted(detections.track_ids.tolist()) == [1, 2]
        for track, box in zip(detections.track_ids, detections.boxes, strict=True):
            assert overlap(box, box_at({1: "green", 2: "red"}[track], i)) > 0.7


def test_first_frame_shows_the_boxes_as_drawn():
    (first,) = follow(online(draw("blue", "red", labels=["dog", "person"])), [0])
    order = first.track_ids.argsort()
    np.testing.assert_allclose(first.boxes[order], [box_at("blue", 0), box_at("red", 0)])
    assert [first.labels[i] for i in order] == ["dog", "person"]
    np.testing.assert_array_equal(first.scores, 1)


@pytest.mark.parametrize("kind", ScoreKind)
def test_label_of_the_user_outweighs_the_detector(kind):
    found = follow(online(draw("red", "blue", labels=["person", None]), kind), range(3))
    labels = dict(zip(found[1].track_ids.tolist(), found[1].labels, strict=True))
    assert labels == {1: "person", 2: "car"}  # the detector says car of both


@pytest.mark.parametrize("kind", ScoreKind)
def test_box_that_no_detection_covers_is_followed_too(kind):
    detector = online(FirstBoxes(((60.0, 80.0, 100.0, 118.0),), (None,)), kind)
    found = follow(detector, range(4))
    assert [detections.track_ids.tolist() for detections in found] == [[1]] * 4
    assert overlap(found[-1].boxes[0], box_at("blue", 3)) > 0.7


def test_object_that_returns_after_a_long_absence_keeps_its_id():
    detector = online(draw("red", "blue"))
    follow(detector, range(3))
    gone = follow(detector, range(3, 4), names=("red", "green"))
    assert gone[0].track_ids.tolist() == [1]
    late = detector.update(picture(4), frame=4, pts=4, time=3600.0)
    assert 2 in late.track_ids


def test_boxes_that_nearly_coincide_are_two_objects():
    x1, y1, x2, y2 = box_at("blue", 0)
    twins = FirstBoxes(((x1, y1, x2, y2), (x1, y1, x2, y2 + 1)), (None, None))
    (first,) = follow(online(twins), [0])
    assert sorted(first.track_ids.tolist()) == [1, 2]


def test_restored_memory_goes_on_without_drawing_again():
    whole = online(draw("red", "green"))
    expected = follow(whole, range(6))
    stopped = online(draw("red", "green"))
    follow(stopped, range(3))
    resumed = online(draw("red", "green"))
    restore_memory(resumed.memory, save_memory(stopped.memory))
    for before, after in zip(expected[3:], follow(resumed, range(3, 6)), strict=True):
        np.testing.assert_array_equal(before.boxes, after.boxes)
        np.testing.assert_array_equal(before.track_ids, after.track_ids)


def test_box_outside_the_frame_is_named():
    boxes = (box_at("red", 0), (500.0, 10.0, 520.0, 30.0))
    with pytest.raises(InputError, match=r"drawn box 2 lies outside the frame of 160×120"):
        follow(online(FirstBoxes(boxes, (None, None))), [0])


def test_label_that_the_model_lacks_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match=r"no class 'persn'.*person"):
        online(draw("red", labels=["persn"]))


JSON_BOX = {"x1": 4, "y1": 8.5, "x2": 16, "y2": 40, "label": "person"}


class TestFile:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "boxes"

    def test_json(self, path):
        unlabelled = {side: JSON_BOX[side] for side in ("x1", "y1", "x2", "y2")}
        path.write_text(json.dumps([JSON_BOX, unlabelled]))
        box = (4.0, 8.5, 16.0, 40.0)
        assert read_first_boxes(path) == FirstBoxes((box, box), ("person", None))

    def test_mot_rows_of_the_earliest_frame(self, path):
        path.write_text("2,9,0,0,5,5,1\n1,7,10,20,30.5,40,1,-1,-1,-1\n1,3,1,2,3,4,1,-1,-1,-1\n")
        assert read_first_boxes(path) == FirstBoxes(
            ((10.0, 20.0, 40.5, 60.0), (1.0, 2.0, 4.0, 6.0)), (None, None)
        )

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "there is no box"),
            (b"[]", "there is no box"),
            (b"[{", "not valid JSON"),
            (b'{"x1": 1}', "not a list of boxes"),
            (b"[1]", "not a list of boxes"),
            (b'[{"x1": 1, "y1": 2, "x2": 3}]', "box 1 lacks a number"),
            (b'[{"x1": "1", "y1": 2, "x2": 3, "y2": 4}]', "box 1 lacks a number"),
            (b'[{"x1": NaN, "y1": 2, "x2": 3, "y2": 4}]', "box 1 lacks a number"),
            (b'[{"x1": 9, "y1": 2, "x2": 3, "y2": 4}]', "box 1 has no area"),
            (b'[{"x1": 1, "y1": 2, "x2": 3, "y2": 4, "label": 7}]', "label of box 1"),
            (b"1,1,10,20,30,40\n1,2,ten\n", "line 2 is not"),
            (b"1,1,10,20,0,40\n", "box 1 has no area"),
            (b'[{"x1": 0.1, "y1": 0.2, "x2": 0.5, "y2": 1}]', "shares of the picture"),
            (b"\xff\xfe\x00", "not a text file"),
        ],
    )
    def test_mistakes_are_named(self, path, content, message):
        path.write_bytes(content)
        with pytest.raises(InputError, match=message) as caught:
            read_first_boxes(path)
        assert "\n" not in str(caught.value)

    def test_missing(self, path):
        with pytest.raises(InputError, match="no such file"):
            read_first_boxes(path)


class TestCommand:
    @pytest.fixture(autouse=True)
    def workplace(self, tmp_path, monkeypatch):
        """A stub's video, and the person of its first frame drawn."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(zoo, "load_model", lambda *_, **__: stub_model())
        write_grey_video(Path("a.mp4"))
        write_grey_video(Path("b.mp4"), 2)
        Path("boxes.json").write_text(json.dumps([JSON_BOX]))

    def detect(self, *arguments: str) -> int:
        return run(["detect", *arguments, "--first-boxes", "boxes.json", "--output", "out"])

    def test_follows_what_the_file_says(self):
        assert self.detect("a.mp4") == 0
        rows: Any = read_json("out/a/result.json").rows
        assert rows.frame.tolist() == list(range(10))
        assert set(rows.track_id) == {1}
        assert set(rows.label) == {"person"}

    def test_objects_are_reported_whatever_their_score(self):
        assert self.detect("a.mp4", "--score", "1") == 0
        assert len(read_json("out/a/result.json").rows) == 10

    def test_boxes_are_of_the_first_frame_looked_at(self):
        assert self.detect("a.mp4", "--start", "4") == 0
        rows: Any = read_json("out/a/result.json").rows
        assert rows.frame.tolist() == list(range(4, 10))
        assert rows.x1.tolist()[:2] == [4.0, 4 + 5 / 4]

    @pytest.mark.parametrize(
        ("arguments", "code", "message"),
        [
            (["a.mp4", "--no-memory"], 3, "needs the memory"),
            (["a.mp4", "b.mp4"], 3, "for one video, not for several"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, capfd, arguments, code, message):
        assert self.detect(*arguments) == code
        assert message in capfd.readouterr().err

    def test_file_that_is_missing_is_told_before_anything_starts(self, capfd, monkeypatch):
        monkeypatch.setattr(zoo, "load_model", lambda *_, **__: pytest.fail("a model was loaded"))
        Path("boxes.json").unlink()
        assert self.detect("a.mp4") == 2
        assert "boxes.json: no such file" in capfd.readouterr().err


def test_following_changes_only_what_opens_reports_and_ends_slots():
    changed = following(VIDEO)
    same = {"open_threshold", "tentative", "max_slots", "existence"}
    assert replace(changed, **{name: getattr(VIDEO, name) for name in same}) == VIDEO
