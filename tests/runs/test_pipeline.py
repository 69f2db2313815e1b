import dataclasses
import sys
from fractions import Fraction
from pathlib import Path

import av
import pandas as pd
import pytest
from stub_model import PERSON_SCORE, stub_model
from video_factory import damage_packets, grey_images, write_grey_video, write_picture

from minet_core.errors import ConfigError, InputError, MinetError, OutputError, VideoOpenError
from minet_core.formats import read_json
from minet_core.formats.minet.result_json import JsonWriter
from minet_core.inference.timings import STAGES
from minet_core.options import FORMATS, DetectOptions
from minet_core.runs.annotate import annotate
from minet_core.runs.asked_frames import expected_frames
from minet_core.runs.folder_names import folder_names
from minet_core.runs.manifest import ANNOTATED, MANIFEST, OUTPUT_FILES, RESULT_FILES
from minet_core.video import VideoInfo, VideoReader
from minet_core.video.writing.pieces import PieceWriter

ALL_FILES = set(OUTPUT_FILES)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out" / "clip"


def options(**changes) -> DetectOptions:
    return DetectOptions(**changes)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def times_of(path: Path) -> list[float]:
    with VideoReader(path) as reader:
        return [frame.time for frame in reader]


def test_run_makes_all_files_and_sums_them_up(clip, out, model):
    summary = annotate(clip, out, model)
    assert names_in(out) == ALL_FILES
    assert summary.files == tuple(out / name for name in RESULT_FILES)
    assert (summary.frames, summary.rows, summary.rows_without_track) == (10, 20, 0)
    assert summary.tracklets_by_class == {"person": 1, "car": 1}
    assert summary.warnings == ()
    assert summary.frames_per_second == pytest.approx(10 / summary.seconds)
    assert list(summary.shares) == list(STAGES)
    assert sum(summary.shares.values()) == pytest.approx(1)


def test_tracklets_last_from_first_to_last_frame(clip, out, model):
    tracklets = annotate(clip, out, model).tracklets
    assert [(t.id, t.first_frame, t.last_frame, t.boxes, t.gaps) for t in tracklets] == [
        (1, 0, 9, 10, []),
        (2, 0, 9, 10, []),
    ]


def test_all_files_carry_the_same_rows(clip, out):
    annotate(clip, out, stub_model(empty=[0, 4, 5]), options(fill=0))
    header, rows, _ = read_json(out / "result.json")
    csv = pd.read_csv(out / "detections.csv", dtype={"pts": "Int64", "track_id": "Int64"})
    pd.testing.assert_frame_equal(rows, csv)
    mot = pd.read_csv(out / "mot.txt", header=None)
    assert mot.shape == (14, 10)
    assert (mot[0] - 1).tolist() == rows.frame.tolist()
    assert mot[1].tolist() == rows.track_id.tolist()
    assert not mot.duplicated([0, 1]).any()
    assert sorted(rows.frame.unique()) == [1, 2, 3, 6, 7, 8, 9]
    counts = {"frames": 10, "rows": 14, "rows_without_track": 0, "rows_interpolated": 0}
    assert header["counts"] == counts


def test_object_that_reappears_keeps_its_track_with_a_gap(clip, out):
    tracklets = annotate(clip, out, stub_model(empty=[4, 5]), options(fill=1)).tracklets
    assert [tracklet.gaps for tracklet in tracklets] == [[(4, 5)], [(4, 5)]]


def test_short_gap_is_filled_and_marked_in_every_file(clip, out):
    summary = annotate(clip, out, stub_model(empty=[4, 5]), options(fill=2))
    assert (summary.rows, summary.rows_interpolated) == (20, 4)
    assert [tracklet.gaps for tracklet in summary.tracklets] == [[], []]
    rows = read_json(out / "result.json").rows
    assert rows[rows.interpolated == 1].frame.tolist() == [4, 4, 5, 5]
    assert rows[rows.label == "person"].x1.tolist() == [4 + i / 4 for i in range(10)]
    csv = pd.read_csv(out / "detections.csv", dtype={"pts": "Int64", "track_id": "Int64"})
    pd.testing.assert_frame_equal(rows, csv)
    assert len((out / "mot.txt").read_text().splitlines()) == 20


def test_without_links_nothing_is_filled(clip, out):
    summary = annotate(clip, out, stub_model(empty=[4, 5]), options(link=False))
    assert summary.rows_interpolated == 0
    assert read_json(out / "result.json").header["settings"]["fill"] == 0


def test_rows_tell_base_score_place_and_time(clip, out, model):
    annotate(clip, out, model)
    rows = read_json(out / "result.json").rows
    person = rows[rows.label == "person"].reset_index()
    assert person.time.tolist() == pytest.approx([i / 25 for i in range(10)])
    assert person.base_score.tolist() == pytest.approx([PERSON_SCORE] * 10)
    assert person.score.iloc[-1] > PERSON_SCORE
    assert person.x1.tolist() == [4 + i / 4 for i in range(10)]


def test_header_says_what_the_rows_depend_on(clip, out, model):
    annotate(clip, out, model, options(start=2, classes=("car",), formats=("json",)))
    header = read_json(out / "result.json").header
    assert header["video"]["path"] == str(clip)
    assert (header["video"]["width"], header["video"]["height"]) == (64, 48)
    assert Fraction(header["video"]["frame_rate"]) == 25
    assert header["settings"] == {
        "identify": None,
        "preset": "video",
        "memory": True,
        "link": True,
        "fill": 8,
        "score": 0.3,
        "classes": ["car"],
        "size": None,
        "tiles": None,
        "half": False,
        "detections": None,
        "start": 2,
        "end": None,
        "stride": 1,
        "max_frames": None,
        "first_boxes": None,
        "prompts": None,
        "corrections": None,
    }


def test_annotated_video_has_the_frames_and_their_times(clip, out, model):
    annotate(clip, out, model)
    assert times_of(out / ANNOTATED) == pytest.approx([i / 25 for i in range(10)])


def test_stride_keeps_the_times_of_the_frames_looked_at(clip, out, model):
    summary = annotate(clip, out, model, options(stride=3))
    assert read_json(out / "result.json").rows.frame.unique().tolist() == [0, 3, 6, 9]
    assert times_of(out / ANNOTATED) == pytest.approx([0, 0.12, 0.24, 0.36])
    assert all(tracklet.gaps == [] for tracklet in summary.tracklets)


def test_part_keeps_the_numbers_and_times_of_the_source(clip, out, model):
    annotate(clip, out, model, options(start=5, end=0.32))
    rows = read_json(out / "result.json").rows
    assert rows.frame.unique().tolist() == [5, 6, 7]
    assert rows.time.unique().tolist() == pytest.approx([0.2, 0.24, 0.28])
    assert times_of(out / ANNOTATED) == pytest.approx([0, 0.04, 0.08])


@pytest.mark.parametrize(("stride", "streams"), [(1, ["video", "audio"]), (2, ["video"])])
def test_sound_is_kept_where_no_frame_is_skipped(tmp_path, out, model, stride, streams):
    clip = write_grey_video(tmp_path / "clip.mp4", audio_seconds=0.4)
    summary = annotate(clip, out, model, options(stride=stride))
    with av.open(out / ANNOTATED) as container:
        assert [stream.type for stream in container.streams] == streams
    said = [warning for warning in summary.warnings if "the sound is left out" in warning]
    assert len(said) == ("audio" not in streams)


def test_folder_of_pictures_is_a_video(tmp_path, out, model):
    folder = tmp_path / "frames"
    folder.mkdir()
    for i, image in enumerate(grey_images(3)):
        write_picture(folder / f"{i}.png", image)
    assert annotate(folder, out, model).frames == 3


def test_without_memory_there_are_no_tracks(clip, out, model):
    summary = annotate(clip, out, model, options(memory=False))
    assert (summary.rows, summary.rows_without_track, summary.tracklets) == (20, 20, ())
    header, rows, _ = read_json(out / "result.json")
    assert rows.track_id.isna().all()
    assert rows.score.tolist() == rows.base_score.tolist()
    assert header["settings"]["preset"] is None
    assert (out / "mot.txt").read_text() == ""


def test_filters_change_what_is_reported_and_no_id(clip, out, model):
    (car,) = annotate(clip, out, model, options(classes=("car",))).tracklets
    assert car.id == 2
    (person,) = annotate(clip, out, model, options(score=0.9, overwrite=True)).tracklets
    assert (person.id, person.boxes) == (1, 10)


def test_without_links_a_track_begins_when_it_is_sure(clip, out, model):
    tracklets = annotate(clip, out, model, options(link=False)).tracklets
    assert [(track.id, track.first_frame) for track in tracklets] == [(1, 1), (2, 2)]
    assert read_json(out / "result.json").header["settings"]["link"] is False


def test_unknown_class_is_refused_with_the_nearest(clip, out, model):
    with pytest.raises(ConfigError, match=r"no class 'persn'; did you mean 'person'\?"):
        annotate(clip, out, model, options(classes=("persn",)))
    assert not out.exists()


def test_progress_is_told_every_frame(clip, out, model):
    told = []
    annotate(clip, out, model, progress=lambda found, info: told.append((found.frame, info.frames)))
    assert told == [(i, 10) for i in range(10)]


def test_only_what_is_asked_for_is_written(clip, out, model):
    summary = annotate(clip, out, model, options(formats=("csv",), video=False))
    assert names_in(out) == {"detections.csv", MANIFEST}
    assert summary.files == (out / "detections.csv",)
    assert "draw" not in summary.shares


def test_results_are_not_replaced_unasked(clip, out, model):
    annotate(clip, out, model, options(formats=("csv",), video=False))
    before = (out / "detections.csv").read_bytes()
    with pytest.raises(OutputError, match=r"has other results \(.*csv → json.*\); --overwrite"):
        annotate(clip, out, model, options(formats=("json",), video=False))
    assert names_in(out) == {"detections.csv", MANIFEST}
    assert (out / "detections.csv").read_bytes() == before


def test_overwriting_leaves_no_file_of_the_earlier_run(clip, out, model):
    annotate(clip, out, model)
    (out / "notes.txt").write_text("the user's own")
    annotate(clip, out, model, options(formats=("csv",), video=False, overwrite=True))
    assert names_in(out) == {"detections.csv", MANIFEST, "notes.txt"}


def test_input_is_never_overwritten(tmp_path, model):
    clip = write_grey_video(tmp_path / ANNOTATED)
    with pytest.raises(OutputError, match="would replace the input"):
        annotate(clip, tmp_path, model, options(overwrite=True))


def stop_at(number, error):
    def progress(found, _):
        if found.frame == number:
            raise error

    return progress


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("disk on fire")], ids=repr)
def test_run_that_is_stopped_leaves_nothing(tmp_path, clip, out, model, error):
    with pytest.raises(type(error)):
        annotate(clip, out, model, progress=stop_at(5, error))
    assert names_in(tmp_path) == {"clip.mp4"}


def test_model_that_fails_midway_leaves_nothing(tmp_path, clip, out):
    with pytest.raises(RuntimeError, match="no luck"):
        annotate(clip, out, stub_model(fail_at=6))
    assert names_in(tmp_path) == {"clip.mp4"}


def test_run_that_is_stopped_leaves_the_earlier_results(clip, out, model):
    annotate(clip, out, model)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(KeyboardInterrupt):
        annotate(
            clip, out, model, options(overwrite=True), progress=stop_at(5, KeyboardInterrupt())
        )
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize("writer", [JsonWriter, PieceWriter], ids=lambda c: c.__name__)
def test_file_that_cannot_be_completed_keeps_the_others_back(
    tmp_path, clip, out, model, monkeypatch, writer
):
    def fail(*_):
        raise OutputError("the disk is full")

    method = "end" if writer is JsonWriter else "join"
    monkeypatch.setattr(writer, method, fail)
    with pytest.raises(OutputError, match="disk is full"):
        annotate(clip, out, model)
    assert names_in(tmp_path) == {"clip.mp4"}


def test_results_that_appear_in_the_meantime_are_kept(clip, out, model):
    def other_run(found, _):
        if found.frame == 5:
            (out / "mot.txt").write_text("of another run")

    with pytest.raises(OutputError, match="already has results"):
        annotate(clip, out, model, progress=other_run)
    assert names_in(out) == {"mot.txt"}


def test_video_that_cannot_be_read_leaves_nothing(tmp_path, out, model):
    text = tmp_path / "text.mp4"
    text.write_text("no video at all")
    with pytest.raises(VideoOpenError, match="not a video"):
        annotate(text, out, model)
    with pytest.raises(InputError, match="no such file"):
        annotate(tmp_path / "missing.mp4", out, model)
    with pytest.raises(OutputError, match="is a file, not a folder"):
        annotate(text, text, model)
    assert names_in(tmp_path) == {"text.mp4"}


def test_warnings_reach_the_summary(tmp_path, out, model):
    clip = damage_packets(write_grey_video(tmp_path / "a.mp4", options={"g": "1"}), [4])
    (warning,) = annotate(clip, out, model).warnings
    assert warning == "damaged packets skipped: 1"


def test_opencv_is_missed_before_anything_starts(clip, out, model, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MinetError, match="opencv-python-headless"):
        annotate(clip, out, model, progress=lambda *_: pytest.fail("a frame was looked at"))
    assert not out.exists()
    annotate(clip, out, model, options(video=False))
    assert names_in(out) == {*FORMATS.values(), MANIFEST}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preset": "vidoe"}, "unknown preset 'vidoe'; did you mean 'video'"),
        ({"score": 1.5}, "from 0 to 1, not 1.5"),
        ({"score": float("nan")}, "from 0 to 1, not nan"),
        ({"size": 100}, "multiple of 32, not 100"),
        ({"size": 0}, "multiple of 32, not 0"),
        ({"trails": -1}, "0 frames or more, not -1"),
        ({"formats": (), "video": False}, "nothing to write"),
    ],
)
def test_options_check_themselves(changes, message):
    with pytest.raises(ConfigError, match=message):
        DetectOptions(**changes)


def test_every_option_has_a_help_text():
    for field in dataclasses.fields(DetectOptions):
        assert field.metadata["help"].endswith("."), field.name


INFO = VideoInfo("a.mp4", 64, 48, Fraction(25), 100, 4.0, Fraction(1, 25), 0, False, False, "h264")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 100),
        ({"stride": 3}, 34),
        ({"start": 90}, 10),
        ({"start": 2.0}, 50),
        ({"end": 10}, 10),
        ({"end": 99.0}, 100),
        ({"start": 10, "end": 0.8, "stride": 4}, 3),
        ({"max_frames": 7}, 7),
        ({"start": 95, "max_frames": 7}, 5),
        ({"start": 200}, 0),
    ],
)
def test_number_of_frames_is_foretold(changes, expected):
    assert expected_frames(INFO, options(**changes)) == expected


def test_number_of_frames_is_unknown_when_the_source_does_not_tell():
    info = dataclasses.replace(INFO, frames=None)
    assert expected_frames(info, options()) is None
    assert expected_frames(info, options(end=8)) == 8
    assert expected_frames(info, options(max_frames=5)) == 5


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["street.mp4"], ["street"]),
        (["a/cam.mp4", "b/cam.mp4", "other.mp4"], ["a-cam", "b-cam", "other"]),
        (["d/x.mp4", "d/x.avi"], ["d-x", "d-x-2"]),
        (["d/x.mp4", "e/X.mp4"], ["d-x", "e-X"]),
        (["d/x.mp4", "d/x.avi", "d-x-2.mp4"], ["d-x", "d-x-2", "d-x-2-2"]),
        (["https://host/a/clip.mp4?key=b/c.d"], ["clip"]),
        (["https://host/"], ["video"]),
        (["-"], ["stdin"]),
        (["no.suffix.here.mkv"], ["no.suffix.here"]),
        (["cam/*.jpg"], ["cam"]),
        (["cam/*/[0-9].PNG", "....mp4"], ["cam", "video"]),
    ],
)
def test_each_source_gets_a_folder_of_its_own(sources, names):
    assert folder_names(sources) == names


def test_folder_of_pictures_keeps_its_whole_name(tmp_path, monkeypatch):
    (tmp_path / "take.2").mkdir()
    monkeypatch.chdir(tmp_path / "take.2")
    assert folder_names(["."]) == ["take.2"]
