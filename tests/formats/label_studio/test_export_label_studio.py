import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from export_data import WIDTH, assert_same, loose_of, track_of, video_of, videos
from hypothesis import given, settings

from minet_core.errors import ConfigError, InputError
from minet_core.export_options import ExportOptions
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.label_studio.writer import CONFIG, LOCAL_FILES, TASKS, write_label_studio
from minet_core.formats.readers import read_annotations

PRECISION = 1e-4 / 100 * WIDTH + 1e-9
"""Pixels: corner and size are percent with four decimals each."""


def written(folder: Path, *annotations: VideoAnnotations, **options) -> list[dict]:
    folder.mkdir(exist_ok=True)
    write_label_studio(annotations, folder, ExportOptions(**options))
    return json.loads((folder / TASKS).read_text(encoding="utf-8"))


def regions(task: dict) -> list[dict]:
    return task["predictions"][0]["result"]


def sequence(*entries: tuple[int, float, bool]) -> list[dict]:
    return [
        {"frame": frame, "x": x, "y": 0, "width": 10, "height": 10, "enabled": enabled}
        for frame, x, enabled in entries
    ]


def task_of(*entries: tuple[int, float, bool], **data) -> dict:
    value = {"framesCount": 9, "labels": ["dog"], "sequence": sequence(*entries)}
    region = {"id": "x", "type": "videorectangle", "value": value}
    size = {"width": 100, "height": 100}
    return {
        "data": {"video": "https://host/a.mp4", **size, **data},
        "annotations": [{"result": [region]}],
    }


def read(tmp_path: Path, *tasks: dict) -> list[VideoAnnotations]:
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return read_annotations(path)


@given(video=videos())
@settings(max_examples=60)
def test_what_is_written_reads_back(tmp_path_factory, video):
    folder = tmp_path_factory.mktemp("tasks")
    written(folder, video)
    (again,) = read_annotations(folder / TASKS)
    assert_same(again.tracks, video.tracks, PRECISION)
    facts = ("name", "source", "width", "height", "step", "frames", "frame_rate", "looked_at")
    assert [getattr(again, name) for name in facts] == [getattr(video, name) for name in facts]


def test_frames_count_from_1_and_boxes_are_percent(tmp_path):
    (task,) = written(tmp_path, video_of(track_of(3, [4]), width=200, height=100))
    (region,) = regions(task)
    (entry,) = region["value"]["sequence"]
    assert (entry["frame"], entry["time"]) == (5, 0.2)
    assert [entry[key] for key in ("x", "y", "width", "height")] == [2, 30, 10, 10]
    assert (region["id"], region["value"]["labels"], region["score"]) == ("t3", ["dog"], 0.75)
    assert (region["value"]["framesCount"], region["value"]["duration"]) == (50, 2.0)


def test_life_of_a_box_ends_at_gaps_and_at_the_last(tmp_path):
    (task,) = written(tmp_path, video_of(track_of(1, [0, 1, 2, 6, 7, 9])))
    entries = regions(task)[0]["value"]["sequence"]
    enabled = {entry["frame"]: entry["enabled"] for entry in entries}
    assert enabled == {1: True, 2: True, 3: False, 7: True, 8: False, 10: False}


def test_config_fits_the_tasks(tmp_path):
    video = video_of(track_of(1, [0], label='a "dog" & <cat>'), classes=("bird", 'a "dog" & <cat>'))
    (task,) = written(tmp_path, video)
    config = ElementTree.parse(tmp_path / CONFIG).getroot()
    (region,) = regions(task)
    tags = {child.tag: child.attrib for child in config}
    assert tags["VideoRectangle"]["name"] == region["from_name"]
    assert tags["Video"]["name"] == tags["VideoRectangle"]["toName"] == region["to_name"]
    assert {tags["Video"]["value"], tags["Video"]["framerate"]} == {"$video", "$fps"}
    assert {"video", "fps"} <= set(task["data"])
    labels = [label.attrib["value"] for label in config.iter("Label")]
    assert labels == region["value"]["labels"]


@pytest.mark.parametrize(
    ("source", "media", "url"),
    [
        pytest.param("/me/my clips/a b.mp4", None, LOCAL_FILES + "my%20clips/a%20b.mp4", id="own"),
        pytest.param("/me/clips/a.mp4", "s3://bucket/", "s3://bucket/a.mp4", id="given"),
        pytest.param("https://host/a.mp4", "s3://bucket/", "https://host/a.mp4", id="address"),
    ],
)
def test_server_and_file_name_make_the_address_of_a_video(tmp_path, source, media, url):
    (task,) = written(tmp_path, video_of(source=source), media=media)
    assert task["data"]["video"] == url


def test_box_of_no_track_lives_for_its_frame(tmp_path):
    (task,) = written(tmp_path, video_of(loose=loose_of([3, 5])))
    entries = [region["value"]["sequence"] for region in regions(task)]
    assert [[(e["frame"], e["enabled"]) for e in each] for each in entries] == [
        [(4, False)],
        [(6, False)],
    ]


def test_video_without_rate_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="--video"):
        written(tmp_path, video_of(frame_rate=None))


def test_boxes_are_on_the_line_between_entries_while_enabled(tmp_path):
    (video,) = read(tmp_path, task_of((1, 0, True), (3, 20, False), (6, 5, True)))
    (track,) = video.tracks
    assert track.frames.tolist() == [0, 1, 2, 5, 6, 7, 8]
    assert track.boxes[:, 0].tolist() == [0, 10, 20, 5, 5, 5, 5]
    assert track.keyframes.tolist() == [True, False, True, True, False, False, False]


def test_keyframe_set_between_the_steps_is_kept(tmp_path):
    (video,) = read(tmp_path, task_of((1, 0, True), (4, 30, False), step=2))
    assert (video.step, video.tracks[0].frames.tolist()) == (1, [0, 1, 2, 3])


def test_annotation_counts_more_than_prediction(tmp_path):
    task = task_of((1, 0, False))
    task["predictions"] = [{"result": []}]
    task["annotations"].append({"result": [], "was_cancelled": True, "updated_at": "9"})
    (video,) = read(tmp_path, task)
    assert len(video.tracks) == 1


def test_results_of_other_kinds_are_told_of(tmp_path):
    task = task_of((1, 0, False))
    task["annotations"][0]["result"].append({"type": "choices", "value": {}})
    (video,) = read(tmp_path, task)
    assert video.notes == ("1 results that are no boxes in video are left out",)


def test_gaps_of_an_annotation_are_drawn_and_those_of_a_prediction_are_not(tmp_path):
    entries = (1, 0, False), (4, 5, False)
    (drawn,) = read(tmp_path, task_of(*entries))
    task = task_of(*entries)
    task["predictions"] = task.pop("annotations")
    (predicted,) = read(tmp_path, task)
    assert (drawn.drawn_gaps, predicted.drawn_gaps) == (True, False)
    assert drawn.tracks[0].frames.tolist() == predicted.tracks[0].frames.tolist() == [0, 3]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("[{", "not JSON", id="half a file"),
        pytest.param("[1]", "damaged", id="no task"),
        pytest.param("[{}]", "no 'data'", id="no data"),
        pytest.param('[{"data": {"video": "a.mp4"}}]', "the size of a.mp4", id="no size"),
        pytest.param(json.dumps([task_of((0, 0, True))]), "below 1", id="frame 0"),
        pytest.param(json.dumps([task_of((10**12, 0, True))]), "up to frame", id="far"),
        pytest.param(json.dumps([task_of((1, np.inf, True))]), "without numbers", id="infinity"),
        pytest.param(json.dumps([task_of((1, 0, True), fps="x")]), "damaged", id="rate"),
    ],
)
def test_bad_file_is_refused_in_one_line(tmp_path, text, reason):
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=reason) as error:
        read_annotations(path)
    assert "\n" not in str(error.value)
