"""From a video to a corrected dataset and back to a measure, by the commands that a user types."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from annotation_factory import INSTANCES, a_track, a_video, export
from video_factory import index_of, write_grey_video

from minet_cli.main import run
from minet_core.datasets import Dataset, make_toy, open_dataset
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.coco.reader import read_coco_vid
from minet_core.formats.from_dataset import from_dataset

FRAMES = 6


@pytest.fixture
def toy(tmp_path, monkeypatch) -> VideoAnnotations:
    """A toy video's pictures in `toy/`, and what is in them as a result of detection."""
    monkeypatch.chdir(tmp_path)
    make_toy(Path("made"), train=1, val=1, frames=FRAMES, size=96)
    (video,) = from_dataset(open_dataset("toy:made"))
    (Path("made/Data/VID/val") / video.name).rename("toy")
    video = replace(video, name="toy", source="toy")
    export(Path(), "json", video).rename("result.json")
    return video


def exported(source: str, to: str, out: str, *options: str) -> None:
    assert run(["export", source, "--to", to, "-o", out, "--quiet", *options]) == 0


def boxes_by_id(dataset: Dataset) -> list[dict[int | None, tuple[str, list[float]]]]:
    """Of each frame, track id → class and box by its edges."""
    (video,) = from_dataset(dataset)
    by_frame = dict(video.by_frame())
    return [
        {box.track: (box.label, list(box.box)) for box in by_frame.get(frame, [])}
        for frame in video.looked_at
    ]


def test_result_to_coco_vid_to_imagenet_vid(toy):
    exported("result.json", "coco-vid", "coco")
    exported(
        "coco/annotations/instances_train.json",
        "imagenet-vid",
        "vid",
        "--frames",
        "jpg",
        "--split",
        "val",
    )
    coco = open_dataset(f"coco-vid:coco/{INSTANCES}")
    vid = open_dataset("imagenet-vid:vid")
    wanted = [{b.track: (b.label, list(b.box)) for b in boxes} for _, boxes in toy.by_frame()]
    assert len(wanted) == FRAMES
    assert boxes_by_id(coco) == boxes_by_id(vid) == wanted
    pictures = dict(vid.videos[0].images())
    assert sorted(pictures) == list(range(FRAMES))
    assert vid.problems.lines() == []


@pytest.mark.parametrize("kind", ["coco-vid", "mot"])
def test_what_was_corrected_measures_what_was_predicted(toy, kind):
    """Half of the boxes of the prediction were moved away: half of them are found."""
    moved = [
        replace(track, boxes=track.boxes + (np.arange(len(track)) % 2 * 30)[:, None])
        for track in toy.tracks
    ]
    corrected = replace(toy, tracks=tuple(moved), width=toy.width + 99, height=toy.height + 99)
    export(Path(), "json", corrected).rename("corrected.json")
    exported("corrected.json", "coco-vid" if kind == "coco-vid" else "mot-gt", "truth")
    data = f"truth/{INSTANCES}" if kind == "coco-vid" else "truth"
    evaluate = ["eval", "--data", f"{kind}:{data}", "--tracking", "--quiet", "--overwrite"]
    assert run([*evaluate, "--results", "corrected.json"]) == 0
    assert accuracy() == pytest.approx(1)
    assert run([*evaluate, "--results", "result.json"]) == 0
    assert accuracy() < 0.5


def accuracy() -> float:
    (only,) = json.loads(Path("minet-eval/metrics.json").read_text())["variants"]
    return only["tracking"]["overall"]["mota"]


def test_stride_is_renumbered_with_its_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_grey_video(Path("clip.mp4"), 12)
    track = a_track(4, "dog", [2, 10], [[1, 2, 30, 40]] * 2)
    facts = {"name": "clip", "source": "clip.mp4", "width": 64, "height": 48, "frames": 12}
    export(Path(), "json", a_video(track, step=4, start=2, **facts)).rename("clip.json")
    exported("clip.json", "imagenet-vid", "vid", "--frames", "jpg")
    dataset = open_dataset("imagenet-vid:vid", "train")
    assert [index_of(image) for _, image in dataset.videos[0].images()] == [2, 6, 10]
    assert [sorted(boxes) for boxes in boxes_by_id(dataset)] == [[4], [], [4]]
    exported("clip.json", "coco-vid", "coco", "--frames", "png")
    dataset = open_dataset(f"coco-vid:coco/{INSTANCES}")
    assert [index_of(image) for _, image in dataset.videos[0].images()] == [2, 6, 10]
    (again,) = read_coco_vid(Path("coco") / INSTANCES)
    assert again.tracks[0].frames.tolist() == [2, 10]


def test_yolo_with_pictures_is_a_dataset_and_reads_back(toy):
    exported("result.json", "yolo", "yolo", "--frames", "png")
    dataset = open_dataset("yolo:yolo")
    assert len(dataset.videos) == FRAMES
    found = sum(len(video.frame(0)) for video in dataset.videos)
    assert found == toy.boxes
    exported("yolo", "csv", "rows")
    (rows,) = Path("rows").glob("*.csv")
    assert len(rows.read_text().splitlines()) == 1 + toy.boxes


def test_names_cannot_lead_out_of_the_output(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inside = tmp_path / "in/side"
    inside.mkdir(parents=True)
    track = a_track(1, "../../dog", [0])
    name = "../../../../../../../../tmp/../clip/ü%d"
    (inside / "result.json").write_text("{}")
    place = export(tmp_path, "coco-vid", a_video(track, name=name)) / INSTANCES
    before = sorted(path for path in tmp_path.rglob("*") if path.parent != inside)
    for kind in ("coco-vid", "ytvis", "yolo", "voc", "imagenet-vid", "mot", "json", "csv"):
        exported(str(place), kind, f"in/side/{kind}")
    assert sorted(p for p in tmp_path.rglob("*") if not p.is_relative_to(inside)) == [
        path for path in before if not path.is_relative_to(inside)
    ]
    dataset = open_dataset("imagenet-vid:in/side/imagenet-vid", "train")
    assert dataset.classes == ("../../dog",)


@pytest.mark.usefixtures("toy")
def test_frame_that_cannot_be_decoded_is_told(capsys):
    Path("toy/000002.JPEG").write_bytes(b"broken")
    exported("result.json", "coco-vid", "coco", "--frames", "jpg")
    assert "warning: frames that cannot be decoded, so that they have no picture: 1" in (
        capsys.readouterr().err
    )
    assert len(list(Path("coco/images").iterdir())) == FRAMES - 1
