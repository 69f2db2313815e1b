"""CVAT's SDK, the models of its interface, takes the labels and tracks of `minet export`.

The models check types and limits. What CVAT's importer makes of a file only a server could show.
"""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from annotation_factory import a_track, a_video, export, loose_boxes, videos
from hypothesis import HealthCheck, given, settings

from minet_core.errors import ConfigError
from minet_core.formats.annotations import VideoAnnotations

cvat = pytest.importorskip("cvat_sdk.models")


def labels_of(path: Path) -> list[Any]:
    names = [name.text for name in ElementTree.parse(path).findall("meta/task/labels/label/name")]
    return [cvat.PatchedLabelRequest(name=name, type="rectangle") for name in names]


def tracks_of(path: Path, labels: list[Any]) -> Any:
    """The file as the request that CVAT's own importer would end in."""
    ids = {label.name: number for number, label in enumerate(labels, 1)}
    tracks = [
        cvat.LabeledTrackRequest(
            label_id=ids[track.attrib["label"]],
            frame=int(track[0].attrib["frame"]),
            source=track.attrib["source"],
            shapes=[shape_of(box) for box in track],
        )
        for track in ElementTree.parse(path).iter("track")
    ]
    return cvat.LabeledDataRequest(tracks=tracks)


def shape_of(box: ElementTree.Element) -> Any:
    return cvat.TrackedShapeRequest(
        type=cvat.ShapeType("rectangle"),
        frame=int(box.attrib["frame"]),
        points=[float(box.attrib[side]) for side in ("xtl", "ytl", "xbr", "ybr")],
        outside=bool(int(box.attrib["outside"])),
        occluded=bool(int(box.attrib["occluded"])),
        z_order=int(box.attrib["z_order"]),
    )


def taken(folder: Path, video: VideoAnnotations) -> dict[str, Any]:
    path = export(folder, "cvat", video)
    return tracks_of(path, labels_of(path)).to_dict()


def test_models_hold_the_same_tracks(tmp_path):
    video = a_video(
        a_track(3, "dog", [0, 1, 5], occluded=[False, True, False]),
        a_track(9, "Hündin 犬", [19]),
        loose=loose_boxes((2, "dog", (1, 2, 3.25, 5), 0.5)),
    )
    tracks = taken(tmp_path, video)["tracks"]
    found = [
        (
            track["label_id"],
            track["frame"],
            [(s["frame"], s["outside"], s["occluded"]) for s in track["shapes"]],
        )
        for track in tracks
    ]
    assert found == [
        (1, 0, [(0, 0, 0), (1, 0, 1), (2, 1, 0), (5, 0, 0), (6, 1, 0)]),
        (2, 19, [(19, 0, 0)]),
        (1, 2, [(2, 0, 0), (3, 1, 0)]),
    ]
    assert tracks[0]["shapes"][3]["points"] == [15, 20, 55, 60]
    assert tracks[2]["shapes"][0]["points"] == [1, 2, 3.25, 5]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(video=videos())
def test_models_take_any_tracks(tmp_path, video):
    tracks = taken(tmp_path, video)["tracks"]
    assert len(tracks) == len(video.tracks) + len(video.loose)


def test_name_that_is_too_long_for_a_label_of_cvat_is_refused(tmp_path):
    longest = "x" * 64
    taken(tmp_path, a_video(a_track(1, longest, [0])))
    with pytest.raises(Exception, match="must be less than or equal to `64`"):
        cvat.PatchedLabelRequest(name=longest + "x")
    with pytest.raises(ConfigError, match="CVAT's labels have at most 64 characters"):
        export(tmp_path, "cvat", a_video(a_track(1, longest + "x", [0])))
