"""YOLO labels of other programs, read for `minet export`: which frame and which track a row is."""

from pathlib import Path

import numpy as np
import pytest
from video_factory import write_picture

from minet_cli.main import run
from minet_core.errors import InputError
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.readers import file_of, kind_of, read_annotations
from minet_core.formats.yolo.reader import read_yolo

BOX = "0 0.5 0.5 0.25 0.5"
"""Of a picture of 80×40: 30, 10, 50, 30."""


def write(folder: Path, **files: str) -> Path:
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    (folder / "classes.txt").write_text("dog\n")
    for name, text in files.items():
        (folder / f"labels/{name}.txt").write_text(text)
    return folder


def read(folder: Path) -> list[VideoAnnotations]:
    return read_yolo(folder, lambda _: (80, 40))


class TestTracker:
    def test_rows_with_ids_become_tracks_and_frames_count_from_1(self, tmp_path):
        rows = f"{BOX} 0.9 4\n0 0.1 0.5 0.1 0.1 0.5\n", f"{BOX} 0.75 4\n{BOX} 0.5 2\n"
        (video,) = read(write(tmp_path, street_3=rows[0], street_10=rows[1]))
        assert (video.name, list(video.looked_at)) == ("street", list(range(10)))
        assert [(t.id, t.frames.tolist(), t.scores.tolist()) for t in video.tracks] == [
            (2, [9], [0.5]),
            (4, [2, 9], [0.9, 0.75]),
        ]
        assert video.tracks[0].boxes.tolist() == [[30, 10, 50, 30]]
        assert (video.loose.frames.tolist(), video.loose.scores.tolist()) == ([2], [0.5])
        assert video.notes == (
            "its files count from 1, as Ultralytics does: street_3.txt is frame 2",
        )

    def test_zeros_in_front_or_a_zero_count_from_0(self, tmp_path):
        """As CVAT writes tracks, and minet itself boxes."""
        (video,) = read(write(tmp_path / "a", frame_000001=f"{BOX} 3\n", frame_000002=f"{BOX} 3\n"))
        assert (video.name, video.tracks[0].frames.tolist()) == ("a", [1, 2])
        assert video.notes == ("the sixth column of its rows is read as a track's id",)
        (video,) = read(write(tmp_path / "b", street_0=f"{BOX} 0.5 1\n", street_1=f"{BOX} 0.5 1\n"))
        assert video.tracks[0].frames.tolist() == [0, 1]
        (video,) = read(write(tmp_path / "c", street_100000=BOX))
        assert video.loose.frames.tolist() == [100_000]

    def test_pictures_beside_them_keep_their_numbers(self, tmp_path):
        (tmp_path / "images").mkdir()
        write_picture(tmp_path / "images/street_7.png", np.zeros((40, 80, 3), np.uint8))
        (video,) = read(write(tmp_path, street_7=BOX))
        assert (video.loose.frames.tolist(), video.notes) == ([7], ())

    def test_pictures_of_several_sizes_are_a_video_each(self, tmp_path):
        (tmp_path / "images").mkdir()
        for number, width in {1: 80, 2: 40}.items():
            picture = tmp_path / f"images/00{number}.png"
            write_picture(picture, np.zeros((40, width, 3), np.uint8))
        found = {video.name: video for video in read(write(tmp_path, **{"001": BOX, "002": BOX}))}
        assert {name: video.width for name, video in found.items()} == {"001": 80, "002": 40}
        assert found["002"].loose.boxes.tolist() == [[15, 10, 25, 30]]

    def test_outlines_and_keypoints_are_told(self, tmp_path):
        write(tmp_path, a_0="0 0.25 0.25 0.75 0.25 0.75 0.75\n")
        (video,) = read(tmp_path)
        assert video.loose.boxes.tolist() == [[20, 10, 60, 30]]
        assert video.notes == (
            "outlines (polygons, turned boxes), read as the boxes around them: 1",
        )
        (tmp_path / "data.yaml").write_text("names: [dog]\nkpt_shape: [1, 3]\n")
        (tmp_path / "labels/a_0.txt").write_text(f"{BOX} 0.5 0.5 2\n")
        (video,) = read(tmp_path)
        assert video.loose.boxes.tolist() == [[30, 10, 50, 30]]
        assert video.notes == ("keypoints are left out, of boxes: 1",)

    def test_the_command(self, tmp_path, capsys):
        write(tmp_path / "track", street_1=f"{BOX} 0.9 1\n", street_2=f"{BOX} 0.9 1\n")
        picture = tmp_path / "street"
        picture.mkdir()
        write_picture(picture / "0.png", np.zeros((40, 80, 3), np.uint8))
        out = tmp_path / "out.csv"
        assert (
            run(
                [
                    "export",
                    str(tmp_path / "track"),
                    "--to",
                    "csv",
                    "-o",
                    str(out),
                    "--video",
                    str(picture),
                ]
            )
            == 0
        )
        assert "street: its files count from 1" in capsys.readouterr().err
        lines = [line.split(",") for line in out.read_text().splitlines()[1:]]
        assert [(line[1], line[4], line[7]) for line in lines] == [
            ("0", "1", "0.9"),
            ("1", "1", "0.9"),
        ]
        (tmp_path / "track/labels/street_2.txt").write_text(f"{BOX} 0.9 1\n{BOX} 0.9 1 8\n")
        assert (
            run(["export", str(tmp_path / "track"), "--to", "csv", "-o", str(out), "--overwrite"])
            == 2
        )
        assert "labels/street_2.txt, line 2: 8 columns" in capsys.readouterr().err


class TestFolders:
    def test_roboflow(self, tmp_path):
        """Its names end in a hash, and its folders are parts first."""
        for part, number in {"train": 3, "valid": 12}.items():
            name = f"street-{number:04d}_jpg.rf.0123456789abcdef0123456789abcd{number}"
            (tmp_path / part / "labels").mkdir(parents=True)
            (tmp_path / part / f"labels/{name}.txt").write_text(BOX)
        (tmp_path / "README.roboflow.txt").write_text("Exported by Roboflow")
        (tmp_path / "data.yaml").write_text(
            "train: ../train/images\nval: ../valid/images\nnames: ['dog']\n"
        )
        assert file_of(tmp_path) == tmp_path
        (video,) = read(tmp_path)
        assert (video.name, video.loose.frames.tolist()) == ("street", [3, 12])
        (tmp_path / "train/labels/street-0003_jpg.rf.ff.txt").write_text(BOX)
        with pytest.raises(InputError, match=r"frame 3 .* occurs twice.*without augmentation"):
            read(tmp_path)

    def test_a_yaml_names_folders_elsewhere(self, tmp_path):
        write(tmp_path / "data/far", a_000001=BOX)
        config = tmp_path / "pets.yaml"
        config.write_text("path: data/far\ntrain: images\nnames:\n  0: hound\n")
        (tmp_path / "data/far/classes.txt").unlink()
        assert kind_of(config) == "yolo"
        (tmp_path / "data/far/images").mkdir()
        write_picture(tmp_path / "data/far/images/a_000001.png", np.zeros((40, 80, 3), np.uint8))
        (video,) = read_annotations(config)
        assert (video.name, video.loose.labels, video.loose.frames.tolist()) == (
            "a",
            ("hound",),
            [1],
        )
        assert file_of(tmp_path) == tmp_path
        (video,) = read_annotations(tmp_path)
        assert video.loose.frames.tolist() == [1]
