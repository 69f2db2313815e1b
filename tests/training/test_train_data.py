import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou
from train_data import dataset, random, tiny, toy, truth, video, write_picture
from video_factory import write_grey_video

from minet_core.datasets import Problems, open_dataset
from minet_core.errors import ConfigError, InputError
from minet_core.training.data.augment import cropped, mirrored
from minet_core.training.data.frame_pairs import FramePairs
from minet_core.training.data.pairs import Pair, View
from minet_core.training.data.random_counter import Use, generator
from minet_core.training.data.samples import make_sample
from minet_core.training.data.sampling import Draws
from minet_core.training.data.sources import open_datasets, pair_up, united
from minet_core.training.data.video_frames import extracted

BOX, OTHER = [4, 4, 24, 30], [36, 10, 60, 40]


def pairs(*videos, problems=None, **settings) -> FramePairs:
    made = dataset(*videos, problems=problems or Problems())
    return FramePairs(made, np.array([0]), **settings)


def shade(view: View) -> int:
    """The frame that a grey picture of `train_data.video` is."""
    return int(view.image.mean()) // 10


class TestVideos:
    def test_both_frames_show_an_object_and_are_near(self, tmp_path):
        truths = [truth(i, [BOX, OTHER], [i // 4, 100 + i]) for i in range(12)]
        source = pairs(video(tmp_path, truths, Problems()), max_gap=2)
        gaps = set()
        for number in range(60):
            pair = source.draw(random(number))
            first, second = shade(pair.support), shade(pair.query)
            gaps.add(second - first)
            assert pair.shared().tolist() == [first // 4] == [second // 4]
        assert gaps == {-2, -1, 1, 2}

    def test_the_same_generator_gives_the_same_pair(self, tmp_path):
        source = pairs(video(tmp_path, [truth(i, [BOX], [1]) for i in range(9)], Problems()))
        names = [[source.draw(random(number)).name for number in range(9)] for _ in range(2)]
        assert names[0] == names[1]
        assert len(set(names[0])) > 3

    def test_boxes_to_ignore_and_without_area_are_left_out_and_counted(self, tmp_path):
        boxes = [BOX, OTHER, [70, 5, 80, 9]]
        truths = [truth(i, boxes, [1, 2, 3], [False, True, False]) for i in range(2)]
        source = pairs(video(tmp_path, truths, Problems()))
        assert source.draw(random()).query.boxes.tolist() == [BOX]
        assert source.notes == ["boxes to ignore, left out: 2"]

    def test_boxes_are_cut_at_the_border(self, tmp_path):
        truths = [truth(i, [[-9, -9, 30, 90]], [1]) for i in range(2)]
        assert pairs(video(tmp_path, truths, Problems())).draw(random()).query.boxes.tolist() == [
            [0, 0, 30, 48]
        ]

    def test_objects_without_a_track_do_not_co_appear(self, tmp_path):
        truths = [truth(i, [BOX, OTHER], [1, -1]) for i in range(3)]
        pair = pairs(video(tmp_path, truths, Problems())).draw(random())
        assert pair.shared().tolist() == [1]
        assert len(pair.query.boxes) == 2

    def test_a_video_without_co_appearing_objects_is_skipped_and_told_once(self, tmp_path):
        barren = video(tmp_path, [truth(i, [BOX], [i]) for i in range(3)], Problems(), name="b")
        good = video(tmp_path, [truth(i, [BOX], [1]) for i in range(3)], Problems(), name="g")
        source = pairs(barren, good)
        draws = Draws([(source, 1.0)], tiny("toy:none"))
        assert all(draws.sample(step, 0).name.startswith("g,") for step in range(12))
        assert source.notes == ["videos without an object that is in two frames, skipped: b"]

    def test_a_frame_without_partner_gives_way_to_another(self, tmp_path):
        tracks = [[1], [2], [2], [3]]
        truths = [truth(i, [BOX], ids) for i, ids in enumerate(tracks)]
        source = pairs(video(tmp_path, truths, Problems()))
        for number in range(8):
            pair = source.draw(random(number))
            assert {shade(pair.support), shade(pair.query)} == {1, 2}


class TestBrokenPictures:
    def test_are_drawn_again_and_told(self, tmp_path):
        problems = Problems()
        clip = video(tmp_path, [truth(i, [BOX], [1]) for i in range(6)], problems, broken=[2, 3])
        source = pairs(clip, problems=problems)
        draws = Draws([(source, 1.0)], tiny("toy:none"))
        names = [draws.sample(step, 0).name for step in range(20)]
        assert not any(f" {frame}" in name for name in names for frame in (2, 3))
        assert "street, frame 2: the picture cannot be read" in draws.skipped
        assert any("2.png" in note for note in source.notes)
        again = Draws([(source, 1.0)], tiny("toy:none"))
        assert [again.sample(step, 0).name for step in range(20)] == names

    def test_end_it_when_there_is_nothing_else(self, tmp_path):
        clip = video(tmp_path, [truth(i, [BOX], [1]) for i in range(2)], Problems(), broken=[0, 1])
        with pytest.raises(InputError, match=r"no pair could be drawn.*cannot be read"):
            Draws([(pairs(clip), 1.0)], tiny("toy:none")).sample(0, 0)


def bright_box(view: View) -> list[int]:
    """Where the one white rectangle of a picture is."""
    rows, columns = np.nonzero(view.image[..., 0] > 128)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


class TestStills:
    @pytest.fixture
    def still(self, tmp_path):
        image = np.zeros((48, 64, 3), np.uint8)
        image[10:30, 20:50] = 255
        path = write_picture(tmp_path / "still.png", image)
        clip = video(tmp_path, [truth(0, [[20, 10, 50, 30]])], Problems())
        path.replace(tmp_path / "street" / "0.png")
        return clip

    def test_boxes_follow_crops_and_mirrors_of_either_view(self, still):
        source = pairs(still, crop=0.6, flip=0.5)
        sizes, mirrors = set(), set()
        for number in range(40):
            pair = source.draw(random(number))
            assert pair.shared().tolist() == [0]
            for view in (pair.support, pair.query):
                assert view.boxes[0].tolist() == bright_box(view)
                assert view.image.shape[0] >= 28
                sizes.add(view.image.shape)
            mirrors.add((pair.support.image.shape, pair.query.image.shape))
        assert len(sizes) > 30
        assert len(mirrors) > 30

    def test_a_still_is_not_always_cropped(self, still):
        source = pairs(still, cropped=0.5, crop=0.6, flip=0.0)
        views = [source.draw(random(number)).support for number in range(60)]
        whole = [view.image.shape[:2] == (48, 64) for view in views]
        assert 15 < sum(whole) < 45

    def test_what_a_crop_hardly_shows_is_gone(self):
        image = np.zeros((40, 40, 3), np.uint8)
        boxes = np.array([[0, 0, 4, 40], [0, 0, 40, 40]], np.float32)
        view = View(image, boxes, np.zeros(2, np.int64), np.arange(2))
        seen = [cropped(view, 0.5, random(number)) for number in range(40)]
        assert {tuple(each.track_ids.tolist()) for each in seen} >= {(0, 1), (1,)}
        for each in seen:
            height, width = each.image.shape[:2]
            assert each.boxes[-1].tolist() == [0, 0, width, height]
            assert (each.boxes[:, 2:] > each.boxes[:, :2]).all()

    def test_mirrored_twice_is_the_same(self):
        image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
        view = View(image, np.array([[1, 0, 3, 2]], np.float32), np.zeros(1, int), np.zeros(1, int))
        once = mirrored(view)
        assert once.boxes.tolist() == [[2, 0, 4, 2]]
        assert (mirrored(once).image == image).all()
        assert (once.image[0, 0] == image[0, 4]).all()

    def test_without_boxes_is_no_pair(self, tmp_path):
        with pytest.raises(InputError, match="nothing is annotated"):
            pairs(video(tmp_path, [truth(0, [])], Problems())).draw(random())


class TestStillFormats:
    def test_yolo(self, tmp_path):
        for name in ("a", "b"):
            write_picture(tmp_path / f"images/train/{name}.png", np.zeros((50, 100, 3), np.uint8))
        (tmp_path / "classes.txt").write_text("dog\ncat\n")
        labels = tmp_path / "labels/train"
        labels.mkdir(parents=True)
        (labels / "a.txt").write_text("1 0.5 0.5 0.2 0.4\n7 0.5 0.5 0.2 0.4\n0 0.5 0.5 0 0.4\n")
        found = open_dataset(f"yolo:{tmp_path}", "train")
        assert found.classes == ("dog", "cat")
        frames = [still.frame(0) for still in found.videos]
        assert frames[0].boxes.tolist() == [[40, 15, 60, 35]]
        assert frames[0].label_ids.tolist() == [1]
        assert frames[1].annotated
        assert len(frames[1]) == 0
        assert len(found.problems.lines()) == 2

    def test_yolo_with_a_broken_line(self, tmp_path):
        write_picture(tmp_path / "a.png", np.zeros((50, 100, 3), np.uint8))
        (tmp_path / "classes.txt").write_text("dog\n")
        (tmp_path / "a.txt").write_text("0 0.5 0.5\n")
        still = open_dataset(f"yolo:{tmp_path}").videos[0]
        assert not still.frame(0).annotated

    def test_yolo_without_names(self, tmp_path):
        write_picture(tmp_path / "a.png", np.zeros((5, 5, 3), np.uint8))
        with pytest.raises(InputError, match=r"no classes\.txt"):
            open_dataset(f"yolo:{tmp_path}")

    def test_coco(self, tmp_path):
        write_picture(tmp_path / "a.png", np.zeros((50, 100, 3), np.uint8))
        content = {
            "categories": [{"id": 7, "name": "dog"}],
            "images": [{"id": 3, "file_name": "a.png", "width": 100, "height": 50}],
            "annotations": [
                {"id": 1, "image_id": 3, "category_id": 7, "bbox": [1, 2, 30, 20], "iscrowd": 0}
            ],
        }
        path = tmp_path / "instances.json"
        path.write_text(json.dumps(content))
        (still,) = open_dataset(f"coco:{path}").videos
        assert still.frame(0).boxes.tolist() == [[1, 2, 31, 22]]
        assert still.image(0) is not None

    def test_imagenet_det(self, tmp_path):
        name = "ILSVRC2013_train/n02084071/n02084071_1"
        write_picture(tmp_path / f"Data/DET/train/{name}.JPEG", np.zeros((50, 100, 3), np.uint8))
        objects = "".join(
            f"<object><name>{wnid}</name><bndbox><xmin>10</xmin><ymin>5</ymin><xmax>29</xmax>"
            "<ymax>24</ymax></bndbox></object>"
            for wnid in ("n02084071", "n99999999")
        )
        path = tmp_path / f"Annotations/DET/train/{name}.xml"
        path.parent.mkdir(parents=True)
        size = "<size><width>100</width><height>50</height></size>"
        path.write_text(f"<annotation>{size}{objects}</annotation>")
        found = open_dataset(f"imagenet-det:{tmp_path}", "train")
        assert "no ImageSets/DET_train_30classes.txt" in found.notes[0]
        pair = FramePairs(found, np.arange(30), crop=1.0, flip=0.0).draw(random())
        assert pair.support.boxes.tolist() == [[10, 5, 30, 25]]  # the last pixel is inside
        assert pair.support.label_ids.tolist() == [found.classes.index("dog")]


class TestSeveral:
    def test_classes_are_united_by_meaning(self):
        classes, ids = united([("dog", "person"), ("Pedestrian", "domestic_cat"), ("cat",)])
        assert classes == ("dog", "person", "domestic_cat")
        assert [each.tolist() for each in ids] == [[0, 1], [1, 2], [2]]

    def test_weights_say_how_often_each_is_drawn(self, tmp_path):
        sources = [
            (
                pairs(
                    video(tmp_path, [truth(i, [BOX], [1]) for i in range(2)], Problems(), name=n)
                ),
                w,
            )
            for n, w in (("rare", 1.0), ("common", 4.0))
        ]
        draws = Draws(sources, tiny("toy:none"))
        names = [draws.sample(step, 0).name.split(",")[0] for step in range(200)]
        assert 20 <= names.count("rare") <= 60

    def test_nothing_to_learn_from(self):
        with pytest.raises(ConfigError, match="give --data"):
            open_datasets(replace(tiny("toy:none"), data=()))
        with pytest.raises(InputError, match="nowhere: no such file or folder"):
            open_datasets(tiny("toy:nowhere"))

    def test_a_dataset_can_give_composed_pairs_in_place_of_its_own(self, tmp_path):
        config = tiny(f"composed:{toy(tmp_path)}")
        ((source, weight),) = pair_up(open_datasets(config), config).weighted
        assert weight == 1
        pair = source.draw(random(1))
        assert len(pair.shared())
        assert not pair.complete


def test_a_batch_does_not_depend_on_who_takes_which_share(tmp_path):
    source = pairs(video(tmp_path, [truth(i, [BOX, OTHER], [1, 2]) for i in range(9)], Problems()))
    draws = Draws([(source, 1.0)], tiny("toy:none", batch=4))
    whole = list(draws.batches(range(3), range(4)))
    shares = [list(draws.batches(range(3), range(rank, 4, 2))) for rank in range(2)]
    later = list(draws.batches(range(2, 3), range(4)))
    for step, samples in enumerate(whole):
        for index, sample in enumerate(samples):
            same = shares[index % 2][step][index // 2]
            assert sample.name == same.name
            assert torch.equal(sample.support.boxes, same.support.boxes)
            assert torch.equal(sample.images[0], same.images[0])
    assert [sample.name for sample in later[0]] == [sample.name for sample in whole[2]]
    assert len({sample.name for samples in whole for sample in samples}) > 6


def test_randomness_of_a_sample_is_its_own():
    keys = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    numbers = {float(torch.rand((), generator=generator(*key, Use.DRAW))) for key in keys}
    numbers.add(float(torch.rand((), generator=generator(0, 0, 0, Use.NETWORK))))
    numbers.add(float(torch.rand((), generator=generator(0, 0, 0, Use.DRAW, 1))))
    assert len(numbers) == 6


class TestEpisodes:
    def sample(self, **settings):
        boxes = np.array([BOX, OTHER], np.float32)
        view = View(np.zeros((48, 64, 3), np.uint8), boxes, np.zeros(2, np.int64), np.arange(2))
        config = tiny("toy:none", flip=0.0, **settings)
        return make_sample(Pair(view, view, "still"), config, random())

    def test_labels_follow_the_overlap_with_the_target(self):
        sample = self.sample(targets=2)
        assert sample.support.boxes.shape == (2, 128, 4)
        assert not torch.equal(sample.support.boxes, sample.query.boxes)
        truths = torch.tensor([BOX, OTHER], dtype=torch.float32)
        for boxes in sample.query.boxes:
            overlap = box_iou(truths, boxes).max(dim=0).values
            assert (overlap[:32] > 0.7).all()
        own = truths[box_iou(truths, sample.query.boxes[0][:1])[:, 0].argmax()]
        assert (box_iou(own[None], sample.query.boxes[0][32:]) < 0.5).all()
        assert sample.query.labels.sum(dim=1).tolist() == [32, 32]

    def test_other_objects_are_negatives_if_asked_for(self):
        def on_the_other(sample) -> list[int]:
            truths = torch.tensor([BOX, OTHER], dtype=torch.float32)
            overlap = box_iou(truths, sample.support.boxes[0][32:]) > 0.5
            return overlap.sum(dim=1).sort().values.tolist()

        assert on_the_other(self.sample(others=0.5)) == [0, 48]
        assert on_the_other(self.sample())[1] < 10

    def test_a_pair_is_mirrored_as_one(self):
        config = tiny("toy:none", flip=1.0)
        image = np.zeros((48, 64, 3), np.uint8)
        boxes = np.array([BOX], np.float32)
        view = View(image, boxes, np.zeros(1, np.int64), np.zeros(1, np.int64))
        sample = make_sample(Pair(view, view, "still"), config, random())
        assert [each.tolist() for each in sample.boxes] == [[[40, 4, 60, 30]]] * 2


def test_colours_change_within_bounds_and_boxes_stay():
    image = np.full((48, 64, 3), 100, np.uint8)
    view = View(image, np.array([BOX], np.float32), np.zeros(1, np.int64), np.zeros(1, np.int64))
    config = tiny("toy:none", flip=0.0, colour=0.3)
    samples = [make_sample(Pair(view, view, "still"), config, random(n)) for n in range(20)]
    shades = {float(image.float().mean()) for sample in samples for image in sample.images}
    assert len(shades) > 20  # either view has its own
    assert all(60 <= shade <= 140 for shade in shades)
    assert all(sample.boxes[0].tolist() == [BOX] for sample in samples)


def test_frames_of_a_video_file_are_decoded_once(tmp_path):
    folder = tmp_path / "seq"
    (folder / "gt").mkdir(parents=True)
    write_grey_video(folder / "seq.mp4")
    rows = [f"{frame},1,4,4,20,30,1,1,1" for frame in range(1, 11)]
    (folder / "gt/gt.txt").write_text("\n".join(rows))
    notes: list[str] = []
    found = [open_dataset(f"mot:{folder}", "train")]
    assert found[0].videos[0].in_order_only
    for _ in range(2):
        (fast,) = extracted(found, tmp_path / "frames", notes.append)
    assert not fast.videos[0].in_order_only
    assert len(notes) == 1
    for index in (7, 2):
        before, now = found[0].videos[0].image(index), fast.videos[0].image(index)
        assert abs(before.astype(int) - now).max() <= 4
