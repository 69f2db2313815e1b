"""Videos and results in buckets of a real S3 server, on this machine."""

import os

import pytest
from stub_model import stub_model
from video_factory import write_grey_video

from minet_cli.main import run
from minet_core.runs.manifest import RESULT_FILES
from minet_core.video.remote import local_copies

pytest.importorskip("s3fs", reason="s3fs is not installed: pip install 'minet-video[remote]'")
moto = pytest.importorskip("moto.server", reason="moto is not installed: pip install moto[server]")
pytest.importorskip("flask", reason="flask is not installed: pip install moto[server]")

# The server, and the loop that s3fs runs, leave sockets to the collector.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def s3(tmp_path, monkeypatch):
    import s3fs

    server = moto.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv(local_copies.CACHE, str(tmp_path / "cache"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem()
    system.mkdir("footage")
    yield system
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_from_a_bucket_to_a_bucket(s3, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("minet_core.models.zoo.model_of", lambda _: stub_model())
    monkeypatch.setattr("minet_core.runs.manifest.weights_of", lambda _: {})
    monkeypatch.setattr("minet_core.batch.planning.model_files", lambda _: ())
    for name in ("a", "b"):
        file = write_grey_video(tmp_path / f"{name}.mp4")
        s3.put_file(str(file), f"footage/in/{name}.mp4")
    arguments = ["--model", "stub", "--report"]
    assert run(["detect", "s3://footage/in", "-o", "s3://footage/out", *arguments]) == 0
    assert "s3://footage/out/a/annotated.mp4" in capsys.readouterr().out
    s3.invalidate_cache()
    wanted = {*RESULT_FILES, "report.html", "minet.json"}
    for name in ("a", "b"):
        assert {path.rpartition("/")[2] for path in s3.find(f"footage/out/{name}")} == wanted
    assert run(["detect", str(tmp_path / "a.mp4"), "-o", str(tmp_path / "out"), *arguments]) == 0
    here = tmp_path / "out/a/annotated.mp4"
    assert s3.cat_file("footage/out/a/annotated.mp4") == here.read_bytes()
    capsys.readouterr()
    assert run(["detect", "s3://footage/in", "-o", "s3://footage/out", *arguments]) == 0
    assert capsys.readouterr().out.count("done already, in s3://footage/out/") == 2
    assert run(["detect", "s3://nowhere/a.mp4", "-o", str(tmp_path / "out"), *arguments]) == 2
    assert "minet: error: s3://nowhere/a.mp4: " in capsys.readouterr().err
    assert os.listdir(tmp_path / "cache" / "results") == []  # noqa: PTH208
