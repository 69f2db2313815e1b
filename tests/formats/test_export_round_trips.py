"""What `minet export` writes as data sets reads back the same."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from annotation_factory import HEIGHT, INSTANCES, WIDTH, a_track, a_video, export, videos
from hypothesis import HealthCheck, given, settings

from minet_core.datasets import NO_TRACK, open_dataset
from minet_core.formats.annotations import Track, VideoAnnotations
from minet_core.formats.coco.reader import read_coco_vid
from minet_core.formats.from_dataset import from_dataset
from minet_core.formats.label_studio.writer import TASKS
from minet_core.formats.minet.reader import from_result
from minet_core.formats.mot.reader import LABEL, read_mot
from minet_core.formats.readers import file_of, read_annotations
from minet_core.formats.yolo.reader import read_yolo

SETS = ("coco-vid", "ytvis", "yolo", "voc", "imagenet-vid")
TABLES = ("mot", "json", "csv", "parquet")
PROPERTY = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read_json(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


def assert_same_tracks(found: Sequence[Track], wanted: Sequence[Track], *, pixels: float = 0.006):
    assert [(track.id, track.label) for track in found] == [(t.id, t.label) for t in wanted]
    for track, other in zip(found, wanted, strict=True):
        assert track.frames.tolist() == other.frames.tolist()
        np.testing.assert_allclose(track.boxes, other.boxes, rtol=0, atol=pixels)


def assert_same_flags(found: Sequence[Track], wanted: Sequence[Track]):
    for track, other in zip(found, wanted, strict=True):
        assert track.keyframes.tolist() == other.keyframes.tolist()
        assert track.occluded.tolist() == other.occluded.tolist()


def assert_same_scores(found: Sequence[Track], wanted: Sequence[Track]):
    for track, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(track.scores, other.scores, rtol=0, atol=1e-6)


def all_boxes(video: VideoAnnotations) -> list[tuple[int, str, tuple[float, ...]]]:
    """(frame, label, box), of tracks and of none."""
    return sorted(
        (frame, box.label, tuple(round(side, 1) for side in box.box))
        for frame, boxes in video.by_frame()
        for box in boxes
    )


class TestRoundTrips:
    @PROPERTY
    @given(video=videos())
    def test_coco_vid(self, tmp_path, video):
        (again,) = read_coco_vid(export(tmp_path, "coco-vid", video) / INSTANCES)
        assert_same_tracks(again.tracks, video.tracks)
        assert_same_flags(again.tracks, video.tracks)
        assert_same_scores(again.tracks, video.tracks)
        assert again.loose.labels == video.loose.labels
        np.testing.assert_allclose(again.loose.boxes, video.loose.boxes, atol=0.006)
        assert again.looked_at == video.looked_at
        facts = ("name", "source", "width", "height", "frames", "frame_rate", "classes")
        assert [getattr(again, fact) for fact in facts] == [getattr(video, fact) for fact in facts]

    @PROPERTY
    @given(video=videos())
    def test_coco_vid_opens_as_a_dataset(self, tmp_path, video):
        place = export(tmp_path, "coco-vid", video) / INSTANCES
        (truth,) = open_dataset(f"coco-vid:{place}").videos
        boxes = dict(video.by_frame())
        assert len(truth) == len(video.looked_at)
        for number, frame in enumerate(video.looked_at):
            wanted = [NO_TRACK if box.track is None else box.track for box in boxes.get(frame, [])]
            assert truth.frame(number).track_ids.tolist() == wanted

    @PROPERTY
    @given(video=videos())
    def test_imagenet_vid(self, tmp_path, video):
        place = export(tmp_path, "imagenet-vid", video)
        dataset = open_dataset(f"imagenet-vid:{place}", "train")
        (again,) = from_dataset(dataset)
        assert dataset.problems.lines() == []
        assert dataset.classes == video.classes
        frames = list(video.looked_at)
        renumbered = [
            replace(track, frames=np.array([frames.index(frame) for frame in track.frames]))
            for track in video.tracks
        ]
        assert_same_tracks(again.tracks, renumbered, pixels=0.5)
        assert_same_flags(again.tracks, video.tracks)
        assert len(again.loose) == len(video.loose)
        assert len(again.looked_at) == len(frames)

    @PROPERTY
    @given(video=videos())
    def test_mot(self, tmp_path, video):
        (again,) = read_mot(export(tmp_path, "mot", video))
        assert_same_tracks(again.tracks, [replace(track, label=LABEL) for track in video.tracks])
        assert_same_scores(again.tracks, video.tracks)
        assert len(again.loose) == 0

    @PROPERTY
    @given(video=videos())
    def test_mot_gt(self, tmp_path, video):
        (again,) = read_mot(export(tmp_path, "mot-gt", video) / "gt/gt.txt")
        # With a stride it counts the frames that were looked at, else all of them.
        first = 0 if video.step == 1 else video.start
        numbers = [(track.frames - first) // video.step for track in video.tracks]
        renumbered = [
            replace(track, frames=frames)
            for track, frames in zip(video.tracks, numbers, strict=True)
        ]
        assert_same_tracks(again.tracks, renumbered)
        for track, other in zip(again.tracks, video.tracks, strict=True):
            assert track.occluded.tolist() == other.occluded.tolist()
        assert again.loose.labels == video.loose.labels
        assert again.classes == video.classes

    @PROPERTY
    @given(video=videos())
    def test_result(self, tmp_path, video):
        again = from_result(export(tmp_path, "json", video))
        assert_same_tracks(again.tracks, video.tracks)
        assert_same_scores(again.tracks, video.tracks)
        assert all_boxes(again) == all_boxes(video)
        assert again.looked_at == video.looked_at

    @PROPERTY
    @given(video=videos())
    def test_yolo(self, tmp_path, video):
        (again,) = read_yolo(export(tmp_path, "yolo", video), lambda _: (WIDTH, HEIGHT))
        assert again.tracks == ()
        assert [box[:2] for box in all_boxes(again)] == [box[:2] for box in all_boxes(video)]
        found = np.sort(again.loose.boxes.sum(axis=1))
        wanted = [sum(box.box) for _, boxes in video.by_frame() for box in boxes]
        np.testing.assert_allclose(found, np.sort(wanted), atol=0.001)
        assert again.looked_at == video.looked_at

    @pytest.mark.parametrize("name", [*SETS, *TABLES])
    def test_video_without_a_box(self, tmp_path, name):
        export(tmp_path, name, a_video(classes=("dog",)))


TRACKED = {
    "cvat": 0.006,
    "label-studio": 0.01,
    "coco-vid": 0.006,
    "mot": 0.006,
    "mot-gt": 0.006,
    "json": 0.006,
    "imagenet-vid": 0.5,
}
"""Formats that hold tracks and are read, with their precision in pixels."""


WIDE = (10.25, 20.5, 400.75, 60.0)


def read_back(folder: Path, name: str, video: VideoAnnotations) -> VideoAnnotations:
    """What is read of an export, and told by its content to be what it is."""
    place = export(folder, name, video)
    if name == "imagenet-vid":
        (again,) = from_dataset(open_dataset(f"imagenet-vid:{place}", "train"))
    elif name == "label-studio":
        (again,) = read_annotations(place / TASKS)
    elif name == "mot":
        (again,) = read_mot(place)  # without a row nothing in it tells what it is
    else:
        path = file_of(place) if place.is_dir() else place
        assert path is not None
        (again,) = read_annotations(path)
    return again


@pytest.mark.parametrize("name", TRACKED)
class TestEveryCase:
    """What trackers and people make of tracks, in each format that holds them."""

    @pytest.mark.parametrize(
        "tracks",
        [
            pytest.param([], id="no track"),
            pytest.param([(1, "dog", [2, 3, 7, 8, 15])], id="gaps"),
            pytest.param([(1, "dog", [5])], id="one frame"),
            pytest.param([(1, "dog", [0])], id="first frame"),
            pytest.param([(1, "dog", [19])], id="last frame alone"),
            pytest.param([(1, "dog", [17, 18, 19])], id="to the last frame"),
            pytest.param([(1, "Hündin 犬", [0, 1]), (2, "собака 🐕", [1])], id="unicode"),
            pytest.param([(2, "dog", [0]), (5, "dog", [0]), (900, "dog", [1])], id="holes in ids"),
        ],
    )
    def test_reads_back(self, tmp_path, name, tracks):
        wanted = [
            a_track(number, LABEL if name == "mot" else label, frames, [WIDE] * len(frames))
            for number, label, frames in tracks
        ]
        classes = {} if wanted else {"classes": ("dog",)}
        again = read_back(tmp_path, name, a_video(*wanted, **classes))
        assert_same_tracks(again.tracks, wanted, pixels=TRACKED[name])

    def test_ten_thousand_tracks(self, tmp_path, name):
        label = LABEL if name == "mot" else "dog"
        tracks = [a_track(number, label, [number % 20]) for number in range(1, 10_001)]
        again = read_back(tmp_path, name, a_video(*tracks))
        assert_same_tracks(again.tracks, tracks, pixels=TRACKED[name])
