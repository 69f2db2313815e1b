"""Layouts in which Label Studio exports its tasks, and which of several annotations is read."""

import json
from pathlib import Path
from typing import Any

import pytest

from minet_cli.main import run
from minet_core.errors import InputError
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.readers import kind_of, read_annotations

DATA = {"video": "/data/a.mp4", "width": 100, "height": 50}


def region(*frames: int, labels: tuple[str, ...] = ("dog",)) -> dict[str, Any]:
    sequence = [
        {"frame": frame, "x": 10, "y": 20, "width": 30, "height": 40, "enabled": False}
        for frame in frames
    ]
    value = {"framesCount": 9, "labels": list(labels), "sequence": sequence}
    return {"id": "x", "type": "videorectangle", "from_name": "box", "value": value}


def annotation(day: int, *results: dict[str, Any], by: Any = None, **facts: Any) -> dict[str, Any]:
    when = f"2024-05-{day:02}T00:00:00Z"
    return {"updated_at": when, "completed_by": by, "result": list(results), **facts}


def task(*annotations: dict[str, Any], **facts: Any) -> dict[str, Any]:
    return {"id": 1, "data": DATA, "annotations": list(annotations), "predictions": [], **facts}


def write(folder: Path, content: Any) -> Path:
    path = folder / "export.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def read(folder: Path, content: Any, annotator: str | None = None) -> list[VideoAnnotations]:
    return read_annotations(write(folder, content), annotator=annotator)


def seen(video: VideoAnnotations) -> list[list[int]]:
    return [track.frames.tolist() for track in video.tracks]


class TestAnnotators:
    def test_the_newest_with_boxes_is_read_and_told(self, tmp_path):
        made = (
            annotation(1, region(1), by=7),
            annotation(2, region(3), by={"id": 8, "email": "eve@host"}),
            annotation(3, by=7),
            annotation(4, region(5), by=7, was_cancelled=True),
        )
        (video,) = read(tmp_path, [task(*made)])
        assert seen(video) == [[2]]
        assert video.notes == (
            "3 annotations (7 2, eve@host 1), 1 of them without a box: the newest with boxes is "
            "read, of 2024-05-02T00:00:00Z, by eve@host; --annotator chooses whose to read",
        )

    def test_only_one_that_is_empty_says_that_there_is_nothing(self, tmp_path):
        predicted = {"result": [region(4)]}
        (video,) = read(tmp_path, [task(annotation(1), predictions=[predicted])])
        assert (video.tracks, video.notes, video.drawn_gaps) == ((), (), True)

    @pytest.mark.parametrize("who", ["8", "Eve@Host"])
    def test_one_person_is_chosen(self, tmp_path, who):
        eve = annotation(1, region(3), by={"id": 8, "email": "eve@host"})
        both, others = task(annotation(2, region(1), by=7), eve), task(annotation(2, by=7))
        (video,) = read(tmp_path, [others, both], who)
        assert seen(video) == [[2]]
        assert video.notes[0] == f"tasks without an annotation by {who}, left out: 1"

    def test_a_person_who_made_none_is_refused_with_those_who_did(self, tmp_path):
        with pytest.raises(InputError, match=r"no annotation is by 'bob'; .* by 7, eve@host"):
            read(
                tmp_path,
                [task(annotation(1, by=7), annotation(1, by={"email": "eve@host"}))],
                "bob",
            )

    def test_the_command(self, tmp_path, capsys):
        path = write(
            tmp_path, [task(annotation(1, region(1), by=7), annotation(2, region(2), by=8))]
        )
        out = tmp_path / "out.json"
        arguments = ["export", str(path), "--to", "json", "-o", str(out), "--annotator"]
        assert run([*arguments, "7"]) == 0
        assert "2 annotations (7 1, 8 1)" in capsys.readouterr().err
        assert seen(read_annotations(out)[0]) == [[0]]
        path.write_text("1,1,2,3,40,50,1,-1,-1,-1\n")
        assert run([*arguments, "7", "--overwrite"]) == 3
        assert "--annotator is for files of Label Studio" in capsys.readouterr().err


class TestRegions:
    @pytest.mark.parametrize("key", ["annotations", "predictions"])
    def test_an_empty_one_is_left_out_and_told(self, tmp_path, key):
        made = {"result": [region(1), region(), region(2, labels=("cat", "big"))]}
        (video,) = read(tmp_path, [{"data": DATA, key: [made]}])
        assert seen(video) == [[0], [1]]
        assert [track.label for track in video.tracks] == ["dog", "cat"]
        assert video.notes == (
            "regions without a box, left out: 1",
            "regions with several labels, of which the first is read: 1",
        )


class TestVideo:
    @pytest.mark.parametrize(
        "data",
        [
            {"url": "/data/upload/1/street.mp4"},
            {"clip": "https://host/street.webm?sign=1", "page": "https://host/about.html"},
            {"file": "/data/local-files/?d=cams/street.mkv", "camera": "north", "number": 4},
            {"where": "https://host/street"},
            {"source": "/data/street.mov"},
        ],
    )
    def test_under_another_key(self, tmp_path, data):
        size = {"width": 100, "height": 50}
        (video,) = read(tmp_path, [{**task(annotation(1, region(1))), "data": {**data, **size}}])
        assert (video.name, seen(video)) == ("street", [[0]])

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            ({"left": "a/1.mp4", "right": "a/2.mp4"}, "could be left or right; rename its key"),
            ({"text": "what is this"}, "has text, and the video is none of them"),
            ({}, "has nothing, and"),
        ],
    )
    def test_that_nothing_tells_is_refused(self, tmp_path, data, why):
        with pytest.raises(InputError, match=why):
            read(tmp_path, [{**task(annotation(1, region(1))), "data": data}])


class TestLayouts:
    def test_one_task(self, tmp_path):
        """As the API gives it: the data come late, after more than a reader would look at."""
        single = {"id": 1, "annotations": [annotation(1, *[region(2)] * 30)], "data": DATA}
        path = write(tmp_path, single)
        assert kind_of(path) == "label-studio"
        (video,) = read_annotations(path)
        assert seen(video) == [[1]] * 30
        noted = {**task(annotation(1, region(2))), "data": {"info": "north", **DATA}}
        assert seen(read(tmp_path, noted)[0]) == [[1]]

    def test_json_min(self, tmp_path):
        """An item for each annotation, in which results stand under the names of their tags."""
        about = {**DATA, "id": 4, "lead_time": 3.5}
        value, late = region(2)["value"], region(6)["value"]
        items = [
            {**about, "box": [value], "annotator": 7, "annotation_id": 1, "updated_at": "1"},
            {**about, "box": [late], "annotator": 8, "annotation_id": 2, "updated_at": "2",
             "kind": [{"choices": ["a", "b"]}], "note": "seen from a car"},
            {**DATA, "id": 5, "annotator": {}, "annotation_id": None, "updated_at": None},
        ]  # fmt: skip
        first, second = read(tmp_path, items)
        assert seen(first) == [[5]]
        assert "by 8" in first.notes[0]
        assert first.notes[1] == "1 results that are no boxes in video are left out"
        assert (second.tracks, second.notes) == ((), ())
        assert seen(read(tmp_path, items, "7")[0]) == [[1]]
