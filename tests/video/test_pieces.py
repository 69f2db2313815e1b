from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from video_factory import grey_images, index_of, loudness, write_grey_video

from minet_core.errors import OutputError
from minet_core.video import VideoReader, VideoWriter
from minet_core.video.writing.pieces import PieceWriter

RATE = Fraction(25)


def write(folder: Path, times, cuts=(), path="joined.mp4", audio_from=None) -> PieceWriter:
    """Grey pictures at these times, with a new piece after each number of `cuts`."""
    images = grey_images(len(times))
    with PieceWriter(folder / "pieces", frame_rate=RATE, time_base=Fraction(1, 12_800)) as writer:
        for number, (image, time) in enumerate(zip(images, times, strict=True), 1):
            writer.write(image, time)
            if number in cuts:
                writer.cut()
        writer.cut()
        writer.join(folder / path, audio_from)
    return writer


def times_and_indices(path: Path) -> tuple[list[float], list[int]]:
    with VideoReader(path) as reader:
        frames = list(reader)
    return [frame.time for frame in frames], [index_of(frame.image) for frame in frames]


def even(count: int) -> list[float]:
    return [i / 25 for i in range(count)]


@pytest.mark.parametrize("cuts", [(), (1,), (20,), (10, 20, 30), range(1, 40)], ids=str)
def test_joined_pieces_have_every_picture_at_its_time(tmp_path, cuts):
    write(tmp_path, even(40), cuts)
    times, indices = times_and_indices(tmp_path / "joined.mp4")
    assert times == pytest.approx(even(40))
    assert indices == list(range(40))


def test_times_are_those_of_a_video_in_one_piece(tmp_path):
    # Slower and slower: the second piece begins to be decoded long before it is shown.
    times = [5 + 0.04 * i + 0.03 * max(0, i - 8) ** 1.5 for i in range(30)]
    write(tmp_path, times, cuts=(10, 20))
    with VideoWriter(
        tmp_path / "whole.mp4", frame_rate=RATE, time_base=Fraction(1, 12_800)
    ) as writer:
        for image, time in zip(grey_images(30), times, strict=True):
            writer.write(image, time)
    joined, whole = (times_and_indices(tmp_path / f"{n}.mp4")[0] for n in ("joined", "whole"))
    assert joined == pytest.approx(whole, abs=2 / 12_800)


def test_joined_video_is_as_long_and_as_compatible_as_one_in_one_piece(tmp_path):
    write(tmp_path, even(20), cuts=(5, 10))
    with VideoReader(tmp_path / "joined.mp4") as reader:
        assert reader.info.duration == pytest.approx(0.8)
        assert reader.info.frame_rate == 25
    with av.open(tmp_path / "joined.mp4") as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.colorspace, context.color_range) == (1, 1)
    data = (tmp_path / "joined.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_writer_goes_on_after_whole_pieces(tmp_path):
    images = [np.random.default_rng(i).integers(0, 255, (48, 64, 3), np.uint8) for i in range(15)]

    settings = {"frame_rate": RATE, "time_base": Fraction(1, 12_800)}

    def run(folder: Path, stops: list[int]) -> bytes:
        starts: list[float] = []
        for first, last in zip([0, *stops], [*stops, 15], strict=True):
            with PieceWriter(folder / "pieces", starts, **settings) as writer:
                for i in range(first, last):
                    writer.write(images[i], i / 25)
                    if (i + 1) % 5 == 0:
                        writer.cut()
            starts = writer.starts
        writer.join(folder / "joined.mp4", None)
        return (folder / "joined.mp4").read_bytes()

    for name in ("undisturbed", "stopped"):
        (tmp_path / name).mkdir()
    assert run(tmp_path / "stopped", [5, 10]) == run(tmp_path / "undisturbed", [])


def test_sound_goes_through_the_joints(tmp_path):
    source = write_grey_video(tmp_path / "a.mp4", 40, audio_seconds=1.6)
    write(tmp_path, even(40), cuts=(10, 20, 30), audio_from=source)
    before, after = loudness(source), loudness(tmp_path / "joined.mp4")
    assert after[-1][0] == pytest.approx(before[-1][0], abs=0.05)
    assert after[-1][1] == pytest.approx(before[-1][1], rel=0.2)


def test_piece_is_not_there_before_it_is_complete(tmp_path):
    with PieceWriter(tmp_path / "pieces", frame_rate=RATE, time_base=Fraction(1, 25)) as writer:
        writer.write(grey_images(1)[0], 0.0)
        assert [path.name for path in (tmp_path / "pieces").iterdir()] == [".000000.mp4.part"]
        writer.cut()
        assert [path.name for path in (tmp_path / "pieces").iterdir()] == ["000000.mp4"]


def test_piece_that_has_gone_is_one_line(tmp_path):
    with PieceWriter(tmp_path / "pieces", frame_rate=RATE, time_base=Fraction(1, 25)) as writer:
        writer.write(grey_images(1)[0], 0.0)
        writer.cut()
        writer.paths[0].unlink()
        with pytest.raises(OutputError, match=r"joined\.mp4: cannot be written"):
            writer.join(tmp_path / "joined.mp4", None)
    assert [path.name for path in tmp_path.iterdir()] == ["pieces"]
