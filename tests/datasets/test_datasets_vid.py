import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from video_factory import grey_images, index_of, write_picture

from minet_core.datasets import NO_TRACK, Dataset, Problem, open_dataset
from minet_core.datasets.imagenet.annotation_xml import BrokenXmlError, read_vid_xml
from minet_core.datasets.imagenet.classes import (
    VAL_BOXES,
    VAL_FRAMES,
    VID_CLASSES,
    VID_WNIDS,
    differences_from_val,
)
from minet_core.datasets.imagenet.lists import read_vid_list
from minet_core.datasets.imagenet.vid import open_imagenet_vid
from minet_core.errors import ConfigError, InputError

DOG, CAR = "n02084071", "n02958343"
SNIPPET = "val/ILSVRC2015_val_00000000"


def an_object(
    box: Sequence[int] = (4, 5, 20, 30), wnid: str = DOG, track: int | None = 0, **flags: int
) -> str:
    xmin, ymin, xmax, ymax = box
    trackid = "" if track is None else f"<trackid>{track}</trackid>"
    return (
        f"<object>{trackid}<name>{wnid}</name><bndbox><xmax>{xmax}</xmax><xmin>{xmin}</xmin>"
        f"<ymax>{ymax}</ymax><ymin>{ymin}</ymin></bndbox>"
        f"<occluded>{flags.get('occluded', 0)}</occluded>"
        f"<generated>{flags.get('generated', 0)}</generated></object>"
    )


def an_xml(*objects: str, size: tuple[int, int] = (64, 48)) -> str:
    width, height = size
    text = f"<size><width>{width}</width><height>{height}</height></size>{''.join(objects)}"
    return f"<annotation>{text}</annotation>"


def write_snippet(root: Path, xmls: Sequence[str | None], name: str = SNIPPET) -> Path:
    """A snippet of 64×48 grey pictures whose index `index_of` reads back; None is no XML."""
    pictures, annotations = root / "Data/VID" / name, root / "Annotations/VID" / name
    pictures.mkdir(parents=True)
    annotations.mkdir(parents=True)
    for index, (xml, image) in enumerate(zip(xmls, grey_images(len(xmls)), strict=True)):
        write_picture(pictures / f"{index:06d}.JPEG", image)
        if xml is not None:
            (annotations / f"{index:06d}.xml").write_text(xml)
    return root


def write_list(root: Path, *lines: str, name: str = "VID_val_videos.txt") -> Path:
    path = root / "ImageSets" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def the_frame(root: Path, *objects: str):
    """Truth of a video's only frame, and the dataset."""
    dataset = open_imagenet_vid(write_snippet(root, [an_xml(*objects)]))
    (frame,) = dataset.videos[0].frames()
    return frame, dataset


def places(dataset: Dataset, problem: Problem) -> list[str]:
    assert set(dataset.problems.counts) == {problem}
    return dataset.problems.places(problem)


class TestClasses:
    def test_canonical_order(self):
        assert VID_CLASSES[0] == "airplane"
        assert VID_CLASSES[9] == "domestic_cat"
        assert VID_CLASSES[-1] == "zebra"
        assert list(VID_WNIDS)[12] == "n02510455"

    def test_known_counts_are_the_published_total(self):
        assert sum(VAL_BOXES) == 273_505
        assert len(VAL_BOXES) == len(VID_CLASSES) == 30

    def test_self_check_names_the_class_that_differs(self):
        assert differences_from_val(VAL_FRAMES, VAL_BOXES) == []
        short = [VAL_BOXES[0] - 1, *VAL_BOXES[1:]]
        (line,) = differences_from_val(VAL_FRAMES, short)
        assert line == "airplane: 26386 boxes, the official val set has 26387"

    def test_self_check_is_silent_about_a_part_of_the_set(self):
        assert differences_from_val(100, [0] * 30) == []


class TestFrames:
    def test_columns(self, tmp_path):
        frame, dataset = the_frame(
            tmp_path,
            an_object((4, 5, 20, 30), DOG, 3, occluded=1),
            an_object((0, 0, 63, 47), CAR, 7, generated=1),
        )
        assert frame.boxes.tolist() == [[4, 5, 20, 30], [0, 0, 63, 47]]
        assert [dataset.classes[label] for label in frame.label_ids] == ["dog", "car"]
        assert frame.track_ids.tolist() == [3, 7]
        assert frame.occluded.tolist() == [True, False]
        assert frame.generated.tolist() == [False, True]
        assert not frame.ignore.any()
        assert dataset.inclusive
        assert dataset.problems.lines() == []

    def test_no_object_is_an_annotated_empty_frame(self, tmp_path):
        frame, dataset = the_frame(tmp_path)
        assert frame.annotated
        assert len(frame) == 0
        assert frame.boxes.shape == (0, 4)
        assert not dataset.problems.counts

    def test_without_track_ids(self, tmp_path):
        frame, dataset = the_frame(tmp_path, an_object(track=None), an_object(track=None))
        assert frame.track_ids.tolist() == [NO_TRACK, NO_TRACK]
        assert not dataset.problems.counts

    def test_pictures_come_with_their_index(self, tmp_path):
        video = open_imagenet_vid(write_snippet(tmp_path, [an_xml()] * 3)).videos[0]
        assert [(index, index_of(image)) for index, image in video.images()] == [
            *((0, 0), (1, 1), (2, 2))
        ]
        assert index_of(video.image(2)) == 2
        assert video.size == (64, 48)
        assert video.name == SNIPPET


class TestProblems:
    def test_missing_annotation_is_not_scored(self, tmp_path):
        dataset = open_imagenet_vid(write_snippet(tmp_path, [an_xml(), None, an_xml()]))
        assert [frame.annotated for frame in dataset.videos[0].frames()] == [True, False, True]
        (place,) = places(dataset, Problem.NO_ANNOTATION)
        assert place.endswith(f"Annotations/VID/{SNIPPET}/000001.xml")

    def test_broken_annotation_is_not_scored(self, tmp_path):
        dataset = open_imagenet_vid(write_snippet(tmp_path, ["<annotation>", an_xml()]))
        assert [frame.annotated for frame in dataset.videos[0].frames()] == [False, True]
        (place,) = places(dataset, Problem.BROKEN_ANNOTATION)
        assert "000000.xml: no XML" in place

    def test_broken_picture_is_skipped_and_counted(self, tmp_path):
        dataset = open_imagenet_vid(write_snippet(tmp_path, [an_xml()] * 3))
        (tmp_path / "Data/VID" / SNIPPET / "000001.JPEG").write_bytes(b"no picture")
        (tmp_path / "Data/VID" / SNIPPET / "000002.JPEG").unlink()
        assert [index for index, _ in dataset.videos[0].images()] == [0]
        names = [Path(place).name for place in places(dataset, Problem.NO_PICTURE)]
        assert names == ["000001.JPEG", "000002.JPEG"]

    def test_reading_twice_counts_once(self, tmp_path):
        dataset = open_imagenet_vid(write_snippet(tmp_path, ["", an_xml()]))
        for _ in range(2):
            list(dataset.videos[0].frames())
        assert dataset.problems.counts == {Problem.BROKEN_ANNOTATION: 1}

    def test_a_line_says_what_how_many_and_where(self, tmp_path):
        dataset = open_imagenet_vid(write_snippet(tmp_path, ["", "", an_xml()]))
        list(dataset.videos[0].frames())
        (line,) = dataset.problems.lines()
        assert line.startswith("annotations that cannot be read, their frames not scored: 2 (")
        assert "the first is" in line
        assert "000000.xml" in line

    @pytest.mark.parametrize("box", [(20, 5, 4, 30), (4, 30, 20, 5)])
    def test_inverted_box_is_left_out(self, tmp_path, box):
        frame, dataset = the_frame(tmp_path, an_object(box), an_object(track=1))
        assert frame.track_ids.tolist() == [1]
        (place,) = places(dataset, Problem.NO_AREA)
        assert place.endswith(f"000000.xml, {DOG} at {', '.join(map(str, box))}")

    def test_box_of_one_pixel_is_a_box(self, tmp_path):
        frame, dataset = the_frame(tmp_path, an_object((4, 5, 4, 5)))
        assert len(frame) == 1
        assert not dataset.problems.counts

    def test_box_outside_is_ignored(self, tmp_path):
        frame, dataset = the_frame(tmp_path, an_object((64, 5, 80, 30)), an_object(track=1))
        assert frame.ignore.tolist() == [True, False]
        assert len(places(dataset, Problem.OUTSIDE)) == 1

    def test_box_that_reaches_out_is_kept_as_it_is(self, tmp_path):
        frame, dataset = the_frame(tmp_path, an_object((-9, 5, 20, 47)))
        assert frame.boxes.tolist() == [[-9, 5, 20, 47]]
        assert not frame.ignore.any()
        assert len(places(dataset, Problem.REACHES_OUT)) == 1

    def test_the_usual_off_by_one_is_not_reported(self, tmp_path):
        _, dataset = the_frame(tmp_path, an_object((0, 0, 64, 48)))
        assert not dataset.problems.counts

    def test_second_box_of_an_id_loses_it(self, tmp_path):
        frame, dataset = the_frame(
            tmp_path, an_object(track=2), an_object((0, 0, 9, 9), track=2), an_object(track=1)
        )
        assert frame.track_ids.tolist() == [2, NO_TRACK, 1]
        (place,) = places(dataset, Problem.SAME_ID)
        assert place.endswith("at 0, 0, 9, 9")

    def test_unknown_class_is_left_out(self, tmp_path):
        frame, dataset = the_frame(tmp_path, an_object(wnid="n00000001"), an_object(track=1))
        assert frame.track_ids.tolist() == [1]
        (place,) = places(dataset, Problem.UNKNOWN_CLASS)
        assert "n00000001" in place

    def test_picture_of_another_size_is_scaled(self, tmp_path):
        root = write_snippet(tmp_path, [an_xml(size=(128, 96))])
        dataset = open_imagenet_vid(root)
        ((_, image),) = dataset.videos[0].images()
        assert image.shape == (96, 128, 3)
        assert len(places(dataset, Problem.OTHER_SIZE)) == 1

    def test_picture_of_another_shape_is_an_error(self, tmp_path):
        dataset = open_imagenet_vid(write_snippet(tmp_path, [an_xml(size=(48, 64))]))
        with pytest.raises(InputError, match=r"000000.JPEG: the picture is 64×48.* for 48×64"):
            list(dataset.videos[0].images())


class TestXml:
    def test_document_type_is_refused(self, tmp_path):
        bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><annotation>&c;</annotation>'
        path = tmp_path / "bomb.xml"
        path.write_text(bomb)
        with pytest.raises(BrokenXmlError, match="document type"):
            read_vid_xml(path)

    def test_document_type_is_refused_in_any_encoding(self, tmp_path):
        path = tmp_path / "bomb.xml"
        path.write_text(
            '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><annotation/>', encoding="utf-16"
        )
        with pytest.raises(BrokenXmlError, match="document type"):
            read_vid_xml(path)

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            pytest.param("", "no XML", id="empty"),
            pytest.param("<html></html>", "not <annotation>", id="other root"),
            pytest.param(an_xml(an_object()).replace("<xmin>4</xmin>", ""), "number", id="no xmin"),
            pytest.param(an_xml(an_object()).replace("<xmin>4", "<xmin>x"), "number", id="text"),
            pytest.param(an_xml(an_object()) + " " * (1 << 22), "too long", id="too long"),
        ],
    )
    def test_broken(self, tmp_path, text, why):
        path = tmp_path / "broken.xml"
        path.write_text(text)
        with pytest.raises(BrokenXmlError, match=why):
            read_vid_xml(path)


class TestLists:
    def test_four_columns_a_video_a_line(self, tmp_path):
        path = write_list(tmp_path, "val/a 1 0 464", "val/b 465 0 10")
        first, second = read_vid_list(path, "val")
        assert (first.name, first.length, first.chosen) == ("val/a", 464, None)
        assert (second.name, second.length, second.chosen) == ("val/b", 10, None)

    def test_four_columns_a_frame_a_line(self, tmp_path):
        path = write_list(tmp_path, "val/a 1 0 3", "val/a 2 2 3", "val/b 3 0 9")
        first, second = read_vid_list(path, "val")
        assert first.length == 3
        assert first.chosen.tolist() == [0, 2]
        assert second.chosen.tolist() == [0]

    def test_frames_count_from_0(self, tmp_path):
        (snippet,) = read_vid_list(write_list(tmp_path, "train/x/a 1 10 300"), "train")
        assert snippet.chosen.tolist() == [10]
        assert snippet.name == "train/x/a"

    def test_two_columns(self, tmp_path):
        (snippet,) = read_vid_list(write_list(tmp_path, "val/a/000001 2", "val/a/000000 1"), "val")
        assert (snippet.name, snippet.length) == ("val/a", None)
        assert snippet.chosen.tolist() == [0, 1]

    def test_official_names_get_their_split(self, tmp_path):
        (snippet,) = read_vid_list(write_list(tmp_path, "a/000000 1"), "val")
        assert snippet.name == "val/a"

    @pytest.mark.parametrize(
        ("lines", "why"),
        [
            pytest.param((), "the list is empty", id="empty"),
            pytest.param(("val/a 1 0 5", "val/b 1"), "line 2: it has 2 columns", id="mixed"),
            pytest.param(("val/a 1 5 5",), "line 1: neither", id="frame behind the end"),
            pytest.param(("val/a 1 -1 5",), "line 1: neither", id="negative frame"),
            pytest.param(("val/a/x 1",), "line 1: neither", id="no number"),
            pytest.param(("val/a 1 0",), "line 1: neither", id="three columns"),
            pytest.param(("../../a/000000 1",), "line 1: neither", id="out of the folder"),
            pytest.param(("val/a 1 0 5", "val/a 1 1 6"), "another length", id="two lengths"),
        ],
    )
    def test_malformed(self, tmp_path, lines, why):
        with pytest.raises(InputError, match=why):
            read_vid_list(write_list(tmp_path, *lines), "val")


class TestOpen:
    def test_a_list_chooses_frames_but_pictures_are_all_there(self, tmp_path):
        write_snippet(tmp_path, [an_xml()] * 4)
        write_list(tmp_path, f"{SNIPPET} 1 1 4", f"{SNIPPET} 2 3 4")
        video = open_imagenet_vid(tmp_path).videos[0]
        assert [frame.index for frame in video.frames()] == [1, 3]
        assert [index for index, _ in video.images()] == [0, 1, 2, 3]
        assert len(video) == 4

    def test_length_that_no_list_tells_is_that_of_the_folder(self, tmp_path):
        write_snippet(tmp_path, [an_xml()] * 4)
        write_list(tmp_path, f"{SNIPPET}/000001 1", name="VID_val_frames.txt")
        video = open_imagenet_vid(tmp_path).videos[0]
        assert len(video) == 4
        assert video.chosen.tolist() == [1]

    def test_missing_snippet_is_counted(self, tmp_path):
        write_snippet(tmp_path, [an_xml()])
        write_list(tmp_path, f"{SNIPPET} 1 0 1", "val/gone 2 0 9")
        dataset = open_imagenet_vid(tmp_path)
        assert [video.name for video in dataset.videos] == [SNIPPET]
        (place,) = places(dataset, Problem.NO_SNIPPET)
        assert place.endswith("val/gone")

    def test_all_snippets_missing_is_an_error(self, tmp_path):
        write_snippet(tmp_path, [an_xml()])
        path = write_list(tmp_path, "val/gone 1 0 9")
        with pytest.raises(InputError, match="none of its 1 videos"):
            open_imagenet_vid(tmp_path, list_file=path)

    def test_without_a_list_the_folders_count(self, tmp_path):
        write_snippet(tmp_path, [an_xml()] * 2, "val/b")
        write_snippet(tmp_path, [an_xml()], "val/a")
        dataset = open_imagenet_vid(tmp_path)
        assert [(video.name, len(video)) for video in dataset.videos] == [
            ("val/a", 1),
            ("val/b", 2),
        ]
        with pytest.raises(InputError, match="no split 'test'"):
            open_imagenet_vid(tmp_path, "test")

    def test_by_spec(self, tmp_path):
        write_snippet(tmp_path, [an_xml(an_object())])
        dataset = open_dataset(f"imagenet-vid:{tmp_path}")
        assert dataset.classes == VID_CLASSES
        assert dataset.name == "imagenet-vid val"

    @pytest.mark.parametrize("spec", ["imagenet-vid", "imagenet-vid:", "imagnet-vid:x", "C:x"])
    def test_unknown_spec_names_the_known(self, spec):
        with pytest.raises(
            ConfigError, match=r"imagenet-vid:ROOT, mot:ROOT, coco-vid:FILE, toy:DIR"
        ):
            open_dataset(spec)

    def test_missing_root(self, tmp_path):
        with pytest.raises(InputError, match="no such file or folder"):
            open_dataset(f"imagenet-vid:{tmp_path / 'gone'}")
        with pytest.raises(InputError, match="no Annotations/VID"):
            open_dataset(f"imagenet-vid:{tmp_path}")


def test_reading_data_needs_neither_torch_nor_opencv():
    code = "import sys, minet_core.datasets; print({'torch', 'cv2', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


class TestOwnClasses:
    def test_names_of_classes_txt_are_those_of_the_annotations(self, tmp_path):
        names = ("traffic light", "Hündin", DOG)
        objects = [an_object(wnid=name, track=track) for track, name in enumerate(names)]
        root = write_snippet(tmp_path, [an_xml(*objects)])
        (root / "classes.txt").write_text("Hündin\ntraffic light\n\n", encoding="utf-8")
        dataset = open_dataset(f"imagenet-vid:{root}")
        assert dataset.classes == ("Hündin", "traffic light")
        (frame,) = dataset.videos[0].frames()
        assert frame.label_ids.tolist() == [1, 0]
        assert len(places(dataset, Problem.UNKNOWN_CLASS)) == 1

    @pytest.mark.parametrize("text", ["", "\n", "dog\ndog\n"])
    def test_names_must_be_there_and_unique(self, tmp_path, text):
        root = write_snippet(tmp_path, [an_xml()])
        (root / "classes.txt").write_text(text)
        with pytest.raises(InputError, match=r"classes\.txt: the names of classes are missing or"):
            open_dataset(f"imagenet-vid:{root}")

    def test_classes_txt_that_is_no_text(self, tmp_path):
        root = write_snippet(tmp_path, [an_xml()])
        (root / "classes.txt").write_bytes(b"\xff\xfea")
        with pytest.raises(InputError, match=r"classes\.txt: cannot be read"):
            open_dataset(f"imagenet-vid:{root}")
