"""What `--ray` is told, before there is a cluster."""

import sys

import pytest

from minet_cli.main import run
from minet_core.batch.cluster import Cluster
from minet_core.errors import ConfigError


def test_ray_is_told_what_a_video_needs_and_leaves_retries_to_us():
    wanted = Cluster("auto", cpus=2, gpus=0.25).resources
    assert wanted == {"num_cpus": 2, "num_gpus": 0.25, "max_retries": 0}


@pytest.mark.parametrize("gpus", [-1, 1.5, float("nan"), float("inf")])
def test_gpus_are_a_part_of_one_or_whole_ones(gpus):
    with pytest.raises(ConfigError, match="--gpus-per-video is a part of one GPU or whole ones"):
        Cluster("auto", gpus=gpus)


@pytest.mark.parametrize("cpus", [0, float("nan")])
def test_a_video_needs_some_of_a_core(cpus):
    with pytest.raises(ConfigError, match="--cpus-per-video must be more than 0"):
        Cluster("auto", cpus=cpus)


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        ("--ray auto --jobs 2", 2, "--ray excludes --jobs"),
        ("--gpus-per-video 1", 2, "need --ray"),
        ("--ray auto", 3, "--ray needs Ray: pip install ray"),
    ],
)
def test_mistakes_are_told(clip, tmp_path, monkeypatch, capsys, arguments, code, line):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert run(["detect", str(clip), "-o", str(tmp_path / "out"), *arguments.split()]) == code
    assert line in capsys.readouterr().err
