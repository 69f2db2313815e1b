"""Folders of pictures in exports: whose order counts, and which names pictures get."""

import csv
import json
import os
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from annotation_factory import INSTANCES
from export_command import export
from PIL import Image as Pillow
from stub_model import stub_model
from video_factory import grey_images, index_of

from minet_cli.main import run
from minet_core import DetectOptions, annotate
from minet_core.detections.reading import read_stored
from minet_core.formats import read_json
from minet_core.formats.readers import read_annotations
from minet_core.models import zoo
from minet_core.video.pictures.picture import read_picture

COUNT = 12
BY_NAME = [1, 10, 11, 12, 2, 3, 4, 5, 6, 7, 8, 9]
"""Pictures as their names sort them, the tool's frame being the place in here."""


def write_pictures(folder: Path, count: int = COUNT) -> None:
    """Pictures 1.png, 2.png, …, whose grey tells i - 1."""
    folder.mkdir(parents=True)
    for i, image in enumerate(grey_images(count), 1):
        Pillow.fromarray(image).save(folder / f"{i}.png")


def result_of(folder: str) -> Path:
    """The stub sees a person whose left edge is at 4 + i / 4 in picture i, from 0."""
    out = Path("results", Path(folder).name)
    annotate(folder, out, stub_model(), DetectOptions(video=False))
    return out


@pytest.fixture(autouse=True)
def frames(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_pictures(Path("frames"))


def cvat_task(mode: str = "annotation") -> Path:
    """What CVAT exports of a task of these pictures: a box in frame 0, and another in frame 1."""
    boxes = "".join(
        f'<box frame="{i}" keyframe="1" outside="{i // 2}" occluded="0" '
        f'xtl="{i}.00" ytl="0.00" xbr="20.00" ybr="20.00"></box>'
        for i in range(3)
    )
    Path("task.xml").write_text(
        f"<annotations><version>1.1</version><meta><task><size>{COUNT}</size><mode>{mode}</mode>"
        f"<start_frame>0</start_frame><stop_frame>{COUNT - 1}</stop_frame><frame_filter/>"
        "<labels><label><name>dog</name></label></labels></task></meta>"
        f'<track id="0" label="dog">{boxes}</track></annotations>'
    )
    return Path("task.xml")


def boxes_of(xml: Path) -> dict[int, float]:
    """Frame → left edge of the box there, of the first track."""
    track = ElementTree.parse(xml).find("track")
    return {
        int(box.attrib["frame"]): float(box.attrib["xtl"])
        for box in track.iter("box")
        if box.attrib["outside"] == "0"
    }


class TestOrder:
    def test_result_goes_to_cvat_in_the_order_of_names(self, capsys):
        assert export(result_of("frames"), "--to", "cvat", "-o", "out") == 0
        lefts = {frame: 4 + (number - 1) / 4 for frame, number in enumerate(BY_NAME)}
        assert boxes_of(Path("out/frames.xml")) == lefts
        line = "pictures are counted in the order of their names: 1.png, 10.png, 11.png, …"
        assert line in capsys.readouterr().err

    def test_natural_order_is_there_for_a_task_that_was_sorted_so(self, capsys):
        arguments = "--to", "cvat", "-o", "out", "--order", "natural", "--keyframes", "all"
        assert export(result_of("frames"), *arguments) == 0
        boxes = boxes_of(Path("out/frames.xml"))
        assert boxes == {frame: 4 + frame / 4 for frame in range(COUNT)}
        line = "pictures are counted in natural order: 1.png, 2.png, 3.png, …"
        assert line in capsys.readouterr().err

    def test_pictures_need_not_be_there_any_more(self):
        result = result_of("frames")
        Path("frames").rename("elsewhere")
        assert export(result, "--to", "cvat", "-o", "out") == 0
        assert boxes_of(Path("out/frames.xml"))[1] == 4 + 9 / 4

    @pytest.mark.parametrize("to", ["mot", "mot-gt"])
    def test_numbers_of_frames_are_told_to_be_natural(self, capsys, to):
        assert export(result_of("frames"), "--to", to, "-o", "out") == 0
        assert "counted in natural order: 1.png, 2.png, 3.png, …" in capsys.readouterr().err

    def test_orders_that_are_one_need_no_word(self, capsys):
        write_pictures(Path("few"), 9)
        result = result_of("few")
        for to in ("cvat", "mot"):
            assert export(result, "--to", to, "-o", to, "--quiet") == 0
        assert export(cvat_task(), "--to", "csv", "-o", "csv", "--video", "few", "--quiet") == 0
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize(
        ("mode", "order", "numbers"),
        [("annotation", "names", [1, 10]), ("annotation", "natural", [1, 2])],
    )
    def test_task_of_cvat_has_pictures_in_its_order(self, capsys, mode, order, numbers):
        arguments = "--to", "yolo", "-o", "out", "--frames", "png", "--order", order
        assert export(cvat_task(mode), *arguments, "--video", "frames") == 0
        labels = Path("out/labels/train")
        assert [int(p.stem) for p in sorted(labels.iterdir()) if p.read_text()] == numbers
        for number in numbers:
            image = read_picture(Path(f"out/images/train/{number}.png"))
            assert index_of(image) == number - 1
        kind = {"names": "the order of their names", "natural": "natural order"}[order]
        assert f"its pictures are counted in {kind}: 1.png, " in capsys.readouterr().err

    def test_task_of_cvat_goes_back_as_it_came(self, capsys):
        assert export(cvat_task(), "--to", "cvat", "-o", "out", "--quiet") == 0
        assert boxes_of(Path("out/task.xml")) == {0: 0.0, 1: 1.0}
        (again,) = read_annotations(Path("out/task.xml"))
        assert again.by_name
        assert capsys.readouterr().err == ""

    def test_task_of_pictures_that_are_not_there_is_told(self, capsys):
        assert export(cvat_task(), "--to", "mot", "-o", "out") == 0
        assert "its frames are pictures in name order" in capsys.readouterr().err

    def test_boxes_of_another_program_are_told_to_be_in_natural_order(self, capsys, monkeypatch):
        Path("det.txt").write_text("2,-1,4,8,12,32,0.9\n")
        monkeypatch.setattr(zoo, "load_model", lambda *_, **__: stub_model())
        assert run(["detect", "frames", "--detections", "det.txt", "--no-video"]) == 0
        line = "det.txt: its pictures are counted in natural order: 1.png, 2.png, 3.png, …"
        assert line in capsys.readouterr().out


class TestNames:
    def test_result_knows_the_names_of_its_pictures(self):
        header = read_json(result_of("frames") / "result.json").header
        assert header["video"]["pictures"] == [f"{i}.png" for i in range(1, COUNT + 1)]

    @pytest.mark.parametrize("written", ["jpg", None])
    def test_data_sets_keep_them(self, written):
        kind, result = written or "png", result_of("frames")
        for to in ("yolo", "voc", "coco-vid", "ytvis"):
            arguments = ("--frames", written) if written else ()
            assert export(result, "--to", to, "-o", to, *arguments) == 0
        stems = {str(i) for i in range(1, COUNT + 1)}
        assert {path.stem for path in Path("yolo/labels/train").iterdir()} == stems
        assert {path.stem for path in Path("voc/Annotations").iterdir()} == stems
        names = [f"{i}.{kind}" for i in range(1, COUNT + 1)]
        coco = json.loads(Path("coco-vid", INSTANCES).read_text())
        assert [image["file_name"] for image in coco["images"]] == names
        ytvis = json.loads(Path("ytvis", INSTANCES).read_text())
        assert ytvis["videos"][0]["file_names"] == names
        if written:
            for name in names:
                image = read_picture(Path("yolo/images/train", name))
                assert index_of(image) == int(Path(name).stem) - 1

    @pytest.mark.parametrize(
        ("to", "last"),
        [("mot-gt", "img1/000012.jpg"), ("imagenet-vid", "train/frames/000011")],
    )
    def test_formats_that_number_say_which_is_which(self, to, last):
        assert export(result_of("frames"), "--to", to, "-o", "out", "--frames", "jpg") == 0
        (listed,) = Path("out").rglob("pictures.csv")
        with listed.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        assert (rows[0], rows[-1]) == (["picture", "was"], [last, "12.png"])

    def test_tables_name_each_row_s_picture(self):
        result, names = result_of("frames"), [f"{i}.png" for i in range(1, COUNT + 1)]
        for to in ("csv", "parquet", "mot"):
            assert export(result, "--to", to, "-o", to) == 0
        for rows in (
            pd.read_csv("csv/frames.csv"),
            pd.read_parquet("parquet/detections.parquet"),
        ):
            assert rows.picture.tolist() == [names[frame] for frame in rows.frame]
        listed = pd.read_csv("mot/frames.pictures.csv")
        assert dict(zip(listed.frame - 1, listed.picture, strict=True)) == dict(enumerate(names))

    def test_results_name_each_row_s_picture(self):
        (Path("frames") / "3.png").write_bytes(b"no picture")
        out, names = result_of("frames"), [f"{i}.png" for i in range(1, COUNT + 1)]
        rows = pd.read_csv(out / "detections.csv")
        assert rows.picture.tolist() == [names[frame] for frame in rows.frame]
        listed = pd.read_csv(out / "mot.pictures.csv")
        assert dict(zip(listed.frame - 1, listed.picture, strict=True)) == dict(enumerate(names))
        numbers = pd.read_csv(out / "mot.txt", header=None)[0]
        assert set(numbers) == {*range(1, COUNT + 1)} - {3}

    def test_results_of_a_video_have_none(self, clip):
        annotate(clip, "out", stub_model(), DetectOptions(video=False))
        assert "picture" not in pd.read_csv("out/detections.csv")
        assert not Path("out/mot.pictures.csv").exists()

    def test_names_of_pictures_that_labels_lie_beside(self):
        for folder in ("images", "labels"):
            Path("data", folder).mkdir(parents=True)
        Pillow.new("RGB", (32, 24)).save("data/images/barn.jpg")
        Path("data/labels/barn.txt").write_text("0 0.5 0.5 0.5 0.5\n")
        Path("data/classes.txt").write_text("owl\n")
        assert export(Path("data"), "--to", "csv", "-o", "csv") == 0
        assert pd.read_csv("csv/barn.csv").picture.tolist() == ["barn.jpg"]

    def test_table_with_pictures_is_read_again(self):
        assert export(result_of("frames"), "--to", "csv", "-o", "csv") == 0
        assert len(read_stored(Path("csv/frames.csv"), None).boxes) == 2 * COUNT

    def test_same_name_in_two_folders_gets_the_folder_in_front(self):
        for camera in ("cam1", "cam2"):
            write_pictures(Path(camera), 2)
            result_of(camera)
        assert export("results", "--to", "yolo", "-o", "out", "--frames", "png") == 0
        names = {path.name for path in Path("out/images/train").iterdir()}
        assert names == {"cam1_1.png", "cam1_2.png", "cam2_1.png", "cam2_2.png"}

    def test_names_that_cannot_be_kept_are_told(self, capsys):
        Path("frames/1.png").rename("frames/2.jpg")
        assert export(result_of("frames"), "--to", "yolo", "-o", "out") == 0
        assert "frames: its pictures cannot keep their names" in capsys.readouterr().err
        assert Path("out/labels/train/frames_000011.txt").exists()

    def test_name_that_is_no_utf_8_is_numbered(self, capsys):
        write_pictures(Path("odd"), 2)
        Path("odd/2.png").rename(os.fsdecode(b"odd/caf\xe9.png"))
        result = result_of("odd")
        assert read_json(result / "result.json").header["video"]["pictures"][1] == (
            os.fsdecode(b"caf\xe9.png")
        )
        for to in ("yolo", "voc", "coco-vid", "imagenet-vid", "mot-gt", "cvat"):
            arguments = () if to == "cvat" else ("--frames", "jpg")
            assert export(result, "--to", to, "-o", to, *arguments) == 0
        assert {path.stem for path in Path("yolo/labels/train").iterdir()} == {
            "odd_000000",
            "odd_000001",
        }
        assert "odd: its pictures cannot keep their names" in capsys.readouterr().err

    def test_pictures_of_folders_below_a_pattern(self):
        write_pictures(Path("day/a"), 2)
        write_pictures(Path("day/b"), 2)
        annotate("day/*/*.png", Path("results/day"), stub_model(), DetectOptions(video=False))
        assert export("results/day", "--to", "yolo", "-o", "out", "--frames", "png") == 0
        names = {path.name for path in Path("out/images/train").iterdir()}
        assert names == {"a_1.png", "a_2.png", "b_1.png", "b_2.png"}

    def test_picture_that_has_gone_shifts_no_other(self, capsys):
        result = result_of("frames")
        Path("frames/3.png").unlink()
        assert export(result, "--to", "yolo", "-o", "out", "--frames", "png") == 0
        pictures = {path.stem: read_picture(path) for path in Path("out/images/train").iterdir()}
        assert {name: index_of(image) + 1 for name, image in pictures.items()} == {
            str(i): i for i in range(1, COUNT + 1) if i != 3
        }
        err = capsys.readouterr().err
        assert "its folder has other pictures by now: 11" in err
        assert "frames that cannot be decoded, so that they have no picture: 1" in err

    @pytest.mark.parametrize("to", ["yolo", "coco-vid"])
    def test_labels_find_their_pictures_by_name(self, to):
        """CocoVID and YOLO name pictures: neither numbers nor an order is needed."""
        assert export(result_of("frames"), "--to", to, "-o", "set", "--quiet") == 0
        source = "set" if to == "yolo" else Path("set", INSTANCES)
        Path("frames/5.png").unlink()
        write_pictures(Path("other"), 3)
        arguments = "--frames", "png", "--video", "frames"
        assert export(source, "--to", "voc", "-o", "out", *arguments) == 0
        for path in Path("out/JPEGImages").iterdir():
            assert index_of(read_picture(path)) == int(path.stem) - 1
            box = ElementTree.parse(f"out/Annotations/{path.stem}.xml").find("object/bndbox/xmin")
            assert float(box.text) == pytest.approx(5 + (int(path.stem) - 1) / 4, abs=0.51)

    def test_pictures_of_coco_keep_their_names(self):
        names = ["IMG_0413.jpg", "IMG_0415.jpg"]
        images = [
            {"id": i, "file_name": f"day/{name}", "width": 64, "height": 48}
            for i, name in enumerate(names)
        ]
        box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 32, 24]}
        coco = {"images": images, "annotations": [box], "categories": [{"id": 1, "name": "dog"}]}
        Path("coco.json").write_text(json.dumps(coco))
        assert export("coco.json", "--to", "yolo", "-o", "out") == 0
        texts = {path.name: path.read_text() for path in Path("out/labels/train").iterdir()}
        labels = "0 0.2500000 0.2500000 0.5000000 0.5000000\n"
        assert texts["day_IMG_0415.txt"] == labels
        assert texts["day_IMG_0413.txt"] == ""

    def test_sizes_of_pictures_are_looked_up(self):
        Pillow.fromarray(np.zeros((20, 200, 3), np.uint8)).save("frames/10.png")
        assert export(cvat_task(), "--to", "voc", "-o", "out", "--video", "frames") == 0
        widths = {
            name: ElementTree.parse(f"out/Annotations/{name}.xml").findtext("size/width")
            for name in ("1", "10")
        }
        assert widths == {"1": "64", "10": "200"}
