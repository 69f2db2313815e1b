"""Videos that are no file: pictures by pattern, standard input."""

import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from video_factory import grey_images, index_of, write_grey_video, write_picture, write_video

from minet_core.errors import InputError, VideoOpenError
from minet_core.video import FolderReader, open_video
from minet_core.video.pictures.folder import is_picture_pattern
from minet_core.video.reading.standard_input import index_comes_last


def indices_of(source: str | Path) -> list[int]:
    with open_video(source) as reader:
        return [index_of(frame.image) for frame in reader]


class TestPattern:
    @pytest.fixture(autouse=True)
    def pictures(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for name, image in zip(("10", "9", "100"), grey_images(3), strict=True):
            write_picture(tmp_path / f"{name}.JPEG", image)

    def test_is_one_video_in_natural_order(self):
        with open_video("*.JPEG") as reader:
            assert [index_of(frame.image) for frame in reader] == [1, 0, 2]
        assert isinstance(reader, FolderReader)
        assert (reader.info.path, reader.info.frames) == ("*.JPEG", 3)

    def test_takes_only_what_it_matches(self):
        assert indices_of("10*.JPEG") == [0, 2]

    def test_reaches_into_folders(self, tmp_path):
        (tmp_path / "more").mkdir()
        write_picture(tmp_path / "more" / "1.JPEG", grey_images(6)[5])
        assert indices_of("**/*.JPEG") == [5, 1, 0, 2]

    def test_that_matches_nothing(self):
        with pytest.raises(InputError, match=r"cam/\*\.jpg: no pictures match this"):
            open_video("cam/*.jpg")

    def test_is_not_a_file_of_that_name(self, tmp_path):
        write_picture(tmp_path / "1[0].JPEG", grey_images(8)[7])
        assert indices_of("1[0].JPEG") == [7]

    @pytest.mark.parametrize("name", ["*.mp4", "*", "10.JPEG", "http://host/*.jpg", "-", "."])
    def test_is_told_from_others(self, name):
        assert not is_picture_pattern(name)


@contextmanager
def stdin_from(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The file's bytes on standard input, by a pipe."""
    read_end, write_end = os.pipe()

    def feed() -> None:
        with suppress(BrokenPipeError), os.fdopen(write_end, "wb") as pipe:
            pipe.write(path.read_bytes())

    feeder = threading.Thread(target=feed)
    with os.fdopen(read_end) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        feeder.start()
        yield
    feeder.join()


class TestStandardInput:
    @pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.avi", "a.ts"])
    def test_is_a_video_of_any_kind(self, tmp_path, monkeypatch, name):
        path = write_video(tmp_path / name, large_images(20))
        assert path.stat().st_size > 40_000  # FFmpeg sees less than this without reading on
        with stdin_from(path, monkeypatch), open_video("-") as reader:
            assert len(list(reader)) == 20

    def test_of_a_redirected_file_is_read_in_place(self, tmp_path, monkeypatch):
        path = write_video(tmp_path / "a.mp4", large_images(20))
        monkeypatch.setattr("tempfile.TemporaryFile", None)
        with path.open() as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            with open_video("-") as reader:
                assert len(list(reader)) == 20

    def test_that_is_no_video(self, tmp_path, monkeypatch):
        path = tmp_path / "a.mp4"
        path.write_bytes(b"Not a film.\n" * 500)
        with stdin_from(path, monkeypatch), pytest.raises(VideoOpenError, match="-: not a video"):
            open_video("-")

    def test_that_the_disk_cannot_hold(self, tmp_path, monkeypatch):
        path = write_video(tmp_path / "a.mp4", large_images(20))
        full = Path("/dev/full")
        monkeypatch.setattr("tempfile.TemporaryFile", lambda: full.open("r+b", 0))
        no_space = pytest.raises(InputError, match=r"No space left.*save it to a file")
        with stdin_from(path, monkeypatch), no_space:
            open_video("-")

    def test_that_is_closed(self, monkeypatch):
        monkeypatch.setattr("sys.stdin", None)
        with pytest.raises(InputError, match="standard input is closed"):
            open_video("-")

    def test_that_is_a_terminal(self, monkeypatch):
        ours, theirs = os.openpty()
        with os.fdopen(ours, "rb", buffering=0), os.fdopen(theirs) as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            with pytest.raises(InputError, match="is a terminal"):
                open_video("-")


class TestUrl:
    @pytest.fixture
    def address(self, tmp_path) -> Iterator[str]:
        """A server on this machine, of the files in the test's folder."""
        handler = partial(Quiet, directory=tmp_path)
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()
            thread.join()

    @pytest.mark.parametrize("name", ["a.mp4", "a.ts"])
    def test_is_read_as_it_comes(self, tmp_path, address, name):
        write_grey_video(tmp_path / name, 20)
        assert indices_of(f"{address}/{name}") == list(range(20))

    def test_that_leads_nowhere_is_one_line(self, address):
        with pytest.raises(VideoOpenError, match="not found") as caught:
            open_video(f"{address}/missing.mp4")
        assert "\n" not in str(caught.value)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing of requests."""


def large_images(count: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (96, 96, 3), dtype=np.uint8) for _ in range(count)]


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        (["ftyp", "free", "mdat"], True),
        (["wide", "mdat"], True),
        (["ftyp", "moov", "mdat"], False),
        (["ftyp", "free"], False),
        ([], False),
    ],
)
def test_index_comes_last(boxes, expected):
    assert index_comes_last(b"".join(b"\0\0\0\x08" + box.encode() for box in boxes)) is expected


def test_damaged_size_of_a_box_does_not_hang():
    assert not index_comes_last(b"\0\0\0\0ftyp" * 3)


def test_animated_webp_is_refused_with_what_to_do(tmp_path):
    pictures = [Image.fromarray(image) for image in grey_images(3)]
    path = tmp_path / "my a.webp"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=[100, 50, 300])
    with pytest.raises(VideoOpenError, match="FFmpeg does not decode animated WebP") as refusal:
        open_video(path)
    words = shlex.split(str(refusal.value).partition("of it: ")[2])
    subprocess.run([sys.executable, *words[1:]], check=True)
    with open_video(tmp_path / "my a.gif") as reader:
        assert [frame.time for frame in reader] == pytest.approx([0, 0.1, 0.15])
