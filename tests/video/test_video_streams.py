"""Files with several video streams: which is read, and what is said of the others."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from video_factory import Image, grey_images, index_of

from minet_cli.main import run
from minet_core import DetectOptions, annotate
from minet_core.errors import ConfigError, VideoOpenError
from minet_core.video import VideoReader, open_video

Stream = tuple[str, Sequence[Image], Disposition | None]
"""Codec, pictures, and the disposition that is written."""

NONE, DEFAULT = Disposition(0), Disposition.default
SMALL = [image[:24, :32] for image in grey_images(12)]


def write_streams(path: Path, *streams: Stream) -> Path:
    """A file whose streams have these pictures, 25 a second."""
    with av.open(path, "w") as container:
        made: list[Any] = []
        for codec, images, disposition in streams:
            stream = container.add_stream(codec, rate=25)
            stream.height, stream.width = images[0].shape[:2]
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            if disposition is not None:
                stream.disposition = disposition
            made.append(stream)
        for stream, (_, images, _) in zip(made, streams, strict=True):
            for i, image in enumerate(images):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                frame.pts = i
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def make_unknown(path: Path, tag: bytes = b"zzq1") -> Path:
    """The file, with a name for the first stream's codec that nobody knows."""
    data = path.read_bytes()
    assert data.count(b"avc1") >= 1
    at = data.index(b"avc1", data.index(b"stsd"))
    path.write_bytes(data[:at] + tag + data[at + 4 :])
    return path


THUMBNAIL: Stream = ("mjpeg", SMALL[:1], DEFAULT)
SHORT, LONG = ("libx264", SMALL), ("libx264", grey_images(10))
FILM: Stream = (*LONG, NONE)


def read(path: Path, stream: int | None = None) -> tuple[int | None, int, list[str]]:
    """Stream, frames and warnings."""
    with open_video(path, stream=stream) as reader:
        frames = [index_of(frame.image) for frame in reader]
        assert frames == list(range(len(frames)))
        return reader.info.stream, len(frames), reader.warnings


@pytest.mark.parametrize(
    ("streams", "chosen"),
    [
        pytest.param([THUMBNAIL, FILM], 1, id="not a thumbnail, though it is the default"),
        pytest.param([(*SHORT, DEFAULT), (*LONG, DEFAULT)], 1, id="the one with most pixels"),
        pytest.param([("libx264", SMALL, DEFAULT), FILM], 0, id="the default"),
        pytest.param([(*LONG, DEFAULT), (*SHORT, DEFAULT)], 0, id="wherever it is"),
        pytest.param([FILM, FILM], 0, id="the first of equals"),
    ],
)
def test_stream_with_the_film_is_read_and_the_others_are_told(tmp_path, streams, chosen):
    number, frames, (warning,) = read(write_streams(tmp_path / "a.mov", *streams))
    assert (number, frames) == (chosen, len(streams[chosen][1]))
    assert warning.startswith(f"stream {chosen} (h264, ")
    assert f"is read, not {1 - chosen} (" in warning
    assert warning.endswith("; --stream chooses")


def test_line_says_what_the_others_hold(tmp_path):
    path = write_streams(tmp_path / "a.mov", THUMBNAIL, FILM)
    assert read(path)[2] == [
        "stream 1 (h264, 64×48, 10 frames) is read, not 0 (mjpeg, 32×24, 1 frame); --stream chooses"
    ]


def test_usual_file_has_no_line(clip):
    assert read(clip) == (0, 10, [])


def test_single_picture_is_read_where_nothing_moves(tmp_path):
    assert read(write_streams(tmp_path / "a.mov", THUMBNAIL))[:2] == (0, 1)


def test_number_chooses(tmp_path):
    path = write_streams(tmp_path / "a.mov", THUMBNAIL, FILM)
    assert read(path, stream=0) == (0, 1, [])
    assert read(path, stream=1) == (1, 10, [])


def test_number_of_no_stream_is_refused_with_those_that_are_there(tmp_path):
    path = write_streams(tmp_path / "a.mov", THUMBNAIL, FILM)
    wanted = r"has no video stream 7; it has 0 \(mjpeg, 32×24, 1 frame\), 1 \(h264, 64×48"
    with pytest.raises(VideoOpenError, match=wanted):
        VideoReader(path, stream=7)
    (tmp_path / "pictures").mkdir()
    with pytest.raises(ConfigError, match="pictures have no stream 0"):
        open_video(tmp_path / "pictures", stream=0)


def test_unknown_codec_is_passed_over_and_named(tmp_path):
    path = make_unknown(write_streams(tmp_path / "a.mp4", ("libx264", SMALL, DEFAULT), FILM))
    number, frames, warnings = read(path)
    assert (number, frames) == (1, 10)
    assert warnings == [
        "stream 1 (h264, 64×48, 10 frames) is read, not 0 (unknown codec zzq1); --stream chooses"
    ]
    with pytest.raises(VideoOpenError, match=r"stream 0 \(unknown codec zzq1\) cannot be decoded"):
        VideoReader(path, stream=0)


def make_undecodable(path: Path, stream: int) -> Path:
    """The file, with noise in the place of every packet of a stream."""
    data = bytearray(path.read_bytes())
    with av.open(path) as container:
        for packet in container.demux(container.streams[stream]):
            if packet.size:
                data[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    path.write_bytes(data)
    return path


def test_default_stream_of_which_nothing_decodes_is_left_for_the_next(tmp_path):
    path = write_streams(tmp_path / "a.mp4", (*SHORT, DEFAULT), FILM)
    make_undecodable(path, 0)
    (line,) = read(path)[2]
    assert read(path)[:2] == (1, 10)
    assert line.startswith("stream 1 (h264, 64×48, 10 frames) is read, not 0 (h264, 32×24, 12 ")
    assert "no frame of it can be decoded)" in line
    with pytest.raises(VideoOpenError, match="no frame of it can be decoded"):
        read(path, 0)
    make_undecodable(path, 1)
    with pytest.raises(VideoOpenError, match="no frame of it can be decoded"):
        read(path)


def test_file_of_an_unknown_codec_alone_is_refused_by_its_name(tmp_path):
    path = make_unknown(write_streams(tmp_path / "a.mp4", FILM))
    with pytest.raises(VideoOpenError, match=r"video cannot be decoded: 0 \(unknown codec zzq1\)"):
        VideoReader(path)


def test_option_goes_into_the_result_and_what_is_made_of_it(tmp_path, model):
    """Pictures of an export are those of the stream that was annotated."""
    path = write_streams(tmp_path / "a.mov", ("libx264", SMALL, NONE), FILM)
    options = DetectOptions(stream=0, formats=("json",), video=False)
    assert annotate(path, tmp_path / "out", model, options).frames == 12
    assert json.loads((tmp_path / "out/result.json").read_text())["video"]["stream"] == 0
    to = ["--to", "yolo", "-o", str(tmp_path / "yolo"), "--frames", "png", "--quiet"]
    assert run(["export", str(tmp_path / "out"), *to]) == 0
    assert len(list((tmp_path / "yolo").rglob("*.png"))) == 12
    with open_video(next((tmp_path / "yolo").rglob("*.png")).parent) as reader:
        assert (reader.info.width, reader.info.height) == (32, 24)


def test_tool_that_shows_the_first_stream_is_told_of(tmp_path, model, capsys):
    path = write_streams(tmp_path / "a.mov", ("libx264", SMALL, NONE), FILM)
    lines = {
        "cvat": "boxes are of stream 1, and this tool shows stream 0 of the file; give it a copy",
        "label-studio": "boxes are of stream 1, and a browser may show stream 0 of the file; run",
    }
    for stream, told in ((1, True), (0, False)):
        out = tmp_path / str(stream)
        annotate(path, out, model, DetectOptions(stream=stream, video=False))
        for to, line in lines.items():
            assert run(["export", str(out), "--to", to, "-o", str(out / to)]) == 0
            assert (line in capsys.readouterr().err) is told


def test_other_stream_is_another_result(tmp_path, capsys):
    path = write_streams(tmp_path / "a.mov", ("libx264", SMALL, NONE), FILM)
    detect = ["detect", str(path), "-o", str(tmp_path), "--no-video", "--quiet", "--size", "64"]
    assert run([*detect, "--max-frames", "1"]) == 0
    assert run([*detect, "--max-frames", "1", "--stream", "0"]) == 5
    assert "has other results (stream none → 0)" in capsys.readouterr().err
