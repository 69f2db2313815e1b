"""Videos and results in buckets: fetched into a bounded folder, published when complete."""

import json
import os
from pathlib import Path
from typing import Any

import fsspec
import pytest
from stub_model import stub_model
from video_factory import write_grey_video

from minet_cli.main import run
from minet_core.batch.one_video import add_missing, complete
from minet_core.batch.planning import plan
from minet_core.errors import InputError, OutputError
from minet_core.formats import read_json
from minet_core.options import DetectOptions
from minet_core.runs.bucket import Bucket
from minet_core.runs.unfinished import UNFINISHED, read_checkpoint
from minet_core.runs.video_inputs import expand
from minet_core.video import open_video
from minet_core.video.opening import copy_of
from minet_core.video.remote import local_copies, store
from minet_core.video.remote.local_copies import fetched

OPTIONS: dict[str, Any] = {"model": "stub", "resume": True}
GB = 10**9


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """A store in memory, and a folder for copies."""
    monkeypatch.setenv(local_copies.CACHE, str(tmp_path / "cache"))
    monkeypatch.setattr("minet_core.runs.manifest.weights_of", lambda _: {})
    monkeypatch.setattr("minet_core.batch.planning.model_files", lambda _: ())
    monkeypatch.setattr(store, "_known", {})
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    return system


def put(bucket, path: str, frames: int = 10) -> str:
    file = write_grey_video(Path(os.environ[local_copies.CACHE]).parent / "made.mp4", frames)
    bucket.pipe_file(path, file.read_bytes())
    return f"memory:/{path}"


def names(bucket, folder: str) -> set[str]:
    return {path.removeprefix(f"{folder}/") for path in bucket.find(folder)}


def detect(sources, output="memory://out", **options):
    """What is done of videos, and folders of those that were done before."""
    own = DetectOptions(**OPTIONS, **options)
    to_do, done = plan(sources, output, own)
    model = stub_model()
    return [complete(job, model) for job in to_do], [job.place for job in done]


def test_folders_and_patterns_of_a_store_are_its_videos(bucket):
    for name in ("b10.mp4", "b9.mp4", "notes.txt", "sub/c.mkv"):
        bucket.pipe_file(f"/in/{name}", b"x")
    assert expand(["memory://in/"]) == ["memory:///in/b9.mp4", "memory:///in/b10.mp4"]
    assert expand(["memory://in/**/*.mkv"]) == ["memory:///in/sub/c.mkv"]
    assert expand(["memory://in/gone.mp4"]) == ["memory://in/gone.mp4"]
    with pytest.raises(InputError, match="memory://nowhere: no videos there"):
        expand(["memory://nowhere"])
    with pytest.raises(InputError, match=r"memory://in/gone.mp4: no such file"):
        detect(["memory://in/gone.mp4"])


def test_a_library_that_is_missing_is_told(bucket, monkeypatch):  # noqa: ARG001
    monkeypatch.setitem(__import__("sys").modules, "gcsfs", None)
    with pytest.raises(InputError, match=r"gs://b/a.mp4: .*gcsfs"):
        detect(["gs://b/a.mp4"])


def test_results_are_those_of_a_file_here_and_name_the_address(bucket, tmp_path):
    source = put(bucket, "/in/street.mp4")
    ((there,), _) = detect([source])
    assert there.address == "memory://out/street"
    ((here,), _) = detect([str(tmp_path / "made.mp4")], tmp_path / "out")
    for path in here.folder.iterdir():
        if path.name in {"annotated.mp4", "mot.txt"}:
            assert bucket.cat_file(f"/out/street/{path.name}") == path.read_bytes()
    (tmp_path / "result.json").write_bytes(bucket.cat_file("/out/street/result.json"))
    result = read_json(tmp_path / "result.json")
    assert result.header["video"]["path"] == source
    assert len(result.tracklets) == 2
    assert not there.folder.exists()
    assert copy_of(source) == source


def test_the_manifest_comes_last_and_vouches_for_every_file(bucket, monkeypatch):
    source, order = put(bucket, "/in/street.mp4"), []
    for method in ("put_file", "pipe_file"):
        before = getattr(type(bucket), method)

        def noted(self, *arguments, method=method, before=before, **more):
            order.append(arguments[1 if method == "put_file" else 0].rpartition("/")[2])
            return before(self, *arguments, **more)

        monkeypatch.setattr(type(bucket), method, noted)
    detect([source])
    assert order[-1] == "minet.json"
    document = json.loads(bucket.cat_file("/out/street/minet.json"))
    assert set(document["contents"]) == {
        "annotated.mp4",
        "result.json",
        "detections.csv",
        "mot.txt",
    }
    assert names(bucket, "/out/street") == {*document["contents"], "minet.json"}
    assert document["contents"]["mot.txt"]["bytes"] == len(bucket.cat_file("/out/street/mot.txt"))
    assert detect([source]) == ([], ["memory://out/street"])


def test_what_arrives_otherwise_than_it_was_sent_does_not_count(bucket, monkeypatch):
    source, put_file = put(bucket, "/in/street.mp4"), type(bucket).put_file

    def damaged(self, local, remote, **more):
        put_file(self, local, remote, **more)
        content = bytearray(self.cat_file(remote))
        content[0] ^= 1
        if remote.endswith("mot.txt"):
            self.pipe_file(remote, bytes(content))

    with monkeypatch.context() as context:
        context.setattr(type(bucket), "put_file", damaged)
        with pytest.raises(OutputError, match=r"street/mot.txt: is not there as it was written"):
            detect([source])
    assert "minet.json" not in names(bucket, "/out/street")
    # It is complete on this machine, so the same command needs to bring it there only.
    to_do, (job,) = plan([source], "memory://out", DetectOptions(**OPTIONS))
    assert to_do == []
    add_missing(job)
    assert "minet.json" in names(bucket, "/out/street")


def test_results_of_others_stay(bucket):
    source = put(bucket, "/in/street.mp4")
    bucket.pipe_file("/out/street/mot.txt", b"precious")
    with pytest.raises(OutputError, match=r"already has results \(mot.txt\); --overwrite"):
        detect([source])
    bucket.rm("/out", recursive=True)
    detect([source])
    with pytest.raises(OutputError, match=r"has other results \(score 0.3 → 0.5\); --overwrite"):
        detect([source], score=0.5)
    ((summary,), _) = detect([source], score=0.5, overwrite=True, video=False)
    assert summary.frames == 10
    assert "annotated.mp4" not in names(bucket, "/out/street")


def test_exports_that_are_missing_are_added(bucket):
    source = put(bucket, "/in/street.mp4")
    detect([source])
    with_export = DetectOptions(**OPTIONS, report=True, formats=("json", "csv", "mot", "cvat"))
    _, (job,) = plan([source], "memory://out", with_export)
    add_missing(job)
    assert {"street.xml", "report.html", "minet.json"} <= names(bucket, "/out/street")
    assert not job.folder.exists()
    put_file = type(bucket).put_file
    type(bucket).put_file = None  # what is there is not brought once more
    try:
        add_missing(job)
    finally:
        type(bucket).put_file = put_file


class StoppedError(Exception):
    """In place of a machine's end."""


def test_another_machine_goes_on_from_the_checkpoint_in_the_bucket(bucket, monkeypatch, tmp_path):
    image = __import__("numpy").full((32, 32, 3), 90, "uint8")
    from video_factory import write_video

    file = write_video(tmp_path / "long.mp4", [image] * 112, options={"preset": "ultrafast"})
    bucket.pipe_file("/in/long.mp4", file.read_bytes())
    options = DetectOptions(**OPTIONS, checkpoint=0)
    (job,), _ = plan(["memory://in/long.mp4"], "memory://out", options)

    def stops(found, _):
        if found.frame == 105:
            raise StoppedError

    with pytest.raises(StoppedError):
        complete(job, stub_model(), stops)
    assert f"{UNFINISHED}/checkpoint.json" in names(bucket, "/out/long")
    monkeypatch.setenv(local_copies.CACHE, str(tmp_path / "other machine"))
    (job,), _ = plan(["memory://in/long.mp4"], "memory://out", options)
    Bucket(job.address).bring_checkpoint()
    assert read_checkpoint(job.folder / UNFINISHED).frames == 100
    summary = complete(job, stub_model())
    assert (summary.frames, summary.frames_before) == (112, 100)
    ((whole,), _) = detect([str(file)], tmp_path / "out")
    for name in ("annotated.mp4", "mot.txt", "detections.csv"):
        assert bucket.cat_file(f"/out/long/{name}") == (whole.folder / name).read_bytes()
    assert not any(name.startswith(UNFINISHED) for name in names(bucket, "/out/long"))


class TestCache:
    def test_a_copy_is_used_again_until_the_file_is_another_one(self, bucket, monkeypatch):
        source = put(bucket, "/in/a.mp4")
        with fetched(source, GB), open_video(source) as reader:
            assert len(list(reader)) == 10
            first = Path(copy_of(source))
        monkeypatch.setattr(local_copies, "_fetch", None)
        with fetched(source, GB):
            assert Path(copy_of(source)) == first
        monkeypatch.undo()

    def test_the_oldest_copies_go_when_room_is_wanted(self, bucket):
        sources = [f"memory://in/{name}.mp4" for name in "abc"]
        for source in sources:
            bucket.pipe_file(source, b"x" * 40)
        with fetched(sources[0], 100):
            first = Path(copy_of(sources[0]))
        with fetched(sources[1], 100):
            second = Path(copy_of(sources[1]))
            with fetched(sources[2], 100):
                third = Path(copy_of(sources[2]))
                assert [file.exists() for file in (first, second, third)] == [False, True, True]

    def test_what_is_in_use_is_waited_for(self, bucket, monkeypatch):
        for name in "ab":
            bucket.pipe_file(f"/in/{name}.mp4", b"x" * 60)
        held = fetched("memory://in/a.mp4", 100)
        held.__enter__()
        waited = []

        def wait(seconds):
            waited.append(seconds)
            held.__exit__(None, None, None)

        monkeypatch.setattr("minet_core.video.remote.local_copies.time.sleep", wait)
        with fetched("memory://in/b.mp4", 100):
            assert len(waited) == 1

    def test_what_can_never_have_room_is_told(self, bucket):
        bucket.pipe_file("/in/a.mp4", b"x" * 60)
        held = fetched("memory://in/a.mp4", 50)
        with pytest.raises(InputError, match=r"a.mp4: has 0.0 GB, and --cache is 0.0"):
            held.__enter__()

    def test_half_a_file_is_none(self, bucket, monkeypatch):
        source = put(bucket, "/in/a.mp4")
        monkeypatch.setattr(
            type(bucket), "get_file", lambda _, __, local, **___: Path(local).write_bytes(b"x")
        )
        with pytest.raises(InputError, match=r"1 bytes came of \d+"):
            fetched(source, GB).__enter__()


def test_the_command(bucket, monkeypatch, capsys):
    put(bucket, "/in/a.mp4"), put(bucket, "/in/b.mp4")
    monkeypatch.setattr("minet_core.models.zoo.model_of", lambda _: stub_model())
    arguments = [
        "detect",
        "memory://in",
        "-o",
        "memory://out",
        "--format",
        "json,cvat",
        "--model",
        "stub",
    ]
    assert run(arguments) == 0
    assert "  files       memory://out/a/annotated.mp4\n" in capsys.readouterr().out
    assert names(bucket, "/out/b") >= {"b.xml", "minet.json"}
    assert run(arguments) == 0
    assert "memory:///in/a.mp4: done already, in memory://out/a\n" in capsys.readouterr().out
    assert run(["detect", "--watch", "in", "-o", "memory://out"]) == 2
