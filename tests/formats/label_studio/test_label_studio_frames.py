"""Label Studio counts by a player's clock and its own rate; indices are of decoded frames."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from export_data import loose_of, track_of, video_of
from hypothesis import given, settings
from hypothesis import strategies as st
from video_factory import write_grey_video

from minet_cli.main import run
from minet_core import DetectOptions, annotate
from minet_core.export_options import ExportOptions
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.label_studio.frame_clock import PlayerFrames, playable
from minet_core.formats.label_studio.reader import read_label_studio
from minet_core.formats.label_studio.writer import TASKS, write_label_studio
from minet_core.video import VideoInfo

NTSC = Fraction(30_000, 1001)


def written(folder: Path, video: VideoAnnotations) -> dict[str, Any]:
    write_label_studio([video], folder, ExportOptions())
    (task,) = json.loads((folder / TASKS).read_text(encoding="utf-8"))
    return task


def entries(task: dict[str, Any]) -> list[tuple[int, bool]]:
    (region,) = task["predictions"][0]["result"]
    return [(entry["frame"], entry["enabled"]) for entry in region["value"]["sequence"]]


def a_task(*numbers: int, rate: float | None, **value: Any) -> dict[str, Any]:
    """A region as Label Studio serialises it, in a task that tells nothing of the video."""
    sequence: list[dict[str, Any]] = [
        {"frame": n, "x": 0, "y": 0, "width": 10, "height": 10, "enabled": n < numbers[-1]}
        for n in numbers
    ]
    for entry in sequence if rate else ():
        entry["time"] = entry["frame"] / rate
    region = {"id": "aB3x", "type": "videorectangle", "value": {**value, "sequence": sequence}}
    return {"data": {"video": "a.mp4"}, "annotations": [{"result": [region]}]}


def read(task: dict[str, Any], rate: Fraction | int = 30, start: float = 0.0) -> VideoAnnotations:
    """What is read of a task whose video has 300 frames at this rate."""
    info = VideoInfo(
        *("a.mp4", 640, 360, Fraction(rate), 300, float(300 / rate)),
        *(Fraction(1, 90_000), 0, False, False, "h264"),
        start_time=start,
    )
    (video,) = read_label_studio(json.dumps([task]), "tasks.json", lambda _: info)
    return video


@pytest.mark.parametrize(
    ("start", "rate", "numbers"),
    [
        pytest.param(0.0, 30, [1, 5], id="none"),
        pytest.param(1 / 15, 30, [3, 7], id="two frames"),
        pytest.param(0.5, 30, [16, 20], id="half a second"),
        pytest.param(0.503, 30, [17, 21], id="between two numbers"),
        pytest.param(0.5, NTSC, [16, 20], id="and of another rate"),
    ],
)
def test_numbers_begin_where_the_pictures_do(tmp_path, start, rate, numbers):
    video = video_of(track_of(1, [0, 4]), step=4, frame_rate=Fraction(rate), start_time=start)
    task = written(tmp_path, video)
    assert [number for number, _ in entries(task)] == numbers
    (again,) = read_label_studio(json.dumps([task]), TASKS, lambda _: None)
    assert again.tracks[0].frames.tolist() == [0, 4]
    assert (again.start_time, again.frame_rate) == (start, rate)


@given(
    index=st.integers(0, 1_000_000),
    start=st.integers(0, 10**7).map(lambda microseconds: microseconds / 1e6),
    rate=st.sampled_from(
        [Fraction(2, 5), Fraction(24_000, 1001), Fraction(25), NTSC, Fraction(60)]
    ),
)
@settings(max_examples=200)
def test_every_frame_has_numbers_of_its_own(index, start, rate):
    numbers = PlayerFrames(playable(rate), rate, start)
    assert numbers.index(numbers.first(index)) == index
    assert numbers.index(numbers.last(index)) == index
    assert numbers.first(index + 1) == numbers.last(index) + 1


def test_video_of_less_than_a_frame_a_second_is_counted_finer(tmp_path):
    """Label Studio would take 0.4 for the seconds that a frame lasts."""
    video = video_of(track_of(1, [0, 1]), frames=8, frame_rate=Fraction(2, 5))
    task = written(tmp_path, video)
    assert task["data"]["fps"] == 1.2
    assert entries(task) == [(1, True), (4, True), (6, False)]
    (again,) = read_label_studio(json.dumps([task]), TASKS, lambda _: None)
    assert (again.tracks[0].frames.tolist(), again.frames, again.notes) == ([0, 1], 8, ())


def test_box_of_no_track_lives_for_all_numbers_of_its_frame(tmp_path):
    video = video_of(loose=loose_of([1]), frame_rate=Fraction(1, 2))
    assert entries(written(tmp_path, video)) == [(3, True), (4, False)]


@pytest.mark.parametrize(
    ("counted", "rate", "number", "index"),
    [
        # For its frame 97 it goes to (97 - 1) / 24 = 4 s: that is frame 120 of 30 a second.
        pytest.param(24, 30, 97, 120, id="no rate in the project"),
        pytest.param(25, 30, 26, 30, id="25 for 30"),
        pytest.param(29.97, 30, 1 + 2997, 3000, id="29.97 for 30"),
        pytest.param(24, NTSC, 97, 119, id="24 for 29.97"),
        pytest.param(30, 30, 97, 96, id="the video's own"),
        pytest.param(60, 30, 98, 48, id="twice the video's"),
        pytest.param(7.3, 30, 74, 300, id="an odd one"),
    ],
)
def test_frames_are_found_by_their_time(counted, rate, number, index):
    video = read(a_task(1, number, rate=counted), rate)
    assert video.tracks[0].frames.tolist() == list(range(index + 1))
    assert video.frame_rate == rate


@pytest.mark.parametrize(
    ("value", "index"),
    [
        pytest.param({"framesCount": 194, "duration": 8.066667}, 120, id="24 rounded up"),
        pytest.param({"framesCount": 242, "duration": 8.066667}, 96, id="the video's"),
        pytest.param({"framesCount": 202, "duration": 8.066667}, 115, id="25"),
        pytest.param({}, 96, id="nothing told"),
    ],
)
def test_length_tells_the_rate_where_times_do_not(value, index):
    video = read(a_task(1, 97, rate=None, **value))
    assert video.tracks[0].frames[-1] == index


@pytest.mark.parametrize("digits", [6, 3])
def test_rounded_times_tell_the_rate_that_is_meant(digits):
    task = a_task(3, 4000, rate=24)
    for entry in task["annotations"][0]["result"][0]["value"]["sequence"]:
        entry["time"] = round(entry["time"], digits)
    assert read(task).tracks[0].frames[-1] == 3999 * 30 // 24


def test_start_above_zero_is_taken_off_when_reading():
    assert read(a_task(16, 20, rate=30), start=0.5).tracks[0].frames.tolist() == [0, 1, 2, 3, 4]
    assert read(a_task(14, 17, rate=24), start=0.5).tracks[0].frames.tolist() == [1, 2, 3, 4, 5]


def test_box_drawn_before_the_pictures_begin_is_on_the_first():
    video = read(a_task(3, 18, rate=30), start=0.5)
    assert video.tracks[0].frames.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("counted", "rate", "notes"),
    [
        pytest.param(30, 30, (), id="the same"),
        pytest.param(29.97, NTSC, (), id="rounded"),
        pytest.param(
            24,
            NTSC,
            (
                "Label Studio counted 24 frames a second, the video has 29.97: "
                "its frames are found by their time",
            ),
            id="another",
        ),
    ],
)
def test_rates_that_differ_are_told(counted, rate, notes):
    assert read(a_task(1, 9, rate=counted), rate).notes == notes


@pytest.mark.parametrize("sound", [0.0, 1.2])
def test_video_that_starts_above_zero_goes_through_the_commands(tmp_path, model, sound, capsys):
    """Frames from 0.4 s on; with sound from 0 s on, a copy begins there."""
    clip = write_grey_video(
        tmp_path / "clip.mp4", pts=[i + 10 for i in range(10)], audio_seconds=sound
    )
    annotate(clip, tmp_path / "out", model, DetectOptions(formats=("json",), video=False))
    stored = json.loads((tmp_path / "out/result.json").read_text())["video"]
    assert (stored["start_time"], stored["delay"]) == (0.4, 0.4 if sound else 0.0)
    person = {}
    for name, options in (("own", []), ("copy", ["--constant-rate", "50"])):
        to = ["--to", "label-studio", "-o", str(tmp_path / name), "--quiet", "--keyframes", "all"]
        assert run(["export", str(tmp_path / "out"), *to, *options]) == 0
        (task,) = json.loads((tmp_path / name / TASKS).read_text())
        sequence = task["predictions"][0]["result"][0]["value"]["sequence"]
        person[name] = [entry["frame"] for entry in sequence]
    assert capsys.readouterr().err == ""
    assert person["own"] == list(range(11, 21))
    assert person["copy"] == (list(range(1, 41)) if sound else list(range(1, 21)))


def test_result_without_a_start_takes_that_of_its_video(tmp_path, model):
    """As an older minet wrote it."""
    clip = write_grey_video(tmp_path / "clip.mp4", pts=[i + 10 for i in range(10)])
    annotate(clip, tmp_path / "out", model, DetectOptions(formats=("json",), video=False))
    path = tmp_path / "out/result.json"
    document = json.loads(path.read_text())
    del document["video"]["start_time"], document["video"]["delay"]
    path.write_text(json.dumps(document))
    arguments = ["export", str(path), "--to", "label-studio", "-o", str(tmp_path / "own")]
    assert run([*arguments, "--quiet"]) == 0
    (task,) = json.loads((tmp_path / "own" / TASKS).read_text())
    assert task["predictions"][0]["result"][0]["value"]["sequence"][0]["frame"] == 11
