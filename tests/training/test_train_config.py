import json
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from train_data import dataset, truth, video

from minet_cli.train import combined
from minet_core.datasets import Problems
from minet_core.errors import ConfigError, InputError
from minet_core.training.distributed import ProcessGroup
from minet_core.training.loop import learning_rate, meta_weight
from minet_core.training.networks import build_task, save_network
from minet_core.training.settings import IDENTIFY, PAPER, TINY, TrainConfig, recipe
from minet_core.training.settings_file import (
    apply,
    differences,
    parse_settings,
    read_toml,
    to_toml,
)
from minet_core.training.validation import beginning

FULL = replace(
    PAPER,
    data=(('toy:C:\\some "dir"', 1.0), ("mot:α", 2.5)),
    val="mot:α",
    clip=5.0,
    milestones=(),
)


@pytest.mark.parametrize("config", [PAPER, TINY, IDENTIFY, FULL])
def test_toml_reads_back(config, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(to_toml(config), encoding="utf-8")
    assert apply(PAPER, read_toml(path)) == config


def test_the_defaults_are_the_papers():
    assert (PAPER.steps, PAPER.batch, PAPER.lr) == (130_000, 4, 0.001)
    assert (PAPER.milestones, PAPER.momentum, PAPER.weight_decay) == ((80_000, 120_000), 0.9, 1e-4)
    assert (PAPER.max_gap, PAPER.ridge, PAPER.others) == (30, 0.1, 0.0)
    assert (PAPER.positives, PAPER.negatives) == (32, 96)


def test_settings_as_typed():
    typed = parse_settings(["lr=0.1", "clip=none", "amp=bf16", "milestones=[1, 2]", "meta=false"])
    config = apply(replace(PAPER, clip=3.0), typed)
    assert (config.lr, config.clip, config.amp) == (0.1, None, "bf16")
    assert (config.milestones, config.meta) == ((1, 2), False)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("ler=1", "no setting 'ler'; did you mean 'lr'"),
        ("lr=fast", "lr must be a number, not 'fast'"),
        ("steps=1.5", "steps must be a whole number"),
        ("meta=1", "meta must be true or false"),
        ("clip=off", "clip must be a number or none"),
        ("milestones=x", "milestones must be a list"),
        ("amp=bf17", "did you mean 'bf16'"),
        ("flip=1.5", "flip must be from 0 to 1"),
        ("lr=nan", "lr must be more than 0"),
        ("batch=0", "batch must be at least 1"),
        ("ema=1", "ema must be between 0 and 1"),
        ("steps", "write name=value"),
    ],
)
def test_mistakes_are_one_line(word, message):
    with pytest.raises(ConfigError, match=message):
        apply(PAPER, parse_settings([word]))


def test_settings_of_an_earlier_training_mean_what_they_meant():
    earlier = apply(PAPER, {"variances": [0.1, 0.2]}, "config.toml")
    assert (earlier.noise, earlier.noise_is) == ((0.1, 0.2), "variance")
    assert apply(TINY, {"variances": [0.1]}).meta_ramp == 0  # of which it knew nothing
    assert PAPER.noise_is == "deviation"


def test_a_mistake_in_a_file_names_the_file():
    with pytest.raises(ConfigError, match=r"my\.toml: there is no setting 'ler'"):
        apply(PAPER, {"ler": 1}, "my.toml")


def test_what_is_no_toml_is_refused(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text("lr = ")
    with pytest.raises(InputError, match="no TOML"):
        read_toml(path)
    with pytest.raises(InputError, match="no such file"):
        read_toml(tmp_path / "none.toml")


def test_differences_name_what_changes_a_step():
    now = replace(PAPER, lr=0.01, steps=5, val="toy:x", workers=7)
    assert differences(PAPER, now) == ["lr 0.001 → 0.01"]


def test_each_kind_of_model_has_its_recipe():
    assert recipe("minet-r50") == replace(PAPER, model="minet-r50")
    assert recipe("minet-tiny") == TINY
    assert recipe("identify").train == "identify"


def test_learning_rate_rises_and_drops():
    config = replace(PAPER, lr=1.0, warmup=4, milestones=(10, 20))
    rates = [learning_rate(step, config) for step in (0, 3, 9, 10, 19, 20)]
    assert rates == pytest.approx([0.25, 1.0, 1.0, 0.1, 0.1, 0.01])


def test_settings_of_the_network_add_up():
    config = apply(PAPER, {"network": {"frozen": 1, "anchors": [32, 64]}}, "my.toml")
    config = apply(config, parse_settings(["network.frozen=3", "network.proposals=100"]))
    assert dict(config.network) == {"frozen": 3, "anchors": (32, 64), "proposals": 100}
    assert apply(PAPER, tomllib.loads(to_toml(config))) == config


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["network.froze=1"], "missing or unknown: froze"),
        (["network.frozen=x"], "setting frozen of the network cannot be 'x'"),
        (["network.architecture=minet-r50"], "what --model names"),
        (["network=3"], "network must be a table"),
        (["model=identify", "network.frozen=1"], "for the Faster R-CNN"),
    ],
)
def test_settings_of_the_network_that_make_no_sense(words, message):
    with pytest.raises(ConfigError, match=message):
        build_task(apply(TINY, parse_settings(words)), ("disc",), print)


def test_a_network_has_the_settings_it_was_given(tmp_path):
    words = ["network.anchors=[8, 16]", "network.frozen=1", "shorter=48", "longer=64"]
    config = apply(TINY, parse_settings(words))
    network = build_task(config, ("disc",), print).network
    assert (network.config.anchors, network.config.shorter) == ((8, 16), 48)
    assert not next(network.backbone.stages[0].parameters()).requires_grad
    path = tmp_path / "before.safetensors"
    save_network(path, network, 1)
    on = apply(TINY, {"model": str(path), "network": {"anchors": [8]}})
    with pytest.raises(ConfigError, match="its weights do not fit anchors"):
        build_task(on, ("disc",), print)


def test_what_no_process_has_a_gradient_of_keeps_none():
    """So that weight decay leaves the identify head alone where nothing trains it."""

    class First(ProcessGroup):
        """The first of two, whose fellow has the same."""

        def sum(self, values):
            values *= 2

    trained, idle = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    trained.grad = torch.ones(2)
    First(0, 2, torch.device("cpu")).sum_gradients([trained, idle])
    assert trained.grad.tolist() == [2, 2]
    assert idle.grad is None


def test_the_meta_loss_comes_in_by_a_ramp_where_there_is_one():
    ramp = replace(PAPER, meta_ramp=4)
    assert [meta_weight(step, ramp) for step in (0, 1, 3, 9)] == [0.25, 0.5, 1.0, 1.0]
    assert meta_weight(0, PAPER) == 1.0


def test_saved_settings_are_plain_toml():
    values = tomllib.loads(to_toml(FULL))
    assert values["data"][1] == ["mot:α", 2.5]
    assert set(values) == set(TrainConfig.__dataclass_fields__)


def test_every_setting_is_documented():
    text = (Path(__file__).parents[2] / "docs/training.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip(" `"): line for line in text.splitlines() if "| `" in line}
    for field in fields(TrainConfig):
        assert f"`{to_text(getattr(PAPER, field.name))}`" in rows[field.name]
        assert field.metadata["help"] in rows[field.name]


def to_text(value: object) -> str:
    return json.dumps("none" if value is None else value)


def test_what_is_measured_on_is_the_beginning_of_every_video(tmp_path):
    problems = Problems()
    videos = [video(tmp_path, [truth(i, []) for i in range(5)], problems, name=n) for n in "abcd"]
    whole = dataset(*videos, problems=problems)
    assert beginning(whole, None) is whole
    for frames, lengths in ((8, {"a": 2, "b": 2, "c": 2, "d": 2}), (2, {"a": 1, "c": 1})):
        assert {v.name: len(v) for v in beginning(whole, frames).videos} == lengths
    assert [len(v.chosen) for v in beginning(whole, 100).videos] == [5] * 4


def test_a_batch_is_shared_out():
    cpu = torch.device("cpu")
    shares = [list(ProcessGroup(rank, 3, cpu).share(7)) for rank in range(3)]
    assert shares == [[0, 3, 6], [1, 4], [2, 5]]
    with pytest.raises(ConfigError, match="4 processes need a batch of as many, not 3"):
        ProcessGroup(0, 4, cpu).share(3)


@pytest.mark.parametrize("name", ["paper-r101", "paper-fgfa-r101"])
def test_configurations_of_the_paper_are_its_settings(name):
    folder = Path(__file__).parents[2] / "configs"
    meta, plain = (
        combined([(str(path), read_toml(path))])
        for path in (folder / f"{name}.toml", folder / f"{name}-plain.toml")
    )
    assert (meta.meta, plain.meta) == (True, False)
    assert replace(plain, meta=True) == meta
    published = replace(recipe(meta.model), data=meta.data, val=meta.val, val_frames=5000)
    assert meta == published
    assert ("imagenet-det:ILSVRC2015" in dict(meta.data)) == (name == "paper-r101")
