import base64
import hashlib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from result_factory import frame_of
from result_factory import write as write_result
from video_factory import grey_images, write_picture
from viewer_data import HOSTILE, PageParts, data_of, many, unpack, write_page

from minet_cli.main import run
from minet_core import DetectOptions, annotate
from minet_core.boxes import NO_TRACK
from minet_core.errors import ConfigError, OutputError
from minet_core.export_options import ExportOptions
from minet_core.exports import export
from minet_core.formats import read_json
from minet_core.formats.annotations import NO_LOOSE_BOXES, LooseBoxes, Track, VideoAnnotations
from minet_core.formats.review_page.columns import data_of_annotations, data_of_result
from minet_core.formats.review_page.page import PageVideo, videos_for
from minet_core.models import zoo

VIDEO = {
    **{"width": 640, "height": 480, "frame_rate": "25", "pixel_aspect": "16/15"},
}
SETTINGS = {"start": None, "stride": 1, "score": 0.3}


def stored(folder: Path, frames, **settings):
    result = read_json(write_result(folder, "json", frames))
    header = {**result.header, "settings": {**SETTINGS, **settings}}
    header["video"] = {**header["video"], **VIDEO}
    return result._replace(header=header)


def test_page_has_every_row_as_it_was(tmp_path):
    data = many(tracks=30, length=20, frames=200)
    page = PageParts(write_page(tmp_path, data)).document
    rows = page["rows"]
    order = np.lexsort((data.frames, data.track_ids))
    assert unpack(rows["frame"]).tolist() == data.frames[order].tolist()
    boxes = unpack(rows["box"]).reshape(-1, 4) * page["boxUnit"]
    np.testing.assert_allclose(boxes, data.boxes[order], atol=0.05)
    np.testing.assert_allclose(unpack(rows["score"]) / 65535, data.scores[order], atol=1e-5)
    labels = [page["labels"][label] for label in unpack(rows["label"])]
    assert labels == [data.labels[label] for label in data.label_ids[order]]
    starts = unpack(page["tracks"]["start"])
    tracks = np.repeat(unpack(page["tracks"]["id"]), np.diff([*starts, len(order)]))
    assert tracks.tolist() == data.track_ids[order].tolist()
    known = dict(zip(unpack(page["known"]["frame"]), unpack(page["known"]["time"]), strict=True))
    assert known == dict(zip(data.frames, data.times, strict=True))


def test_boxes_of_an_8k_frame_are_within_half_a_pixel(tmp_path):
    box = (-20.25, 3.5, 7680.75, 4320.0)
    page = PageParts(write_page(tmp_path, data_of([(0, 1, "a", 1, box)]))).document
    np.testing.assert_allclose(unpack(page["rows"]["box"]) * page["boxUnit"], box, atol=0.25)


def test_hundred_thousand_boxes_are_a_few_megabytes(tmp_path):
    path = write_page(tmp_path, many(tracks=2000, length=50, frames=1500))
    assert len(unpack(PageParts(path).document["rows"]["frame"])) == 100_000
    assert path.stat().st_size < 4_000_000


@pytest.mark.parametrize("text", HOSTILE)
def test_names_and_labels_stay_text(tmp_path, text):
    data = replace(data_of([(0, 1, text, 0.5, (1, 2, 3, 4))]), name=text, note=text)
    page = PageParts(write_page(tmp_path, data))
    plain = PageParts(write_page(tmp_path, data_of([(0, 1, "a", 0.5, (1, 2, 3, 4))])))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert page.document["labels"] == [text]
    assert page.document["name"] == text


def test_page_loads_nothing_from_anywhere(tmp_path):
    page = PageParts(write_page(tmp_path, data_of([]), ["clip.mp4"]))
    places = [attrs.get(name) for _, attrs in page.tags for name in ("src", "href")]
    assert {place for place in places if place and not place.startswith("#")} == {"data:,"}


def test_policy_lets_these_scripts_run_and_no_others(tmp_path):
    page = PageParts(write_page(tmp_path, data_of([])))
    (policy,) = [a["content"] for _, a in page.tags if "http-equiv" in a]
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.texts[tag].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy


def test_result_becomes_a_page(tmp_path):
    result = stored(tmp_path, [frame_of(3, [1, NO_TRACK], [0, 1]), frame_of(5, [1], [1], [0.7])])
    data = data_of_result(result)
    assert (data.name, data.width, data.height, data.first, data.last) == (
        "clip.mp4",
        640,
        480,
        0,
        5,
    )
    assert data.pixel_aspect == pytest.approx(16 / 15)
    assert data.track_ids.tolist() == [1, NO_TRACK, 1]
    assert data.track_labels == {1: 1}
    assert data.times.tolist() == [0.12, 0.12, 0.2]
    assert data.base_scores is not None
    assert data.base_scores.tolist() == [0.4, 0.4, 0.4]


@pytest.mark.parametrize(
    ("start", "stride", "looked_at"),
    [(None, 1, (0, 3)), (10, 1, (10, 13)), (0.4, 1, (10, 13)), (0.41, 5, (11, 26))],
)
def test_page_has_the_frames_that_were_looked_at(tmp_path, start, stride, looked_at):
    frames = [frame_of(looked_at[0] + i * stride) for i in range(4)]
    data = data_of_result(stored(tmp_path, frames, start=start, stride=stride))
    assert (data.first, data.last, data.step) == (*looked_at, stride)


def test_result_without_a_box_makes_a_page(tmp_path):
    data = data_of_result(stored(tmp_path, [frame_of(0), frame_of(1)]))
    page = PageParts(write_page(tmp_path, data)).document
    assert unpack(page["rows"]["frame"]).size == unpack(page["tracks"]["id"]).size == 0


def annotations(**facts) -> VideoAnnotations:
    ones = np.ones(2)
    track = Track(
        4, "dog", np.array([2, 5]), np.array([[1, 2, 3, 4], [5, 6, 7, 8]], float), ones,
        *(np.ones(2, bool), np.zeros(2, bool)),
    )  # fmt: skip
    return VideoAnnotations(
        **{"name": "walk", "source": None, "width": 64, "height": 48, "frames": 10, **facts},
        frame_rate=Fraction(10),
        variable_rate=False,
        step=1,
        classes=("cat", "dog"),
        tracks=(track,),
        loose=LooseBoxes(np.array([3]), ("cat",), np.array([[0, 0, 9, 9.0]]), np.array([0.4])),
    )


def test_annotations_become_a_page():
    data = data_of_annotations(annotations())
    rows = pd.DataFrame({"frame": data.frames, "track": data.track_ids, "label": data.label_ids})
    assert rows.to_numpy().tolist() == [[3, NO_TRACK, 0], [2, 4, 1], [5, 4, 1]]
    assert data.boxes.tolist() == [[0, 0, 9, 9], [1, 2, 3, 4], [5, 6, 7, 8]]
    assert (data.name, data.first, data.last, data.track_labels) == ("walk", 0, 9, {4: 1})
    assert data.times.tolist() == [0.3, 0.2, 0.5]


def test_annotations_have_their_own_times():
    times = np.array([0, 1, 1.5, 1.75, 2, 9])
    data = data_of_annotations(annotations(times=times))
    assert data.times.tolist() == [1.75, 1.5, 9]


def test_annotations_without_a_box_make_a_page(tmp_path):
    data = data_of_annotations(replace(annotations(), tracks=(), loose=NO_LOOSE_BOXES))
    assert PageParts(write_page(tmp_path, data)).document["last"] == 9


def test_page_finds_its_video_by_a_relative_address(tmp_path):
    video = tmp_path / "my clips" / "a#1: ?%.mp4"
    video.parent.mkdir()
    video.touch()
    folder = tmp_path / "out" / "a"
    assert videos_for(str(video), folder, "annotated.mp4") == [
        PageVideo("../../my%20clips/a%231%3A%20%3F%25.mp4"),
        PageVideo("annotated.mp4", annotated=True),
    ]


@pytest.mark.parametrize(
    ("source", "videos"),
    [
        pytest.param(None, [], id="unknown"),
        pytest.param("gone.mp4", [], id="gone"),
        pytest.param(".", [], id="folder of pictures"),
        pytest.param("-", [], id="standard input"),
        pytest.param("https://a.example/b.mp4", [PageVideo("https://a.example/b.mp4")], id="URL"),
    ],
)
def test_page_knows_when_there_is_no_video(tmp_path, source, videos):
    assert videos_for(source, tmp_path) == videos


class TestExport:
    """`minet export --to html`."""

    def test_page_plays_the_video_from_where_it_goes(self, clip, tmp_path, model):
        annotate(clip, tmp_path / "out", model, DetectOptions(video=False))
        (page,) = export([tmp_path / "out"], "html", tmp_path / "pages" / "all").files
        assert page == tmp_path / "pages" / "all" / "out.html"
        videos = PageParts(page).document["videos"]
        assert videos == [{"src": "../../clip.mp4", "annotated": False}]

    def test_page_plays_the_video_that_the_user_names(self, clip, tmp_path, model):
        annotate(clip, tmp_path / "out", model, DetectOptions(video=False))
        moved = clip.rename(tmp_path / "moved.mp4")
        options = ExportOptions(video=(str(moved),))
        (page,) = export([tmp_path / "out"], "html", tmp_path / "page.html", options).files
        assert PageParts(page).document["videos"] == [{"src": "moved.mp4", "annotated": False}]


class TestReport:
    """`minet detect --report`."""

    def test_page_comes_with_the_results(self, clip, tmp_path, model):
        folder = tmp_path / "out"
        summary = annotate(clip, folder, model, DetectOptions(report=True))
        assert summary.files[-1] == folder / "report.html"
        page = PageParts(folder / "report.html").document
        assert [video["src"] for video in page["videos"]] == ["../clip.mp4", "annotated.mp4"]
        assert len(unpack(page["rows"]["frame"])) == len(read_json(folder / "result.json").rows)

    def test_pictures_are_shown_as_the_annotated_video(self, tmp_path, model):
        (tmp_path / "in").mkdir()
        for number, image in enumerate(grey_images(3)):
            write_picture(tmp_path / "in" / f"{number}.png", image)
        annotate(tmp_path / "in", tmp_path / "out", model, DetectOptions(report=True))
        page = PageParts(tmp_path / "out" / "report.html").document
        assert page["videos"] == [{"src": "annotated.mp4", "annotated": True}]

    def test_page_is_added_to_results_that_are_there(self, clip, tmp_path, model, monkeypatch):
        monkeypatch.setattr(zoo, "load_model", lambda name, **_: replace(model, name=name))
        detect = ["detect", str(clip), "-o", str(tmp_path), "--quiet"]
        assert run(detect) == 0
        result = tmp_path / "clip" / "result.json"
        before = result.stat().st_mtime_ns
        assert not result.with_name("report.html").exists()
        assert run([*detect, "--report"]) == 0
        assert result.with_name("report.html").exists()
        assert result.stat().st_mtime_ns == before

    def test_new_results_do_not_keep_an_old_page(self, clip, tmp_path, model):
        annotate(clip, tmp_path / "out", model, DetectOptions(report=True))
        annotate(clip, tmp_path / "out", model, DetectOptions(score=0.5, overwrite=True))
        assert not (tmp_path / "out" / "report.html").exists()

    def test_page_of_the_users_own_is_not_replaced(self, clip, tmp_path, model):
        page = tmp_path / "out" / "report.html"
        page.parent.mkdir()
        page.write_text("mine")
        with pytest.raises(OutputError, match=r"report\.html"):
            annotate(clip, page.parent, model, DetectOptions(report=True))
        assert page.read_text() == "mine"

    def test_page_needs_the_result(self):
        with pytest.raises(ConfigError, match="add json"):
            DetectOptions(report=True, formats=("csv",))
