from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from video_factory import grey_images, index_of, write_grey_video, write_picture

from minet_core.datasets import NO_TRACK, Dataset, Problem, open_dataset, read_mot_rows
from minet_core.datasets.mot.rows import NO_CLASS
from minet_core.errors import InputError

INFO = "[Sequence]\nname=a\nimDir=img1\nframeRate=25\nseqLength={}\nimWidth=64\nimHeight=48\n"


def write_sequence(
    folder: Path,
    gt: str | None = "1,1,4,5,10,20,1,1,1\n",
    *,
    pictures: int = 3,
    first: int = 1,
    info: str | None = INFO.format(3),
    labels: str | None = None,
) -> Path:
    (folder / "gt").mkdir(parents=True)
    if gt is not None:
        (folder / "gt/gt.txt").write_text(gt)
    if info is not None:
        (folder / "seqinfo.ini").write_text(info)
    if labels is not None:
        (folder / "gt/labels.txt").write_text(labels)
    if pictures:
        (folder / "img1").mkdir()
    for index, image in enumerate(grey_images(pictures)):
        write_picture(folder / f"img1/{index + first:06d}.jpg", image)
    return folder


def open_mot(folder: Path) -> Dataset:
    return open_dataset(f"mot:{folder}")


def the_truth(folder: Path, gt: str, labels: str | None = None, index: int = 0):
    dataset = open_mot(write_sequence(folder / "a", gt, pictures=0, labels=labels))
    return dataset.videos[0].frame(index), dataset


def rows_of(path: Path, text: str):
    path.write_text(text)
    return read_mot_rows(path)


class TestRows:
    @pytest.mark.parametrize("mark", [",", ", ", ";", "\t", " ", "   "])
    def test_delimiters(self, tmp_path, mark):
        text = "\n".join(mark.join(line) for line in (list("123456"), list("223456")))
        rows = rows_of(tmp_path / "a.txt", text)
        assert rows.frames.tolist() == [0, 1]
        assert rows.ids.tolist() == [2, 2]
        assert rows.boxes.tolist() == 2 * [[3, 4, 8, 10]]

    def test_six_columns_have_the_rest_by_default(self, tmp_path):
        rows = rows_of(tmp_path / "a.txt", "1,2,3,4,5,6\n")
        assert rows.conf.tolist() == [1]
        assert rows.class_ids.tolist() == [NO_CLASS]
        assert rows.visibility.tolist() == [1]

    def test_nine_columns_are_class_and_visibility(self, tmp_path):
        rows = rows_of(tmp_path / "a.txt", "1,2,3,4,5,6,0,7,0.25\n")
        assert rows.conf.tolist() == [0]
        assert rows.class_ids.tolist() == [7]
        assert rows.visibility.tolist() == [0.25]

    def test_ten_columns_end_in_the_world_not_in_a_class(self, tmp_path):
        rows = rows_of(tmp_path / "a.txt", "1,-1,3,4,5,6,0.9,3.5,2,0\n")
        assert rows.conf.tolist() == [0.9]
        assert rows.class_ids.tolist() == [NO_CLASS]
        assert rows.visibility.tolist() == [1]

    def test_sorted_by_frame_and_stable(self, tmp_path):
        rows = rows_of(tmp_path / "a.txt", "3,1,0,0,5,5\n1,9,0,0,5,5\n1,2,0,0,5,5\n")
        assert rows.frames.tolist() == [0, 0, 2]
        assert rows.ids.tolist() == [9, 2, 1]
        assert rows.span(0) == slice(0, 2)
        assert rows.span(1) == slice(2, 2)

    def test_empty_lines_byte_order_mark_and_carriage_returns(self, tmp_path):
        path = tmp_path / "a.txt"
        path.write_bytes(b"\xef\xbb\xbf1,2,3,4,5,6\r\n\r\n2,2,3,4,5,6,\r\n")
        assert read_mot_rows(path).frames.tolist() == [0, 1]

    def test_empty_file_has_no_rows(self, tmp_path):
        rows = rows_of(tmp_path / "a.txt", "\n")
        assert len(rows) == 0
        assert rows.boxes.shape == (0, 4)

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            pytest.param("1,2,3,4,5\n", "line 1: 5 columns, but", id="few columns"),
            pytest.param("1,2,3,4,5,6\n\n1,2,3,4,5,6,7\n", "line 3: 7 columns", id="ragged"),
            pytest.param("1,2,3,4,5,6\n1,2,x,4,5,6\n", "line 2: not all of it", id="text"),
            pytest.param("frame,id,x,y,w,h\n1,2,3,4,5,6\n", "line 1: not all", id="header"),
            pytest.param("1,2,3,4,nan,6\n", "line 1: numbers must be finite", id="nan"),
            pytest.param("1,2,3,4,5,6\n0,2,3,4,5,6\n", "line 2: .*from 1", id="frame 0"),
            pytest.param("1.5,2,3,4,5,6\n", "line 1: .*whole", id="half a frame"),
            pytest.param("1,2.5,3,4,5,6\n", "line 1: .*whole", id="half an id"),
            pytest.param("1,2,3,4,5,6,1,1.5,1\n", "line 1: .*whole", id="half a class"),
        ],
    )
    def test_malformed_names_the_line(self, tmp_path, text, why):
        with pytest.raises(InputError, match=rf"a\.txt, {why}"):
            rows_of(tmp_path / "a.txt", text)

    def test_shares_of_the_picture_are_no_pixels(self, tmp_path):
        rows = "1,-1,0.10,0.20,0.25,0.5,0.9,-1,-1,-1\n2,-1,0.8,0,0.25,1,0.9,-1,-1,-1\n"
        with pytest.raises(InputError, match=r"det\.txt: all boxes .* shares of the picture"):
            rows_of(tmp_path / "det.txt", rows)
        rows += "3,-1,1.5,0.25,2.5,4.0,0.9,-1,-1,-1\n"
        assert rows_of(tmp_path / "det.txt", rows).boxes[2].tolist() == [1.5, 0.25, 4, 4.25]
        pixel = rows_of(tmp_path / "det.txt", "1,-1,0,0,1,1,0.9\n")
        assert pixel.boxes.tolist() == [[0, 0, 1, 1]]

    def test_no_text(self, tmp_path):
        (tmp_path / "a.txt").write_bytes(b"\xff\xfe\xfa")
        with pytest.raises(InputError, match="not a text file"):
            read_mot_rows(tmp_path / "a.txt")
        with pytest.raises(InputError, match="no such file"):
            read_mot_rows(tmp_path / "b.txt")


class TestTruth:
    def test_columns(self, tmp_path):
        gt = "2,7,4,5,10,20,1,1,0.4\n1,3,0,0,8,8,1,1,1\n2,3,0,0,8,8,0,1,1\n"
        frame, dataset = the_truth(tmp_path, gt, index=1)
        assert frame.index == 1
        assert frame.boxes.tolist() == [[4, 5, 14, 25], [0, 0, 8, 8]]
        assert frame.track_ids.tolist() == [7, 3]
        assert frame.ignore.tolist() == [False, True]
        assert frame.occluded.tolist() == [True, False]
        assert dataset.classes == ("pedestrian",)
        assert not dataset.inclusive
        assert dataset.problems.lines() == []

    def test_frame_without_rows_is_annotated(self, tmp_path):
        frame, _ = the_truth(tmp_path, "1,1,4,5,10,20,1,1,1\n", index=2)
        assert frame.annotated
        assert len(frame) == 0

    def test_benchmark_classes(self, tmp_path):
        kinds = {1: 1, 2: 0, 3: 0, 7: 0, 8: 0, 11: 0, 12: 1}
        gt = "".join(f"1,{k},4,5,9,9,{flag},{k},1\n" for k, flag in kinds.items())
        frame, dataset = the_truth(tmp_path, gt)
        assert frame.track_ids.tolist() == [1, 2, 7, 8, 12]
        assert frame.ignore.tolist() == [False, True, True, True, True]
        assert set(frame.label_ids) == {0}
        assert not dataset.problems.counts

    @pytest.mark.parametrize("end", ["1,3,1", "0,14,1", "1,0,1"])
    def test_own_classes_need_names(self, tmp_path, end):
        with pytest.raises(InputError, match=r"frame 1, id 1: class \d+ has no name.*labels\.txt"):
            the_truth(tmp_path, f"1,1,4,5,9,9,{end}")

    def test_names_of_classes(self, tmp_path):
        gt = "1,1,4,5,9,9,1,2,1\n1,2,4,5,9,9,1,1,1\n1,3,4,5,9,9,1,3,1\n"
        frame, dataset = the_truth(tmp_path, gt, labels="1 car\n2 red bus\n")
        assert dataset.classes == ("car", "red bus")
        assert frame.label_ids.tolist() == [1, 0]
        assert dataset.problems.counts == {Problem.UNKNOWN_CLASS: 1}
        assert "frame 1, id 3" in dataset.problems.places(Problem.UNKNOWN_CLASS)[0]

    def test_one_named_class_needs_no_column(self, tmp_path):
        frame, dataset = the_truth(tmp_path, "1,1,4,5,9,9,1\n", labels="horse\n")
        assert [dataset.classes[label] for label in frame.label_ids] == ["horse"]

    def test_same_name_twice(self, tmp_path):
        with pytest.raises(InputError, match="not unique"):
            the_truth(tmp_path, "1,1,4,5,9,9\n", labels="car\ncar\n")

    def test_wrong_boxes_are_counted(self, tmp_path):
        gt = "1,1,4,5,-9,9\n1,2,4,5,0,9\n1,3,70,5,9,9\n1,4,60,5,9,9\n1,5,4,5,9,9\n1,5,5,5,9,9\n"
        frame, dataset = the_truth(tmp_path, gt)
        assert frame.track_ids.tolist() == [3, 4, 5, NO_TRACK]
        assert frame.ignore.tolist() == [True, False, False, False]
        assert dataset.problems.counts == {
            Problem.NO_AREA: 2,
            Problem.OUTSIDE: 1,
            Problem.REACHES_OUT: 1,
            Problem.SAME_ID: 1,
        }

    def test_rows_behind_the_end_are_counted(self, tmp_path):
        _, dataset = the_truth(tmp_path, "1,1,4,5,9,9\n4,1,4,5,9,9\n")
        (place,) = dataset.problems.places(Problem.NO_FRAME)
        assert place.endswith("gt.txt, frame 4, id 1")


class TestPictures:
    def test_in_order_with_facts(self, tmp_path):
        video = open_mot(write_sequence(tmp_path / "a")).videos[0]
        assert [(index, index_of(image)) for index, image in video.images()] == [
            *((0, 0), (1, 1), (2, 2))
        ]
        assert (video.name, len(video), video.size) == ("a", 3, (64, 48))
        assert video.frame_rate == 25

    def test_a_gap_shifts_nothing(self, tmp_path):
        folder = write_sequence(tmp_path / "a")
        (folder / "img1/000002.jpg").unlink()
        dataset = open_mot(folder)
        assert [(i, index_of(image)) for i, image in dataset.videos[0].images()] == [(0, 0), (2, 2)]
        (place,) = dataset.problems.places(Problem.NO_PICTURE)
        assert place.endswith("img1/000002.jpg")

    def test_names_from_0(self, tmp_path):
        video = open_mot(write_sequence(tmp_path / "a", first=0)).videos[0]
        assert [index_of(image) for _, image in video.images()] == [0, 1, 2]

    def test_without_seqinfo(self, tmp_path):
        video = open_mot(write_sequence(tmp_path / "a", info=None)).videos[0]
        assert (len(video), video.size, video.frame_rate) == (3, (64, 48), 30)

    def test_video_file(self, tmp_path):
        folder = write_sequence(tmp_path / "a", pictures=0, info=None)
        write_grey_video(folder / "a.mp4", 5, rate=Fraction(10))
        video = open_mot(folder).videos[0]
        assert [(index, index_of(image)) for index, image in video.images()] == [
            (index, index) for index in range(5)
        ]
        assert index_of(video.image(3)) == 3
        assert (len(video), video.frame_rate, video.size) == (5, 10, (64, 48))

    def test_video_shorter_than_promised(self, tmp_path):
        folder = write_sequence(tmp_path / "a", pictures=0, info=INFO.format(4))
        write_grey_video(folder / "a.mp4", 3)
        dataset = open_mot(folder)
        assert [index for index, _ in dataset.videos[0].images()] == [0, 1, 2]
        assert dataset.videos[0].image(3) is None
        (place,) = dataset.problems.places(Problem.NO_PICTURE)
        assert place.endswith("a.mp4, frame 3")

    def test_truth_alone_will_do(self, tmp_path):
        video = open_mot(write_sequence(tmp_path / "a", pictures=0, info=None)).videos[0]
        assert len(video) == 1
        with pytest.raises(InputError, match="no picture"):
            _ = video.size

    @pytest.mark.parametrize(
        "line", ["frameRate=0", "seqLength=x", "imWidth=6.5", "frameRate=1/0", "frameRate"]
    )
    def test_malformed_seqinfo(self, tmp_path, line):
        with pytest.raises(InputError, match=r"seqinfo\.ini: "):
            open_mot(write_sequence(tmp_path / "a", info=f"[Sequence]\nimHeight=9\n{line}\n"))


class TestFolders:
    def test_many_share_their_classes(self, tmp_path):
        write_sequence(tmp_path / "b", "1,1,4,5,9,9,1,1,1\n", pictures=0, labels="dog\ncar\n")
        write_sequence(tmp_path / "a", "1,1,4,5,9,9,1,2,1\n", pictures=0, labels="cat\ncar\n")
        dataset = open_mot(tmp_path)
        assert dataset.classes == ("cat", "car", "dog")
        assert [video.name for video in dataset.videos] == ["a", "b"]
        assert [video.frame(0).label_ids.tolist() for video in dataset.videos] == [[1], [2]]

    def test_split(self, tmp_path):
        write_sequence(tmp_path / "train/a", pictures=0)
        assert [v.name for v in open_dataset(f"mot:{tmp_path}", "train").videos] == ["a"]
        with pytest.raises(InputError, match="no MOTChallenge sequence"):
            open_dataset(f"mot:{tmp_path}", "val")

    def test_sequence_without_truth_is_counted_and_not_scored(self, tmp_path):
        write_sequence(tmp_path / "a", pictures=0)
        write_sequence(tmp_path / "b", None, pictures=0)
        dataset = open_mot(tmp_path)
        assert not any(frame.annotated for frame in dataset.videos[1].frames())
        assert len(list(dataset.videos[1].frames())) == 3
        (place,) = dataset.problems.places(Problem.NO_ANNOTATION)
        assert place.endswith("b/gt/gt.txt")

    def test_no_truth_at_all(self, tmp_path):
        write_sequence(tmp_path / "a", None, pictures=0)
        with pytest.raises(InputError, match=r"no gt/gt\.txt"):
            open_mot(tmp_path)


def test_our_own_results_read_back(tmp_path):
    from minet_core.formats.mot.result_text import MotWriter
    from minet_core.formats.writers import VideoFacts
    from minet_core.publishing import complete_text
    from minet_core.results import FrameDetections

    found = FrameDetections(
        frame=4,
        pts=None,
        time=0.0,
        boxes=np.array([[1.5, 2.0, 11.5, 22.25]]),
        scores=np.array([0.75]),
        base_scores=np.array([0.5]),
        label_ids=np.array([0]),
        track_ids=np.array([6]),
        track_labels=np.array([0]),
        classes=("person",),
    )
    with complete_text(tmp_path / "mot.txt") as file:
        MotWriter(file, VideoFacts({}, "", {}, ("person",))).write(found)
    rows = read_mot_rows(tmp_path / "mot.txt")
    assert rows.frames.tolist() == [4]
    assert rows.ids.tolist() == [6]
    assert rows.boxes.tolist() == [[1.5, 2.0, 11.5, 22.25]]
    assert rows.conf.tolist() == [0.75]
