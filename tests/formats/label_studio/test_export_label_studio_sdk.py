"""Label Studio's SDK finds what `minet export` writes valid, and sees the boxes where we do.

`LabelInterface` checks the labelling config and what must fit it. The converter makes the other
formats in which Label Studio exports, and draws boxes between keyframes as its editor does.
"""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from annotation_factory import HEIGHT, WIDTH, a_track, a_video, export, loose_boxes, videos
from hypothesis import HealthCheck, assume, given, settings
from other_readers import other_reader

from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.label_studio.writer import CONFIG, TASKS

PIXELS = 0.01
"""Percentages have four decimals."""

VIDEO = a_video(
    a_track(3, "dog", [0, 1, 2, 6], keyframes=[True, False, True, True]),
    a_track(7, 'Hündin <犬> & "co"', [4]),
    a_track(12, "traffic light", [18, 19], [[600, 400, 640, 480]] * 2),
    loose=loose_boxes((4, "dog", (1, 2, 3, 5), 0.25)),
)


@pytest.fixture(scope="module")
def interface() -> Any:
    return other_reader("label_studio_sdk.label_interface").LabelInterface


@pytest.fixture(scope="module")
def interpolate() -> Any:
    tools = "label_studio_sdk._extensions.label_studio_tools"
    return other_reader(f"{tools}.postprocessing.video").extract_key_frames


def written(place: Path) -> tuple[str, list[dict[str, Any]]]:
    """The labelling config and the tasks."""
    tasks = json.loads((place / TASKS).read_text(encoding="utf-8"))
    return (place / CONFIG).read_text(encoding="utf-8"), tasks


def test_config_and_regions_are_valid(interface, tmp_path):
    config, (task,) = written(export(tmp_path, "label-studio", VIDEO))
    read = interface(config)
    read.validate()
    (prediction,) = task["predictions"]
    assert read.validate_prediction(prediction)
    assert all(read.validate_region(region) for region in prediction["result"])
    (labels,) = (set(tag.labels) for tag in read.controls if tag.labels)
    assert {name for region in prediction["result"] for name in region["value"]["labels"]} == labels


@pytest.mark.parametrize("key", ["x", "width", "frame"])
def test_a_region_that_lacks_something_is_not_valid(interface, tmp_path, key):
    """So that the test above can fail."""
    config, (task,) = written(export(tmp_path, "label-studio", VIDEO))
    region = deepcopy(task["predictions"][0]["result"][0])
    del region["value"]["sequence"][0][key]
    assert not interface(config).validate_region(region)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(video=videos())
def test_it_sees_the_boxes_of_any_tracks(interpolate, tmp_path, video):
    assume(video.step == 1)  # Label Studio knows no steps
    every = np.ones(len(video.looked_at), np.bool_)
    tracks = tuple(replace(track, keyframes=every[: len(track)]) for track in video.tracks)
    video = replace(video, tracks=tracks, loose=a_video().loose)
    assert_seen(interpolate, export(tmp_path, "label-studio", video), video)


def test_it_draws_boxes_between_keyframes(interpolate, tmp_path):
    video = replace(VIDEO, loose=a_video().loose)
    assert_seen(interpolate, export(tmp_path, "label-studio", video), video)


def assert_seen(interpolate: Any, place: Path, video: VideoAnnotations) -> None:
    """The SDK finds the tracks of the video, box for box."""
    _, (task,) = written(place)
    regions = interpolate(task["predictions"][0]["result"])
    assert [region["value"]["labels"] for region in regions] == [[t.label] for t in video.tracks]
    for region, track in zip(regions, video.tracks, strict=True):
        entries = region["value"]["sequence"]
        assert [entry["frame"] - 1 for entry in entries] == track.frames.tolist()
        np.testing.assert_allclose(
            [pixels_of(entry) for entry in entries], track.boxes, rtol=0, atol=PIXELS
        )


def pixels_of(entry: dict[str, float]) -> list[float]:
    x, y = entry["x"] / 100 * WIDTH, entry["y"] / 100 * HEIGHT
    return [x, y, x + entry["width"] / 100 * WIDTH, y + entry["height"] / 100 * HEIGHT]


def test_converter_keeps_every_region(tmp_path):
    converter = other_reader("label_studio_sdk.converter").Converter
    config, (task,) = written(export(tmp_path, "label-studio", VIDEO))
    # What Label Studio makes of a prediction when somebody submits it.
    regions = task["predictions"][0]["result"]
    annotation = {"id": 1, "completed_by": 1, "was_cancelled": False, "result": regions}
    submitted = {"id": 1, "data": task["data"], "annotations": [annotation]}
    (tmp_path / "tasks.json").write_text(json.dumps([submitted]), encoding="utf-8")
    maker = converter(config, str(tmp_path), download_resources=False)
    maker.convert(str(tmp_path / "tasks.json"), str(tmp_path / "out"), "JSON_MIN", is_dir=False)
    (row,) = json.loads((tmp_path / "out/result.json").read_text(encoding="utf-8"))
    assert row["box"] == [region["value"] for region in regions]
    assert row["video"] == task["data"]["video"]
