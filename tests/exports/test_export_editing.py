import shlex
from dataclasses import replace
from fractions import Fraction

import av
import av.filter
import numpy as np
import pytest
from export_data import loose_of, track_of, video_of
from hypothesis import given, settings
from hypothesis import strategies as st

from minet_core.errors import ConfigError, InputError
from minet_core.export_options import ExportOptions
from minet_core.exports.editing import check_classes, edit
from minet_core.exports.retiming import at_constant_rate, ffmpeg_options
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.class_names import LASTING, parts_of_one_class, read_label_map


def edited(video, **options):
    return edit(video, ExportOptions(**options), keyframes=None)


def ids(video):
    return [track.id for track in video.tracks]


def test_short_weak_and_other_tracks_are_left_out_and_counted():
    weak = track_of(2, [0, 1, 2], scores=np.array([0.1, 0.2, 0.3]))
    video = video_of(
        track_of(1, [0, 1]), weak, track_of(5, [0, 1, 2], "cat"), track_of(7, [3, 4, 5])
    )
    result, tally = edited(video, min_length=3, min_score=0.3, classes=("dog",))
    assert ids(result) == [7]
    assert result.classes == ("dog",)
    assert tally.dropped == {"too short": 1, "too weak": 1, "of other classes": 1}


def test_box_of_no_track_is_a_track_of_one_box():
    video = video_of(loose=loose_of([1, 2]), classes=("cat",))
    assert len(edited(video)[0].loose) == 2
    assert len(edited(video, min_score=0.6)[0].loose) == 0
    assert len(edited(video, min_length=2)[0].loose) == 0
    assert len(edited(video, classes=("dog",))[0].loose) == 0


def test_boxes_are_cut_off_at_the_picture():
    boxes = np.array([[-5.0, -5, 5, 5], [700, 10, 720, 30], [600, 300, 650, 400]])
    result, tally = edited(video_of(track_of(1, [0, 1, 2], boxes=boxes)))
    (track,) = result.tracks
    assert track.frames.tolist() == [0, 2]
    assert track.boxes.tolist() == [[0, 0, 5, 5], [600, 300, 640, 360]]
    assert (tally.outside, tally.gaps) == (1, 1)


def test_track_outside_the_picture_is_left_out():
    track = track_of(1, [0], boxes=np.array([[700.0, 10, 720, 30]]))
    result, tally = edited(video_of(track))
    assert result.tracks == ()
    assert tally.dropped == {"outside the picture": 1}


@pytest.mark.parametrize(
    ("options", "frames", "counts"),
    [
        pytest.param({}, [0, 1, 4, 9], (2, 0), id="not asked"),
        pytest.param({"interpolate": True}, [*range(10)], (0, 2), id="both"),
        pytest.param({"interpolate": True, "max_gap": 2}, [*range(5), 9], (1, 1), id="short"),
        pytest.param({"interpolate": True, "max_gap": 1}, [0, 1, 4, 9], (2, 0), id="none"),
    ],
)
def test_gaps_are_closed_up_to_a_length(options, frames, counts):
    result, tally = edited(video_of(track_of(1, [0, 1, 4, 9])), **options)
    (track,) = result.tracks
    assert track.frames.tolist() == frames
    assert track.boxes[:, 0].tolist() == frames
    assert track.frames[track.keyframes].tolist() == [0, 1, 4, 9]
    assert (tally.gaps, tally.closed) == counts


def test_gap_of_steps_is_closed_in_steps():
    video = video_of(track_of(1, [0, 2, 8]), step=2)
    (track,) = edited(video, interpolate=True, max_gap=4)[0].tracks
    assert track.frames.tolist() == [0, 2, 4, 6, 8]


def test_unknown_class_gets_a_suggestion():
    with pytest.raises(ConfigError, match="no class 'dgo'; did you mean 'dog'"):
        check_classes(("dgo",), ["dog", "cat"])


def map_of(tmp_path, text):
    path = tmp_path / "map.txt"
    path.write_text(text, encoding="utf-8")
    return read_label_map(path)


def test_map_renames_joins_and_leaves_out(tmp_path):
    label_map = map_of(tmp_path, "# ours\ndog=animal\ncat = animal\ncar=\n*=*\n")
    video = video_of(
        track_of(1, [0], "dog"),
        track_of(2, [0], "cat"),
        track_of(3, [0], "car"),
        track_of(4, [0], "tree"),
        loose=loose_of([1]),
    )
    mapped = label_map.applied(video)
    assert [(t.id, t.label) for t in mapped.tracks] == [(1, "animal"), (2, "animal"), (4, "tree")]
    assert mapped.loose.labels == ("animal",)
    assert mapped.classes == ("animal", "tree")


def test_class_that_the_map_does_not_know_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="knows no class 'dog'; `dog=dog` keeps it"):
        map_of(tmp_path, "cat=cat\n").applied(video_of(track_of(1, [0])))


def test_map_may_not_rename_what_nothing_has(tmp_path):
    label_map = map_of(tmp_path, "dgo=hound\n*=*\n")
    label_map.applied(video_of(track_of(1, [0])))
    with pytest.raises(ConfigError, match="no class 'dgo'; did you mean 'dog'"):
        label_map.check()


def test_quotes_hold_any_name(tmp_path):
    lines = (
        '"a = b"="c=d"\n" blank "=x\n"#tag"=y\n"*"=star\n"say \\"no\\""=z\nit\'s "q"=q\ngo on=w\n'
    )
    names = ["a = b", " blank ", "#tag", "*", 'say "no"', 'it\'s "q"', "go on"]
    label_map = map_of(tmp_path, lines)
    assert [label_map.rename(name) for name in names] == ["c=d", *"xy", "star", *"zqw"]
    label_map.classes(names)
    label_map.check()


def test_a_name_that_needs_quotes_is_shown_with_them(tmp_path):
    label_map = map_of(tmp_path, "dog=dog\n")
    with pytest.raises(ConfigError, match='`"a=b"=` leaves it out') as error:
        label_map.rename("a=b")
    line = str(error.value).split("`")[1]
    assert map_of(tmp_path, line).rename("a=b") == "a=b"


@pytest.mark.parametrize(
    "line",
    ["dog", "=dog", "*=dog", "a=b\na=c", "a=b=c", '"a=b', '"a\\x"=b', "*=*\n*=", '"a"=b\na=c'],
)
def test_bad_map_is_refused(tmp_path, line):
    with pytest.raises(ConfigError, match=r"map\.txt, line"):
        map_of(tmp_path, line)


def test_missing_map_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_label_map(tmp_path / "no")


def parts(*runs):
    """Stretches of (class, how many rows, score), and the classes they come to."""
    labels = np.concatenate([np.full(count, label) for label, count, _ in runs])
    scores = np.concatenate([np.full(count, score) for _, count, score in runs])
    found = parts_of_one_class(labels, scores)
    return [(part.start, part.stop, label) for part, label in found]


def test_flicker_is_outvoted_by_score():
    assert parts((0, 10, 0.5), (1, 4, 0.9), (0, 3, 0.5)) == [(0, 17, 0)]
    assert parts((0, 10, 0.3), (1, 4, 0.9)) == [(0, 14, 1)]
    assert parts((3, 2, 0.0)) == [(0, 2, 3)]


def test_track_is_cut_where_the_class_truly_changes():
    flicker = (0, LASTING, 0.5), (2, 3, 0.9), (1, LASTING, 0.4)
    assert parts(*flicker) == [(0, LASTING + 3, 0), (LASTING + 3, 2 * LASTING + 3, 1)]
    back = (0, LASTING, 0.5), (2, LASTING - 1, 0.1), (0, LASTING, 0.5)
    assert parts(*back) == [(0, 3 * LASTING - 1, 0)]


def test_copy_at_twice_the_rate_shows_each_frame_twice():
    video = at_constant_rate(video_of(track_of(1, [0, 1, 3]), frames=5), 50)
    (track,) = video.tracks
    assert track.frames.tolist() == [0, 1, 2, 3, 6, 7]
    assert track.boxes[:, 0].tolist() == [0, 0, 1, 1, 3, 3]
    assert (video.frames, video.frame_rate, video.step) == (10, Fraction(50), 1)


def test_copy_at_half_the_rate_leaves_frames_out():
    video = video_of(track_of(1, [0, 1, 2, 3]), track_of(2, [1]), loose=loose_of([2, 3]), frames=6)
    copy = at_constant_rate(replace(video, frame_rate=Fraction(24)), 12)
    assert [(track.id, track.boxes[:, 0].tolist()) for track in copy.tracks] == [(1, [0, 2])]
    assert copy.loose.frames.tolist() == [1]


def shown_by_ffmpeg(video: VideoAnnotations, rate: int) -> list[int]:
    """The frame that each frame shows of the copy that FFmpeg makes with our options.

    FFmpeg believes that the last one is shown for an instant, or for long.
    """
    words = shlex.split(ffmpeg_options(video, rate))
    assert (words[0], words[2]) == ("-vf", "-frames:v")
    graph, tick = av.filter.Graph(), Fraction(1, 90_000)
    facts = f"video_size=16x16:pix_fmt=gray:time_base={tick}:pixel_aspect=1/1:frame_rate=25/1"
    filters = [graph.add(*each.split("=", 1)) for each in words[1].split(",")]
    graph.link_nodes(graph.add("buffer", facts), *filters, graph.add("buffersink")).configure()
    for i, time in enumerate(video.times):
        frame = av.VideoFrame.from_ndarray(np.full((16, 16), i, np.uint8), format="gray")
        frame.pts, frame.time_base, frame.duration = round((time + 9) / tick), tick, 1
        graph.push(frame)
    graph.push(None)
    return [int(graph.pull().to_ndarray()[0, 0]) for _ in range(int(words[3]))]


@given(
    steps=st.lists(st.integers(500, 20_000), min_size=1, max_size=20),
    rate=st.integers(5, 60),
    last=st.integers(18_000, 300_000),
    delay=st.sampled_from([0, 0, 1, 6000, 45_000]),
)
@settings(max_examples=50)
def test_copy_has_the_frames_that_ffmpeg_gives_it(steps, rate, last, delay):
    times = np.cumsum([0, *steps]) / 90_000
    every = video_of(track_of(1, list(range(len(times)))), frames=len(times), times=times)
    every = replace(every, end=times[-1] + last / 90_000, delay=delay / 90_000)
    (track,) = at_constant_rate(every, rate).tracks
    assert track.frames.tolist() == list(range(len(track)))
    assert track.boxes[:, 0].tolist() == shown_by_ffmpeg(every, rate)


def test_copy_of_less_than_half_a_frame_is_refused():
    with pytest.raises(ConfigError, match="too short for a copy"):
        at_constant_rate(video_of(track_of(1, [0, 1]), frames=2), 5)


def test_copy_of_what_may_go_on_has_no_set_length():
    part = video_of(track_of(1, [0, 1]), frames=3, times=np.arange(3) / 25)
    assert ffmpeg_options(part, 25) == "-vf 'setpts=round(PTS-STARTPTS+0/TB),fps=25:start_time=0'"


def test_copy_begins_where_the_sound_does():
    late = video_of(track_of(1, [0, 1]), frames=3, start_time=0.5, delay=0.5)
    copy = at_constant_rate(late, 10)
    # Frames at 0.5, 0.54 and 0.58 s, the last of them up to 0.62 s: 6 frames, from 0 s on.
    assert (copy.frames, copy.start_time, copy.delay) == (6, 0, 0)
    assert copy.tracks[0].boxes[:, 0].tolist() == [0] * 5 + [1]


def test_copy_follows_the_times_of_frames():
    times = np.array([0, 0.04, 0.5, 0.54])
    video = video_of(track_of(1, [1, 2]), frames=4, variable_rate=True, times=times)
    (track,) = at_constant_rate(video, 25).tracks
    # The frame at 0.04 s is shown until the one at 0.5 s comes.
    assert track.frames.tolist() == list(range(1, 14))
    assert track.boxes[-1, 0] == 2


def test_copy_has_boxes_between_steps():
    (track,) = at_constant_rate(video_of(track_of(1, [0, 2, 6]), step=2), 25).tracks
    assert track.frames.tolist() == [0, 1, 2, 6]


def test_copy_of_what_has_no_times_is_refused():
    with pytest.raises(ConfigError, match="the times of its frames are unknown"):
        at_constant_rate(video_of(frame_rate=None), 25)
