import json
from pathlib import Path

import numpy as np
import pytest

from minet_cli.main import run
from minet_core.datasets import Problem, make_toy, open_dataset
from minet_core.datasets.toy.shapes import OUTLINES, SPRITE, sprite
from minet_core.errors import ConfigError, InputError, MinetError, OutputError
from minet_core.video.drawing.lettering import load_opencv


@pytest.fixture(scope="module")
def toy(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("toys") / "toy"
    make_toy(folder, seed=3, train=2, val=4, frames=30, size=160)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


class TestContent:
    def test_reads_back_without_a_problem(self, toy):
        dataset = open_dataset(f"toy:{toy}")
        assert dataset.classes == tuple(OUTLINES)
        assert [len(video) for video in dataset.videos] == [30] * 4
        for video in dataset.videos:
            assert video.size == (160, 120)
            assert sum(image.shape == (120, 160, 3) for _, image in video.images()) == 30
            assert all(frame.annotated for frame in video.frames())
        assert dataset.problems.lines() == []

    def test_train_list_samples_15_frames(self, toy):
        dataset = open_dataset(f"toy:{toy}", "train")
        assert [len(video.chosen) for video in dataset.videos] == [15, 15]
        assert dataset.videos[0].chosen[[0, -1]].tolist() == [0, 29]

    def test_two_column_list_names_the_same_frames(self, toy):
        from minet_core.datasets.imagenet.vid import open_imagenet_vid

        path = toy / "ImageSets/VID_val_frames.txt"
        dataset = open_imagenet_vid(toy, list_file=path, wnids={n: n for n in OUTLINES})
        assert [video.chosen.tolist() for video in dataset.videos] == [list(range(30))] * 4

    def test_boxes_lie_in_the_frame_and_objects_keep_their_class(self, toy):
        for video in open_dataset(f"toy:{toy}").videos:
            labels: dict[int, int] = {}
            for frame in video.frames():
                assert (frame.boxes >= 0).all()
                assert (frame.boxes[:, 2:] < video.size).all()
                assert len(set(frame.track_ids)) == len(frame)
                for track, label in zip(frame.track_ids, frame.label_ids, strict=True):
                    assert labels.setdefault(int(track), int(label)) == label

    def test_there_is_something_to_do(self, toy):
        """Objects come and go, hide, move, and change their size."""
        dataset = open_dataset(f"toy:{toy}")
        frames = [frame for video in dataset.videos for frame in video.frames()]
        assert len({len(frame) for frame in frames}) >= 3
        occluded = np.concatenate([frame.occluded for frame in frames])
        assert 0.1 < occluded.mean() < 0.7
        first, last = dataset.videos[0].frame(0), dataset.videos[0].frame(29)
        both = set(first.track_ids) & set(last.track_ids)
        assert any(
            np.abs(first.boxes[first.track_ids == k] - last.boxes[last.track_ids == k]).max() > 10
            for k in both
        )

    def test_as_many_objects_as_asked_for(self, tmp_path):
        make_toy(tmp_path / "toy", train=1, val=8, frames=6, size=96, objects=(1, 2))
        videos = open_dataset(f"toy:{tmp_path / 'toy'}").videos
        seen = [{k for frame in video.frames() for k in frame.track_ids} for video in videos]
        assert {len(tracks) for tracks in seen} <= {0, 1, 2}
        assert max(max(tracks, default=0) for tracks in seen) == 1  # ids count the objects

    def test_some_frames_are_blurred_or_flat(self, toy):
        """The sharpness of a video's frames differs by far more than its content does."""
        ratios = []
        for video in open_dataset(f"toy:{toy}").videos:
            spread = [float(image[::4, ::4].std()) for _, image in video.images()]
            ratios.append(min(spread) / max(spread))
        assert min(ratios) < 0.7


class TestBoxes:
    def test_box_is_tight_around_what_can_be_seen(self):
        """Measured on two pictures that differ by one object alone."""
        from minet_core.datasets.toy.scene import Scene

        cv2 = load_opencv()
        with_it, without = (
            Scene(cv2, np.random.default_rng(5), ("disc",), 1, 320, 240) for _ in range(2)
        )
        for scene, count in ((with_it, 1), (without, 0)):
            scene.actors, scene.bars = scene.actors[:count], []
        picture, (item,) = with_it.frame(0)
        # Both have the same grain and light.
        changed = np.abs(picture.astype(int) - without.frame(0)[0]).max(axis=2) > 12
        ys, xs = np.nonzero(changed)
        assert np.abs(np.subtract(item.box, (xs.min(), ys.min(), xs.max(), ys.max()))).max() <= 2

    @pytest.mark.parametrize("shape", OUTLINES)
    def test_sprites_fill_their_square_and_only_that(self, shape):
        sizes = sprite(load_opencv(), np.random.default_rng(0), shape)
        assert [len(image) for image in sizes] == [128, 64, 32, 16]
        opacity = sizes[0][..., 3]
        assert opacity[SPRITE // 2, SPRITE // 2] == 255
        assert opacity[[0, -1]].max() == opacity[:, [0, -1]].max() == 0
        assert (opacity > 127).any(axis=1).sum() > 0.6 * SPRITE
        assert (sizes[0][..., :3].max(axis=2) <= opacity + 1e-3).all()


class TestDeterminism:
    def test_same_seed_same_bytes(self, tmp_path):
        for name in ("a", "b"):
            make_toy(tmp_path / name, seed=1, train=1, val=1, frames=3, size=96)
        assert files(tmp_path / "a") == files(tmp_path / "b")

    def test_other_seed_other_videos(self, tmp_path):
        for seed in (1, 2):
            make_toy(tmp_path / str(seed), seed=seed, train=1, val=1, frames=1, size=96)
        first, second = files(tmp_path / "1"), files(tmp_path / "2")
        pictures = [name for name in first if name.endswith(".JPEG")]
        assert len(pictures) == 2
        assert all(first[name] != second[name] for name in pictures)

    def test_a_video_does_not_depend_on_how_many_there_are(self, tmp_path):
        for val in (1, 2):
            make_toy(tmp_path / str(val), train=1, val=val, frames=2, size=96)
        few, many = files(tmp_path / "1"), files(tmp_path / "2")
        assert all(many[name] == data for name, data in few.items() if name.endswith("JPEG"))


class TestFolder:
    def test_a_toy_dataset_is_replaced_whole(self, tmp_path):
        make_toy(tmp_path / "toy", train=2, val=1, frames=2, size=96)
        make_toy(tmp_path / "toy", train=1, val=1, frames=1, size=96, classes=("star",))
        dataset = open_dataset(f"toy:{tmp_path / 'toy'}", "train")
        assert dataset.classes == ("star",)
        assert len(dataset.videos) == 1
        assert len(list((tmp_path / "toy").rglob("*.JPEG"))) == 2
        assert not [path for path in (tmp_path / "toy").iterdir() if path.name.startswith(".")]

    def test_anything_else_is_left_alone(self, tmp_path):
        (tmp_path / "precious.txt").write_text("mine")
        with pytest.raises(OutputError, match="not a toy dataset"):
            make_toy(tmp_path, train=1, val=1, frames=1, size=96)
        assert files(tmp_path) == {"precious.txt": b"mine"}

    def test_an_empty_folder_will_do(self, tmp_path):
        make_toy(tmp_path, train=1, val=1, frames=1, size=96)
        assert json.loads((tmp_path / "toy.json").read_text())["seed"] == 0

    def test_interrupted_leaves_nothing_new(self, tmp_path):
        make_toy(tmp_path / "old", train=1, val=1, frames=2, size=96)
        before = files(tmp_path)

        def stop(done: int) -> None:
            if done == 2:
                raise KeyboardInterrupt

        for name in ("old", "new"):
            with pytest.raises(KeyboardInterrupt):
                make_toy(tmp_path / name, seed=9, train=1, val=1, frames=2, progress=stop)
        assert files(tmp_path) == before
        assert not (tmp_path / "new").exists()

    def test_no_toy_dataset(self, tmp_path):
        with pytest.raises(InputError, match=r"`minet toy .*` makes one"):
            open_dataset(f"toy:{tmp_path}")

    def test_unknown_class_in_an_annotation_is_counted(self, tmp_path):
        make_toy(tmp_path, train=1, val=1, frames=1, size=96, classes=("disc", "star"))
        (tmp_path / "classes.txt").write_text("disc\n")
        dataset = open_dataset(f"toy:{tmp_path}", "val")
        (tmp_path / "Annotations/VID/val/toy_val_00000000/000000.xml").write_text(
            "<annotation><object><name>star</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
            "<xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"
        )
        assert len(dataset.videos[0].frame(0)) == 0
        assert dataset.problems.counts == {Problem.UNKNOWN_CLASS: 1}

    @pytest.mark.parametrize(
        ("settings", "why"),
        [
            ({"classes": ("disk",)}, "no shape 'disk'; did you mean 'disc'"),
            ({"classes": ()}, "at least one"),
            ({"classes": ("disc", "disc")}, "each another"),
            ({"train": 0}, "train must be at least 1, not 0"),
            ({"frames": 0}, "frames must be at least 1"),
            ({"size": 50}, "size must be at least 96, not 50"),
            ({"seed": -1}, "seed must be at least 0"),
        ],
    )
    def test_settings_are_checked_first(self, tmp_path, settings, why):
        with pytest.raises(ConfigError, match=why):
            make_toy(tmp_path / "toy", **settings)
        assert not (tmp_path / "toy").exists()

    def test_without_opencv(self, tmp_path, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "cv2", None)
        with pytest.raises(MinetError, match="OpenCV does not load"):
            make_toy(tmp_path / "toy")
        assert not (tmp_path / "toy").exists()


class TestCommand:
    def test_makes_a_dataset(self, tmp_path, capsys):
        folder = tmp_path / "toy"
        assert run(["toy", str(folder), "--videos", "4", "--frames", "1", "--size", "96"]) == 0
        counts = "4 videos for training, 1 for validation, 1 frames each"
        assert capsys.readouterr() == (f"{folder}: {counts}\n", "")
        assert len(open_dataset(f"toy:{folder}", "train").videos) == 4

    @pytest.mark.parametrize("objects", ["2-1", "0", "x", "1-2-3", "101"])
    def test_numbers_of_objects_that_make_no_sense(self, tmp_path, capsys, objects):
        assert run(["toy", str(tmp_path / "toy"), "--objects", objects]) == 3
        assert "objects" in capsys.readouterr().err
        assert not (tmp_path / "toy").exists()

    def test_quiet(self, tmp_path, capsys):
        options = ["--objects", "1-2", "--videos", "1", "--frames", "1", "--size", "96", "--quiet"]
        assert run(["toy", str(tmp_path / "toy"), *options]) == 0
        assert capsys.readouterr() == ("", "")

    def test_one_line_for_a_mistake(self, tmp_path, capsys):
        (tmp_path / "a.txt").touch()
        assert run(["toy", str(tmp_path)]) == 5
        assert capsys.readouterr().err.count("\n") == 1
