"""Datumaro reads what `minet export` writes, and what Datumaro writes reads back here."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from shutil import make_archive
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from annotation_factory import (
    HEIGHT,
    WIDTH,
    a_track,
    a_video,
    export,
    export_with_pictures,
    loose_boxes,
    videos,
)
from hypothesis import HealthCheck, given, settings
from other_readers import other_reader

from minet_core.formats.annotations import FrameBox, VideoAnnotations
from minet_core.formats.attributes import Attribute
from minet_core.formats.cvat.extras import Kept, LabelSpec
from minet_core.formats.readers import read_annotations

PIXELS = 0.006
"""Coordinates are written with two decimals."""

PROPERTY = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def moving(frame: int) -> list[float]:
    return [10.25 + frame, 20.5, 40.75 + frame, 30]


DOG_FRAMES = [0, 1, 2, 6, 7]
VIDEO = a_video(
    a_track(
        3,
        "dog",
        DOG_FRAMES,
        [moving(frame) for frame in DOG_FRAMES],
        keyframes=[True, False, True, True, True],
        occluded=[True, True, False, False, False],
    ),
    a_track(7, "Hündin 犬", [4], [[0, 0, 2.5, 9]]),
    a_track(12, "traffic light", [8, 9], [[600, 400, 640, 480]] * 2),
    frames=10,
    loose=loose_boxes((4, "dog", (1, 2, 3, 5), 0.25)),
)
SECOND = a_video(a_track(7, "dog", [2], [[5, 6, 7.5, 90]]), name="second", frames=3)


@pytest.fixture(scope="module")
def datumaro() -> Any:
    return other_reader("datumaro")


def opened(datumaro: Any, place: Path, name: str) -> Any:
    """What it reads: (item, label, box, attributes), a row for each box."""
    dataset = datumaro.Dataset.import_from(str(place), name)
    labels = dataset.categories()[datumaro.AnnotationType.label].items
    for item in dataset:
        for box in item.annotations:
            yield item, labels[box.label].name, list(box.points), box.attributes


def rows_of(video: VideoAnnotations) -> dict[tuple[int, int], FrameBox]:
    """(Frame, track) → box, of the boxes that have a track."""
    return {
        (frame, box.track): box
        for frame, boxes in video.by_frame()
        for box in boxes
        if box.track is not None
    }


def assert_same(found: dict[Any, tuple[str, list[float]]], rows: dict[Any, FrameBox]) -> None:
    assert {key: label for key, (label, _) in found.items()} == {
        key: row.label for key, row in rows.items()
    }
    for key, (_, box) in found.items():
        np.testing.assert_allclose(box, rows[key].box, rtol=0, atol=PIXELS)


def test_cvat_has_keyframes_and_the_ends_of_tracks(datumaro, tmp_path):
    found = [
        (item.attributes["frame"], attributes["track_id"], label, box, flags_of(attributes))
        for item, label, box, attributes in opened(
            datumaro, export(tmp_path, "cvat", VIDEO), "cvat"
        )
    ]
    seen, gone, hidden = {"keyframe"}, {"keyframe", "outside"}, {"keyframe", "occluded"}
    light = [600, 400, 640, 480]
    assert sorted(found, key=lambda row: row[1::-1]) == [
        (0, 3, "dog", moving(0), hidden),
        (2, 3, "dog", moving(2), seen),
        (3, 3, "dog", moving(2), gone),
        (6, 3, "dog", moving(6), seen),
        (7, 3, "dog", moving(7), seen),
        (8, 3, "dog", moving(7), gone),
        (4, 7, "Hündin 犬", [0, 0, 2.5, 9], seen),
        (5, 7, "Hündin 犬", [0, 0, 2.5, 9], gone),
        (8, 12, "traffic light", light, seen),
        (9, 12, "traffic light", light, seen),
        # A box of no track is a track of one frame, its id the next that is free.
        (4, 13, "dog", [1, 2, 3, 5], seen),
        (5, 13, "dog", [1, 2, 3, 5], gone),
    ]


def flags_of(attributes: dict[str, Any]) -> set[str]:
    return {name for name in ("keyframe", "outside", "occluded") if attributes[name]}


@PROPERTY
@given(video=videos())
def test_cvat_of_any_tracks(datumaro, tmp_path, video):
    every = np.ones(len(video.looked_at), np.bool_)
    tracks = tuple(replace(track, keyframes=every[: len(track)]) for track in video.tracks)
    video = replace(video, tracks=tracks, loose=a_video().loose)
    found = {
        (item.attributes["frame"], attributes["track_id"]): (label, box)
        for item, label, box, attributes in opened(
            datumaro, export(tmp_path, "cvat", video), "cvat"
        )
        if not attributes["outside"]
    }
    assert_same(found, rows_of(video))


@PROPERTY
@given(video=videos())
def test_mot_of_any_tracks(datumaro, tmp_path, video):
    place = export(tmp_path, "mot-gt", video)
    boxes = list(opened(datumaro, place, "mot_seq"))
    frames = video.looked_at if video.step > 1 else range(max(video.looked_at) + 1)
    found = {
        # It counts from 1, and with a stride only the frames that were looked at.
        (frames[int(item.id) - 1], attributes["track_id"]): (label, box)
        for item, label, box, attributes in boxes
        if "track_id" in attributes
    }
    assert_same(found, rows_of(video))
    assert len(boxes) == video.boxes
    assert not any(attributes["ignored"] for *_, attributes in boxes)
    occluded = sum(attributes["occluded"] for *_, attributes in boxes)
    assert occluded == sum(int(track.occluded.sum()) for track in video.tracks)


@pytest.mark.parametrize(
    ("name", "reader", "first", "pixels"),
    [
        pytest.param("coco-vid", "coco_instances", 0, PIXELS, id="coco-vid"),
        pytest.param("yolo", "yolo", 0, PIXELS, id="yolo"),
        # Its numbers are those of the file: whole pixels from 1, of which the last is inside.
        pytest.param("voc", "voc_detection", 1, 0.5, id="voc"),
    ],
)
def test_data_sets_of_pictures(datumaro, tmp_path, name, reader, first, pixels):
    place = export_with_pictures(tmp_path, name, VIDEO, SECOND)
    assert len(datumaro.Dataset.import_from(str(place), reader)) == 13
    found: dict[str, Any] = {}
    for item, label, box, _ in opened(datumaro, place, reader):
        found.setdefault(item.id, []).append((label, box))
    wanted = {
        f"{video.name}_{frame:06d}": [(box.label, list(box.box)) for box in boxes]
        for video in (VIDEO, SECOND)
        for frame, boxes in video.by_frame()
    }
    assert found.keys() == wanted.keys()
    for key, boxes in found.items():
        labels, corners = columns(boxes)
        wanted_labels, wanted_corners = columns(wanted[key])
        assert labels == wanted_labels
        shift = np.array([first, first, 0, 0])
        np.testing.assert_allclose(corners, wanted_corners + shift, rtol=0, atol=pixels)


def columns(boxes: Iterable[tuple[str, list[float]]]) -> tuple[tuple[str, ...], Any]:
    labels, corners = zip(*sorted(boxes), strict=True)
    return labels, np.array(corners)


def made_by(datumaro: Any, name: str = "{}", first: int = 1) -> Any:
    """A data set of five frames, with a gap, a track to the last frame, and one of one frame."""

    def box(number: int, frame: int, label: int = 0, **flags: bool) -> Any:
        attributes = {"track_id": number, "keyframe": True, "outside": False, "occluded": False}
        return datumaro.Bbox(10 + frame, 20, 30, 40.5, label=label, attributes=attributes | flags)

    boxes = [
        [box(1, 0)],
        [box(1, 1, occluded=True), box(2, 1, 1)],
        [box(1, 2, outside=True), box(2, 2, 1, outside=True)],
        [],
        [box(1, 4)],
    ]
    picture = datumaro.Image.from_numpy(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    items = [
        datumaro.DatasetItem(
            name.format(frame + first),
            media=picture,
            attributes={"frame": frame},
            annotations=found,
        )
        for frame, found in enumerate(boxes)
    ]
    return datumaro.Dataset.from_iterable(items, categories=["dog", "Hündin 犬"])


def assert_as_made(path: Path) -> None:
    (video,) = read_annotations(path)
    assert [(track.id, track.label) for track in video.tracks] == [(1, "dog"), (2, "Hündin 犬")]
    dog, other = video.tracks
    assert (dog.frames.tolist(), other.frames.tolist()) == ([0, 1, 4], [1])
    assert dog.boxes.tolist() == [[10 + frame, 20, 40 + frame, 60.5] for frame in (0, 1, 4)]
    assert dog.occluded.tolist() == [False, True, False]


def test_its_cvat_reads_back(datumaro, tmp_path):
    made_by(datumaro).export(str(tmp_path), "cvat", use_track=True)
    (path,) = tmp_path.glob("*.xml")
    # It counts one frame too many, and so the box of the last frame would go on into it.
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("<stop_frame>5<", "<stop_frame>4<"), encoding="utf-8")
    assert_as_made(path)


def seen(dataset: Any) -> Any:
    """The data set without the boxes that are outside, as CVAT exports it in other formats."""
    for item in dataset:
        item.annotations = [box for box in item.annotations if not box.attributes["outside"]]
        dataset.put(item)
    return dataset


def test_its_mot_reads_back(datumaro, tmp_path):
    seen(made_by(datumaro)).export(str(tmp_path), "mot_seq_gt")
    assert_as_made(tmp_path / "gt/gt.txt")


@pytest.mark.parametrize("pictures", [True, False])
@pytest.mark.parametrize("name", ["mot_seq_gt", "coco_instances"])
def test_its_zip_reads_back(datumaro, tmp_path, name, pictures):
    """As CVAT makes it; its frames are called frame_000000 and on, but for MOT."""
    names = ("{}", 1) if name == "mot_seq_gt" else ("frame_{:06d}", 0)
    dataset = seen(made_by(datumaro, *names))
    dataset.export(str(tmp_path / "made"), name, save_media=pictures)
    assert_as_made(Path(make_archive(str(tmp_path / "street"), "zip", tmp_path / "made")))


@pytest.mark.parametrize("pictures", [True, False])
def test_its_yolo_zip_reads_back(datumaro, tmp_path, pictures):
    dataset = seen(made_by(datumaro, "frame_{:06d}", 0))
    dataset.export(str(tmp_path / "made"), "yolo", save_media=pictures)
    path = Path(make_archive(str(tmp_path / "street"), "zip", tmp_path / "made"))
    (video,) = read_annotations(path, lambda _: info_of_size(WIDTH, HEIGHT))
    assert video.loose.frames.tolist() == [0, 1, 1, 4]
    assert set(video.loose.labels) == {"dog", "Hündin 犬"}
    np.testing.assert_allclose(video.loose.boxes[3], [14, 20, 44, 60.5], atol=0.001)


def test_it_reads_the_attributes_that_a_file_of_cvat_had(datumaro, tmp_path):
    pose = Attribute("pose", "attribute", (0, 2), ("standing", "sitting"))
    track = replace(VIDEO.tracks[0], attributes=(pose,))
    spec = LabelSpec("dog", None, POSE)
    video = replace(VIDEO, tracks=(track,), loose=a_video().loose, kept=Kept((spec,)))
    found = {
        item.attributes["frame"]: attributes["pose"]
        for item, _, _, attributes in opened(datumaro, export(tmp_path, "cvat", video), "cvat")
    }
    assert found == {0: "standing"} | dict.fromkeys((2, 3, 6, 7, 8), "sitting")


POSE = (
    "<attributes><attribute><name>pose</name><mutable>True</mutable><input_type>select</input_type>"
    "<default_value>standing</default_value><values>standing\nsitting</values></attribute></attributes>"
)


def info_of_size(width: int, height: int) -> Any:
    return SimpleNamespace(width=width, height=height)
