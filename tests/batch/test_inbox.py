"""`minet detect --watch`: a folder whose videos are done as they arrive."""

import shlex
from pathlib import Path

import batch_tasks
import pytest
from stub_model import stub_model
from video_factory import write_grey_video

from minet_cli.main import run
from minet_core.batch import engines, inbox
from minet_core.batch.inbox import PAUSE, SETTLED, Inbox
from minet_core.batch.process import Work
from minet_core.errors import InputError
from minet_core.options import DetectOptions
from minet_core.runs.annotate import annotate


class Watched:
    """An inbox whose clock goes on when it is told to."""

    def __init__(self, folder: Path, options: DetectOptions | None = None) -> None:
        self.now, self.done, self.failed = 0.0, [], []
        self.jobs = iter(
            Inbox(
                folder / "in",
                folder / "out",
                options or DetectOptions(resume=True, model="stub"),
                done=self.done.append,
                failed=lambda source, error: self.failed.append((source, str(error))),
                clock=lambda: self.now,
            )
        )

    def after(self, seconds: float) -> list[str]:
        """Files that are handed out by so many seconds from now."""
        given = []
        for _ in range(round(seconds / PAUSE)):
            self.now += PAUSE
            while (job := next(self.jobs)) is not None:
                given.append(f"{Path(job.source).name} {job.folder.name}")
        return given


@pytest.fixture(autouse=True)
def any_model(monkeypatch):
    monkeypatch.setattr("minet_core.runs.manifest.weights_of", lambda _: {})


@pytest.fixture
def place(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path


LONG = 3 * SETTLED


def test_a_file_is_taken_once_it_has_not_changed_for_a_while(place):
    watched, file = Watched(place), place / "in/a.mp4"
    assert watched.after(LONG) == []
    content = write_grey_video(place / "whole.mp4").read_bytes()
    for end in range(1, 6):  # as a slow copy writes it
        file.write_bytes(content[: len(content) * end // 5])
        assert watched.after(SETTLED - PAUSE) == []
    assert watched.after(3 * PAUSE) == ["a.mp4 a"]
    assert watched.after(LONG) == []


def test_what_is_no_video_yet_is_left_alone(place):
    (place / "in/sub").mkdir()
    for name in ("a.mp4.part", "notes.txt", ".b.mp4", "sub/c.mp4"):
        (place / "in" / name).write_text("x")
    (place / "in/empty.mp4").touch()
    (place / "in/folder.mp4").mkdir()
    assert Watched(place).after(LONG) == []


def test_the_oldest_come_first_and_each_once(place):
    import os

    for age, name in enumerate(("new", "older", "oldest")):
        os.utime(write_grey_video(place / f"in/{name}.mp4", 2), ns=(0, 10**9 * (9 - age)))
    watched = Watched(place)
    assert watched.after(LONG) == ["oldest.mp4 oldest", "older.mp4 older", "new.mp4 new"]


def test_a_file_that_changes_later_is_taken_again(place):
    file = place / "in/a.mp4"
    file.write_text("cut short")
    watched = Watched(place)
    assert watched.after(LONG) == ["a.mp4 a"]
    write_grey_video(file)
    assert watched.after(LONG) == ["a.mp4 a"]


def test_a_restart_does_the_rest_in_the_same_folders(place):
    for name in ("a.mp4", "a.avi"):
        write_grey_video(place / "in" / name, 3)
    options = DetectOptions(resume=True, model="stub", formats=("csv",), video=False)
    annotate(place / "in/a.avi", place / "out/a", stub_model(), options)
    again = Watched(place, options)
    assert again.after(LONG) == ["a.mp4 a.mp4"]
    assert [Path(job.source).name for job in again.done] == ["a.avi"]


def test_results_that_may_not_be_replaced_are_a_line_and_stop_nobody(place):
    for name in ("a", "b"):
        write_grey_video(place / f"in/{name}.mp4", 2)
    (place / "out/a").mkdir(parents=True)
    (place / "out/a/mot.txt").write_text("precious")
    watched = Watched(place)
    assert watched.after(LONG) == ["b.mp4 b"]
    ((source, line),) = watched.failed
    assert source.endswith("a.mp4")
    assert "already has results (mot.txt)" in line


def test_a_folder_may_go_away_for_a_time_but_has_to_be_there_at_first(place):
    watched = Watched(place)
    (place / "in").rename(place / "away")
    assert watched.after(LONG) == []
    (place / "away").rename(place / "in")
    write_grey_video(place / "in/a.mp4", 2)
    assert watched.after(LONG) == ["a.mp4 a"]
    with pytest.raises(InputError, match="nowhere/in: no such folder"):
        Watched(place / "nowhere")


def detect(arguments: str) -> int:
    return run(["detect", *shlex.split(arguments)])


class TestCommand:
    @pytest.fixture(autouse=True)
    def quickly(self, place, monkeypatch):
        """Files count as complete at once, and processes have nothing to do with them."""
        monkeypatch.chdir(place)
        monkeypatch.setattr(inbox, "SETTLED", 0.0)
        monkeypatch.setattr(inbox, "PAUSE", 0.0)
        monkeypatch.setattr(engines, "PAUSE", 0.0)
        monkeypatch.setattr(engines, "work", lambda *_: Work(batch_tasks.nothing_to_say))

    def test_it_goes_on_until_ctrl_c(self, monkeypatch, capsys):
        for name in ("a", "b"):
            write_grey_video(Path("in") / f"{name}.mp4", 2)
        told = []

        def done_already(_, source, folder):
            told.append((source, str(folder)))
            if len(told) == 2:
                raise KeyboardInterrupt

        monkeypatch.setattr("minet_cli.showing.detect_report.Reporter.done_already", done_already)
        assert detect("--watch in -o out --jobs 2") == 130
        assert sorted(told) == [("in/a.mp4", "out/a"), ("in/b.mp4", "out/b")]
        lines = capsys.readouterr().err.splitlines()
        assert lines[:2] == ["minet: watching in, Ctrl-C stops", "minet: jobs at once: 2"]
        assert lines[-1] == "minet: interrupted; the same command continues"

    @pytest.mark.parametrize(
        ("arguments", "code", "line"),
        [
            ("--watch in a.mp4", 2, "--watch excludes INPUT"),
            ("--watch in --overwrite", 3, "--watch excludes --overwrite"),
            ("--watch in --first-boxes b.json", 3, "--watch is for many videos"),
            ("--watch in --model minet-nana", 3, "did you mean 'minet-nano'?"),
            ("--watch nowhere", 2, "nowhere: no such folder"),
        ],
    )
    def test_mistakes_are_told_at_once(self, capsys, arguments, code, line):
        assert detect(arguments) == code
        assert line in capsys.readouterr().err
