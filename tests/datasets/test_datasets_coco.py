import json
from pathlib import Path
from typing import Any

import pytest
from video_factory import grey_images, index_of, write_picture

from minet_core.datasets import NO_TRACK, Dataset, Problem, open_dataset
from minet_core.datasets.coco.cocovid import open_coco_vid
from minet_core.errors import InputError


def content() -> dict[str, Any]:
    """Two videos of two and one frames, their images and annotations in no order."""
    image = {"width": 64, "height": 48}
    return {
        "categories": [{"id": 5, "name": "dog"}, {"id": 2, "name": "car"}],
        "videos": [{"id": 1, "name": "a", "fps": 29.97}, {"id": 9, "name": "b"}],
        "images": [
            {"id": 30, "video_id": 1, "frame_id": 1, "file_name": "a/1.png", **image},
            {"id": 10, "video_id": 9, "frame_id": 0, "file_name": "b/0.png", **image},
            {"id": 20, "video_id": 1, "frame_id": 0, "file_name": "a/0.png", **image},
        ],
        "annotations": [
            annotation(1, 30, 2, [4, 5, 10, 20], instance_id=8),
            annotation(2, 20, 5, [0, 0, 9.5, 9], instance_id=7, iscrowd=1),
            annotation(3, 30, 5, [1, 1, 9, 9], occluded=1, generated=True),
        ],
    }


def annotation(number: int, image: int, category: int, bbox: list[float], **more: Any) -> dict:
    return {"id": number, "image_id": image, "category_id": category, "bbox": bbox, **more}


def opened(folder: Path, data: Any) -> Dataset:
    path = folder / "truth.json"
    path.write_text(json.dumps(data))
    return open_dataset(f"coco-vid:{path}")


def test_columns(tmp_path):
    dataset = opened(tmp_path, content())
    video = dataset.videos[0]
    first, second = video.frames()
    assert dataset.classes == ("dog", "car")
    assert not dataset.inclusive
    assert first.boxes.tolist() == [[0, 0, 9.5, 9]]
    assert first.ignore.tolist() == [True]
    assert second.index == 1
    assert second.boxes.tolist() == [[4, 5, 14, 25], [1, 1, 10, 10]]
    assert second.label_ids.tolist() == [1, 0]
    assert second.track_ids.tolist() == [8, NO_TRACK]
    assert second.occluded.tolist() == second.generated.tolist() == [False, True]
    assert float(video.frame_rate) == pytest.approx(29.97, abs=1e-3)
    assert video.size == (64, 48)
    assert dataset.problems.lines() == []


def test_frame_without_annotations_is_empty(tmp_path):
    video = opened(tmp_path, content()).videos[1]
    (frame,) = video.frames()
    assert (video.name, len(frame), frame.annotated) == ("b", 0, True)


@pytest.mark.parametrize("place", [".", "images", "../Data/VID", "../data"])
def test_pictures_are_found(tmp_path, place):
    folder = tmp_path / "annotations"
    (folder / place / "a").mkdir(parents=True)
    for index, image in enumerate(grey_images(2)):
        write_picture(folder / place / f"a/{index}.png", image)
    video = opened(folder, content()).videos[0]
    assert [(index, index_of(image)) for index, image in video.images()] == [(0, 0), (1, 1)]


def test_pictures_where_they_are_said_to_be(tmp_path):
    (tmp_path / "elsewhere/a").mkdir(parents=True)
    write_picture(tmp_path / "elsewhere/a/0.png", grey_images(1)[0])
    opened(tmp_path, content())
    dataset = open_coco_vid(tmp_path / "truth.json", tmp_path / "elsewhere")
    assert [index for index, _ in dataset.videos[0].images()] == [0]
    assert dataset.problems.counts == {Problem.NO_PICTURE: 1}


def test_wrong_boxes_name_their_annotation(tmp_path):
    data = content()
    data["annotations"] = [
        annotation(4, 30, 2, [4, 5, -1, 20]),
        annotation(6, 30, 2, [4, 5, 9, 9], instance_id=3),
        annotation(5, 30, 2, [4, 5, 10, 20], instance_id=3),
    ]
    dataset = opened(tmp_path, data)
    assert dataset.videos[0].frame(1).track_ids.tolist() == [3, NO_TRACK]
    assert dataset.problems.places(Problem.NO_AREA)[0].endswith("truth.json, annotation 4")
    assert dataset.problems.places(Problem.SAME_ID)[0].endswith("truth.json, annotation 5")


def change(key: str, number: int, **values: Any) -> dict[str, Any]:
    data = content()
    data[key][number].update(values)
    return data


def without(key: str, number: int, name: str) -> dict[str, Any]:
    data = content()
    del data[key][number][name]
    return data


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(change("images", 0, frame_id=2), "video 1 has no 1 among its 2", id="hole"),
        pytest.param(change("images", 2, frame_id=2), "video 1 has no 0 among", id="from 1"),
        pytest.param(change("images", 0, frame_id=0), "30 and 20 have the same", id="same frame"),
        pytest.param(change("images", 0, video_id=4), "image 30 is of video 4", id="no video"),
        pytest.param(change("images", 0, id=20), "two records of a image have id 20", id="same id"),
        pytest.param(change("annotations", 0, image_id=4), "1 is of image 4", id="image"),
        pytest.param(change("annotations", 0, category_id=4), "category 4", id="category"),
        pytest.param(change("annotations", 0, bbox=[1, 2, 3]), "bbox of 3 numbers", id="bbox"),
        pytest.param(change("annotations", 0, bbox="abcd"), "no CocoVID file", id="text"),
        pytest.param(change("annotations", 0, instance_id="x"), "no CocoVID file", id="instance"),
        pytest.param(change("categories", 0, name="car"), "same name", id="same name"),
        pytest.param(without("images", 0, "frame_id"), "has no 'frame_id'", id="no frame_id"),
        pytest.param({"images": []}, "has no categories, videos, annotations", id="other json"),
        pytest.param([1], "has no categories", id="list"),
    ],
)
def test_contradictions_are_refused(tmp_path, data, why):
    with pytest.raises(InputError, match=rf"truth\.json: .*{why}"):
        opened(tmp_path, data)


def test_no_json(tmp_path):
    (tmp_path / "truth.json").write_text("{")
    with pytest.raises(InputError, match="not json"):
        open_coco_vid(tmp_path / "truth.json")
    with pytest.raises(InputError, match="no such file"):
        open_coco_vid(tmp_path / "gone.json")
