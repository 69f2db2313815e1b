"""The data-set formats of `minet export`: each format's own conventions, and what does not fit."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from annotation_factory import HEIGHT, INSTANCES, WIDTH, a_track, a_video, export, loose_boxes
from hypothesis import HealthCheck, settings

from minet_core.datasets import open_dataset
from minet_core.datasets.imagenet.classes import VID_CLASSES
from minet_core.errors import ConfigError
from minet_core.export_options import ExportOptions
from minet_core.formats.coco.reader import read_coco_vid
from minet_core.formats.exporters import EXPORTERS
from minet_core.formats.from_dataset import from_dataset
from minet_core.formats.yolo.reader import read_yolo

SETS = ("coco-vid", "ytvis", "yolo", "voc", "imagenet-vid")
TABLES = ("mot", "json", "csv", "parquet")
PROPERTY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read_json(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


class TestConventions:
    """Each format's own counting of frames, pixels and classes."""

    video = a_video(
        a_track(3, "dog", [0, 1, 4], [[10.5, 20, 50.25, 60]] * 3, keyframes=[True, False, True]),
        a_track(7, "traffic light", [19], [[600, 400, 700, 500]]),
        classes=("cat", "dog", "traffic light"),
        loose=loose_boxes((4, "cat", (1, 2, 3, 4), 0.25)),
    )

    def test_coco_vid(self, tmp_path):
        content = read_json(export(tmp_path, "coco-vid", self.video) / INSTANCES)
        assert [c["id"] for c in content["categories"]] == [1, 2, 3]
        assert [image["frame_id"] for image in content["images"]] == list(range(20))
        first, *_ = content["annotations"]
        assert first["bbox"] == [10.5, 20, 39.75, 40]
        assert (first["category_id"], first["instance_id"], first["image_id"]) == (2, 3, 1)
        (alone,) = (a for a in content["annotations"] if "instance_id" not in a)
        assert (alone["category_id"], alone["score"]) == (1, 0.25)

    def test_coco_vid_of_a_stride_has_no_holes(self, tmp_path):
        video = a_video(a_track(1, "dog", [5, 15]), step=5, start=5, stop=20)
        content = read_json(export(tmp_path, "coco-vid", video) / INSTANCES)
        frames = [(image["frame_id"], image["source_frame"]) for image in content["images"]]
        assert frames == [(0, 5), (1, 10), (2, 15)]
        assert [a["image_id"] for a in content["annotations"]] == [1, 3]
        assert content["videos"][0]["fps"] == pytest.approx(29.97 / 5, abs=1e-3)

    def test_instances_are_unique_in_a_file_of_several_videos(self, tmp_path):
        videos = [a_video(a_track(3, "dog", [0]), name=name) for name in ("a", "b", "c")]
        place = export(tmp_path, "coco-vid", *videos) / INSTANCES
        found = read_json(place)["annotations"]
        assert [a["instance_id"] for a in found] == [3, 6, 9]
        assert [a["track_id"] for a in found] == [3, 3, 3]
        assert [video.tracks[0].id for video in read_coco_vid(place)] == [3, 3, 3]

    def test_ytvis(self, tmp_path):
        content = read_json(export(tmp_path, "ytvis", self.video) / INSTANCES)
        (video,) = content["videos"]
        assert (video["length"], len(video["file_names"])) == (20, 20)
        dog, light, cat = content["annotations"]
        seen = [frame for frame, box in enumerate(dog["bboxes"]) if box is not None]
        assert (seen, len(dog["bboxes"])) == ([0, 1, 4], 20)
        assert (dog["bboxes"][4], dog["areas"][4]) == ([10.5, 20, 39.75, 40], 1590)
        assert light["bboxes"][19] == [600, 400, 100, 100]
        assert (cat["bboxes"][4], "track_id" in cat) == ([1, 2, 2, 2], False)

    def test_yolo(self, tmp_path):
        place = export(tmp_path, "yolo", self.video, split="val")
        files = sorted((place / "labels/val").iterdir())
        assert [path.name for path in files] == [f"street_{n:06d}.txt" for n in range(20)]
        assert files[2].read_text() == ""
        assert files[0].read_text() == "1 0.0474609 0.0833333 0.0621094 0.0833333\n"
        # What reaches out is cut off: 600 to 640 is 40 wide, and 80 high.
        assert files[19].read_text() == "2 0.9687500 0.9166667 0.0625000 0.1666667\n"
        assert (place / "classes.txt").read_text() == "cat\ndog\ntraffic light\n"
        assert {len(line.split()) for f in files for line in f.read_text().splitlines()} == {5}

    def test_voc(self, tmp_path):
        place = export(tmp_path, "voc", self.video)
        root = ElementTree.parse(place / "Annotations/street_000019.xml").getroot()
        assert root.findtext("filename") == "street_000019.jpg"
        sides = ("xmin", "ymin", "xmax", "ymax")
        # Pixels count from 1, and the last one of a row of 640 is pixel 640.
        assert [root.findtext(f"object/bndbox/{side}") for side in sides] == [
            *("601", "401", "640", "480")
        ]
        flags = ("pose", "truncated", "difficult", "occluded")
        assert [root.findtext(f"object/{flag}") for flag in flags] == ["Unspecified", "1", "0", "0"]
        root = ElementTree.parse(place / "Annotations/street_000002.xml").getroot()
        assert root.find("object") is None
        names = (place / "ImageSets/Main/train.txt").read_text().split()
        assert names == [f"street_{frame:06d}" for frame in range(20)]

    @pytest.mark.parametrize("name", ["voc", "imagenet-vid"])
    def test_whole_pixels_stay_in_the_frame(self, tmp_path, name):
        boxes = [[639.7, 479.7, 640, 480], [-9, -9, 0.2, 0.2], [3, 3, 3.1, 3.1]]
        video = a_video(a_track(1, "dog", [0, 1, 2], boxes), frames=3)
        place = export(tmp_path, name, video)
        found = [
            [int(root.findtext(f"object/bndbox/{side}")) for side in ("xmin", "xmax")]
            for root in (ElementTree.parse(p) for p in sorted(place.rglob("*.xml")))
        ]
        first = name == "voc"
        assert found == [[n + first, n + first] for n in (639, 0, 3)]

    @pytest.mark.parametrize(
        ("name", "file"),
        [
            ("voc", "Annotations/street_000000.xml"),
            ("imagenet-vid", "Annotations/VID/train/street/000000.xml"),
            ("yolo", "labels/train/street_000000.txt"),
        ],
    )
    def test_box_wholly_outside_is_not_written(self, tmp_path, name, file):
        inside, outside = [600, 0, 700, 50], [640, 0, 700, 50]
        texts = []
        for boxes in ([inside, outside], [inside]):
            tracks = [a_track(n, "dog", [0], [box]) for n, box in enumerate(boxes, 1)]
            texts.append((export(tmp_path, name, a_video(*tracks)) / file).read_text())
        assert texts[0] == texts[1]

    def test_imagenet_vid(self, tmp_path):
        place = export(tmp_path, "imagenet-vid", self.video, split="val")
        dataset = open_dataset(f"imagenet-vid:{place}")
        (video,) = dataset.videos
        assert (video.name, len(video), video.size) == ("val/street", 20, (WIDTH, HEIGHT))
        truth = video.frame(0)
        assert truth.boxes.tolist() == [[10, 20, 49, 59]]
        assert video.frame(1).generated.tolist() == [True]
        assert (place / "ImageSets/VID_val_videos.txt").read_text() == "val/street 1 0 20\n"

    def test_imagenet_vid_of_its_own_classes_has_wordnet_ids(self, tmp_path):
        video = a_video(a_track(1, "domestic_cat", [0]), frames=1)
        place = export(tmp_path, "imagenet-vid", video)
        assert not (place / "classes.txt").exists()
        dataset = open_dataset(f"imagenet-vid:{place}", "train")
        assert dataset.classes == VID_CLASSES
        assert VID_CLASSES[dataset.videos[0].frame(0).label_ids[0]] == "domestic_cat"

    def test_mot(self, tmp_path):
        lines = export(tmp_path, "mot", self.video).read_text().splitlines()
        assert lines[0] == "1,3,10.5,20.0,39.75,40.0,1.0,-1,-1,-1"
        assert [line.split(",")[:2] for line in lines[1:]] == [["2", "3"], ["5", "3"], ["20", "7"]]

    def test_csv_and_parquet_have_the_same_rows(self, tmp_path):
        types = {"pts": "Int64", "track_id": "Int64"}
        table = pd.read_csv(export(tmp_path, "csv", self.video), dtype=types)
        assert table.video.unique().tolist() == ["street"]
        assert table.frame.tolist() == [0, 1, 4, 4, 19]
        assert table.label.tolist() == ["dog", "dog", "dog", "cat", "traffic light"]
        assert table.track_id.isna().tolist() == [False, False, False, True, False]
        pytest.importorskip("pyarrow")
        columns = pd.read_parquet(export(tmp_path, "parquet", self.video)).astype(types)
        pd.testing.assert_frame_equal(table, columns, check_dtype=False)

    def test_parquet_has_all_videos(self, tmp_path):
        pq = pytest.importorskip("pyarrow.parquet")
        second = a_video(a_track(1, "dog", [0]), name="second")
        path = export(tmp_path, "parquet", self.video, a_video(name="none"), second)
        assert pd.read_parquet(path).video.value_counts().to_dict() == {"street": 5, "second": 1}
        assert pq.ParquetFile(path).read_row_group(2).num_rows == 1

    def test_parquet_without_pyarrow(self, tmp_path, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
        with pytest.raises(ConfigError, match="pip install pyarrow"):
            export(tmp_path, "parquet", self.video)


class TestNames:
    def test_odd_class_names_are_kept(self, tmp_path):
        names = ("../etc/<&>", "a,b;c\t d", 'with "quotes" #%', "Hündin 犬")
        tracks = [a_track(n, name, [0]) for n, name in enumerate(names, 1)]
        video = a_video(*tracks, frames=1)
        (coco,) = read_coco_vid(export(tmp_path, "coco-vid", video) / INSTANCES)
        (yolo,) = read_yolo(export(tmp_path, "yolo", video), lambda _: (WIDTH, HEIGHT))
        place = export(tmp_path, "imagenet-vid", video)
        (vid,) = from_dataset(open_dataset(f"imagenet-vid:{place}", "train"))
        root = ElementTree.parse(export(tmp_path, "voc", video) / "Annotations/street_000000.xml")
        assert coco.classes == yolo.classes == vid.classes == names
        assert [track.label for track in vid.tracks] == list(names)
        assert [name.text for name in root.findall("object/name")] == list(names)
        with export(tmp_path, "csv", video).open(newline="", encoding="utf-8") as file:
            assert [row["label"] for row in csv.DictReader(file)] == list(names)

    @pytest.mark.parametrize("name", ["coco-vid", "yolo", "voc", "imagenet-vid"])
    @pytest.mark.parametrize("label", ["two\nlines", "\u2028", " ", "dog "])
    def test_name_that_no_list_can_hold(self, tmp_path, name, label):
        with pytest.raises(ConfigError, match=r"a class cannot be called .*--label-map"):
            export(tmp_path, name, a_video(a_track(1, label, [0])))

    @pytest.mark.parametrize(("name", "label"), [("voc", "a\x07"), ("imagenet-vid", "a\x07")])
    def test_name_that_no_xml_can_hold(self, tmp_path, name, label):
        with pytest.raises(ConfigError, match=r"'a\\x07' has characters that XML cannot hold"):
            export(tmp_path, name, a_video(a_track(1, label, [0])))

    def test_name_that_no_label_map_can_hold(self, tmp_path):
        with pytest.raises(ConfigError, match=r"labelmap\.txt cannot hold 'a:b'"):
            export(tmp_path, "voc", a_video(a_track(1, "a:b", [0])))

    def test_lists_of_imagenet_vid_have_no_blanks(self, tmp_path):
        videos = [a_video(a_track(1, "dog", [0]), name=name) for name in ("my clip", "b")]
        place = export(tmp_path, "imagenet-vid", *videos)
        names = [v.name for v in open_dataset(f"imagenet-vid:{place}", "train").videos]
        assert names == ["train/my_clip", "train/b"]
        with pytest.raises(ConfigError, match="'a b' and 'a_b' would both be called 'a_b'"):
            export(tmp_path, "imagenet-vid", *(replace(videos[0], name=n) for n in ("a b", "a_b")))


class TestMistakes:
    @pytest.mark.parametrize("name", [*SETS, *TABLES])
    def test_box_in_a_frame_that_was_not_looked_at(self, tmp_path, name):
        video = a_video(a_track(1, "dog", [3]), step=2)
        with pytest.raises(ConfigError, match="street: frame 3 has boxes, but only 10 frames"):
            export(tmp_path, name, video)

    @pytest.mark.parametrize("name", SETS)
    def test_size_that_is_not_known(self, tmp_path, name):
        video = a_video(a_track(1, "dog", [3]), width=0, height=0)
        with pytest.raises(ConfigError, match="street: the size of its frames is unknown"):
            export(tmp_path, name, video)

    def test_pictures_of_imagenet_vid_are_jpeg(self):
        place = EXPORTERS["imagenet-vid"].pictures
        options = ExportOptions(frames="jpg")
        assert place(a_video(step=2), 4, options) == "Data/VID/train/street/000002.JPEG"
        with pytest.raises(ConfigError, match="--frames jpg"):
            place(a_video(), 4, ExportOptions(frames="png"))


def test_page_of_conventions_has_every_format():
    page = Path(__file__).parents[2] / "docs/formats/README.md"
    table = page.read_text(encoding="utf-8").split("| `--to` |", 1)[1]
    rows = [line for line in table.splitlines() if line.startswith("|")]
    first = {name for row in rows for name in re.findall(r"`(.+?)`", row.split("|")[1])}
    assert first == set(EXPORTERS)
