import subprocess
import sys
from pathlib import Path

import pytest
from train_data import toy

from minet_cli.main import run

QUICK = [
    *("--steps", "2", "--device", "cpu", "--quiet"),
    *("--set", "shorter=48", "--set", "longer=64", "--set", "batch=1"),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> str:
    return toy(tmp_path_factory.mktemp("data") / "toy")


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("trained") / "run"
    assert run(["train", "--model", "minet-tiny", "--data", data, "-o", str(out), *QUICK]) == 0
    return out


def test_from_toy_to_detections(data, trained, tmp_path):
    names = {"config.toml", "checkpoint.pt", "metrics.csv", "last.safetensors"}
    assert {path.name for path in trained.iterdir()} == names
    pictures = Path(data.partition(":")[2]) / "Data/VID/val/toy_val_00000000"
    model = str(trained / "last.safetensors")
    options = ["-o", str(tmp_path), "--model", model, "--device", "cpu", "--no-video", "--quiet"]
    assert run(["detect", f"{pictures}/*.JPEG", *options]) == 0
    assert list(tmp_path.rglob("result.json"))


def test_goes_on_with_the_settings_of_the_folder(data, tmp_path, capsys):
    common = ["train", "-o", str(tmp_path)]
    assert run([*common, "--model", "minet-tiny", "--data", data, "--no-meta", *QUICK]) == 0
    assert run([*common, "--resume", "--device", "cpu", "--steps", "3"]) == 0
    shown = capsys.readouterr().err
    assert "resuming after step 2" in shown
    assert "step 3 of 3: loss" in shown
    assert "s waiting for data" in shown
    assert "meta = false" in (tmp_path / "config.toml").read_text()
    assert "steps = 3" in (tmp_path / "config.toml").read_text()


def test_settings_of_another_training(trained, tmp_path):
    config = str(trained / "config.toml")
    common = ["train", "-o", str(tmp_path), "--config", config, "--device", "cpu", "--quiet"]
    assert run([*common, "--steps", "1", "--set", "seed=7"]) == 0
    text = (tmp_path / "config.toml").read_text()
    assert "seed = 7" in text
    assert "longer = 64" in text


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(["--data", "toy:x"], 2, "Missing option '--model'", id="no model"),
        pytest.param(["--model", "minet-tinny"], 3, "did you mean 'minet-tiny'?", id="model"),
        pytest.param(["--model", "minet-tiny"], 3, "give --data KIND:PATH", id="no data"),
        pytest.param(
            ["--model", "minet-tiny", "--data", "toy:nowhere"],
            *(2, "nowhere: no such file or folder"),
            id="no such data",
        ),
        pytest.param(
            ["--model", "minet-tiny", "--set", "ler=1"], 3, "did you mean 'lr'?", id="setting"
        ),
        pytest.param(
            ["--model", "minet-tiny", "--data", "toy:x=0"], 3, "weight of a dataset", id="weight"
        ),
        pytest.param(["--resume", "--overwrite"], 3, "do not go together", id="both"),
        pytest.param(["--config", "nowhere.toml"], 2, "nowhere.toml: no such file", id="config"),
    ],
)
def test_mistakes_are_one_line(arguments, code, message, tmp_path, capsys):
    out = tmp_path / "run"
    assert run(["train", "-o", str(out), *arguments]) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert not out.exists()


def test_another_training_is_left_alone(data, trained, capsys):
    before = (trained / "checkpoint.pt").read_bytes()
    assert run(["train", "--model", "minet-tiny", "--data", data, "-o", str(trained)]) == 5
    assert "already has a training" in capsys.readouterr().err
    assert (trained / "checkpoint.pt").read_bytes() == before


def test_help_needs_no_torch():
    program = (
        "import sys; from minet_cli.main import run; code = run(['train', '--help']);"
        "sys.exit(code or 'torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert b"--resume" in shown.stdout
