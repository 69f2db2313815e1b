"""Processes that do tasks, and die of them."""

import os
import signal
import subprocess
import sys
from collections import Counter

import batch_tasks
import pytest

from minet_core.batch.pool import Again, Began, Done, Failed, Pool, Ready, Told
from minet_core.batch.process import Work
from minet_core.errors import ConfigError, InputError, MinetError

WORK = Work(batch_tasks.nothing_to_make)


def events(tasks, count=2, **options):
    return list(Pool(WORK, count, **options).run(iter(tasks)))


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def test_every_task_is_done_once_and_processes_are_used_again():
    heard = events([3, 1, 4, 1, 5, 9, 2, 6], threads=3)
    done = of(Done, heard)
    assert all(each.result == each.task**2 for each in done)
    assert Counter(each.task for each in done) == Counter([3, 1, 4, 1, 5, 9, 2, 6])
    assert {each.facts for each in of(Ready, heard)} == {0, 1}
    assert [each.task for each in of(Began, heard)] == [3, 1, 4, 1, 5, 9, 2, 6]


def test_no_more_processes_are_started_than_there_are_tasks():
    assert len(of(Ready, events([2], count=8))) == 1


def test_a_process_computes_with_its_share_of_threads():
    assert of(Done, events(["threads"], threads=3))[0].result == "3"


def test_what_a_task_tells_comes_in_order_before_its_end():
    heard = events([("tell", "a", "b", "c")])
    kinds = [type(event) for event in heard]
    assert kinds == [Began, Ready, Told, Told, Told, Done]
    assert [each.what for each in of(Told, heard)] == ["a", "b", "c"]


def test_a_task_that_fails_stops_nobody_and_keeps_its_words():
    heard = events([("fail", "clip.mp4: not a video"), 2, 3])
    (failed,) = of(Failed, heard)
    assert (type(failed.error), str(failed.error)) == (InputError, "clip.mp4: not a video")
    assert "batch_tasks.py" in failed.error.__notes__[0]
    assert {each.result for each in of(Done, heard)} == {4, 9}


def test_an_error_that_cannot_be_sent_is_told_in_its_words():
    (failed,) = of(Failed, events(["odd"]))
    assert str(failed.error) == "OddError: 1 and 2"


def test_a_task_whose_process_dies_is_tried_once_more(tmp_path):
    task = ("die", 1, tmp_path / "died")
    heard = events([task, 2, 3], again=lambda task: (*task,))
    assert [each.task for each in of(Again, heard)] == [task]
    assert "SIGKILL" in of(Again, heard)[0].how
    assert of(Failed, heard) == []
    assert Counter(each.result for each in of(Done, heard)) == Counter([None, 4, 9])


def test_a_task_that_kills_its_process_again_fails_and_stops_nobody(tmp_path):
    heard = events([("die", 9, tmp_path / "died"), *range(6)])
    (failed,) = of(Failed, heard)
    assert isinstance(failed.error, MinetError)
    assert "was killed (SIGKILL, as by the system when memory runs out)" in str(failed.error)
    assert (tmp_path / "died").read_text() == "xx"
    assert {each.result for each in of(Done, heard)} == {0, 1, 4, 9, 16, 25}


def test_it_is_tried_again_as_the_task_is_then(tmp_path):
    heard = events([("die", 1, tmp_path / "died")], again=lambda _: 7)
    assert of(Done, heard) == [Done(7, 49)]


def test_a_process_that_cannot_begin_ends_it_all():
    pool = Pool(Work(batch_tasks.cannot_be_made), 2)
    with pytest.raises(ConfigError, match="there is no such model"):
        list(pool.run(iter([1, 2, 3])))


def test_tasks_may_come_late():
    heard = events([None, 2, None, None, 3, None], count=1, pause=0.0)
    assert [each.result for each in of(Done, heard)] == [4, 9]


def test_who_stops_listening_leaves_no_process_behind(tmp_path):
    pool = Pool(WORK, 2)
    running = pool.run(iter([("wait", tmp_path / f"{number}") for number in range(3)]))
    told = 0
    while told < 2:
        told += isinstance(next(running), Told)
    pids = pool.pids
    assert len(pids) == 2
    running.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


DIES = """
import os, signal, sys
import batch_tasks
from minet_core.batch.pool import Pool, Told
from minet_core.batch.process import Work

talking = set()
tasks = [("talk", number, sys.argv[1]) for number in range(2)]
for event in Pool(Work(batch_tasks.nothing_to_make), 2).run(iter(tasks)):
    talking |= {event.task} if isinstance(event, Told) else set()
    if len(talking) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_processes_end_when_the_one_that_listens_is_killed(tmp_path):
    os.mkfifo(tmp_path / "held")
    command = [sys.executable, "-c", DIES, str(tmp_path / "held")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with os.fdopen(os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK), "rb") as held:
        os.set_blocking(held.fileno(), True)
        ended = subprocess.run(command, env=environment, stderr=subprocess.DEVNULL, check=False)
        assert ended.returncode == -signal.SIGKILL
        assert held.read() == b"xx"  # which comes to its end when both processes have
