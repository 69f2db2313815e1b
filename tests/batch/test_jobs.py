"""`minet detect --jobs`: several videos at once, in processes of their own."""

import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from batch_videos import contents, grey, without_weights, write_detector
from rich.console import Console
from video_factory import write_grey_video

from minet_cli.main import run
from minet_cli.showing import progress
from minet_cli.showing.progress_many import ManyLines, many_bars
from minet_core.batch.one_video import Position
from minet_core.batch.planning import Job, Size, longest_first
from minet_core.batch.sizing import PROCESS_BYTES, Machine, this_machine
from minet_core.options import DetectOptions
from minet_core.runs.unfinished import read_checkpoint

# When the detector sees frame 110, the checkpoint after frame 100 is written: few frames wait.
DIES_ONCE = """if not Path("died").exists():
        Path("died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
"""
# What a shell starts in the background has Ctrl-C switched off, and so has what that starts.
AT_A_TERMINAL = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from minet_cli.main import main
main()
"""
STOPS_ALL = """os.kill(os.getppid(), signal.SIGINT)
    os.read(told, 1)

told, tell = os.pipe()  # of any signal that this process gets
os.set_blocking(tell, False)
signal.set_wakeup_fd(tell)
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a detector, a long video and short ones, one of them none."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    grey(Path("in/long.mp4"), 112, height=40)
    grey(Path("in/short.mp4"), 3)
    Path("in/text.mp4").write_text("no video")
    write_detector("pass")
    return tmp_path


def detect(arguments: str) -> int:
    return run(["detect", "--model", "own.py:detect", "--checkpoint", "0", *shlex.split(arguments)])


@pytest.mark.usefixtures("place")
def test_a_killed_process_costs_nothing_and_results_are_those_of_one_job(capsys):
    assert detect("in -o alone --report --format json,cvat") == 1
    one = capsys.readouterr()
    write_detector(DIES_ONCE)
    assert detect("in -o many --report --format json,cvat --jobs 2") == 1
    many = capsys.readouterr()
    assert Path("died").exists()
    line = "minet: in/long.mp4: its process was killed (SIGKILL, as by the system when memory runs"
    assert line in many.err
    assert "in/long.mp4: resumes after 100 frames\n" in many.err
    assert "in/long.mp4: 112 frames, 100 of them by an earlier run, in" in many.out
    for err in (one.err, many.err):
        assert err.splitlines()[-1] == "minet: error: 1 of 3 inputs failed"
    assert many.err.count("in/text.mp4: not a video") == 1
    # The detector is another file, which may say the same.
    assert without_weights(contents("many")) == without_weights(contents("alone"))
    made = {"annotated.mp4", "result.json", "long.xml", "report.html", "minet.json"}
    assert {path.name for path in Path("many/long").iterdir()} >= made


def test_ctrl_c_ends_all_and_keeps_what_resume_needs(place):
    write_detector(STOPS_ALL)
    command = [sys.executable, "-c", AT_A_TERMINAL, "detect", "in/long.mp4", "in/short.mp4"]
    command += ["--model", "own.py:detect", "--checkpoint", "0", "--jobs", "2", "-o", "out"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=place)
    assert ended.returncode == 130
    assert re.search(r"^minet: interrupted; --resume ", ended.stderr, re.MULTILINE)
    assert "Traceback" not in ended.stderr
    assert list(Path("out/long").iterdir()) == [Path("out/long/.minet-unfinished")]
    assert read_checkpoint(Path("out/long/.minet-unfinished")).frames == 100


@pytest.mark.parametrize("count", ["0", "-1", "many", "1.5"])
@pytest.mark.usefixtures("place")
def test_number_of_jobs(capsys, count):
    assert detect(f"in --jobs {count}") == 3
    assert "is not a number of jobs: give 1 or more, or auto" in capsys.readouterr().err


@pytest.mark.usefixtures("place")
def test_standard_input_is_not_shared_out(capsys):
    assert detect("- in/short.mp4 --jobs 2") == 3
    assert "leave out --jobs" in capsys.readouterr().err


def job(source: Path | str, **options) -> Job:
    return Job(str(source), Path("out", Path(source).stem), DetectOptions(), **options)


def test_the_longest_begins_first(tmp_path):
    for frames in (5, 12, 8):
        write_grey_video(tmp_path / f"{frames}.mp4", frames)
    (tmp_path / "none.mp4").write_text("no video")
    jobs = [job(tmp_path / f"{name}.mp4") for name in (5, 12, "none", 8)]
    names = [Path(each.source).stem for each, _ in longest_first(jobs)]
    assert names == ["none", "12", "8", "5"]
    jobs[1] = job(tmp_path / "12.mp4", frames_before=10)
    entries = longest_first(jobs)
    assert [Path(each.source).stem for each, _ in entries] == ["none", "8", "5", "12"]
    assert entries[1][1] == Size(8, 64 * 48)


class TestMachine:
    def test_jobs_are_as_many_as_cores_memory_and_videos_allow(self):
        plenty = 100 * PROCESS_BYTES
        assert Machine(8, plenty).jobs(200) == 8
        assert Machine(8, plenty).jobs(3) == 3
        assert Machine(8, 3 * PROCESS_BYTES).jobs(200) == 3
        assert Machine(8, 3 * PROCESS_BYTES).jobs(200, pixels=3840 * 2160) == 1
        assert Machine(8, 1).jobs(200) == 1
        assert Machine(8, None).jobs(200) == 8

    def test_a_gpu_takes_one(self):
        assert Machine(64, None, gpus=2).jobs(200) == 2

    def test_threads_are_shared_out_unless_the_user_has_said_how_many(self):
        assert Machine(8, None).threads(2, {}) == 4
        assert Machine(8, None).threads(16, {}) == 1
        assert Machine(8, None).threads(2, {"OMP_NUM_THREADS": "3"}) == 3
        assert Machine(8, None).threads(2, {"OMP_NUM_THREADS": "x"}) == 4

    def test_this_one_has_something(self):
        machine = this_machine()
        assert 1 <= machine.cores <= (os.cpu_count() or 1)
        assert machine.memory is None or machine.memory > 0


class TestDisplay:
    LONG, SHORT = job("a [long] name that no column can hold.mp4"), job("b.mp4", frames_before=4)

    def test_lines_tell_of_all_videos_together(self, monkeypatch):
        monkeypatch.setattr(progress, "LEAST_SECONDS", 2.0)
        now, lines = [0.0], []
        entries = [(self.LONG, Size(30)), (self.SHORT, Size(10))]
        display = ManyLines(lines.append, entries, clock=lambda: now[0])
        for each, _ in entries:
            display.began(each)
        for frame in range(1, 7):
            now[0] += 1
            display.told(self.LONG, Position(frame, 30, 2))
            display.told(self.SHORT, Position(4 + frame, 10, 1))
        name = "a [long] name that no column can hold.mp4"
        head = "0 of 2 videos, 8 of 40 frames, 2.0 fps, 16 s left"
        assert lines[0] == f"{head}; {name} 7%, b.mp4 60%"
        display.ended(self.SHORT)
        for frame in range(7, 31):
            now[0] += 1
            display.told(self.LONG, Position(frame, 30, 2))
        assert lines[-1].startswith("1 of 2 videos, 40 of 40 frames, 1.2 fps, 0 s left; ")

    def test_without_lengths_no_end_is_promised(self, monkeypatch):
        monkeypatch.setattr(progress, "LEAST_SECONDS", 0.0)
        monkeypatch.setattr(progress, "MOST_SECONDS", 0.0)
        now, lines = [0.0], []
        display = ManyLines(lines.append, [(self.LONG, Size())], clock=lambda: now[0])
        display.began(self.LONG)
        now[0] = 2.0
        display.told(self.LONG, Position(3, None, 0))
        assert lines == [
            "0 of 1 video, 3 frames, 1.5 fps; a [long] name that no column can hold.mp4 3 frames"
        ]

    def test_bars_show_each_video_and_all_within_80_columns(self):
        screen = io.StringIO()
        console = Console(file=screen, force_terminal=True, width=80, color_system=None)
        with many_bars(console, [(self.LONG, Size(30)), (self.SHORT, Size(10))]) as display:
            display.began(self.LONG)
            display.began(self.SHORT)
            display.told(self.LONG, Position(15, 30, 7))
            display.told(self.SHORT, Position(9, 10, 1))
            display.ended(self.SHORT)
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue()).replace("\r", "\n")
        assert max(map(len, text.splitlines())) <= 80
        assert re.search(r"^a \[long\].* 15/30 \S+ fps 7 live", text, re.MULTILINE)
        assert re.search(r"^1 of 2 videos .* 24/39 ", text, re.MULTILINE)
        last = text.split("1 of 2 videos")[-1]
        assert "a [long]" in last
        assert "b.mp4" not in last
