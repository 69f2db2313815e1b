"""`--split-at-cuts`: scenes as tasks of processes, and in a bucket."""

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from batch_videos import contents, three_scenes, without_weights, write_detector

from minet_cli.main import run
from minet_core.batch.by_scenes import ByScenes
from minet_core.batch.one_video import Position, work
from minet_core.batch.planning import Job, plan
from minet_core.batch.pool import Again, Began, Done, Failed, Told
from minet_core.errors import InputError
from minet_core.options import DetectOptions
from minet_core.runs.unfinished import SCENES
from minet_core.video.remote import local_copies, store

DIES_ONCE = """if not Path("died").exists():
        Path("died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
"""
COMMON = "--model own.py:detect --checkpoint 0 --format json,csv,mot,cvat --split-at-cuts"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    write_detector("pass")
    return tmp_path


def detect(arguments: str) -> int:
    return run(["detect", "in", *shlex.split(COMMON), *shlex.split(arguments)])


@pytest.mark.usefixtures("place")
def test_a_scene_whose_process_dies_goes_on_and_results_are_those_of_one_job(capsys):
    three_scenes(Path("in/film.mp4"), (112, 5, 7))
    Path("in/text.mp4").write_text("no video")
    assert detect("-o alone") == 1
    assert "in/film.mp4: 124 frames in" in capsys.readouterr().out
    write_detector(DIES_ONCE)
    assert detect("-o many --jobs 2 --report") == 1
    told = capsys.readouterr()
    assert Path("died").exists()
    assert "in/film.mp4: its process was killed" in told.err
    assert "in/film.mp4: 124 frames, 100 of them by an earlier run, in" in told.out
    assert told.err.count("in/text.mp4: not a video") == 1
    assert told.err.splitlines()[-1] == "minet: error: 1 of 2 inputs failed"
    many = contents("many")
    assert many.pop("film/report.html")
    assert without_weights(many) == without_weights(contents("alone"))
    result = json.loads(many["film/result.json"])
    assert result["scenes"] == [0, 112, 117]
    assert [(t["track_id"], t["first_frame"], t["last_frame"]) for t in result["tracklets"]] == [
        (1, 0, 111),
        (2, 112, 116),
        (3, 117, 123),
    ]
    capsys.readouterr()
    assert detect("-o many --jobs 2 --report") == 1
    assert "in/film.mp4: done already, in many/film\n" in capsys.readouterr().out


class Here:
    """Does tasks in this process, one after the other; some kinds of them fail, or die once."""

    def __init__(self, options: DetectOptions, fails: int | None = None, dies: int | None = None):
        _, self._do = (made := work(options, 1)).make(*made.arguments, 0)
        self._fails, self._dies = fails, dies
        self.done: list[str] = []

    def run(self, tasks: Iterator[Job | None]):
        for count, task in enumerate(filter(None, tasks)):
            yield Began(task)
            if count == self._dies:
                yield Again(task, "it died")
                yield Began(task)
            if count == self._fails:
                yield Failed(task, InputError("no luck"))
                continue
            told: list = []
            result = self._do(task, told.append)
            yield from (Told(task, what) for what in told)
            self.done.append(type(task.step).__name__)
            yield Done(task, result)


def options(**more) -> DetectOptions:
    return DetectOptions(model="own.py:detect", split_at_cuts=True, **more)


@pytest.mark.usefixtures("place")
def test_what_scenes_tell_is_told_of_their_video():
    sources = [str(three_scenes(Path(f"in/{name}.mp4"), (2, 3, 4))) for name in ("a", "b")]
    (a, b), _ = plan(sources, "out", options())
    engine = Here(options(), dies=1)
    heard = list(ByScenes(engine).run(iter([a, None, b])))
    assert {type(event) for event in heard} == {Began, Told, Again, Done}
    assert {event.task.folder for event in heard} == {a.folder, b.folder}
    assert engine.done == ["Cut", "Look", "Look", "Look", "Join"] * 2
    frames = [event.what.frames for event in heard if isinstance(event, Told) and event.task is a]
    assert frames == sorted(frames)
    last = [event.what for event in heard if isinstance(event, Told)][-1]
    assert last == Position(9, 9, 0)
    assert [event.result.frames for event in heard if isinstance(event, Done)] == [9, 9]


@pytest.mark.usefixtures("place")
def test_a_scene_that_fails_fails_its_video_alone():
    sources = [str(three_scenes(Path(f"in/{name}.mp4"), (2, 3, 4))) for name in ("a", "b")]
    (a, b), _ = plan(sources, "out", options())
    engine = Here(options(), fails=2)
    heard = list(ByScenes(engine).run(iter([a, b])))
    ended = [event for event in heard if isinstance(event, Done | Failed)]
    assert [(type(event), event.task) for event in ended] == [(Failed, a), (Done, b)]
    assert engine.done == ["Cut", "Look", "Cut", "Look", "Look", "Look", "Join"]
    assert [path.name for path in (a.folder / SCENES).iterdir()] == ["000000000"]


@pytest.mark.usefixtures("place")
def test_scenes_in_a_bucket_are_there_for_every_machine_until_the_result_is(monkeypatch):
    monkeypatch.setenv(local_copies.CACHE, str(Path("one machine").absolute()))
    monkeypatch.setattr(store, "_known", {})
    bucket = fsspec.filesystem("memory")
    bucket.store.clear()
    bucket.pipe_file("/in/a.mp4", three_scenes(Path("in/a.mp4"), (2, 3, 4)).read_bytes())
    (job,), _ = plan(["memory://in/a.mp4"], "memory://out", options(resume=True))
    assert any(isinstance(e, Failed) for e in ByScenes(Here(options(), fails=3)).run(iter([job])))
    assert set(bucket.ls(f"/out/a/{SCENES}", detail=False)) == {
        f"/out/a/{SCENES}/{first:09}" for first in (0, 2)
    }
    monkeypatch.setenv(local_copies.CACHE, str(Path("another").absolute()))
    (job,), _ = plan(["memory://in/a.mp4"], "memory://out", options(resume=True))
    *_, done = ByScenes(Here(options())).run(iter([job]))
    assert (done.result.frames, done.result.frames_before) == (9, 5)
    (alone,), _ = plan([os.fspath("in/a.mp4")], "out", options())
    list(ByScenes(Here(options())).run(iter([alone])))
    names = {path.removeprefix("/out/a/") for path in bucket.find("/out/a")}
    assert names == {path.name for path in alone.folder.iterdir()}
    for name in ("annotated.mp4", "mot.txt", "detections.csv"):
        assert bucket.cat_file(f"/out/a/{name}") == (alone.folder / name).read_bytes()
    assert [path for path in Path("another/results").rglob("*") if path.is_file()] == []
