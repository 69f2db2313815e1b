"""Data sets of other people, read for `minet export`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from annotation_factory import HEIGHT, INSTANCES, WIDTH, a_track, a_video, export
from video_factory import grey_images, write_picture

from minet_core.boxes import NO_TRACK
from minet_core.datasets import open_dataset
from minet_core.errors import InputError
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.coco.reader import read_coco_vid
from minet_core.formats.from_dataset import from_dataset
from minet_core.formats.gathering import BoxRows, gather
from minet_core.formats.mot.reader import read_mot
from minet_core.formats.readers import file_of, kind_of, read_annotations
from minet_core.formats.strides import Steps, steps_of
from minet_core.formats.yolo.reader import read_yolo


def rows_of(*rows: tuple[int, int, int]) -> BoxRows:
    """From (frame, track, label)."""
    frames, tracks, labels = (np.array(column) for column in zip(*rows, strict=True))
    count = len(rows)
    flags = np.ones(count, np.bool_)
    boxes = np.tile([0.0, 0, 9, 9], (count, 1))
    return BoxRows(frames, tracks, labels, boxes, np.ones(count), flags, ~flags)


class TestGather:
    def test_rows_in_any_order(self):
        found = gather(rows_of((4, 7, 0), (1, 2, 1), (0, NO_TRACK, 1), (1, 7, 0)), ("dog", "cat"))
        assert [(t.id, t.label, t.frames.tolist()) for t in found.tracks] == [
            (2, "cat", [1]),
            (7, "dog", [1, 4]),
        ]
        assert (found.loose.frames.tolist(), found.loose.labels) == ([0], ("cat",))
        assert found.notes == ()

    def test_track_has_the_class_of_most_boxes(self):
        found = gather(rows_of((0, 1, 0), (1, 1, 1), (2, 1, 1)), ("dog", "cat"))
        assert [track.label for track in found.tracks] == ["cat"]
        (note,) = found.notes
        assert note.endswith("changed to it: 1")

    def test_ids_that_count_from_zero_become_one_more(self):
        found = gather(rows_of((0, 0, 0), (0, 2, 0), (0, -7, 0)), ("dog",))
        assert [track.id for track in found.tracks] == [1, 3]
        assert len(found.loose) == 1

    def test_second_box_of_a_track_in_a_frame_stands_alone(self):
        found = gather(rows_of((3, 1, 0), (3, 1, 0), (4, 1, 0)), ("dog",))
        assert found.tracks[0].frames.tolist() == [3, 4]
        assert len(found.loose) == 1
        assert found.notes[0].startswith("second boxes of a track in a frame")


@pytest.mark.parametrize(
    ("frames", "steps"),
    [([], (0, 0, 1)), ([7], (7, 8, 1)), ([1, 4, 7], (1, 8, 3)), ([0, 2, 5], (0, 6, 1))],
)
def test_steps(frames, steps):
    assert steps_of(frames) == Steps(*steps)


class TestCocoVid:
    def content(self) -> dict[str, Any]:
        """A file as mmtracking makes them, without a word of minet's own."""
        box = {"bbox": [1, 2, 30, 40], "area": 1200, "iscrowd": 0, "category_id": 4}
        return {
            "categories": [{"id": 4, "name": "dog", "encode_name": "n02084071"}],
            "videos": [{"id": 1, "name": "train/a", "fps": 25}, {"id": 2, "name": "b"}],
            "images": [
                {"id": 11, "video_id": 1, "frame_id": 1, "file_name": "1.jpg"},
                {"id": 10, "video_id": 1, "frame_id": 0, "file_name": "0.jpg", "width": 64,
                 "height": 48},
            ],
            "annotations": [
                {"id": 1, "image_id": 11, "instance_id": 5, **box},
                {"id": 2, "image_id": 10, "instance_id": 5, **box, "generated": True},
                {"id": 3, "image_id": 10, "instance_id": 6, **box, "iscrowd": 1},
            ],
        }  # fmt: skip

    def read(self, folder: Path, content: Any) -> list[VideoAnnotations]:
        path = folder / "truth.json"
        path.write_text(json.dumps(content))
        return read_coco_vid(path)

    def test_of_another_program(self, tmp_path):
        first, second = self.read(tmp_path, self.content())
        (track,) = first.tracks
        assert (track.id, track.frames.tolist()) == (5, [0, 1])
        assert track.keyframes.tolist() == [False, True]
        assert track.scores.tolist() == [1, 1]
        assert (first.width, first.height, first.frames, first.frame_rate) == (64, 48, 2, 25)
        assert first.notes == ("boxes of crowds, left out: 1",)
        assert (second.frames, second.tracks) == (0, ())

    def test_instance_of_which_one_box_has_no_id(self, tmp_path):
        content = self.content()
        del content["annotations"][0]["instance_id"]
        first, _ = self.read(tmp_path, content)
        assert (len(first.tracks[0]), len(first.loose)) == (1, 1)

    @pytest.mark.parametrize(
        ("record", "key", "value", "why"),
        [
            (("images", 0), "source_frame", 0, "source frames of video 1 do not increase"),
            (("annotations", 0), "bbox", [0, 0, float("nan"), 1], "value that is not a number"),
            (("annotations", 0), "image_id", 99, "image 99, which is not listed"),
            (("images", 0), "frame_id", 5, "must count from 0 without holes"),
            (("annotations", 0), "score", "high", "no CocoVID file"),
        ],
    )
    def test_what_makes_no_sense(self, tmp_path, record, key, value, why):
        content = self.content()
        content[record[0]][record[1]][key] = value
        with pytest.raises(InputError, match=rf"truth\.json: .*{why}"):
            self.read(tmp_path, content)


class TestMot:
    def test_ground_truth_has_classes_and_leaves_out_what_is_to_be_ignored(self, tmp_path):
        (tmp_path / "seq/gt").mkdir(parents=True)
        path = tmp_path / "seq/gt/gt.txt"
        path.write_text("3,7,1,2,30,40,1,2,0.2\n1,7,1,2,30,40,1,2,1\n1,8,1,2,30,40,0,1,1\n")
        path.with_name("labels.txt").write_text("dog\ncar\n")
        ini = "[Sequence]\nseqLength=9\nframeRate=25\nimWidth=64\nimHeight=48\n"
        (tmp_path / "seq/seqinfo.ini").write_text(ini)
        (video,) = read_mot(path)
        (track,) = video.tracks
        assert (track.id, track.label, track.frames.tolist()) == (7, "car", [0, 2])
        assert track.occluded.tolist() == [False, True]
        assert (video.name, video.width, video.frames, video.frame_rate) == ("seq", 64, 9, 25)
        assert video.notes == ("boxes that are to be ignored, left out: 1",)

    def test_ground_truth_alone_says_nothing_of_the_size(self, tmp_path):
        """As CVAT and Datumaro write it without pictures; the second leaves an empty folder."""
        (tmp_path / "seq/gt").mkdir(parents=True)
        (tmp_path / "seq/img1").mkdir()
        path = tmp_path / "seq/gt/gt.txt"
        path.write_text("3,7,1,2,30,40,1,1,1\n")
        path.with_name("labels.txt").write_text("dog\n")
        (video,) = read_mot(path)
        assert (video.width, video.height, video.tracks[0].frames.tolist()) == (0, 0, [2])

    def test_results_of_another_tracker(self, tmp_path):
        path = tmp_path / "street.txt"
        path.write_text("2 1 5 6 10 20 1.7 -1 -1 -1\n2 -1 5 6 10 20 0.5 -1 -1 -1\n")
        (video,) = read_mot(path)
        assert (video.name, video.classes, video.width) == ("street", ("object",), 0)
        assert video.tracks[0].boxes.tolist() == [[5, 6, 15, 26]]
        assert video.tracks[0].scores.tolist() == [1]
        assert video.loose.frames.tolist() == [1]


class TestYolo:
    def write(self, folder: Path, **files: str) -> Path:
        (folder / "labels").mkdir(exist_ok=True)
        (folder / "classes.txt").write_text("dog\ncat\n")
        for name, text in files.items():
            (folder / "labels" / f"{name}.txt").write_text(text)
        return folder

    def test_names_tell_video_and_frame(self, tmp_path):
        line = "1 0.5 0.5 0.25 0.5\n"
        files = {"a_000004": line, "a_000002": "", "b-7": line, "still": "0 0.5 0.5 1 1 0.9\n"}
        videos = read_yolo(self.write(tmp_path, **files), lambda _: (80, 40))
        found = {video.name: video for video in videos}
        assert sorted(found) == ["a", "b", "still"]
        assert list(found["a"].looked_at) == [2, 4]
        assert found["a"].loose.frames.tolist() == [4]
        assert found["a"].loose.boxes.tolist() == [[30, 10, 50, 30]]
        assert found["b"].loose.labels == ("cat",)
        assert list(found["still"].looked_at) == [0]

    def test_digits_alone_are_frames_of_the_folder(self, tmp_path):
        line = "1 0.5 0.5 0.25 0.5\n"
        folder = self.write(tmp_path, **{"000001": line, "000003": line})
        (video,) = read_yolo(folder, lambda _: (80, 40))
        assert (video.name, list(video.looked_at)) == (tmp_path.name, [1, 3])

    def test_size_is_that_of_a_picture(self, tmp_path):
        (tmp_path / "images").mkdir()
        write_picture(tmp_path / "images/a_1.png", grey_images(1)[0])
        folder = self.write(tmp_path, a_1="0 0.5 0.5 1 1\n")
        (video,) = read_yolo(folder, lambda _: pytest.fail("there is a picture"))
        assert (video.width, video.height) == (64, 48)

    @pytest.mark.parametrize(
        ("files", "why"),
        [
            ({}, "labels: no labels in it"),
            ({"a_1": "0 0.5 0.5 1"}, r"a_1\.txt, line 1: 4 columns"),
            ({"a_1": "dog 0.5 0.5 1 1"}, r"a_1\.txt, line 1: not all of it is numbers"),
            ({"a_1": "\n0 nan 0.5 1 1"}, r"a_1\.txt, line 2: a value is not a number"),
            ({"a_1": "2 0.5 0.5 1 1"}, r"a_1\.txt, line 1: class 2, but there are names of 2 only"),
            ({"a_1": "", "a-01": ""}, "frame 1 of a occurs twice"),
        ],
    )
    def test_what_makes_no_sense(self, tmp_path, files, why):
        with pytest.raises(InputError, match=why):
            read_yolo(self.write(tmp_path, **files), lambda _: (80, 40))

    def test_size_that_nothing_tells(self, tmp_path):
        with pytest.raises(InputError, match="the size of the frames of a is unknown"):
            read_yolo(self.write(tmp_path, a_1=""), lambda _: None)


class TestKinds:
    """What a file is, whatever it is called."""

    video = a_video(a_track(1, "dog", [0]))

    @pytest.mark.parametrize(
        ("name", "kind", "file"),
        [
            ("coco-vid", "coco-vid", INSTANCES),
            ("mot-gt", "mot", "gt/gt.txt"),
            ("yolo", "yolo", ""),
        ],
    )
    def test_folders(self, tmp_path, name, kind, file):
        place = export(tmp_path, name, self.video)
        path = file_of(place)
        assert path == place / file
        assert kind_of(path) == kind

    @pytest.mark.parametrize(("name", "kind"), [("json", "result"), ("mot", "mot")])
    def test_files(self, tmp_path, name, kind):
        path = export(tmp_path, name, self.video).rename(tmp_path / "file")
        assert kind_of(path) == kind
        (video,) = read_annotations(path)
        assert video.tracks[0].frames.tolist() == [0]

    def test_neither(self, tmp_path):
        path = tmp_path / "a.txt"
        path.write_text("what is this")
        with pytest.raises(InputError, match=r"neither a result\.json .* MOT \(txt\)"):
            kind_of(path)


def test_dataset_with_a_frame_that_is_not_annotated(tmp_path):
    place = export(tmp_path, "imagenet-vid", a_video(a_track(2, "dog", [0]), frames=2))
    (place / "Annotations/VID/train/street/000001.xml").unlink()
    (video,) = from_dataset(open_dataset(f"imagenet-vid:{place}", "train"))
    assert [track.id for track in video.tracks] == [2]
    assert list(video.looked_at) == [0]
    assert (video.width, video.height) == (WIDTH, HEIGHT)
