"""`minet detect --ray`: whole videos as tasks on a cluster of two nodes, each in a process."""

import os
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

import batch_tasks
import pytest
from batch_videos import contents, grey, three_scenes, without_weights, write_detector

from minet_cli.main import run
from minet_core.batch.cluster import Cluster, ClusterPool
from minet_core.batch.pool import Again, Began, Done, Failed, Ready, Told
from minet_core.batch.process import Work
from minet_core.errors import ConfigError, MinetError

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'minet-video[ray]'")

# Ray leaves files and sockets to the collector.
pytestmark = pytest.mark.filterwarnings("default")

WORK = Work(batch_tasks.nothing_to_make)
STORE = 80_000_000
"""Bytes of a node's object store, of which nothing here needs much."""

NODE_DIES = """import ray
    if ray.get_runtime_context().get_node_id() != Path("first").read_text():
        Path("died").touch()
        os.kill(os.getppid(), signal.SIGKILL)  # the node
        os.kill(os.getpid(), signal.SIGKILL)
"""
DRIVER_DIES = """if not Path("died").exists():
        Path("died").touch()
        os.kill(int(Path("driver").read_text()), signal.SIGKILL)
        signal.pause()  # until the cluster has seen it
"""
DIES_ONCE = """if not Path("died").exists():
        Path("died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
"""
DRIVER = """
import os, sys
from pathlib import Path
from minet_cli.main import main
Path("driver").write_text(str(os.getpid()))
main()
"""


@pytest.fixture(scope="module")
def cluster():
    from ray.cluster_utils import Cluster as Nodes

    with pytest.MonkeyPatch.context() as patch:
        # What this process can import the workers can too; and they take their turn with others.
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        patch.setenv("RAY_worker_niceness", "0")
        node = {"num_cpus": 1, "object_store_memory": STORE}
        nodes = Nodes(initialize_head=True, head_node_args={**node, "include_dashboard": False})
        nodes.add_node(**node, num_gpus=1)
        yield nodes
        nodes.shutdown()


def events(nodes, tasks, again=lambda task: task, **options):
    pool = ClusterPool(WORK, Cluster(nodes.address, **options), again=again, pause=0.1)
    return list(pool.run(iter(tasks)))


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def test_tasks_are_done_once_and_failures_and_deaths_stop_nobody(cluster, tmp_path):
    dies, poison = ("die", 1, tmp_path / "once"), ("die", 9, tmp_path / "always")
    tasks = [3, None, ("fail", "clip.mp4: not a video"), dies, poison, ("tell", "a"), 4, 5]
    heard = events(cluster, tasks, again=lambda task: (*task,), retries=2)
    assert Counter(each.result for each in of(Done, heard)) == Counter([9, None, None, 16, 25])
    errors = {failed.task: failed.error for failed in of(Failed, heard)}
    assert set(errors) == {tasks[2], poison}
    assert str(errors[tasks[2]]) == "clip.mp4: not a video"
    assert isinstance(errors[poison], MinetError)
    assert str(errors[poison]).startswith("its worker died (")
    assert (tmp_path / "always").read_text() == "xxx"
    assert Counter(each.task for each in of(Again, heard)) == Counter([dies, poison, poison])
    ended = [each.task for each in heard if isinstance(each, Done | Failed)]
    assert Counter(ended) == Counter(task for task in tasks if task is not None)
    assert {each.facts for each in of(Ready, heard)} == {0}
    begun = [each.task for each in of(Began, heard)]
    assert set(begun) == set(ended)
    assert of(Told, heard) in ([], [Told(("tell", "a"), "a")])


def test_a_task_gets_its_share_of_a_machine(cluster):
    (done,) = of(Done, events(cluster, ["share"], gpus=0.25, cpus=0.5))
    assert {name: done.result[name] for name in ("CPU", "GPU")} == {"CPU": 0.5, "GPU": 0.25}


def test_work_that_cannot_be_made_ends_it_all(cluster):
    pool = ClusterPool(Work(batch_tasks.cannot_be_made), Cluster(cluster.address))
    with pytest.raises(ConfigError, match="there is no such model"):
        list(pool.run(iter([1, 2])))
    assert not ray.is_initialized()


def detect(arguments: str) -> int:
    return run(["detect", "in", *COMMON, *shlex.split(arguments)])


COMMON = ["--model", "own.py:detect", "--checkpoint", "0", "--format", "json,cvat"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for name in ("long", "longer"):
        grey(Path("in") / f"{name}.mp4", 112, height=40)
    grey(Path("in/short.mp4"), 3)
    Path("in/text.mp4").write_text("no video")
    write_detector("pass")
    assert detect("-o alone") == 1
    return tmp_path


@pytest.mark.usefixtures("place")
def test_the_driver_may_die_and_the_same_command_goes_on(cluster, capsys):
    write_detector(DRIVER_DIES)
    arguments = ["-o", "out", "--ray", cluster.address]
    command = [sys.executable, "-c", DRIVER, "detect", "in", *COMMON, *arguments]
    assert subprocess.run(command, capture_output=True, check=False).returncode == -9
    assert detect(shlex.join(arguments)) == 1
    told = capsys.readouterr()
    assert "112 frames, 100 of them by an earlier run, in" in told.out
    assert told.err.splitlines()[-1] == "minet: error: 1 of 4 inputs failed"
    assert without_weights(contents("out")) == without_weights(contents("alone"))


@pytest.mark.usefixtures("place")
def test_a_node_may_die_and_no_video_is_lost_or_done_twice(cluster, capsys):
    write_detector(NODE_DIES)
    capsys.readouterr()
    # The node that this process is connected to is the one that has to stay.
    ray.init(cluster.address, log_to_driver=False)
    Path("first").write_text(ray.get_runtime_context().get_node_id())
    assert detect(f"-o out --ray {cluster.address}") == 1
    assert ray.is_initialized()
    ray.shutdown()
    told = capsys.readouterr()
    assert Path("died").exists()
    assert "; trying once more" in told.err
    assert "112 frames, 100 of them by an earlier run, in" in told.out
    assert [told.out.count(f"in/{name}.mp4: ") for name in ("long", "longer", "short")] == [1, 1, 1]
    assert told.err.count("in/text.mp4: not a video") == 1
    assert without_weights(contents("out")) == without_weights(contents("alone"))


def test_scenes_are_tasks_and_one_whose_worker_dies_goes_on(cluster, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    three_scenes(Path("in/film.mp4"), (112, 5, 7))
    write_detector("pass")
    assert detect("-o alone --split-at-cuts") == 0
    write_detector(DIES_ONCE)
    capsys.readouterr()
    assert detect(f"-o out --split-at-cuts --ray {cluster.address}") == 0
    told = capsys.readouterr()
    assert Path("died").exists()
    assert "in/film.mp4: its worker died" in told.err
    assert "in/film.mp4: 124 frames, 100 of them by an earlier run, in" in told.out
    assert without_weights(contents("out")) == without_weights(contents("alone"))
