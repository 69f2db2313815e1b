"""Several frames in one call of the networks: the same results, in fewer calls."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from coloured_squares import colour_model, write_pictures
from nanodet_golden import picture
from stub_model import StubDetector, stub_model
from video_factory import write_grey_video

from minet_core.errors import ConfigError
from minet_core.models.batches import features_of
from minet_core.models.detector import BaseDetections, Frame
from minet_core.models.zoo import load_model
from minet_core.options import DetectOptions
from minet_core.runs import outputs
from minet_core.runs.annotate import annotate

FRAMES = 23


class Counting(StubDetector):
    """Notes how many frames it is asked about at once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.calls: list[int] = []

    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        self.calls.append(len(frames))
        return super().detect(frames)


@pytest.fixture
def video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(outputs, "BORDER", 5)
    return write_grey_video(tmp_path / "video.mp4", FRAMES)


def looked(source: Path, folder: Path, progress: Any = None, **changes: Any) -> list[int]:
    """Run, and say how many frames each call had."""
    detector = Counting(empty=(0, 7, 8))
    options = DetectOptions(**{"checkpoint": 0.0, "video": False, **changes})
    annotate(source, folder, replace(stub_model(), detector=detector), options, progress)
    return detector.calls


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("batch", "part", "calls"),
    [
        (4, {}, [4, 4, 4, 4, 4, 3]),
        (100, {}, [FRAMES]),
        (4, {"stride": 3, "start": 2}, [4, 3]),
        (4, {"max_frames": 4}, [4]),
        (4, {"memory": False}, [4, 4, 4, 4, 4, 3]),
    ],
)
def test_results_are_the_same(
    batch: int, part: dict[str, Any], calls: list[int], video: Path, tmp_path: Path
) -> None:
    assert set(looked(video, tmp_path / "one", **part)) == {1}
    assert looked(video, tmp_path / "many", batch=batch, **part) == calls
    assert files(tmp_path / "many") == files(tmp_path / "one")


def test_a_stopped_run_goes_on(video: Path, tmp_path: Path) -> None:
    def stop(found: Any, _: Any) -> None:
        if found.frame == 13:
            raise KeyboardInterrupt

    looked(video, tmp_path / "one")
    with pytest.raises(KeyboardInterrupt):
        looked(video, tmp_path / "many", stop, batch=8)
    assert looked(video, tmp_path / "many", batch=8, resume=True) == [8, 5]
    assert files(tmp_path / "many") == files(tmp_path / "one")


def test_boxes_of_a_file_are_taken_frame_by_frame(video: Path, tmp_path: Path) -> None:
    given = tmp_path / "det.txt"
    given.write_text("".join(f"{frame + 1},-1,4,8,12,32,0.9\n" for frame in range(FRAMES)))
    for name, batch in (("one", 1), ("many", 4)):
        assert not looked(video, tmp_path / name, batch=batch, detections=str(given))
    assert files(tmp_path / "many") == files(tmp_path / "one")


def test_objects_that_are_prompted_are_followed_alike(tmp_path: Path) -> None:
    pictures = write_pictures(tmp_path / "pictures")
    given = tmp_path / "prompts.json"
    given.write_text('[{"frame": 8, "id": 7, "x1": 36, "y1": 30, "x2": 56, "y2": 50}]')
    for name, batch in (("one", 1), ("many", 5)):
        options = DetectOptions(prompts=str(given), video=False, batch=batch)
        annotate(pictures, tmp_path / name, colour_model(), options)
    assert files(tmp_path / "many") == files(tmp_path / "one")


def test_a_model_that_looks_at_neighbours_is_refused(video: Path, tmp_path: Path) -> None:
    class Aggregating(StubDetector):
        window = (1, 1)

        def surround(self, *_: Any) -> None:
            """Nothing to keep."""

    model = replace(stub_model(), detector=Aggregating())
    with pytest.raises(ConfigError, match="does not go with --batch"):
        annotate(video, tmp_path / "out", model, DetectOptions(batch=2))


def test_a_batch_has_a_frame() -> None:
    with pytest.raises(ConfigError, match="1 frame or more, not 0"):
        DetectOptions(batch=0)


def test_the_bundled_networks_see_each_frame_as_if_it_were_alone() -> None:
    model = load_model(device="cpu")
    scene = picture()
    frames = [scene, np.ascontiguousarray(scene[:, ::-1]), np.ascontiguousarray(scene[:200, :300])]
    found = zip(model.detector.detect(frames), features_of(model.embedder, frames), strict=True)
    for frame, (ours, features) in zip(frames, found, strict=True):
        alone = model.detector.detect([frame])[0]
        torch.testing.assert_close(ours.boxes, alone.boxes, atol=1e-3, rtol=0)
        torch.testing.assert_close(ours.scores, alone.scores, atol=1e-4, rtol=0)
        own = model.embedder.features(frame)
        assert features.stride == own.stride
        torch.testing.assert_close(features.values, own.values, atol=1e-4, rtol=0)
