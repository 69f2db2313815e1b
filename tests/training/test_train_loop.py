import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from train_data import Watcher, tiny, toy

from minet_core.config import PAPER as PAPER_MEMORY
from minet_core.errors import MinetError, OutputError, WeightsError
from minet_core.inference.online import OnlineDetector
from minet_core.models.network_file import load_rcnn
from minet_core.models.weight_files import embedder_file
from minet_core.models.weights import read_safetensors
from minet_core.models.zoo import load_model
from minet_core.publishing import replace_bytes
from minet_core.training import checkpoint
from minet_core.training.distributed import ProcessGroup
from minet_core.training.loop import Loop
from minet_core.training.networks import build_task
from minet_core.training.settings import IDENTIFY, TINY, TrainConfig, recipe
from minet_core.training.train import TrainingSummary, train


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> str:
    return toy(tmp_path_factory.mktemp("data") / "toy")


@pytest.fixture(scope="module")
def straight(data, tmp_path_factory) -> Path:
    """Four steps in one go."""
    out = tmp_path_factory.mktemp("straight") / "run"
    run(tiny(data), out)
    return out


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    """Sets how many threads torch takes, until the test ends."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def run(config: TrainConfig, out: Path, watcher: Watcher | None = None, **how) -> TrainingSummary:
    return train(config, out, watcher or Watcher(), device="cpu", **how)


def weights(out: Path, name: str = "last") -> dict[str, torch.Tensor]:
    return read_safetensors(out / f"{name}.safetensors")[1]


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def losses(out: Path, columns: int = 8) -> list[list[str]]:
    """The numbers of metrics.csv that do not depend on the clock."""
    return [line.split(",")[:columns] for line in (out / "metrics.csv").read_text().splitlines()]


class TestGoingOn:
    def test_a_stop_leaves_no_trace(self, data, straight, tmp_path):
        run(tiny(data, steps=3, save_every=2), tmp_path)
        summary = run(tiny(data), tmp_path, resume=True)
        assert summary.steps == 4
        assert equal(weights(tmp_path), weights(straight))
        assert losses(tmp_path) == losses(straight)
        assert [row[0] for row in losses(straight)] == ["step", "1", "2", "3", "4"]

    def test_a_list_that_is_missing_is_told_at_once(self, data, tmp_path):
        whole = tmp_path / "toy"
        shutil.copytree(Path(data.removeprefix("toy:")), whole)
        (whole / "ImageSets/VID_train_15frames.txt").unlink()
        watcher = Watcher()
        run(tiny(f"toy:{whole}", steps=1), tmp_path / "run", watcher)
        assert "toy train: there is no ImageSets/VID_train_15frames.txt" in watcher.notes[0]
        watcher = Watcher()
        run(tiny(data, steps=1), tmp_path / "listed", watcher)
        assert not any("15frames" in note for note in watcher.notes)

    def test_ctrl_c_saves_the_step_it_comes_in(self, data, straight, tmp_path):
        def interrupt(step: int) -> None:
            if step == 2:
                os.kill(os.getpid(), signal.SIGINT)

        watcher = Watcher(interrupt)
        summary = run(tiny(data), tmp_path, watcher)
        assert summary.stopped == signal.SIGINT
        assert summary.steps in (2, 3)  # a signal may arrive a step later
        run(tiny(data), tmp_path, resume=True)
        assert equal(weights(tmp_path), weights(straight))

    def test_kill_minus_nine(self, data, straight, tmp_path):
        """Killed within step 4, with a row in metrics.csv that no checkpoint knows."""
        program = (
            "import os, signal, sys; from pathlib import Path;"
            f"import torch; torch.set_num_threads({torch.get_num_threads()});"
            "sys.path.insert(0, sys.argv[1]); from train_data import Watcher, tiny;"
            "from minet_core.training.train import train;"
            "die = lambda step: os.kill(os.getpid(), signal.SIGKILL) if step == 3 else None;"
            "train(tiny(sys.argv[2], save_every=2), Path(sys.argv[3]), Watcher(die), device='cpu')"
        )
        here = str(Path(__file__).parents[1] / "helpers")
        ended = subprocess.run([sys.executable, "-c", program, here, data, str(tmp_path)])
        assert ended.returncode == -signal.SIGKILL
        watcher = Watcher()
        run(tiny(data, save_every=2), tmp_path, watcher, resume=True)
        assert len(watcher.rows) == 2  # steps 3 and 4
        assert equal(weights(tmp_path), weights(straight))
        assert losses(tmp_path) == losses(straight)

    def test_with_average_half_precision_and_adamw(self, data, tmp_path):
        settings = {"ema": 0.5, "amp": "bf16", "channels_last": True, "optimizer": "adamw"}
        config = tiny(data, steps=2, batch=1, lr=1e-3, **settings)
        run(config, tmp_path / "a")
        run(replace(config, steps=1), tmp_path / "b")
        run(config, tmp_path / "b", resume=True)
        assert equal(weights(tmp_path / "a"), weights(tmp_path / "b"))
        state = torch.load(tmp_path / "a/checkpoint.pt", weights_only=True)["state"]
        assert not equal(weights(tmp_path / "a"), state["network"])

    def test_with_as_many_threads_as_before(self, data, tmp_path, threads):
        """Sums of one thread and of three differ in their last digits, by the kernels of torch."""
        threads(1)
        run(tiny(data), tmp_path / "a")
        run(tiny(data, steps=2), tmp_path / "b")
        threads(3)
        watcher = Watcher()
        run(tiny(data), tmp_path / "b", watcher, resume=True)
        assert torch.get_num_threads() == 3
        line = "computing with 1 thread, as until now, .* --set threads=3 for as many as usual here"
        (note,) = watcher.notes
        assert re.fullmatch(line, note)
        assert equal(weights(tmp_path / "b"), weights(tmp_path / "a"))

    def test_with_other_threads_when_asked(self, data, tmp_path, threads):
        threads(1)
        run(tiny(data, steps=2), tmp_path)
        watcher = Watcher()
        run(tiny(data, threads=2), tmp_path, watcher, resume=True)
        line = "computing with 2 threads, 1 until now: .* up to rounding, not to the bit"
        (note,) = watcher.notes
        assert re.fullmatch(line, note)
        state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
        assert state["progress"]["threads"] == 2

    def test_with_nothing_there_begins(self, data, tmp_path):
        assert run(tiny(data, steps=1), tmp_path, resume=True).steps == 1


class TestCheckpoints:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            pytest.param({"lr": 0.5}, "lr 0.01 → 0.5", id="settings"),
            pytest.param({"longer": 128}, "longer 64 → 128", id="network"),
            pytest.param({"meta": False}, "meta true → false", id="losses"),
        ],
    )
    def test_of_another_training_is_refused(self, data, straight, change, message):
        before = (straight / "checkpoint.pt").read_bytes()
        with pytest.raises(WeightsError, match=rf"checkpoint\.pt: made with other.*{message}"):
            run(tiny(data, **change), straight, resume=True)
        assert (straight / "checkpoint.pt").read_bytes() == before

    def test_of_other_classes_is_refused(self, data, tmp_path):
        folder = Path(data.partition(":")[2])
        other = tmp_path / "other"
        other.mkdir()
        for name in ("Data", "Annotations", "ImageSets", "toy.json"):
            (other / name).symlink_to(folder / name)
        (other / "classes.txt").write_text("star\ndisc\n")
        config, out = tiny(f"toy:{other}", steps=1), tmp_path / "run"
        run(config, out)
        (other / "classes.txt").write_text("disc\nstar\n")
        with pytest.raises(WeightsError, match="classes star, disc → disc, star"):
            run(config, out, resume=True)

    def test_that_is_damaged_is_refused(self, data, tmp_path):
        run(tiny(data, steps=1), tmp_path)
        path = tmp_path / "checkpoint.pt"
        path.write_bytes(path.read_bytes()[:-5000])
        with pytest.raises(WeightsError, match="no checkpoint of a training, or damaged"):
            run(tiny(data), tmp_path, resume=True)

    def test_a_full_disk_leaves_the_one_before(self, data, straight, tmp_path, monkeypatch):
        def full_after(path: Path, content: bytes) -> None:
            if (tmp_path / "checkpoint.pt").exists():
                raise OutputError(f"cannot write {path}: No space left on device")
            replace_bytes(path, content)

        monkeypatch.setattr(checkpoint, "replace_bytes", full_after)
        with pytest.raises(OutputError, match=r"No space left.*--resume continues after step 2"):
            run(tiny(data, save_every=2), tmp_path)
        monkeypatch.undo()
        run(tiny(data, save_every=2), tmp_path, resume=True)
        assert equal(weights(tmp_path), weights(straight))

    def test_another_training_is_not_overwritten_unasked(self, data, straight, tmp_path):
        with pytest.raises(OutputError, match=r"already has a training.*--resume.*--overwrite"):
            run(tiny(data), straight)
        run(tiny(data, steps=1), tmp_path)
        run(tiny(data, steps=2, lr=0.5), tmp_path, overwrite=True)
        assert len(losses(tmp_path)) == 3


class TestLosses:
    def test_fall(self, data, tmp_path):
        watcher = Watcher()
        run(tiny(data, steps=20, batch=1, lr=0.02, warmup=5), tmp_path, watcher)
        sums = [row["loss"] for row in watcher.rows]
        assert sum(sums[-5:]) < 0.8 * sum(sums[:5])
        assert all(
            row["loss"] == pytest.approx(sum(row[name] for name in ("meta", "cls", "loc", "rpn")))
            for row in watcher.rows
        )

    def test_without_meta_loss_the_identify_head_stays(self, data, tmp_path):
        config = tiny(data, meta=False, steps=2, weight_decay=0.0)
        before = build_task(config, ("disc", "star"), print).network.state_dict()
        watcher = Watcher()
        run(config, tmp_path, watcher)
        assert "meta" not in watcher.rows[0]
        changed = {
            name.split(".")[0]
            for name, now in weights(tmp_path).items()
            if not torch.equal(now, before[name])
        }
        assert changed == {"backbone", "proposals", "detect_head"}

    def test_a_ramp_holds_back_the_meta_loss_alone(self, data, tmp_path):
        rows = []
        for ramp in (0, 4):
            watcher = Watcher()
            run(tiny(data, steps=1, meta_ramp=ramp), tmp_path / str(ramp), watcher)
            rows += watcher.rows
        assert rows[1]["meta"] == pytest.approx(rows[0]["meta"] / 4)
        assert all(rows[1][name] == pytest.approx(rows[0][name]) for name in ("cls", "loc", "rpn"))
        assert not equal(weights(tmp_path / "0"), weights(tmp_path / "4"))

    def test_identify_alone_changes_the_identify_head_alone(self, data, straight, tmp_path):
        config = tiny(data, model=str(straight / "last.safetensors"), train="identify", steps=2)
        watcher = Watcher()
        run(config, tmp_path, watcher)
        assert set(watcher.rows[0]) >= {"loss", "meta"}
        assert "cls" not in watcher.rows[0]
        before, now = weights(straight), weights(tmp_path)
        changed = {name.split(".")[0] for name in now if not torch.equal(now[name], before[name])}
        assert changed == {"identify_head"}

    def test_that_are_not_finite_name_the_pair(self, data, tmp_path):
        with pytest.raises(MinetError, match=r"step \d: the (loss|gradient) is not finite"):
            run(tiny(data, lr=1e30, save_every=1), tmp_path)
        task: Any = build_task(tiny(data), ("disc", "star"), print)
        task.network.detect_head.scores.bias.data.fill_(float("nan"))
        config = tiny(data)
        loop = Loop(task, config, ProcessGroup(0, 1, torch.device("cpu")))
        from minet_core.training.data.sampling import Draws
        from minet_core.training.data.sources import open_datasets, pair_up

        draws = Draws(pair_up(open_datasets(config), config).weighted, config)
        with pytest.raises(MinetError, match=r"step 1: .*cls nan.*toy_train_\d+, frames \d+ and"):
            loop.step(0, [(0, draws.sample(0, 0))])

    def test_half_precision_with_a_scaler(self, data, tmp_path):
        watcher = Watcher()
        run(tiny(data, amp="fp16", steps=1), tmp_path, watcher)
        state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["state"]
        assert state["scaler"]["scale"] > 0
        assert all(0 < row["loss"] < 10 for row in watcher.rows)


ROUNDING = 5 * (2 * 48 * 64) ** 0.5 * 2**-24
"""Relative error of a sum in another order: of n float32 numbers about √n · 2⁻²⁴, here of the
pixels of a batch, and five times that to be safe."""


def test_two_processes_do_what_one_does(straight, tmp_path):
    """The same pairs, the same losses; sums in another order differ in the last digits."""
    options = ["--steps", "4", "--device", "cpu", "--quiet", "--config", straight / "config.toml"]
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    program = [Path(sys.executable).with_name("minet"), "train", "-o", tmp_path, *options]
    subprocess.run([sys.executable, *command, *program], check=True, capture_output=True)
    one, two = (losses(folder)[1:] for folder in (straight, tmp_path))
    for left, right in zip(one, two, strict=True):
        found = [float(value) for value in right]
        assert [float(value) for value in left] == pytest.approx(found, rel=4 * ROUNDING)
    before, now = weights(straight), weights(tmp_path)
    moved = 4 * TINY.clip * 0.01 * ROUNDING  # four steps, each at most the clipped gradient long
    assert all(torch.allclose(before[name], now[name], rtol=1e-6, atol=moved) for name in before)


class TestMeasuring:
    def test_the_best_weights_are_kept(self, data, tmp_path):
        watcher = Watcher()
        summary = run(tiny(data, steps=2, val=data, eval_every=1, val_frames=2), tmp_path, watcher)
        assert watcher.best[0] == 1
        assert summary.best is not None
        assert [row[-1] != "" for row in losses(tmp_path, 99)[1:]] == [True, True]
        metadata, _ = read_safetensors(tmp_path / "best.safetensors")
        assert int(metadata["trained_steps"]) == watcher.best[-1]

    def test_a_wrong_path_is_told_before_anything_is_made(self, data, tmp_path):
        with pytest.raises(MinetError, match="no such file or folder"):
            run(tiny(data, val="toy:nowhere"), tmp_path / "run")
        assert not (tmp_path / "run").exists()

    def test_tensorboard_that_is_not_there(self, data, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
        with pytest.raises(MinetError, match="pip install tensorboard"):
            run(tiny(data, tensorboard=True), tmp_path / "run")
        assert not (tmp_path / "run").exists()

    def test_the_identify_network(self, data, tmp_path):
        config = replace(IDENTIFY, data=((data, 1.0),), val=data, steps=1, batch=1, longer=96)
        watcher = Watcher()
        summary = run(config, tmp_path, watcher)
        assert 0 < summary.best <= 1
        model = load_model(str(tmp_path / "best.safetensors"), device="cpu")
        assert model.embedder.dim == 256

    def test_frozen_stages_keep_their_weights(self, data, tmp_path):
        config = replace(IDENTIFY, data=((data, 1.0),), steps=1, batch=1, longer=96, frozen=9)
        run(config, tmp_path, Watcher())
        _, before = read_safetensors(embedder_file())
        _, after = read_safetensors(tmp_path / "last.safetensors")
        changed = {name for name in after if not torch.equal(before[name], after[name])}
        assert {name.split(".")[0] for name in changed} == {"backbone", "head"}
        stages = {int(name.split(".")[1]) for name in changed if name.startswith("backbone")}
        assert stages == {9, 10}


class TestNetworks:
    def test_other_classes_begin_their_scores_anew(self, straight):
        notes: list[str] = []
        model = str(straight / "last.safetensors")
        task = build_task(tiny("toy:none", model=model), ("cat", "dog", "cow"), notes.append)
        before, now = load_rcnn(model).state_dict(), task.network.state_dict()
        differing = {
            name
            for name in now
            if not torch.equal(now[name], before[name])
            if now[name].shape == before[name].shape
        }
        assert not differing
        assert now["detect_head.scores.weight"].shape[0] == 4
        assert "its classes are disc, star; scores start over" in notes[0]

    def test_what_was_trained_detects(self, straight):
        model = load_model(str(straight / "last.safetensors"), device="cpu")
        assert model.detector.classes == ("disc", "star")
        online = OnlineDetector(model, PAPER_MEMORY)
        picture = torch.zeros(72, 96, 3, dtype=torch.uint8).numpy()
        assert online.update(picture, frame=0, pts=None, time=0.0).classes == ("disc", "star")

    def test_a_file_has_the_recipe_of_its_kind(self, straight):
        path = str(straight / "last.safetensors")
        assert recipe(path) == replace(TINY, model=path)

    def test_what_cannot_be_trained(self, tmp_path):
        from minet_core.errors import ConfigError
        from minet_core.training.networks import check_model

        with pytest.raises(ConfigError, match="did you mean 'minet-tiny'"):
            check_model("minet-tinny")
        with pytest.raises(WeightsError, match="cannot be read"):
            check_model(str(tmp_path / "no.safetensors"))
