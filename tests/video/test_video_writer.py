import resource
import signal
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from video_factory import grey_images, index_of, loudness, write_grey_video

from minet_core.errors import OutputError
from minet_core.video import VideoReader, VideoWriter


def write(path, images, times=None, *, frame_rate=Fraction(25), **options) -> VideoWriter:
    times = times or [i / float(frame_rate) for i in range(len(images))]
    with VideoWriter(path, frame_rate=frame_rate, **options) as writer:
        for image, time in zip(images, times, strict=True):
            writer.write(image, time)
    return writer


def read(path):
    with VideoReader(path) as reader:
        return list(reader)


def copy(source: Path, target: Path, **part) -> VideoWriter:
    with VideoReader(source, **part) as reader:
        info = reader.info
        frames = [(frame.image, frame.time) for frame in reader]
    images, times = zip(*frames, strict=True)
    return write(
        target,
        images,
        times,
        frame_rate=info.frame_rate,
        time_base=info.time_base,
        audio_from=source if info.has_audio else None,
    )


def test_as_many_frames_come_back_as_went_in(tmp_path):
    path = tmp_path / "out.mp4"
    write(path, grey_images(40))
    frames = read(path)
    assert [index_of(frame.image) for frame in frames] == list(range(40))
    assert [frame.time for frame in frames] == pytest.approx([i / 25 for i in range(40)])


def test_one_frame(tmp_path):
    path = tmp_path / "out.mp4"
    write(path, grey_images(1))
    assert len(read(path)) == 1


def test_is_an_h264_video_every_player_takes(tmp_path):
    path = tmp_path / "out.mp4"
    write(path, grey_images(5))
    with av.open(path) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.colorspace, context.color_range) == (1, 1)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # starts before it is all there


COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 120, 40), (0, 0, 0), (255, 255, 255)]


def test_colours_survive(tmp_path):
    image = np.zeros((32, 32 * len(COLOURS), 3), np.uint8)
    for i, colour in enumerate(COLOURS):
        image[:, 32 * i :] = colour
    write(tmp_path / "out.mp4", [image] * 2)
    for frame in read(tmp_path / "out.mp4"):
        seen = [frame.image[16, 32 * i + 16] for i in range(len(COLOURS))]
        np.testing.assert_allclose(seen, COLOURS, atol=6)


@pytest.mark.parametrize(("size", "padded"), [((47, 63), (48, 64)), ((48, 63), (48, 64))])
def test_odd_sizes_double_their_last_line(tmp_path, size, padded):
    image = np.full((*size, 3), 40, np.uint8)
    image[:, 32:] = 200
    write(tmp_path / "out.mp4", [image])
    (frame,) = read(tmp_path / "out.mp4")
    assert frame.image.shape == (*padded, 3)
    np.testing.assert_allclose(frame.image[-1, -1], 200, atol=6)
    np.testing.assert_allclose(frame.image[-1, 0], 40, atol=6)


@pytest.mark.parametrize(
    ("name", "time_base", "step"),
    [
        pytest.param("a.mp4", Fraction(1, 90_000), 3003, id="mp4"),
        pytest.param("a.mkv", Fraction(1, 1000), 33, id="matroska-milliseconds"),
        pytest.param("a.mp4", Fraction(1, 15_360), 512, id="other-ticks"),
    ],
)
def test_variable_frame_rate_survives_the_copy(tmp_path, name, time_base, step):
    pts = [step * i for i in range(30) if i % 3 != 2]
    source = write_grey_video(tmp_path / name, 20, rate=30, pts=pts, time_base=time_base)
    target = tmp_path / "out.mp4"
    copy(source, target)
    before, after = read(source), read(target)
    assert [frame.time for frame in before] == [float(p * time_base) for p in pts]
    assert [frame.time for frame in after] == pytest.approx([frame.time for frame in before])
    assert [index_of(frame.image) for frame in after] == list(range(20))


def test_part_starts_at_once_and_keeps_its_steps(tmp_path):
    source = write_grey_video(tmp_path / "a.mp4", 20)
    target = tmp_path / "out.mp4"
    copy(source, target, start=8, stride=3)
    assert [frame.time for frame in read(target)] == pytest.approx([0, 0.12, 0.24, 0.36])


def test_last_frame_is_shown_as_long_as_the_others(tmp_path):
    write(tmp_path / "out.mp4", grey_images(10), frame_rate=Fraction(10))
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert reader.info.duration == pytest.approx(1.0)


def test_times_that_do_not_advance_are_spread(tmp_path):
    write(tmp_path / "out.mp4", grey_images(4), times=[0.0, 0.04, 0.04, 0.08])
    times = [frame.time for frame in read(tmp_path / "out.mp4")]
    assert len(set(times)) == 4
    assert times == pytest.approx([0, 0.04, 0.04, 0.08], abs=1e-3)


class TestFileAppears:
    def test_only_on_a_clean_exit(self, tmp_path):
        path = tmp_path / "out.mp4"
        with VideoWriter(path, frame_rate=Fraction(25)) as writer:
            assert list(tmp_path.iterdir()) == []
            writer.write(grey_images(1)[0], 0.0)
            assert [file.name for file in tmp_path.iterdir()] == [".out.mp4.part"]
        assert list(tmp_path.iterdir()) == [path]

    def test_not_at_all_after_an_exception(self, tmp_path):
        def fail_midway():
            with VideoWriter(tmp_path / "out.mp4", frame_rate=Fraction(25)) as writer:
                for i, image in enumerate(grey_images(30)):
                    writer.write(image, i / 25)
                raise RuntimeError("the model failed")

        with pytest.raises(RuntimeError, match="the model failed"):
            fail_midway()
        assert list(tmp_path.iterdir()) == []

    def test_not_when_no_picture_was_written(self, tmp_path):
        with VideoWriter(tmp_path / "out.mp4", frame_rate=Fraction(25)):
            pass
        assert list(tmp_path.iterdir()) == []

    def test_not_when_there_is_no_path(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        write(None, grey_images(3))
        assert list(tmp_path.iterdir()) == []

    def test_in_place_of_an_older_one(self, tmp_path):
        path = tmp_path / "out.mp4"
        path.write_bytes(b"older")
        write(path, grey_images(3))
        assert len(read(path)) == 3

    @pytest.mark.parametrize("name", ["a:b.mp4", "%d.mp4", "q'u\"o te.mp4", "émoji😀.mp4"])
    def test_under_any_name(self, tmp_path, name):
        write(tmp_path / name, grey_images(2))
        assert [file.name for file in tmp_path.iterdir()] == [name]


class TestCannotWrite:
    def test_missing_folder(self, tmp_path):
        with pytest.raises(OutputError, match=r"out\.mp4: cannot be written \(no such file"):
            write(tmp_path / "missing" / "out.mp4", grey_images(1))

    def test_name_taken_by_a_folder(self, tmp_path):
        (tmp_path / "out.mp4").mkdir()
        with pytest.raises(OutputError, match="cannot be written"):
            write(tmp_path / "out.mp4", grey_images(3))
        assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]

    @pytest.mark.parametrize("count", [5, 45], ids=["on-exit", "midway"])
    def test_disk_full(self, tmp_path, count):
        random = np.random.default_rng(0)
        images = [random.integers(0, 256, (96, 96, 3), dtype=np.uint8) for _ in range(count)]
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        try:
            with pytest.raises(OutputError, match="cannot be written") as caught:
                write(tmp_path / "out.mp4", images)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
        assert "\n" not in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    def test_another_size_than_the_first(self, tmp_path):
        with pytest.raises(ValueError, match="a picture of shape"):
            write(tmp_path / "out.mp4", [*grey_images(1), *grey_images(1, 96, 96)])
        assert list(tmp_path.iterdir()) == []


def test_missing_encoder_is_replaced_with_a_warning(tmp_path):
    path = tmp_path / "out.mp4"
    writer = write(path, grey_images(12), codec="no_such_codec")
    assert len(writer.warnings) == 1
    assert "no_such_codec" in writer.warnings[0]
    frames = read(path)
    assert [frame.time for frame in frames] == pytest.approx([i / 25 for i in range(12)])
    with VideoReader(path) as reader:
        assert reader.info.codec == "mpeg4"


def _no_resampler(*_, **__):
    raise ValueError("no luck")


class TestSound:
    @pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
    def test_is_copied(self, tmp_path, name):
        source = write_grey_video(tmp_path / name, 40, audio_seconds=1.6)
        target = tmp_path / "out.mp4"
        writer = copy(source, target)
        assert writer.warnings == []
        assert len(read(target)) == 40
        before, after = loudness(source), loudness(target)
        assert after[-1][0] == pytest.approx(1.6, abs=0.1)
        assert after[-1][1] == pytest.approx(before[-1][1], rel=0.2)

    def test_stays_in_step_with_a_part(self, tmp_path):
        source = write_grey_video(tmp_path / "a.mp4", 40, audio_seconds=1.6)
        target = tmp_path / "out.mp4"
        copy(source, target, start=20, end=30)
        whole, part = loudness(source), loudness(target)
        assert part[-1][0] == pytest.approx(0.4, abs=0.1)
        # The tone swells steadily, so its loudness tells the place it came from.
        at_one_second = np.interp(1.0, *np.transpose(whole))
        assert np.interp(0.2, *np.transpose(part)) == pytest.approx(at_one_second, rel=0.1)

    @pytest.mark.parametrize("codec", ["pcm_mulaw", "adpcm_ima_wav"])
    def test_that_mp4_cannot_hold_is_encoded_again_with_a_line(self, tmp_path, codec):
        source = write_grey_video(tmp_path / "a.avi", 40, audio_seconds=1.6, audio_codec=codec)
        target = tmp_path / "out.mp4"
        writer = copy(source, target, start=20, end=30)
        assert writer.warnings == [f"the sound is encoded again, as AAC: mp4 cannot hold {codec}"]
        part = loudness(target)
        assert part[-1][0] == pytest.approx(0.4, abs=0.1)
        # The tone's mean loudness grows to 0.4 of full scale in 1.6 s; this is a second into it.
        assert np.interp(0.2, *np.transpose(part)) == pytest.approx(0.25, rel=0.02)
        assert sorted(file.name for file in tmp_path.iterdir()) == ["a.avi", "out.mp4"]

    @pytest.mark.parametrize(
        ("name", "codec"), [("a.mkv", "libopus"), ("a.mkv", "flac"), ("a.avi", "libmp3lame")]
    )
    def test_of_other_kinds_that_mp4_can_hold_is_copied(self, tmp_path, name, codec):
        source = write_grey_video(tmp_path / name, 10, audio_seconds=0.4, audio_codec=codec)
        assert copy(source, tmp_path / "out.mp4").warnings == []
        with av.open(source) as before, av.open(tmp_path / "out.mp4") as after:
            kinds = [container.streams.audio[0].codec_context.name for container in (before, after)]
        assert kinds[0] == kinds[1]

    def test_that_cannot_be_encoded_is_left_out_with_a_line(self, tmp_path, monkeypatch):
        source = write_grey_video(
            tmp_path / "a.avi", 10, audio_seconds=0.4, audio_codec="pcm_mulaw"
        )
        monkeypatch.setattr(av, "AudioResampler", _no_resampler)
        writer = copy(source, tmp_path / "out.mp4")
        assert writer.warnings == ["the sound is left out: it is damaged (no luck)"]
        assert len(read(tmp_path / "out.mp4")) == 10

    def test_with_times_that_fall_back_keeps_the_pictures(self, tmp_path):
        one = write_grey_video(tmp_path / "one.ts", 10, audio_seconds=0.4)
        source = tmp_path / "twice.ts"
        source.write_bytes(one.read_bytes() * 2)
        copy(source, tmp_path / "out.mp4")
        assert len(read(tmp_path / "out.mp4")) == 20

    def test_of_an_unknown_kind_is_left_out_with_a_line(self, tmp_path):
        source = write_grey_video(tmp_path / "a.mp4", 10, audio_seconds=0.4)
        data = bytearray(source.read_bytes().replace(b"mp4a", b"zzzz"))
        data[data.index(b"\x40\x15", data.index(b"esds"))] = 0xFF  # was: "this is AAC"
        source.write_bytes(data)
        writer = write(tmp_path / "out.mp4", grey_images(10), audio_from=source)
        assert len(writer.warnings) == 1
        assert "has sound of an unknown kind" in writer.warnings[0]
        assert len(read(tmp_path / "out.mp4")) == 10

    def test_of_a_silent_file_is_left_out_with_a_line(self, tmp_path):
        source = write_grey_video(tmp_path / "a.mp4", 3)
        writer = write(tmp_path / "out.mp4", grey_images(3), audio_from=source)
        assert len(writer.warnings) == 1
        assert "has no sound" in writer.warnings[0]
        assert len(read(tmp_path / "out.mp4")) == 3
