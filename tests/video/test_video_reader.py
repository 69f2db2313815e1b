import gc
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from video_factory import (
    damage_packets,
    grey_images,
    index_of,
    write_audio,
    write_grey_video,
    write_picture,
    write_video,
)

from minet_core.errors import ConfigError, InputError, VideoOpenError
from minet_core.video import FolderReader, VideoReader, open_video, parse_position
from minet_core.video.info import VideoFrame


def read(path: Path, **part) -> list[VideoFrame]:
    with open_video(path, **part) as reader:
        return list(reader)


def indices_seen(frames: list[VideoFrame]) -> list[int]:
    return [index_of(frame.image) for frame in frames]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("a.mp4", {"options": {"bf": "3"}}, id="h264-b-frames"),
        pytest.param(
            "a.mkv", {"codec": "libx265", "options": {"x265-params": "log-level=none"}}, id="hevc"
        ),
        pytest.param("a.webm", {"codec": "libvpx-vp9"}, id="vp9"),
        pytest.param(
            "a.avi", {"codec": "mpeg4", "options": {"bf": "2", "qmax": "2"}}, id="avi-b-frames"
        ),
        pytest.param("a.ts", {}, id="starts-late"),
        pytest.param("a.h264", {}, id="no-timestamps"),
    ],
)
def test_every_frame_comes_in_order_with_its_time(tmp_path, name, options):
    path = write_grey_video(tmp_path / name, 40, **options)
    frames = read(path)
    assert indices_seen(frames) == list(range(40))
    assert [frame.index for frame in frames] == list(range(40))
    assert [frame.time for frame in frames] == pytest.approx([i / 25 for i in range(40)])


def test_info_describes_the_video(tmp_path):
    path = write_grey_video(tmp_path / "a.mp4", 20, rate=Fraction(30000, 1001), audio_seconds=0.5)
    with VideoReader(path) as reader:
        info = reader.info
    assert (info.width, info.height, info.frames) == (64, 48, 20)
    assert info.frame_rate == Fraction(30000, 1001)
    assert info.duration == pytest.approx(20 * 1001 / 30000)
    assert (info.codec, info.rotation, info.has_audio) == ("h264", 0, True)
    assert info.variable_frame_rate is False
    assert info.path == str(path)


def test_frame_image_is_contiguous_rgb(tmp_path):
    red = np.zeros((48, 70, 3), np.uint8)
    red[:] = 200, 30, 20
    (frame,) = read(write_video(tmp_path / "a.mp4", [red]))
    assert frame.image.dtype == np.uint8
    assert frame.image.flags.c_contiguous
    np.testing.assert_allclose(frame.image[24, 35], (200, 30, 20), atol=4)


def test_variable_frame_rate_keeps_its_timestamps(tmp_path):
    pts = [3000 * i for i in range(30) if i % 3 != 2]  # every third frame dropped
    path = write_grey_video(tmp_path / "a.mp4", 20, rate=30, pts=pts, time_base=Fraction(1, 90_000))
    with VideoReader(path) as reader:
        frames = list(reader)
    assert reader.info.variable_frame_rate is True
    assert reader.info.time_base == Fraction(1, 90_000)
    assert [frame.pts for frame in frames] == pts
    assert [frame.time for frame in frames] == pytest.approx([p / 90_000 for p in pts])


def test_start_time_is_subtracted(tmp_path):
    pts = [5000 + 40 * i for i in range(10)]
    path = write_grey_video(tmp_path / "a.mkv", 10, pts=pts, time_base=Fraction(1, 1000))
    frames = read(path)
    assert [frame.pts for frame in frames] == [40 * i for i in range(10)]
    assert frames[0].time == 0


def test_timestamps_that_fall_back_give_times_that_go_on(tmp_path):
    one = write_grey_video(tmp_path / "one.ts", 10)
    twice = tmp_path / "twice.ts"
    twice.write_bytes(one.read_bytes() * 2)
    frames = read(twice)
    assert [frame.pts for frame in frames[:10]] == [frame.pts for frame in frames[10:]]
    assert indices_seen(frames) == [*range(10), *range(10)]
    assert [frame.time for frame in frames] == pytest.approx([i / 25 for i in range(20)])


class TestPart:
    @pytest.mark.parametrize(
        ("part", "expected"),
        [
            pytest.param({"start": 7}, range(7, 20), id="start-frame"),
            pytest.param({"end": 7}, range(7), id="end-frame-excluded"),
            pytest.param({"start": 0.2}, range(5, 20), id="start-seconds"),
            pytest.param({"end": 0.2}, range(5), id="end-seconds-excluded"),
            pytest.param({"stride": 3}, range(0, 20, 3), id="stride"),
            pytest.param({"start": 4, "stride": 5}, range(4, 20, 5), id="stride-from-start"),
            pytest.param({"max_frames": 4}, range(4), id="max-frames"),
            pytest.param({"start": 3, "end": 17, "stride": 4}, [3, 7, 11, 15], id="all-ints"),
            pytest.param({"start": 0.2, "stride": 2, "max_frames": 3}, [5, 7, 9], id="mixed"),
            pytest.param({"end": 10**9}, range(20), id="end-beyond"),
        ],
    )
    @pytest.mark.parametrize("kind", ["file", "folder"])
    def test_gives_exactly_the_frames_asked_for(self, tmp_path, kind, part, expected):
        if kind == "file":
            source, rate = write_grey_video(tmp_path / "a.mp4", 20), {}
        else:
            source, rate = tmp_path, {"folder_rate": 25}
            for i, image in enumerate(grey_images(20)):
                write_picture(tmp_path / f"{i}.png", image)
        frames = read(source, **rate, **part)
        assert [frame.index for frame in frames] == list(expected)
        assert indices_seen(frames) == list(expected)
        assert [frame.time for frame in frames] == pytest.approx([i / 25 for i in expected])

    def test_beyond_the_end_is_one_line(self, tmp_path):
        path = write_grey_video(tmp_path / "a.mp4", 5)
        with pytest.raises(InputError, match=r"no frame is in the requested range.*5 frames"):
            read(path, start=5)

    @pytest.mark.parametrize(
        "part",
        [
            {"start": -1},
            {"end": float("nan")},
            {"start": 5, "end": 5},
            {"start": 2.0, "end": 1.0},
            {"stride": 0},
            {"max_frames": 0},
        ],
    )
    def test_that_can_hold_nothing_is_refused(self, tmp_path, part):
        path = write_grey_video(tmp_path / "a.mp4", 5)
        with pytest.raises(ConfigError):
            open_video(path, **part)

    def test_a_second_loop_goes_on_where_the_first_stopped(self, tmp_path):
        with VideoReader(write_grey_video(tmp_path / "a.mp4", 6)) as reader:
            first = [next(iter(reader)).index, next(iter(reader)).index]
            assert (first, [frame.index for frame in reader]) == ([0, 1], [2, 3, 4, 5])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("2.5s", 2.5),
        ("3 s", 3.0),
        (".5s", 0.5),
        ("01:30", 90.0),
        ("1:02:03.250", 3723.25),
        ("00:00:01.5", 1.5),
    ],
)
def test_parse_position(text, expected):
    position = parse_position(text)
    assert position == expected
    assert type(position) is type(expected)


@pytest.mark.parametrize("text", ["", "2.5", "-3", "ten", "1:60", "61:00:", "1:2:3:4", "nans", "٣"])
def test_parse_position_refuses(text):
    with pytest.raises(ConfigError, match="is not a position in a video"):
        parse_position(text)


def yuv_of(rgb, matrix: str, full_range: bool) -> np.ndarray:
    """Y'CbCr by the definition in the standards, not by FFmpeg."""
    red, _, blue = (v / 255 for v in rgb)
    k_red, k_blue = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}[matrix]
    luma = np.dot([k_red, 1 - k_red - k_blue, k_blue], np.asarray(rgb) / 255)
    chroma = np.array([(blue - luma) / (2 - 2 * k_blue), (red - luma) / (2 - 2 * k_red)])
    if full_range:
        return np.array([255 * luma, *(128 + 255 * chroma)])
    return np.array([16 + 219 * luma, *(128 + 224 * chroma)])


COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 120, 40), (0, 0, 0), (255, 255, 255)]
SPACE_TAGS = {"bt601": 6, "bt709": 1, None: 2}


def write_yuv(path, matrix, full_range, tagged=True, size=(16, 16), depth=8):
    """One lossless frame of six colour stripes, made of Y'CbCr numbers."""
    height, width = size
    stripe = width // len(COLOURS)
    yuv = np.zeros((3, height, width), np.uint8)
    for i, colour in enumerate(COLOURS):
        value = np.round(yuv_of(colour, matrix, full_range)).clip(0, 255)
        yuv[:, :, i * stripe :] = value[:, None, None]
    frame = av.VideoFrame.from_ndarray(yuv, format="yuv444p")
    if depth == 10:
        frame = frame.reformat(format="yuv444p10le")
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, frame.format.name
        if tagged:
            stream.codec_context.colorspace = SPACE_TAGS[matrix]
            stream.codec_context.color_range = 2 if full_range else 1
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def stripes_of(image) -> np.ndarray:
    stripe = image.shape[1] // len(COLOURS)
    return np.array([image[image.shape[0] // 2, i * stripe + stripe // 2] for i in range(6)])


class TestColours:
    @pytest.mark.parametrize("matrix", ["bt601", "bt709"])
    @pytest.mark.parametrize("full_range", [False, True], ids=["limited", "full"])
    @pytest.mark.parametrize("depth", [8, 10])
    def test_follow_the_tags(self, tmp_path, matrix, full_range, depth):
        path = write_yuv(tmp_path / "a.mkv", matrix, full_range, size=(16, 96), depth=depth)
        (frame,) = read(path)
        np.testing.assert_allclose(stripes_of(frame.image), COLOURS, atol=3)

    @pytest.mark.parametrize(
        ("matrix", "size"), [("bt601", (16, 96)), ("bt709", (720, 1280))], ids=["sd", "hd"]
    )
    def test_of_an_untagged_video_follow_its_size(self, tmp_path, matrix, size):
        path = write_yuv(tmp_path / "a.mkv", matrix, False, tagged=False, size=size)
        (frame,) = read(path)
        np.testing.assert_allclose(stripes_of(frame.image), COLOURS, atol=3)

    @pytest.mark.parametrize(
        ("name", "codec", "pixel_format"),
        [
            ("a.mkv", "ffv1", "bgra"),
            ("a.mkv", "ffv1", "yuva444p"),
            ("a.avi", "utvideo", "gbrp"),
            ("a.mov", "png", "rgb24"),
            ("a.mov", "png", "rgba"),
            ("a.mov", "png", "rgb48be"),
        ],
    )
    def test_survive_lossless_formats(self, tmp_path, name, codec, pixel_format):
        image = np.zeros((16, 96, 3), np.uint8)
        for i, colour in enumerate(COLOURS):
            image[:, 16 * i :] = colour
        path = write_video(tmp_path / name, [image], codec=codec, pixel_format=pixel_format)
        (frame,) = read(path)
        np.testing.assert_allclose(stripes_of(frame.image), COLOURS, atol=3)

    @pytest.mark.parametrize("pixel_format", ["gray", "gray10le", "gray16le"])
    def test_grey_video_is_grey(self, tmp_path, pixel_format):
        path = write_grey_video(tmp_path / "a.mkv", 8, codec="ffv1", pixel_format=pixel_format)
        frames = read(path)
        assert indices_seen(frames) == list(range(8))
        assert all((frame.image == frame.image[..., :1]).all() for frame in frames)

    def test_ten_bit_h264(self, tmp_path):
        path = write_grey_video(tmp_path / "a.mp4", 12, pixel_format="yuv420p10le")
        assert indices_seen(read(path)) == list(range(12))


@pytest.mark.parametrize("size", [(17, 33), (1, 1), (16, 16), (480, 2)])
def test_any_size_decodes(tmp_path, size):
    image = np.full((*size, 3), 120, np.uint8)
    path = write_video(tmp_path / "a.mkv", [image], codec="ffv1", pixel_format="yuv444p")
    (frame,) = read(path)
    assert frame.image.shape == (*size, 3)
    np.testing.assert_allclose(frame.image, 120, atol=2)


def test_8k_decodes_to_its_colours(tmp_path):
    image = np.zeros((4320, 7680, 3), np.uint8)
    image[:, 3840:] = 200, 30, 20
    path = write_video(tmp_path / "a.mp4", [image], codec="mjpeg", pixel_format="yuvj420p")
    (frame,) = read(path)
    assert frame.image.shape == image.shape
    np.testing.assert_allclose(frame.image[::4319, ::7679], image[::4319, ::7679], atol=4)


def test_size_change_midway_is_scaled_to_the_first_size(tmp_path):
    small = write_grey_video(tmp_path / "small.h264", 6)
    large = write_video(tmp_path / "large.h264", grey_images(4, 96, 80))
    both = tmp_path / "both.h264"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    with VideoReader(both) as reader:
        frames = list(reader)
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}
    assert indices_seen(frames) == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]
    assert reader.warnings == ["frames of other sizes scaled to 64×48: 4"]


class TestDamage:
    def test_truncated_file_yields_its_good_frames_and_a_warning(self, tmp_path, capfd):
        path = write_video(
            tmp_path / "a.mp4", noise_images(30), container_options={"movflags": "faststart"}
        )
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 6 // 10])
        with VideoReader(path) as reader:
            frames = list(reader)
        assert 10 <= len(frames) < 30
        assert any("cut short" in line for line in reader.warnings)
        assert capfd.readouterr() == ("", "")

    def test_damaged_packets_are_skipped_and_counted(self, tmp_path, capfd):
        path = write_grey_video(tmp_path / "a.mp4", 30, options={"bf": "0", "g": "1"})
        damage_packets(path, [10, 11])
        with VideoReader(path) as reader:
            frames = list(reader)
        assert indices_seen(frames) == [i for i in range(30) if i not in (10, 11)]
        assert [frame.index for frame in frames] == list(range(28))
        assert reader.corrupt_packets == 2
        assert reader.warnings == ["damaged packets skipped: 2"]
        assert capfd.readouterr() == ("", "")

    def test_good_frames_behind_a_bad_packet_at_the_end_are_not_lost(self, tmp_path):
        path = write_grey_video(tmp_path / "a.mp4", 30, options={"bf": "0", "g": "1"})
        damage_packets(path, [28])
        with VideoReader(path) as reader:
            frames = list(reader)
        assert indices_seen(frames) == [*range(28), 29]
        assert reader.corrupt_packets == 1

    def test_no_decodable_frame_is_not_a_video(self, tmp_path):
        path = damage_packets(write_grey_video(tmp_path / "a.mp4", 5), range(5))
        with pytest.raises(VideoOpenError, match="no frame of it can be decoded"):
            VideoReader(path)

    def test_hopeless_damage_is_given_up(self, tmp_path):
        image = np.zeros((16, 16, 3), np.uint8)
        path = write_video(tmp_path / "a.mp4", [image] * 320, options={"bf": "0", "g": "1"})
        damage_packets(path, range(5, 320))
        with VideoReader(path) as reader:
            frames = list(reader)
        assert len(frames) == 5
        assert any("too much damage in a row" in line for line in reader.warnings)


def noise_images(count: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(count)]


class TestRefused:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("text.mp4", b"Not a film.\n" * 50),
            ("text.txt", b"Not a film.\n" * 50),
            ("empty.mp4", b""),
            ("noise.avi", bytes(range(256)) * 20),
        ],
    )
    def test_not_a_video(self, tmp_path, name, content, capfd):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(VideoOpenError, match="not a video") as caught:
            open_video(path)
        assert "\n" not in str(caught.value)
        assert capfd.readouterr() == ("", "")

    def test_header_without_its_index(self, tmp_path):
        path = write_grey_video(tmp_path / "a.mp4", 10)
        path.write_bytes(path.read_bytes()[:1000])  # the index of a plain mp4 is at its end
        with pytest.raises(VideoOpenError, match="not a video"):
            open_video(path)

    def test_audio_only(self, tmp_path):
        with pytest.raises(VideoOpenError, match="has audio only"):
            open_video(write_audio(tmp_path / "a.m4a"))

    def test_missing(self, tmp_path):
        with pytest.raises(InputError, match="no such file") as caught:
            open_video(tmp_path / "a.mp4")
        assert not isinstance(caught.value, VideoOpenError)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_unreadable(self, tmp_path):
        path = write_grey_video(tmp_path / "a.mp4", 2)
        path.chmod(0)
        with pytest.raises(InputError, match="permission denied"):
            open_video(path)


@pytest.mark.parametrize(
    "name", ["a:b.mp4", "q'u\"o te.mp4", "new\nline.mp4", "émoji😀.mp4", "%d.mp4"]
)
def test_any_file_name_opens(tmp_path, name):
    plain = write_grey_video(tmp_path / "plain.mp4", 3)
    path = plain.rename(tmp_path / name)
    assert len(read(path)) == 3
    with pytest.raises(InputError) as caught:
        open_video(path.with_suffix(".missing"))
    assert "\n" not in str(caught.value)


def test_closing_lets_the_file_go(tmp_path):
    path = write_grey_video(tmp_path / "a.mp4", 5)
    reader = VideoReader(path)
    next(iter(reader))
    reader.close()
    reader.close()
    gc.collect()
    assert list(reader) == []


class TestFolder:
    def test_is_read_in_natural_order(self, tmp_path):
        names = ["1.JPEG", "2.jpg", "10.png", "010.bmp", "11.jpeg"]
        for name, image in zip(names, grey_images(5), strict=True):
            write_picture(tmp_path / name, image)
        (tmp_path / "notes.txt").write_text("not a frame")
        (tmp_path / "._1.jpg").write_bytes(b"left by another system")
        with FolderReader(tmp_path, frame_rate=10) as reader:
            frames = list(reader)
        # 010 and 10 are the same number: the name decides.
        assert indices_seen(frames) == [0, 1, 3, 2, 4]
        assert [frame.pts for frame in frames] == [0, 1, 2, 3, 4]
        assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
        assert (reader.info.frames, reader.info.frame_rate) == (5, 10)
        assert reader.warnings == ["files that are not pictures, left out: 1 (notes.txt)"]

    @pytest.mark.parametrize("broken", [0, 2])
    def test_broken_picture_leaves_a_gap(self, tmp_path, broken):
        for i, image in enumerate(grey_images(4)):
            write_picture(tmp_path / f"{i}.jpg", image)
        (tmp_path / f"{broken}.jpg").write_bytes(b"no picture")
        with open_video(tmp_path) as reader:
            frames = list(reader)
        assert [frame.index for frame in frames] == [i for i in range(4) if i != broken]
        assert indices_seen(frames) == [frame.index for frame in frames]
        assert reader.corrupt_packets == 1
        assert len(reader.warnings) == 1
        assert f"{broken}.jpg" in reader.warnings[0]

    def test_mixed_sizes_stay(self, tmp_path):
        write_picture(tmp_path / "0.png", grey_images(1)[0])
        write_picture(tmp_path / "1.png", grey_images(2, 96, 96)[1])
        with open_video(tmp_path) as reader:
            frames = list(reader)
        assert [frame.image.shape for frame in frames] == [(48, 64, 3), (96, 96, 3)]
        assert indices_seen(frames) == [0, 1]
        line = "pictures of other sizes than 64×48, with boxes in their own: 1 (1.png)"
        assert reader.warnings == [line]

    def test_empty(self, tmp_path):
        (tmp_path / "notes.txt").write_text("nothing else")
        with pytest.raises(InputError, match="no pictures in this folder"):
            open_video(tmp_path)

    def test_of_broken_pictures_only(self, tmp_path):
        (tmp_path / "0.jpg").write_bytes(b"no picture")
        with pytest.raises(VideoOpenError, match="none of its 1 pictures"):
            open_video(tmp_path)


def test_decoded_frames_do_not_wait_for_the_garbage_collector(tmp_path):
    path = write_grey_video(tmp_path / "a.mp4", 40)

    def decoded() -> int:
        return sum(type(each) is av.VideoFrame for each in gc.get_objects())

    gc.collect()
    before = decoded()
    gc.disable()
    try:
        with open_video(path) as reader:
            most = max(decoded() for _ in reader)
    finally:
        gc.enable()
    assert most - before < 10
