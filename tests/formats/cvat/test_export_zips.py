"""Zips that CVAT exports in the layouts of MOT, YOLO and COCO, and COCO's json of pictures."""

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from video_factory import write_picture

from minet_cli.main import run
from minet_core.errors import InputError
from minet_core.formats.readers import kind_of, read_annotations

BOX = "0 0.5 0.5 0.25 0.5"


def zipped(path: Path, **entries: str) -> Path:
    with ZipFile(path, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return path


def with_pictures(path: Path, *names: str) -> Path:
    """The zip with a picture of 80×40 under each name, of which all but the first are broken."""
    picture = path.with_suffix(".png")
    write_picture(picture, np.zeros((40, 80, 3), np.uint8))
    with ZipFile(path, "a") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, b"no picture" if number else picture.read_bytes())
    return path


def test_mot(tmp_path):
    entries = {
        "gt/gt.txt": "1,3,8,4,20,10,1,2,1\n4,3,8,4,20,10,1,2,0.1\n",
        "gt/labels.txt": "dog\ncat\n",
    }
    path = with_pictures(
        zipped(tmp_path / "street.zip", **entries), *(f"img1/{n:06d}.jpg" for n in range(1, 7))
    )
    assert kind_of(path) == "mot-zip"
    (video,) = read_annotations(path)
    (track,) = video.tracks
    assert (video.name, video.width, video.height, video.frames) == ("street", 80, 40, 6)
    assert (track.label, track.frames.tolist(), track.occluded.tolist()) == (
        "cat",
        [0, 3],
        [False, True],
    )
    assert track.boxes[0].tolist() == [8, 4, 28, 14]
    assert video.drawn_gaps


@pytest.mark.parametrize(
    ("entries", "tracks"),
    [
        pytest.param(
            {
                "obj.data": "classes = 2\nnames = data/obj.names\ntrain = data/train.txt\n",
                "obj.names": "dog\ncat\n",
                "train.txt": "data/obj_train_data/frame_000002.png\n",
                "obj_train_data/frame_000002.txt": f"{BOX}\n",
                "obj_train_data/frame_000003.txt": "",
            },
            [],
            id="yolo 1.1",
        ),
        pytest.param(
            {
                "data.yaml": "names:\n  0: dog\n  1: cat\npath: .\ntrain: train.txt\n",
                "train.txt": "images/train/frame_000002.png\n",
                "labels/train/frame_000002.txt": f"{BOX} 5\n",
                "labels/train/frame_000003.txt": f"{BOX} 5\n",
            },
            [(5, "dog", [2, 3])],
            id="ultralytics with tracks",
        ),
    ],
)
def test_yolo(tmp_path, capsys, entries, tracks):
    path = zipped(tmp_path / "street.zip", **entries)
    assert kind_of(path) == "yolo-zip"
    arguments = ["export", str(path), "--to", "json", "-o", str(tmp_path / "out.json")]
    assert run(arguments) == 2
    error = capsys.readouterr().err
    assert "street.zip: the size of the frames of street is unknown" in error
    assert "minet-" not in error
    picture = tmp_path / "pictures"
    picture.mkdir()
    write_picture(picture / "0.png", np.zeros((40, 80, 3), np.uint8))
    assert run([*arguments, "--video", str(picture)]) == 0
    (video,) = read_annotations(tmp_path / "out.json")
    assert [(t.id, t.label, t.frames.tolist()) for t in video.tracks] == tracks
    assert video.loose.frames.tolist() == ([] if tracks else [2])
    first = video.tracks[0].boxes if tracks else video.loose.boxes
    assert first[0].tolist() == [30, 10, 50, 30]


def coco(**changes: Any) -> str:
    """As CVAT writes a task of a video: tracks are attributes."""
    box = {"iscrowd": 0, "area": 200, "bbox": [8, 4, 20, 10], "segmentation": [], "category_id": 2}
    told = {"occluded": False, "rotation": 0.0, "track_id": 3, "keyframe": True}
    hidden = {**told, "keyframe": False, "occluded": True}
    outline = [[8, 4, 28, 4, 28, 14]]
    content = {
        "licenses": [],
        "info": {},
        "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}],
        "images": [
            {"id": i + 1, "file_name": f"frame_{i:06d}.PNG", "width": 80, "height": 40}
            for i in range(3)
        ],
        "annotations": [
            {**box, "id": 1, "image_id": 1, "attributes": told},
            {**box, "id": 2, "image_id": 2, "attributes": {**hidden, "pose": "lying"}},
            {**box, "id": 3, "image_id": 3, "attributes": {}, "segmentation": outline},
            {**box, "id": 4, "image_id": 3, "iscrowd": 1, "segmentation": {"counts": []}},
        ],
    }  # fmt: skip
    return json.dumps({**content, **changes})


@pytest.mark.parametrize("name", ["street.zip", "street.json"])
def test_coco(tmp_path, name):
    path = tmp_path / name
    if path.suffix == ".zip":
        zipped(path, **{"annotations/instances_default.json": coco()})
    else:
        path.write_text(coco())
    (video,) = read_annotations(path)
    assert (video.name, video.width, video.height, list(video.looked_at)) == (
        "street",
        80,
        40,
        [0, 1, 2],
    )
    (track,) = video.tracks
    assert (track.id, track.label, track.frames.tolist()) == (3, "cat", [0, 1])
    assert (track.keyframes.tolist(), track.occluded.tolist()) == ([True, False], [False, True])
    assert video.loose.boxes.tolist() == [[8, 4, 28, 14]]
    assert video.notes == (
        "boxes of crowds, left out: 1",
        "outlines (polygons, masks), of which the boxes are read: 1",
        "attributes pose, left out, of boxes: 1",
    )


def test_coco_of_pictures_of_several_sizes_is_a_video_for_each(tmp_path):
    images = [
        {"id": i, "file_name": f"cats/000{i}.jpg", "width": 80 + i, "height": 40} for i in (1, 2, 3)
    ]
    (tmp_path / "a.json").write_text(coco(images=images))
    found = {
        video.name: (video.width, video.boxes) for video in read_annotations(tmp_path / "a.json")
    }
    assert found == {"0001": (81, 1), "0002": (82, 1), "0003": (83, 1)}


def test_yolo_of_pictures_of_several_sizes(tmp_path):
    path = zipped(
        tmp_path / "a.zip", **{"obj.names": "dog\n", "data/1.txt": BOX, "data/2.txt": BOX}
    )
    for number, width in {1: 80, 2: 40}.items():
        picture = tmp_path / f"{number}.png"
        write_picture(picture, np.zeros((40, width, 3), np.uint8))
        with ZipFile(path, "a") as archive:
            archive.write(picture, f"data/{picture.name}")
    found = {video.name: video.loose.boxes.tolist() for video in read_annotations(path)}
    assert found == {"1": [[30, 10, 50, 30]], "2": [[15, 10, 25, 30]]}


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ({"notes.txt": "hello"}, "no zip of MOT"),
        (
            {"obj.names": "dog\n", "obj_train_data/a_1.txt": "0 1 2\n"},
            r"a\.zip/obj_train_data/a_1\.txt, line 1: 3 columns",
        ),
        ({"annotations/a.json": "{}"}, r"a\.zip/annotations/a\.json: no COCO file"),
        ({"gt/gt.txt": "1,2,3\n", "../x": ""}, "climbs out of it"),
    ],
)
def test_bad_zip_is_refused_in_one_line(tmp_path, entries, why):
    path = zipped(tmp_path / "a.zip", **entries)
    with pytest.raises(InputError, match=why) as error:
        read_annotations(path)
    assert "\n" not in str(error.value)
