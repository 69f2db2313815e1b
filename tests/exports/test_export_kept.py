"""What CVAT's files have beside boxes: kept on the way back to CVAT, told of elsewhere."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import numpy as np
import pytest
from export_data import track_of, video_of
from result_factory import frame_of, write_result
from video_factory import write_grey_video

from minet_cli.main import run
from minet_core.export_options import ExportOptions
from minet_core.exports.editing import edit
from minet_core.exports.keyframes import thin
from minet_core.exports.retiming import at_constant_rate
from minet_core.formats.attributes import Attribute
from minet_core.formats.cvat.writer import write_cvat
from minet_core.formats.readers import read_annotations

TEXT = ' two\nlines <b> & "more" \N{DOG FACE} '

META = """<meta><task><id>5</id><name>t</name><size>20</size><mode>interpolation</mode>
<start_frame>0</start_frame><stop_frame>19</stop_frame><frame_filter></frame_filter><labels>
<label><name>person</name><color>#aa0000</color><type>any</type><attributes>
<attribute><name>pose</name><mutable>True</mutable><input_type>select</input_type>
<default_value>standing</default_value><values>standing\nsitting</values></attribute>
<attribute><name>note</name><mutable>False</mutable><input_type>text</input_type>
<default_value></default_value><values></values></attribute></attributes></label>
<label><name>body</name><type>skeleton</type><attributes></attributes><svg>&lt;line/&gt;</svg></label>
<label><name>nose</name><type>points</type><attributes></attributes><parent>body</parent></label>
</labels><original_size><width>100</width><height>50</height></original_size></task>
<source>street.mp4</source></meta>"""


def box(frame: int, pose: str, *, outside: int = 0, keyframe: int = 1, own: str = "") -> str:
    text = TEXT.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<box frame="{frame}" keyframe="{keyframe}" outside="{outside}" occluded="0" '
        f'xtl="{frame}.00" ytl="10.00" xbr="{frame + 10}.00" ybr="30.00" {own}>'
        f'<attribute name="pose">{pose}</attribute><attribute name="note">{text}</attribute></box>'
    )


BOXES = (
    box(0, "standing", own='z_order="2"')
    + box(3, "standing", keyframe=0, own='z_order="2"')
    + box(4, "sitting", own='z_order="3" rotation="12.50"')
    + box(8, "sitting", own='z_order="3"')
    + box(9, "standing", outside=1, own='z_order="3"')
)
OTHERS = """<track id="1" label="person" source="file">
<polygon frame="2" keyframe="1" outside="0" occluded="1" points="1.00,2.00;3.00,4.00;5.00,1.00" z_order="1"><attribute name="pose">sitting</attribute></polygon>
<polygon frame="3" keyframe="0" outside="0" occluded="1" points="1.00,2.00;3.00,4.00;5.00,1.00" z_order="1"></polygon>
<polygon frame="6" keyframe="1" outside="1" occluded="1" points="1.00,2.00;3.00,4.00;5.00,1.00" z_order="1"></polygon>
</track><track id="2" label="body" source="manual" group_id="7">
<skeleton frame="0" keyframe="1" z_order="0"><points label="nose" keyframe="1" outside="0" occluded="0" points="1.00,2.00"></points></skeleton>
<skeleton frame="1" keyframe="0" z_order="0"><points label="nose" keyframe="0" outside="0" occluded="0" points="1.00,2.00"></points></skeleton>
<skeleton frame="4" keyframe="0" z_order="0"><points label="nose" keyframe="1" outside="0" occluded="0" points="9.00,2.00"></points></skeleton>
</track>"""  # noqa: E501


def source(folder: Path) -> Path:
    track = f'<track id="0" label="person" source="manual" group_id="4">{BOXES}</track>'
    path = folder / "in.xml"
    path.write_text(
        f"<annotations><version>1.1</version>{META}{track}{OTHERS}</annotations>", encoding="utf-8"
    )
    return path


def exported(folder: Path, *options: object, to: str = "cvat") -> Element:
    out = folder / "out.xml"
    arguments = ["export", source(folder), "--to", to, "-o", out, "--overwrite", *options]
    assert run([*map(str, arguments)]) == 0
    return fromstring(out.read_text(encoding="utf-8"))


def same(found: Element, wanted: Element) -> bool:
    """Whether two elements say the same, whatever the order of attributes and blanks between."""
    found_text, wanted_text = found.text or "", wanted.text or ""
    if len(wanted):
        found_text, wanted_text = found_text.strip(), wanted_text.strip()
    return (
        (found.tag, found.attrib, found_text) == (wanted.tag, wanted.attrib, wanted_text)
        and len(found) == len(wanted)
        and all(same(a, b) for a, b in zip(found, wanted, strict=True))
    )


class TestBackToCvat:
    def test_attributes_of_boxes_and_tracks(self, tmp_path, capsys):
        first, *_ = exported(tmp_path).findall("track")
        assert (first.get("source"), first.get("group_id")) == ("manual", "4")
        told = [
            (
                int(box.attrib["frame"]),
                {child.attrib["name"]: child.text for child in box},
                box.get("z_order"),
                box.get("rotation", "0"),
            )
            for box in first
        ]
        standing, sitting = ({"pose": pose, "note": TEXT} for pose in ("standing", "sitting"))
        assert told == [
            (0, standing, "2", "0"),
            (4, sitting, "3", "12.50"),
            (8, sitting, "3", "0"),
            (9, standing, "3", "0"),
        ]
        assert "warning" not in capsys.readouterr().err

    def test_a_turned_box_is_not_cut_off(self, tmp_path):
        """Its sides are those of before it was turned, and may lie outside the picture."""
        (path := source(tmp_path)).write_text(
            path.read_text().replace('ytl="10.00"', 'ytl="-5.00"')
        )
        for to, y in {"cvat": "-5.00", "csv": "0.0"}.items():
            out = tmp_path / f"out.{to}"
            assert (
                run(["export", str(path), "--to", to, "-o", str(tmp_path / f"{to}"), "--overwrite"])
                == 0
            )
            (out,) = (tmp_path / to).glob("street.*")
            text = out.read_text(encoding="utf-8")
            assert (f'ytl="{y}"' in text) if to == "cvat" else (f",0.0,{y},10.0," in text)

    def test_other_shapes_are_there_by_their_keyframes(self, tmp_path):
        found = exported(tmp_path).findall("track")[1:]
        wanted = fromstring(f"<x>{OTHERS}</x>").findall("track")
        for track, number, keyframes in zip(wanted, "23", ([0, 2], [0, 2]), strict=True):
            track.set("id", number)
            for gone in [shape for i, shape in enumerate(track) if i not in keyframes]:
                track.remove(gone)
        assert all(same(a, b) for a, b in zip(found, wanted, strict=True))

    def test_definitions_of_labels(self, tmp_path):
        found = exported(tmp_path).findall(".//labels/label")
        wanted = fromstring(META).findall(".//labels/label")
        assert len(found) == 3
        for a, b in zip(found, wanted, strict=True):
            assert {child.tag for child in a} == {child.tag for child in b}
            assert all(same(child, b.find(child.tag)) for child in a)

    def test_a_second_time_is_the_same(self, tmp_path):
        exported(tmp_path)
        first = (tmp_path / "out.xml").rename(tmp_path / "first.xml")
        assert run(["export", str(first), "--to", "cvat", "-o", str(tmp_path / "b.xml")]) == 0
        assert (tmp_path / "b.xml").read_bytes() == first.read_bytes()

    def test_labels_are_renamed_and_left_out_with_all_they_have(self, tmp_path):
        names = tmp_path / "names"
        names.write_text("person=Mensch\nbody=\n")
        found = exported(tmp_path, "--label-map", names)
        assert [track.get("label") for track in found.findall("track")] == ["Mensch", "Mensch"]
        (label,) = found.findall(".//labels/label")
        assert label.findtext("attributes/attribute/name") == "pose"
        found = exported(tmp_path, "--classes", "body")
        assert [track.get("label") for track in found.findall("track")] == ["body"]
        assert [e.findtext("name") for e in found.findall(".//labels/label")] == ["body", "nose"]

    def test_a_shape_of_a_label_that_the_map_lacks_is_an_error(self, tmp_path, capsys):
        (tmp_path / "names").write_text("person=Mensch\n")
        arguments = "export", source(tmp_path), "--to", "cvat", "--label-map", tmp_path / "names"
        assert run([*map(str, arguments)]) == 3
        assert "knows no class 'body'" in capsys.readouterr().err

    def test_a_box_where_a_value_changes_stays_a_keyframe(self, tmp_path):
        (first, *_) = exported(tmp_path, "--keyframes", "100").findall("track")
        assert [box.get("frame") for box in first] == ["0", "4", "8", "9"]


def test_values_and_shapes_go_with_the_frames_of_a_copy(tmp_path):
    """Of half the rate: frame 2 of the copy is frame 4 of the video."""
    (video,) = read_annotations(source(tmp_path))
    times = np.arange(20) / 20
    copy = at_constant_rate(replace(video, times=times, frame_rate=Fraction(20)), 10)
    (path,) = write_cvat([copy], tmp_path / "copy.xml", ExportOptions())
    first, polygon, skeleton = fromstring(path.read_text(encoding="utf-8")).findall("track")
    poses = {box.get("frame"): box.findtext("attribute[@name='pose']") for box in first}
    assert (poses["0"], poses["2"], poses["4"]) == ("standing", "sitting", "sitting")
    assert [shape.get("frame") for shape in polygon] == ["1", "3"]
    assert [shape.get("frame") for shape in skeleton] == ["0", "2"]
    short = at_constant_rate(replace(video, times=times[:6], frames=6), 10)
    assert [track.frames for track in short.kept.tracks] == [(1,), (0, 2)]


class TestElsewhere:
    @pytest.mark.parametrize("to", ["csv", "coco-vid", "label-studio"])
    def test_what_is_lost_is_told_with_how_many(self, tmp_path, capsys, to):
        arguments = ["export", source(tmp_path), "--to", to, "-o", tmp_path / "out"]
        if to == "label-studio":
            arguments += ["--video", write_grey_video(tmp_path / "street.mp4")]
        assert run([*map(str, arguments)]) == 0
        assert capsys.readouterr().err.splitlines() == [
            "warning: street: tracks of other shapes than boxes, left out: polygon 1, skeleton 1",
            "warning: street: attributes that this format does not keep, by tracks: "
            "z-order 1, pose 1, note 1, group 1",
            "warning: street: tracks with turned boxes, which are read as if they were upright: 1",
        ]

    def test_parts_of_a_skeleton_are_no_classes(self, tmp_path):
        (video,) = read_annotations(source(tmp_path))
        assert video.classes == ("person", "body")


class TestScores:
    def test_are_an_attribute_where_they_are_asked_for(self, tmp_path):
        frames = [frame_of(i, [1], labels=[0], scores=[0.5 + i / 10]) for i in range(3)]
        path = write_result(tmp_path / "street", *frames)
        out = tmp_path / "a.xml"
        arguments = ["export", str(path), "--to", "cvat", "-o", str(out), "--keyframes", "all"]
        assert run([*arguments, "--scores"]) == 0
        tree = fromstring(out.read_text(encoding="utf-8"))
        scores = [box.findtext("attribute[@name='score']") for box in tree.iter("box")]
        assert scores == ["0.5000", "0.6000", "0.7000"]
        names = [e.text for e in tree.findall(".//labels/label/attributes/attribute/name")]
        assert names == ["score", "score"]
        assert run([*arguments, "--overwrite"]) == 0
        assert "score" not in out.read_text(encoding="utf-8")

    def test_of_the_file_stay_as_they_are(self, tmp_path):
        exported(tmp_path)
        path = source(tmp_path)
        text = path.read_text(encoding="utf-8").replace("pose", "score")
        path.write_text(text, encoding="utf-8")
        for options in ([], ["--scores"]):
            assert (
                run(
                    [
                        "export",
                        str(path),
                        "--to",
                        "cvat",
                        "-o",
                        str(tmp_path / "out.xml"),
                        "--overwrite",
                        *options,
                    ]
                )
                == 0
            )
            tree = fromstring((tmp_path / "out.xml").read_text(encoding="utf-8"))
            first = tree.find("track/box/attribute[@name='score']")
            assert first is not None
            assert first.text == "standing"

    def test_other_formats_do_not_take_them(self, tmp_path, capsys):
        assert run(["export", str(source(tmp_path)), "--to", "csv", "--scores"]) == 3
        assert "--scores is for CVAT" in capsys.readouterr().err


def test_value_of_a_frame():
    one = Attribute("pose", "attribute", (2, 5), ("a", "b"))
    assert [one.at(frame) for frame in (1, 2, 4, 5, 9)] == [None, "a", "a", "b", "b"]
    moved = one.moved(lambda frame: frame // 4)
    assert (moved.frames, moved.values) == ((0, 1), ("a", "b"))
    merged = one.moved(lambda _: 3)
    assert (merged.frames, merged.values) == ((3,), ("b",))


def test_editing_and_thinning_leave_attributes_alone():
    one = Attribute("pose", "attribute", (0, 3), ("a", "b"))
    track = track_of(1, list(range(8)), attributes=(one,))
    edited, _ = edit(video_of(track), ExportOptions(), keyframes="100")
    assert edited.tracks[0].attributes == (one,)
    assert np.flatnonzero(thin(track, 1, 100).keyframes).tolist() == [0, 3, 7]
