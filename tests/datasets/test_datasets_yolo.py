"""YOLO's label files and folders, as many programs write them, opened as a data set."""

import json
from pathlib import Path
from shutil import make_archive
from typing import Any

import numpy as np
import pytest
from video_factory import write_picture

from minet_core.boxes import NO_TRACK
from minet_core.datasets import Dataset, open_dataset
from minet_core.datasets.yolo import LabelError, Labels, interpret, open_layout, read_rows
from minet_core.errors import InputError

BOX = "0 0.5 0.5 0.2 0.4"
"""Of a picture of 100×50: 40, 15, 60, 35."""


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_picture(path, np.zeros((50, 100, 3), np.uint8))
    return path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def labels_of(folder: Path, *files: str, keypoints: int = 0) -> Labels:
    paths = [write(folder / f"{number}.txt", text) for number, text in enumerate(files)]
    return interpret([row for path in paths for row in read_rows(path, keypoints)], keypoints)


class TestLines:
    def test_box(self, tmp_path):
        found = labels_of(tmp_path, "1 0.5 0.25 0.5 0.5\n\n0 0.5 0.5 1 1\n")
        assert found.classes.tolist() == [1, 0]
        assert found.boxes.tolist() == [[0.25, 0, 0.75, 0.5], [0, 0, 1, 1]]
        assert (found.scores.tolist(), found.tracks.tolist()) == ([1, 1], [NO_TRACK] * 2)

    @pytest.mark.parametrize(
        ("line", "box"),
        [
            ("0 0.1 0.2 0.4 0.2 0.4 0.6 0.1 0.6", [0.1, 0.2, 0.4, 0.6]),
            ("0 0.5 0.1 0.9 0.5 0.5 0.9 0.1 0.5", [0.1, 0.1, 0.9, 0.9]),
            ("0 0.1 0.2 0.9 0.3 0.2 0.8", [0.1, 0.2, 0.9, 0.8]),
            ("0 0.3 0.3 0.2 0.4 0.5 0.1 0.6 0.2 0.7 0.6", [0.2, 0.1, 0.7, 0.6]),
        ],
        ids=["polygon", "turned box", "triangle", "five points"],
    )
    def test_outlines_are_the_boxes_around_them(self, tmp_path, line, box):
        found = labels_of(tmp_path, f"{line}\n{BOX}\n")
        assert found.boxes[0].tolist() == box
        assert found.outlines.tolist() == [True, False]
        assert found.scores.tolist() == [1, 1]

    def test_confidence_and_id_of_a_tracker(self, tmp_path):
        found = labels_of(tmp_path, f"{BOX} 0.9 1\n{BOX} 0.5\n", f"{BOX} 1 12\n")
        assert found.scores.tolist() == [0.9, 0.5, 1]
        assert found.tracks.tolist() == [1, NO_TRACK, 12]
        assert not found.outlines.any()

    @pytest.mark.parametrize(
        ("files", "scores", "tracks"),
        [
            ([f"{BOX} 3\n{BOX}\n", f"{BOX} 1\n"], [1, 1, 1], [3, NO_TRACK, 1]),
            ([f"{BOX} 1\n", f"{BOX} 1\n"], [1, 1], [1, 1]),
            ([f"{BOX} 1\n{BOX} 0.25\n"], [1, 0.25], [NO_TRACK] * 2),
            ([f"{BOX} 1\n{BOX} 1\n"], [1, 1], [NO_TRACK] * 2),
        ],
        ids=["ids", "one id", "confidences", "certain"],
    )
    def test_sixth_column_is_an_id_or_a_confidence(self, tmp_path, files, scores, tracks):
        found = labels_of(tmp_path, *files)
        assert (found.scores.tolist(), found.tracks.tolist()) == (scores, tracks)

    def test_keypoints_that_are_announced_are_left_out(self, tmp_path):
        found = labels_of(tmp_path, f"{BOX} 0.1 0.2 1 0.3 0.4 0\n", keypoints=6)
        np.testing.assert_allclose(found.boxes, [[0.4, 0.3, 0.6, 0.7]])
        assert not found.outlines.any()

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            ("0 0.1 0.2 0.3", "line 2: 4 columns"),
            (f"{BOX} 0.9 1 7", "line 2: 8 columns"),
            (f"{BOX} 1 2 3 4 5", "line 2: 10 columns"),
            ("0 0.1 0.2 0.4 0.2 0.4 0.6 0.1 12", "line 2: 12 is no share"),
            ("0 12 20 30 40", "line 2: 12 is no share of the picture"),
            (f"{BOX} 3.5", "line 2: 3.5 is no confidence"),
            (f"{BOX} 7 1", "line 2: 7 is no confidence"),
            ("dog 0.5 0.5 0.2 0.4", "line 2: not all of it is numbers"),
            ("0.5 0.5 0.5 0.2 0.4", "line 2: the class 0.5 is not whole"),
            ("0 0.5 inf 0.2 0.4", "line 2: a value is not a number"),
        ],
    )
    def test_other_lines_are_refused_by_their_number(self, tmp_path, line, why):
        with pytest.raises(LabelError, match=rf"0\.txt, {why}"):
            labels_of(tmp_path, f"{BOX}\n{line}\n")


def the_boxes(dataset: Dataset) -> dict[str, list[list[float]]]:
    return {video.name: video.frame(0).boxes.tolist() for video in dataset.videos}


def fill(folder: Path, *places: str) -> None:
    """A picture and its label for each place, such as `images/train/a`."""
    for place in places:
        picture(folder / f"{place}.png")
        write(folder / f"{place.replace('images', 'labels')}.txt", BOX)


class TestLayouts:
    def test_ultralytics(self, tmp_path):
        """The yaml is called after the data, and stands beside the folder that it names."""
        fill(tmp_path / "pets", "images/train/a", "images/more/b", "images/val/c")
        config = write(
            tmp_path / "pets.yaml",
            "path: pets # root\ntrain: [images/train, images/more]\nval: images/val\ntest:\n"
            "names:\n  0: dog\n  1: cat\n",
        )
        for place in (config, tmp_path):
            train = open_dataset(f"yolo:{place}", "train")
            assert train.classes == ("dog", "cat")
            assert the_boxes(train) == {
                "train/a.png": [[40, 15, 60, 35]],
                "more/b.png": [[40, 15, 60, 35]],
            }
            assert list(the_boxes(open_dataset(f"yolo:{place}", "val"))) == ["val/c.png"]

    def test_roboflow(self, tmp_path):
        fill(tmp_path, "train/images/a_jpg.rf.0af3", "valid/images/b_jpg.rf.11cd")
        write(tmp_path / "README.roboflow.txt", "Exported by Roboflow")
        write(
            tmp_path / "data.yaml",
            "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\n"
            "names: ['dog', 'cat']\n\nroboflow:\n  workspace: me\n",
        )
        for split, name in {"train": "train/images/a", "val": "valid/images/b"}.items():
            (found,) = the_boxes(open_dataset(f"yolo:{tmp_path}", split)).items()
            assert found[0].startswith(name)
            assert found[1] == [[40, 15, 60, 35]]
        with pytest.raises(InputError, match="test/images: no such file or folder"):
            open_dataset(f"yolo:{tmp_path}", "test")

    def test_list_of_pictures(self, tmp_path):
        """As CVAT writes it, and as Ultralytics has it for COCO."""
        fill(tmp_path, "images/train/a", "images/train/b", "images/train/c")
        write(
            tmp_path / "lists/train.txt",
            f"./../images/train/a.png\n{tmp_path}/images/train/b.png\nno/d.png\n",
        )
        write(tmp_path / "data.yaml", "path: ./\ntrain: lists/train.txt\nnames:\n  0: dog\n")
        dataset = open_dataset(f"yolo:{tmp_path}", "train")
        (line,) = dataset.problems.lines()
        assert line.startswith("pictures missing or broken")
        assert line.endswith("no/d.png)")
        found = the_boxes(dataset)
        assert sorted(Path(name).name for name in found) == ["a.png", "b.png"]
        assert list(found.values()) == [[[40, 15, 60, 35]]] * 2

    def test_darknet(self, tmp_path):
        """CVAT's YOLO 1.1, unpacked, with pictures: labels lie beside them."""
        for name, part in {"a": "train", "b": "valid"}.items():
            picture(tmp_path / f"obj_{part}_data/{name}.png")
            write(tmp_path / f"obj_{part}_data/{name}.txt", BOX)
            write(tmp_path / f"{part}.txt", f"data/obj_{part}_data/{name}.png\n")
        write(tmp_path / "obj.names", "dog\n")
        data = (
            "classes = 1\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\n"
        )
        write(tmp_path / "obj.data", data)
        for split, name in {"train": "obj_train_data/a.png", "val": "obj_valid_data/b.png"}.items():
            assert the_boxes(open_dataset(f"yolo:{tmp_path}", split)) == {name: [[40, 15, 60, 35]]}

    def test_names_stay_as_they_are_written(self, tmp_path):
        """Yaml would make values of some, and two characters of one in JSON's escapes."""
        names = ["yes", "no", "null", "1.0", "on", "a: b", "\N{DOG FACE} dog"]
        write(tmp_path / "data.yaml", f"names: {json.dumps(names)}\n")
        assert open_layout(tmp_path).classes == tuple(names)
        write(tmp_path / "data.yaml", "names: [yes, no, null, 1.0, on, 'a: b', \N{DOG FACE} dog]\n")
        assert open_layout(tmp_path).classes == tuple(names)

    @pytest.mark.parametrize(
        ("files", "why"),
        [
            ({"data.yaml": "names: [dog\n"}, "data.yaml: not yaml"),
            ({"data.yaml": "names: {0: dog, 2: cat}\n"}, "no list, and no map from 0"),
            ({"data.yaml": "names: [dog, dog]\n"}, "missing or not unique"),
            (
                {"data.yaml": "names: [dog]\n", "classes.txt": "cat\n"},
                "other classes than classes.txt",
            ),
            ({"data.yaml": "names: [dog]\ntrain: {a: b}\n"}, "train is no path"),
            ({"data.yaml": "train: images\n"}, "no classes.txt, and no data.yaml"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, tmp_path, files, why):
        for name, text in files.items():
            write(tmp_path / name, text)
        with pytest.raises(InputError, match=why):
            open_layout(tmp_path)

    def test_part_that_the_file_lacks_is_refused(self, tmp_path):
        fill(tmp_path, "images/train/a")
        write(tmp_path / "data.yaml", "train: images/train\nnames: [dog]\n")
        with pytest.raises(InputError, match="it has no part val, only train"):
            open_dataset(f"yolo:{tmp_path}", "val")


class TestTraining:
    def test_every_kind_of_line_trains(self, tmp_path):
        lines = f"{BOX} 0.9 1\n", "0 0.4 0.3 0.6 0.3 0.6 0.7 0.4 0.7\n"
        for name, line in zip("ab", lines, strict=True):
            picture(tmp_path / f"images/{name}.png")
            write(tmp_path / f"labels/{name}.txt", line)
        write(tmp_path / "classes.txt", "dog\n")
        found = open_dataset(f"yolo:{tmp_path}", "train")
        assert list(the_boxes(found).values()) == [[[40, 15, 60, 35]]] * 2
        assert found.problems.lines() == []

    def test_a_zip_of_cvat_trains_too(self, tmp_path):
        folder = tmp_path / "street/obj_train_data"
        picture(folder / "frame_000000.png")
        write(folder / "frame_000000.txt", BOX)
        write(folder.parent / "obj.names", "dog\n")
        write(folder.parent / "obj.data", "classes = 1\nnames = data/obj.names\n")
        bases: tuple[Any, ...] = ({}, {"base_dir": "street"})
        for base in bases:
            root = tmp_path if base else folder.parent
            path = make_archive(str(tmp_path / "zips/cvat"), "zip", root, **base)
            found = open_dataset(f"yolo:{path}", "train")
            assert the_boxes(found) == {"obj_train_data/frame_000000.png": [[40, 15, 60, 35]]}

    def test_a_line_that_is_none_is_told_and_its_picture_not_trained_on(self, tmp_path):
        picture(tmp_path / "images/a.png")
        write(tmp_path / "labels/a.txt", f"{BOX}\n{BOX} 1 2 3\n")
        write(tmp_path / "classes.txt", "dog\n")
        found = open_dataset(f"yolo:{tmp_path}", "train")
        assert not found.videos[0].frame(0).annotated
        (line,) = found.problems.lines()
        assert "labels/a.txt, line 2: 8 columns" in line
