import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from stub_model import stub_model
from video_factory import grey_images, write_grey_video

import minet_core
from minet_core import DetectOptions, VideoDetector, VideoResult, iterate_video
from minet_core.errors import ConfigError, InputError

ROOT = Path(__file__).parents[2]


def detect(detector: VideoDetector, count=5, start=0):
    return [detector.detect(image) for image in grey_images(start + count)[start:]]


def test_detector_takes_frames_one_at_a_time(model):
    found = detect(VideoDetector(model))
    assert [frame.frame for frame in found] == [0, 1, 2, 3, 4]
    assert [frame.labels for frame in found] == [["person", "car"]] * 5
    assert [frame.track_ids.tolist() for frame in found] == [[-1, -1], [1, -1]] + [[1, 2]] * 3
    assert [frame.time for frame in found] == pytest.approx([i / 30 for i in range(5)])


def test_detector_uses_the_time_it_is_told(model):
    detector, images = VideoDetector(model), grey_images(9)
    for i, image in enumerate(images[:6]):
        detector.detect(image, time=5.0 + i / 10)
    found = detector.detect(images[6], time=65.0)
    assert found.time == 65.0
    # What was there in the last frame is never too old, however long the pause.
    assert found.track_ids.tolist() == [1, 2]


def test_reset_forgets_ids_and_counts_from_zero(model):
    detector = VideoDetector(model)
    detect(detector)
    detector.reset()
    found = detect(detector, 3)
    assert (found[0].frame, found[2].track_ids.tolist()) == (0, [1, 2])


def test_options_apply(model):
    cars = VideoDetector(model, DetectOptions(classes=("car",), memory=False))
    (found,) = detect(cars, 1)
    assert (found.labels, found.tracked) == (["car"], 0)
    with pytest.raises(ConfigError, match="no class 'cat'; did you mean 'car'"):
        VideoDetector(model, DetectOptions(classes=("cat",)))


@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param(lambda image: image[..., ::-1], id="reversed channels"),
        pytest.param(lambda image: np.asfortranarray(image), id="column order"),
        pytest.param(lambda image: np.frombuffer(image.tobytes(), np.uint8).reshape(image.shape)),
    ],
)
def test_any_array_of_pixels_will_do(prepare):
    class Strict:
        """Takes only what every network takes."""

        classes, score_kind = stub_model().detector.classes, stub_model().detector.score_kind

        def detect(self, frames):
            assert frames[0].flags.c_contiguous
            assert frames[0].flags.writeable
            return stub_model().detector.detect(frames)

    model = minet_core.Model("strict", Strict(), stub_model().embedder)
    assert len(VideoDetector(model).detect(prepare(grey_images(1)[0]))) == 2


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(np.zeros((8, 8), np.uint8), id="grey"),
        pytest.param(np.zeros((8, 8, 4), np.uint8), id="alpha"),
        pytest.param(np.zeros((8, 8, 3), np.float32), id="floats"),
        pytest.param(np.zeros((0, 8, 3), np.uint8), id="empty"),
    ],
)
def test_other_arrays_are_refused(model, frame):
    detector = VideoDetector(model)
    with pytest.raises(ValueError, match=r"\(height, width, 3\) uint8"):
        detector.detect(frame)
    assert detector.detect(grey_images(1)[0]).frame == 0


def test_video_is_iterated_with_its_frames(clip, model):
    pairs = list(iterate_video(clip, VideoDetector(model), start=4, stride=2))
    assert [(frame.index, found.frame) for frame, found in pairs] == [(4, 4), (6, 6), (8, 8)]
    assert all(frame.time == found.time for frame, found in pairs)
    result = VideoResult([found for _, found in pairs])
    assert [(t.id, t.boxes, t.gaps) for t in result.tracklets()] == [(1, 2, []), (2, 1, [])]


def test_each_video_begins_anew(clip, model):
    detector = VideoDetector(model)
    for _ in range(2):
        ids = [found.track_ids.tolist() for _, found in iterate_video(clip, detector)]
        assert ids == [[-1, -1], [1, -1]] + [[1, 2]] * 8


def test_source_that_is_missing_is_said(tmp_path, model):
    with pytest.raises(InputError, match="no such file"):
        next(iterate_video(tmp_path / "no.mp4", VideoDetector(model)))


@pytest.mark.parametrize("name", minet_core.__all__)
def test_public_names_are_there(name):
    assert getattr(minet_core, name) is not None


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'detect'"):
        minet_core.detect  # noqa: B018


def test_importing_minet_core_costs_nothing():
    code = "import sys, minet_core; sys.exit(bool({'torch', 'numpy'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestWhatTheDocumentsShow:
    """With the bundled model, on a video of three grey frames."""

    @pytest.fixture(autouse=True)
    def street(self, tmp_path, monkeypatch):
        write_grey_video(tmp_path / "street.mp4", 3)
        monkeypatch.chdir(tmp_path)

    def test_package_docstring(self):
        code = minet_core.__doc__.split("\n\n    ", 1)[1].rsplit("\n\n", 1)[0]
        exec("\n".join(line.removeprefix("    ") for line in code.splitlines()), {})

    @pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.stem)
    def test_example(self, path, monkeypatch, capsys):
        monkeypatch.setattr(sys, "argv", [str(path), "street.mp4"])
        runpy.run_path(str(path), run_name="__main__")
        assert capsys.readouterr().out
