"""A last frame that is shown for seconds: no sign of damage, and held wherever the video goes."""

import json
from fractions import Fraction
from pathlib import Path

import av
import pytest
from video_factory import write_grey_video

from minet_cli.main import run
from minet_core import DetectOptions, annotate
from minet_core.formats.minet.reader import from_result
from minet_core.video import FrameReader, open_video


def hold_last(path: Path, seconds: float, **options: str) -> Path:
    """The video, with its last frame shown for so long."""
    held = path.with_name("held.mp4")
    with av.open(path) as source, av.open(held, "w", container_options=options) as made:
        stream = made.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.size]
        last, end = packets[-1], max(packet.pts or 0 for packet in packets)
        assert last.pts is not None
        last.duration = end - last.pts + round(seconds / last.time_base)
        for packet in packets:
            packet.stream = stream
            made.mux(packet)
    return held


def read_to_the_end(path: Path) -> FrameReader:
    with open_video(path) as reader:
        assert len(list(reader)) == 10
    return reader


@pytest.mark.parametrize("b_frames", ["0", "3"])
def test_it_is_no_sign_of_a_video_cut_short(tmp_path, b_frames):
    held = hold_last(write_grey_video(tmp_path / "clip.mp4", options={"bf": b_frames}), 3.0)
    reader = read_to_the_end(held)
    assert reader.warnings == []
    assert reader.end == pytest.approx(9 / 25 + 3)
    assert (reader.info.frame_rate, reader.info.frames) == (25, 10)
    assert reader.info.variable_frame_rate is False


def test_usual_last_frame_ends_a_frame_later(clip):
    assert read_to_the_end(clip).end == pytest.approx(0.4)


def test_end_is_not_known_before_it_is_reached(clip):
    with open_video(clip, end=5) as reader:
        assert len(list(reader)) == 5
    assert reader.end is None


def test_rate_of_uneven_frames_stays_their_average(tmp_path):
    pts = [0, 1, 2, 3, 13, 14, 15, 16, 17, 18]
    clip = write_grey_video(tmp_path / "clip.mp4", pts=pts, time_base=Fraction(1, 25))
    assert read_to_the_end(clip).info.frame_rate < 16


@pytest.mark.parametrize("b_frames", ["0", "3"])
@pytest.mark.parametrize("stride", [1, 3])
def test_it_stays_held_in_the_annotated_video(tmp_path, model, b_frames, stride):
    clip = write_grey_video(tmp_path / "clip.mp4", options={"bf": b_frames})
    summary = annotate(hold_last(clip, 3.0), tmp_path / "out", model, DetectOptions(stride=stride))
    assert summary.warnings == ()
    with open_video(tmp_path / "out/annotated.mp4") as reader:
        last = list(reader)[-1]
    assert last.time == pytest.approx(9 / 25)
    assert reader.end == pytest.approx(9 / 25 + 3, abs=0.001)


def test_part_without_the_end_is_not_held(tmp_path, model):
    held = hold_last(write_grey_video(tmp_path / "clip.mp4"), 3.0)
    annotate(held, tmp_path / "out", model, DetectOptions(max_frames=9))
    assert json.loads((tmp_path / "out/result.json").read_text())["end"] is None
    with open_video(tmp_path / "out/annotated.mp4") as reader:
        assert len(list(reader)) == 9
    assert reader.end == pytest.approx(9 / 25, abs=0.001)


def test_copy_at_a_constant_rate_repeats_it(tmp_path, model):
    held = hold_last(write_grey_video(tmp_path / "clip.mp4"), 3.0)
    annotate(held, tmp_path / "out", model, DetectOptions(video=False))
    assert from_result(tmp_path / "out/result.json").end == pytest.approx(3.36)
    arguments = ["export", str(tmp_path / "out"), "--to", "json", "-o", str(tmp_path / "copy.json")]
    assert run([*arguments, "--constant-rate", "10", "--quiet"]) == 0
    copy = from_result(tmp_path / "copy.json")
    assert copy.tracks[0].frames.tolist() == list(range(34))
    assert copy.tracks[0].boxes[-1, 0] == 4 + 9 / 4
