import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from eval_data import CAR, FRAMES, mot_line, write_sequence
from stub_model import StubDetector, StubEmbedder

import minet_core
from minet_cli.main import run
from minet_core.evaluation.predictions.prediction_files import FOLDER
from minet_core.models.zoo import Model

HELPERS = Path(__file__).parents[1] / "helpers"
VIDEOS = ("a", "b", "c")
ASKED = "--data mot:data --tracking --quiet"


class StoppedError(RuntimeError):
    """What ends a run."""


class CountingDetector(StubDetector):
    """Counts the frames it is asked about, and fails at one of them."""

    def __init__(self, last: int | None = None) -> None:
        super().__init__(empty=(3, 4))
        self.asked, self.last = 0, last

    def detect(self, frames):
        if self.asked == self.last:
            raise StoppedError
        self.asked += len(frames)
        return super().detect(frames)


@pytest.fixture(autouse=True)
def data(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in VIDEOS:
        # The first one lacks a picture, which is to be told of by every run.
        pictures = range(1, FRAMES) if name == "a" else range(FRAMES)
        write_sequence(Path("data", name), pictures=pictures)


@pytest.fixture
def use(monkeypatch):
    def use(last: int | None = None) -> CountingDetector:
        detector = CountingDetector(last)
        model = Model("minet-nano", detector, StubEmbedder())
        monkeypatch.setattr(minet_core, "load_model", lambda *_, **__: model)
        return detector

    return use


def evaluate(arguments: str = ASKED) -> int:
    return run(["eval", *shlex.split(arguments)])


def stopped(use, after: int, arguments: str = ASKED) -> None:
    """A run that ends when the detector has seen so many frames."""
    use(last=after)
    assert evaluate(arguments) == 1


def numbers(folder: str = "minet-eval") -> bytes:
    return Path(folder, "metrics.json").read_bytes() + Path(folder, "metrics.csv").read_bytes()


def undisturbed(use, arguments: str = ASKED) -> bytes:
    use()
    assert evaluate(f"{arguments} -o undisturbed") == 0
    return numbers("undisturbed")


@pytest.mark.parametrize("linking", ["", " --seq-nms", " --bidirectional"])
def test_a_stopped_run_goes_on_and_ends_in_the_same_numbers(use, capfd, linking):
    stopped(use, 2 * FRAMES + 3, ASKED + linking)  # in the third video
    capfd.readouterr()
    detector = use()
    assert evaluate(ASKED + linking) == 0
    assert detector.asked == FRAMES
    assert b"pictures missing" in numbers()
    assert numbers() == undisturbed(use, ASKED + linking)


def test_other_metrics_of_a_stopped_run_ask_for_nothing_again(use):
    stopped(use, 2 * FRAMES)
    detector = use()
    assert evaluate(f"{ASKED} --protocol devkit --motion --score 0.5") == 0
    assert detector.asked == FRAMES


@pytest.mark.parametrize(
    "changed",
    ["--preset video", "--no-memory", "--sweep decay=1,0.9", "--seq-nms", "--size 320"],
)
def test_other_settings_begin_anew(use, changed):
    stopped(use, 2 * FRAMES)
    detector = use()
    assert evaluate(f"{ASKED} {changed}") == 0
    assert detector.asked == 3 * FRAMES - 1
    assert numbers() == undisturbed(use, f"{ASKED} {changed}")


def test_other_boxes_from_a_file_begin_anew(use):
    use(last=0)
    for name in VIDEOS:
        write_detections(name, 0.5)
    assert evaluate(f"{ASKED} --detections dets") == 0
    before = numbers()
    write_detections("c", 0.9)
    assert evaluate(f"{ASKED} --detections dets --overwrite") == 0
    assert numbers() != before


def write_detections(video: str, score: float) -> None:
    Path("dets").mkdir(exist_ok=True)
    lines = [mot_line(index, -1, CAR, score, 2) for index in range(FRAMES)]
    Path("dets", f"{video}.txt").write_text("\n".join(lines))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[:-9], id="cut"),
        pytest.param(lambda content: content[:99] + b"?" + content[100:], id="changed"),
        pytest.param(lambda _: b"", id="empty"),
    ],
)
def test_a_damaged_file_is_made_again(use, damage):
    stopped(use, 2 * FRAMES + 3)
    kept = sorted(Path("minet-eval", FOLDER).iterdir())
    assert len(kept) == 2
    kept[0].write_bytes(damage(kept[0].read_bytes()))
    detector = use()
    assert evaluate() == 0
    assert 2 * FRAMES - 1 <= detector.asked <= 2 * FRAMES
    assert numbers() == undisturbed(use)


def test_nothing_is_kept_when_it_is_complete(use):
    use()
    assert evaluate() == 0
    assert sorted(p.name for p in Path("minet-eval").iterdir()) == ["metrics.csv", "metrics.json"]


SHARE = """
import sys
import minet_core
from stub_model import stub_model
from minet_cli.main import run
minet_core.load_model = lambda *_, **__: stub_model(empty=(3, 4))
sys.exit(run(["eval", *sys.argv[1:]]))
"""


def test_two_processes_share_the_videos(use):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SHARE, *shlex.split("--data mot:data --tracking")],
            env={
                **os.environ,
                **{
                    "PYTHONPATH": os.pathsep.join(
                        [str(Path(__file__).parents[1] / "helpers"), *sys.path]
                    )
                },
                **{"OMP_NUM_THREADS": "1"},
                **{"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)},
                **{"WORLD_SIZE": "2", "RANK": str(rank), "LOCAL_RANK": str(rank)},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    (out, err), others = (process.communicate(timeout=600) for process in processes)
    assert [process.returncode for process in processes] == [0, 0], err
    assert others == ("", "")
    assert "3 videos" in out
    use()
    assert evaluate("--data mot:data --tracking --quiet -o alone") == 0
    assert numbers() == numbers("alone")


def test_jobs_share_the_videos(capfd):
    """With the bundled model: processes of their own know of no other."""
    assert evaluate("--data mot:data --tracking -o shared --jobs 2") == 0
    lines = capfd.readouterr().err.splitlines()
    assert sorted(lines) == [f"{video}: {FRAMES} frames" for video in VIDEOS]
    assert evaluate("--data mot:data --tracking --quiet -o alone") == 0
    assert numbers("shared") == numbers("alone")
    assert sorted(path.name for path in Path("shared").iterdir()) == ["metrics.csv", "metrics.json"]


def test_jobs_read_results_and_score_the_same(capsys):
    for number, name in enumerate(VIDEOS):
        Path("results", name).mkdir(parents=True)
        lines = [mot_line(frame, 1, CAR, 0.9, 1) for frame in range(number, FRAMES)]
        Path("results", name, "mot.txt").write_text("\n".join(lines) + "\n")
    asked = "--data mot:data --results results --tracking --allow-cut --quiet"
    assert evaluate(f"{asked} -o shared --jobs 2") == 0
    assert evaluate(f"{asked} -o alone") == 0
    assert numbers("shared") == numbers("alone")
    Path("results/b/mot.txt").unlink()
    assert evaluate(f"{asked} -o less --jobs 2") == evaluate(f"{asked} -o less") == 2
    one, two = capsys.readouterr().err.splitlines()[-2:]
    assert one == two
