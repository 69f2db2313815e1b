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
from minet_core.formats.coco_vid_reader import read_coco_vid
from minet_core.formats.from_dataset import from_dataset
from minet_core.formats.from_result import from_result
from minet_core.formats.mot_reader import LABEL, read_mot
from minet_core.formats.yolo_reader import read_yolo

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

    def test_ten_thousand_tracks(self, tmp_path):
        tracks = [a_track(number, "dog", [number % 20]) for number in range(1, 10_001)]
        video = a_video(*tracks)
        (again,) = read_coco_vid(export(tmp_path, "coco-vid", video) / INSTANCES)
        assert_same_tracks(again.tracks, tracks)
        (again,) = read_mot(export(tmp_path, "mot", video))
        assert len(again.tracks) == 10_000
        place = export(tmp_path, "imagenet-vid", video)
        (again,) = from_dataset(open_dataset(f"imagenet-vid:{place}", "train"))
        assert len(again.tracks) == 10_000

    @pytest.mark.parametrize("name", [*SETS, *TABLES])
    def test_video_without_a_box(self, tmp_path, name):
        export(tmp_path, name, a_video(classes=("dog",)))
