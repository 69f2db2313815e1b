import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from stub_model import stub_model
from video_factory import grey_images, write_grey_video, write_picture

from minet_core.errors import AlreadyDoneError, InputError, MinetError, OutputError
from minet_core.formats import read_json
from minet_core.options import DetectOptions
from minet_core.runs import outputs, unfinished
from minet_core.runs.annotate import annotate
from minet_core.runs.manifest import ANNOTATED, OUTPUT_FILES, read_manifest
from minet_core.runs.summary import Summary
from minet_core.runs.unfinished import UNFINISHED, read_checkpoint
from minet_core.video import VideoReader

EMPTY = (0, 7, 8, 12)
"""Frames in which the stub sees nothing, so that there are gaps to remember."""


@pytest.fixture(autouse=True)
def borders_are_near(monkeypatch):
    monkeypatch.setattr(outputs, "BORDER", 5)


@pytest.fixture
def video(tmp_path):
    return write_grey_video(tmp_path / "video.mp4", 23, audio_seconds=0.9)


def run(source: Path, folder: Path, progress=None, **changes) -> Summary:
    options = DetectOptions(**{"checkpoint": 0.0, "trails": 8, **changes})
    return annotate(source, folder, stub_model(empty=EMPTY), options, progress)


def stop_at(frame: int, error: BaseException | None = None):
    """What ends a run after that frame."""

    def progress(found, _):
        if found.frame == frame:
            raise error or KeyboardInterrupt

    return progress


def stopped(source: Path, folder: Path, frame: int, **changes) -> Path:
    with pytest.raises(KeyboardInterrupt):
        run(source, folder, stop_at(frame), **changes)
    return folder


def assert_same(folder: Path, other: Path) -> None:
    """The same files with the same contents, and nothing else."""
    names = sorted(path.name for path in other.iterdir())
    assert sorted(path.name for path in folder.iterdir()) == names
    for name in names:
        if name == ANNOTATED:
            assert_same_video(folder / name, other / name)
        else:
            assert (folder / name).read_bytes() == (other / name).read_bytes(), name


def assert_same_video(path: Path, other: Path) -> None:
    with VideoReader(path) as reader, VideoReader(other) as others:
        assert reader.info.has_audio == others.info.has_audio
        for one, two in zip(reader, others, strict=True):
            assert (one.pts, one.time) == (two.pts, two.time)
            np.testing.assert_array_equal(one.image, two.image)


class Photographer:
    """Copies a folder before each change on the disk: what a kill at that moment would leave."""

    def __init__(self, folder: Path, album: Path, monkeypatch) -> None:
        self.folder, self.album, self.taken = folder, album, 0
        for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "rmdir")):
            monkeypatch.setattr(owner, name, self.before(getattr(owner, name)))

    def before(self, change):
        def photographed(*arguments, **options):
            if self.folder.exists():
                shutil.copytree(self.folder, self.album / f"{self.taken:04}")
                self.taken += 1
            return change(*arguments, **options)

        return photographed


@pytest.mark.parametrize("seed", range(2))
def test_run_killed_at_any_moment_ends_as_one_that_was_not(tmp_path, video, monkeypatch, seed):
    with monkeypatch.context() as patch:
        album = Photographer(tmp_path / "whole", tmp_path / "album", patch)
        run(video, tmp_path / "whole", lambda *_: None)
    moments = sorted(random.Random(seed).sample(range(album.taken), 8))
    assert album.taken > 50
    for moment in moments:
        photo = album.album / f"{moment:04}"
        shutil.copytree(photo, tmp_path / "again")
        try:
            run(video, tmp_path / "again", resume=True)
        except AlreadyDoneError:
            assert read_manifest(photo) or read_manifest(photo / UNFINISHED)
        leftover = tmp_path / "again" / UNFINISHED
        assert not leftover.exists() or [path.name for path in leftover.iterdir()] == ["lock"]
        shutil.rmtree(leftover, ignore_errors=True)
        assert_same(tmp_path / "again", tmp_path / "whole")
        shutil.rmtree(tmp_path / "again")


def test_run_killed_by_the_system_goes_on(tmp_path, video):
    code = f"""
import os, signal, sys
sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[1] / "helpers")]!r}
from pathlib import Path
import test_resume
test_resume.outputs.BORDER = 5
def kill(found, _):
    if found.frame == 17:
        os.kill(os.getpid(), signal.SIGKILL)
test_resume.run(Path({str(video)!r}), Path({str(tmp_path / "killed")!r}), kill)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert [path.name for path in (tmp_path / "killed").iterdir()] == [UNFINISHED]
    summary = run(video, tmp_path / "killed", resume=True)
    assert (summary.frames, summary.frames_before) == (23, 15)
    run(video, tmp_path / "whole")
    assert_same(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"stride": 2}, id="stride"),
        pytest.param({"start": 3, "end": 0.8}, id="part"),
        pytest.param({"start": 0.1, "max_frames": 12}, id="number of frames"),
        pytest.param({"memory": False}, id="without memory"),
        pytest.param({"video": False}, id="without video"),
        pytest.param({"formats": ("json",), "classes": ("car",)}, id="one format"),
        pytest.param({"preset": "paper"}, id="other memory"),
    ],
)
def test_any_settings_go_on(tmp_path, video, changes):
    stopped(video, tmp_path / "stopped", 16 if changes.get("stride") else 14, **changes)
    summary = run(video, tmp_path / "stopped", resume=True, **changes)
    assert summary.frames_before == (5 if changes.get("stride") else summary.frames_before) > 0
    run(video, tmp_path / "whole", **changes)
    assert_same(tmp_path / "stopped", tmp_path / "whole")


def test_pictures_go_on(tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    for i, image in enumerate(grey_images(12)):
        write_picture(frames / f"{i}.png", image)
    stopped(frames, tmp_path / "stopped", 8)
    assert run(frames, tmp_path / "stopped", resume=True).frames_before == 5
    run(frames, tmp_path / "whole")
    assert_same(tmp_path / "stopped", tmp_path / "whole")


def test_run_stopped_twice_goes_on(tmp_path, video):
    stopped(video, tmp_path / "stopped", 8)
    stopped(video, tmp_path / "stopped", 13, resume=True)
    assert run(video, tmp_path / "stopped", resume=True).frames_before == 10
    run(video, tmp_path / "whole")
    assert_same(tmp_path / "stopped", tmp_path / "whole")


def test_progress_and_summary_tell_what_was_done_before(tmp_path, video):
    folder, seen = stopped(video, tmp_path / "out", 12, fill=0), []
    summary = run(video, folder, lambda found, _: seen.append(found.frame), resume=True, fill=0)
    assert seen == list(range(10, 23))
    assert (summary.frames, summary.frames_before, summary.rows) == (23, 10, 38)
    assert summary.frames_per_second == pytest.approx(13 / summary.seconds)
    assert [tracklet.gaps for tracklet in summary.tracklets] == [[(7, 8), (12, 12)]] * 2


def test_checkpoints_come_when_it_is_time_for_them(tmp_path, video):
    stopped(video, tmp_path / "out", 12, checkpoint=3600.0)
    assert not (tmp_path / "out").exists()


class TestUnfinishedRun:
    def test_is_neither_dropped_nor_gone_on_with_unasked(self, tmp_path, video):
        folder = stopped(video, tmp_path / "out", 12)
        line = "has an unfinished run of 10 frames; --resume continues it, --overwrite starts over"
        with pytest.raises(OutputError, match=line):
            run(video, folder)
        assert read_checkpoint(folder / UNFINISHED).frames == 10

    def test_begins_anew_when_asked(self, tmp_path, video):
        folder = stopped(video, tmp_path / "out", 12)
        assert run(video, folder, overwrite=True).frames_before == 0
        assert not (folder / UNFINISHED).exists()

    def test_of_other_settings_is_dropped(self, tmp_path, video):
        folder = stopped(video, tmp_path / "out", 12)
        assert run(video, folder, resume=True, score=0.7).frames_before == 0
        assert read_json(folder / "result.json").header["settings"]["score"] == 0.7

    def test_of_another_version_is_dropped(self, tmp_path, video, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(unfinished, "__version__", "0.0.1")
            folder = stopped(video, tmp_path / "out", 12)
        assert run(video, folder, resume=True).frames_before == 0

    @pytest.mark.parametrize(
        ("name", "link"),
        [
            *[(name, True) for name in ("checkpoint.json", "memory-10.pt", "frames.bin")],
            *[(name, False) for name in ("memory-10.pt", "mot.txt", "pieces/000001.mp4")],
        ],
    )
    def test_that_is_damaged_is_dropped(self, tmp_path, video, name, *, link):
        folder = stopped(video, tmp_path / "out", 12, link=link)
        (folder / UNFINISHED / name).write_bytes(b"")
        assert run(video, folder, resume=True, link=link).frames_before == 0
        run(video, tmp_path / "whole", link=link)
        assert_same(folder, tmp_path / "whole")

    def test_replaces_results_only_when_it_is_complete(self, tmp_path, video):
        run(video, tmp_path / "out", score=0.7)
        stopped(video, tmp_path / "out", 12, overwrite=True)
        assert read_json(tmp_path / "out/result.json").header["settings"]["score"] == 0.7
        assert run(video, tmp_path / "out", overwrite=True, resume=True).frames_before == 10
        run(video, tmp_path / "whole")
        assert_same(tmp_path / "out", tmp_path / "whole")


class TestTwoRuns:
    @pytest.mark.parametrize("asked", [{"overwrite": True}, {"resume": True}, {}], ids=str)
    def test_one_folder_takes_one_at_a_time(self, tmp_path, video, asked):
        def other(found, _):
            if found.frame == 7:
                with pytest.raises(OutputError, match="out: another minet is writing there"):
                    run(video, tmp_path / "out", **asked)

        assert run(video, tmp_path / "out", other).frames == 23
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(OUTPUT_FILES)

    def test_second_one_finds_it_done(self, tmp_path, video):
        run(video, tmp_path / "out")
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
        with pytest.raises(AlreadyDoneError, match="has these results already"):
            run(video, tmp_path / "out")
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before


class TestSourceChanges:
    def vanish(self, video: Path, frame: int):
        return lambda found, _: video.unlink() if found.frame == frame else None

    @pytest.mark.parametrize("frame", [2, 21])
    def test_that_vanishes_leaves_nothing_half_written(self, tmp_path, video, frame):
        with pytest.raises(InputError, match=r"video\.mp4: vanished or changed while it was read"):
            run(video, tmp_path / "out", self.vanish(video, frame))
        there = [path.name for path in tmp_path.glob("out/*")]
        assert there == ([UNFINISHED] if frame > 5 else [])

    def test_between_two_runs_is_not_gone_on_with(self, tmp_path, video):
        folder = stopped(video, tmp_path / "out", 12)
        os.utime(video, ns=(0, 0))
        assert run(video, folder, resume=True).frames_before == 0


def full_disk(*_, **__):
    raise OSError(28, "No space left on device")


class TestDiskFull:
    @pytest.mark.parametrize("name", ["fsync", "mkdir"])
    def test_ends_in_one_line_and_leaves_nothing(self, tmp_path, video, monkeypatch, name):
        monkeypatch.setattr(os, name, full_disk)
        with pytest.raises(MinetError, match=r"(?i)no space left on device") as caught:
            run(video, tmp_path / "out")
        assert "\n" not in str(caught.value)
        assert list(tmp_path.iterdir()) == [video]

    def test_keeps_what_was_done_before(self, tmp_path, video, monkeypatch):
        def fill(found, _):
            if found.frame == 12:
                monkeypatch.setattr(os, "fsync", full_disk)

        with pytest.raises(OutputError, match="No space left on device"):
            run(video, tmp_path / "out", fill)
        monkeypatch.undo()
        monkeypatch.setattr(outputs, "BORDER", 5)
        assert [path.name for path in (tmp_path / "out").iterdir()] == [UNFINISHED]
        assert run(video, tmp_path / "out", resume=True).frames_before == 10
        run(video, tmp_path / "whole")
        assert_same(tmp_path / "out", tmp_path / "whole")
