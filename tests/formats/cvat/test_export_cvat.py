from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import numpy as np
import pytest
from export_data import assert_same, loose_of, track_of, video_of, videos
from hypothesis import given, settings

from minet_core.errors import ConfigError, InputError
from minet_core.export_options import ExportOptions
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.cvat.reader import read_cvat
from minet_core.formats.cvat.writer import write_cvat
from minet_core.formats.readers import read_annotations

PRECISION = 0.005 + 1e-9
"""Pixels: coordinates are written with two decimals."""

HEAD = "<annotations><version>1.1</version>"


def written(video: VideoAnnotations, folder: Path) -> Path:
    (path,) = write_cvat([video], folder / "street.xml", ExportOptions())
    return path


def read_back(video: VideoAnnotations, folder: Path) -> VideoAnnotations:
    (again,) = read_annotations(written(video, folder))
    return again


def parse(text: str) -> VideoAnnotations:
    (video,) = read_cvat(BytesIO(text.encode()), "annotations.xml")
    return video


def box(frame: int, x: float = 0, *, outside: int = 0, keyframe: int = 1) -> str:
    return (
        f'<box frame="{frame}" outside="{outside}" occluded="0" keyframe="{keyframe}" '
        f'xtl="{x}" ytl="0" xbr="{x + 10}" ybr="10"/>'
    )


@given(video=videos())
@settings(max_examples=60)
def test_what_is_written_reads_back(tmp_path_factory, video):
    again = read_back(video, tmp_path_factory.mktemp("cvat"))
    assert_same(again.tracks, video.tracks, PRECISION)
    for track, other in zip(again.tracks, video.tracks, strict=True):
        assert track.occluded.tolist() == other.occluded.tolist()
        assert track.keyframes.all()
    facts = ("name", "source", "width", "height", "step")
    assert [getattr(again, name) for name in facts] == [getattr(video, name) for name in facts]
    assert again.looked_at == video.looked_at


def outsides(path: Path) -> list[int]:
    boxes = ElementTree.parse(path).iter("box")
    return [int(each.attrib["frame"]) for each in boxes if each.attrib["outside"] == "1"]


@pytest.mark.parametrize(
    ("frames", "step", "expected"),
    [
        pytest.param([0, 1, 2], 1, [3], id="after the last box"),
        pytest.param([0, 1, 5, 6], 1, [2, 7], id="at a gap"),
        pytest.param([8, 9], 1, [], id="not after the last frame"),
        pytest.param([7], 1, [8], id="one box"),
        pytest.param([0, 2, 6], 2, [4, 8], id="on the frames of a task with steps"),
        pytest.param([6, 8], 2, [], id="not after the last frame of steps"),
    ],
)
def test_boxes_end_where_the_object_is_no_longer_seen(tmp_path, frames, step, expected):
    video = video_of(track_of(1, frames), frames=10, step=step)
    assert outsides(written(video, tmp_path)) == expected


def test_only_keyframes_and_the_ends_of_stretches_are_written(tmp_path):
    keyframes = np.array([True, False, False, False, False, True])
    video = video_of(track_of(1, [0, 1, 2, 3, 7, 8], keyframes=keyframes))
    boxes = ElementTree.parse(written(video, tmp_path)).iter("box")
    assert [int(each.attrib["frame"]) for each in boxes] == [0, 3, 4, 7, 8, 9]
    again = read_back(video, tmp_path / "..")
    assert_same(again.tracks, video.tracks, PRECISION)


def test_every_attribute_that_the_importer_asks_for_is_there(tmp_path):
    (track,) = ElementTree.parse(written(video_of(track_of(7, [3])), tmp_path)).iter("track")
    assert track.attrib == {"id": "7", "label": "dog", "source": "auto"}
    needed = {"frame", "keyframe", "outside", "occluded", "xtl", "ytl", "xbr", "ybr"}
    assert all(needed <= set(each.attrib) for each in track)


def test_box_of_no_track_becomes_a_track_of_one_frame(tmp_path):
    again = read_back(video_of(track_of(4, [0]), loose=loose_of([2, 2])), tmp_path)
    assert [(t.id, t.label, t.frames.tolist()) for t in again.tracks] == [
        (4, "dog", [0]),
        (5, "cat", [2]),
        (6, "cat", [2]),
    ]


def test_class_that_xml_cannot_hold_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="XML cannot hold"):
        written(video_of(track_of(1, [0], label="a\x01")), tmp_path)


def test_boxes_between_keyframes_are_on_the_line_between_them():
    track = f'<track id="0" label="dog">{box(2)}{box(6, 8)}{box(8, 8, outside=1)}</track>'
    (read,) = parse(f"{HEAD}{track}</annotations>").tracks
    assert (read.id, read.frames.tolist()) == (1, [2, 3, 4, 5, 6, 7])
    assert read.boxes[:, 0].tolist() == [0, 2, 4, 6, 8, 8]
    assert read.keyframes.tolist() == [True, False, False, False, True, False]


def test_box_that_never_ends_lasts_to_the_end_of_the_task():
    meta = "<meta><task><size>5</size><stop_frame>4</stop_frame></task></meta>"
    track = f'<track id="0" label="dog">{box(2)}</track>'
    (read,) = parse(f"{HEAD}{meta}{track}</annotations>").tracks
    assert read.frames.tolist() == [2, 3, 4]


def test_project_has_a_video_for_each_task():
    task = "<task><id>{0}</id><name>t{0}</name><size>10</size><stop_frame>9</stop_frame></task>"
    meta = f"<meta><project><tasks>{task.format(5)}{task.format(6)}</tasks></project></meta>"
    track = f'<track id="0" label="dog" task_id="6">{box(19)}</track>'
    first, second = read_cvat(BytesIO(f"{HEAD}{meta}{track}</annotations>".encode()), "x.xml")
    assert (first.name, first.tracks, second.name) == ("t5", (), "t6")
    assert second.tracks[0].frames.tolist() == [9]


def test_zip_of_cvat_is_read(tmp_path):
    video = video_of(track_of(1, [0, 1]))
    with ZipFile(tmp_path / "task.zip", "w") as archive:
        archive.write(written(video, tmp_path), "annotations.xml")
    (again,) = read_annotations(tmp_path / "task.zip")
    assert_same(again.tracks, video.tracks, PRECISION)


def bomb(entity: str) -> str:
    return f'<!DOCTYPE a [{entity}]><annotations><track label="&x;"/></annotations>'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(bomb('<!ENTITY x "dog">'), "entities", id="entity"),
        pytest.param(bomb('<!ENTITY x SYSTEM "file:///etc/passwd">'), "entities", id="external"),
        pytest.param(f"{HEAD}<track", "damaged", id="half a file"),
        pytest.param("<html></html>", "the root is 'html'", id="another root"),
        pytest.param(f"{HEAD}</annotations>", "neither a task nor a track", id="nothing in it"),
        pytest.param(f'{HEAD}<image id="0"/></annotations>', "CVAT for images", id="images"),
        pytest.param(f"{HEAD}<track>{box(0)}</track></annotations>", "no 'label'", id="no label"),
        pytest.param(
            f'{HEAD}<track label="a">{box(0, float("nan"))}</track></annotations>',
            "a box without numbers",
            id="nan",
        ),
        pytest.param(
            f'{HEAD}<track label="a">{box(0)}{box(10**12)}</track></annotations>',
            "up to frame 1000000000000",
            id="far",
        ),
        pytest.param(
            f'{HEAD}<track label="a">{box(10**30)}</track></annotations>', "damaged", id="farther"
        ),
        pytest.param(f'{HEAD}<track label="a">{box(-1)}</track></annotations>', "below 0", id="-1"),
    ],
)
def test_bad_file_is_refused_in_one_line(tmp_path, text, reason):
    path = tmp_path / "a.xml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=reason) as error:
        read_annotations(path)
    assert "\n" not in str(error.value)


def test_zip_whose_entry_climbs_out_is_refused(tmp_path):
    with ZipFile(tmp_path / "task.zip", "w") as archive:
        archive.writestr("../../annotations.xml", f"{HEAD}</annotations>")
    with pytest.raises(InputError, match="climbs out"):
        read_annotations(tmp_path / "task.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["task.zip"]


def test_damaged_zip_is_refused(tmp_path):
    (tmp_path / "task.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InputError, match="not a zip file"):
        read_annotations(tmp_path / "task.zip")
