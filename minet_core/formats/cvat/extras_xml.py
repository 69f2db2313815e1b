"""CVAT's xml of what is kept, read and written."""

from collections.abc import Iterable, Iterator, Sequence
from xml.etree.ElementTree import Element, tostring
from xml.sax.saxutils import escape, quoteattr

from minet_core.formats.attributes import Attribute, Place, attribute_of
from minet_core.formats.cvat.extras import Kept, LabelSpec, OtherTrack

SCORE = "score"
"""Name of the attribute that a box's score is written as."""

_SHAPES = ("polygon", "polyline", "points", "cuboid", "ellipse", "mask", "skeleton")
_OF_BOXES = ("rotation", "z_order")
_OF_TRACKS = ("source", "group_id")
_MADE_HERE = {"source": "auto", "group_id": "0"}
"""What minet writes of its own tracks, which need not be kept."""

_SCORE_SPEC = (
    f"<attribute><name>{SCORE}</name><mutable>True</mutable><input_type>text</input_type>"
    "<default_value></default_value><values></values></attribute>"
)


def read_attributes(track: Element, offset: int) -> tuple[Attribute, ...]:
    """What the boxes of a track's element say beside their sides.

    Args:
        track: the element.
        offset: is taken off the numbers of frames.
    """
    series: dict[tuple[str, Place], list[tuple[int, str]]] = {}
    boxes = [(int(box.attrib["frame"]) - offset, box) for box in track.findall("box")]
    for frame, box in sorted(boxes, key=_first):
        for name in _OF_BOXES:
            series.setdefault((name, "box"), []).append((frame, box.get(name, "0")))
        for child in box.findall("attribute"):
            rows = series.setdefault((child.attrib["name"], "attribute"), [])
            rows.append((frame, child.text or ""))
    first = min((frame for frame, _ in boxes), default=0)
    for name in _OF_TRACKS:
        if (value := track.get(name)) not in (None, _MADE_HERE[name]):
            series[name, "track"] = [(first, str(value))]
    made = (attribute_of(name, place, rows) for (name, place), rows in series.items())
    return tuple(one for one in made if not (one.place == "box" and _is_zero(one)))


def _first(pair: tuple[int, Element]) -> int:
    return pair[0]


def _is_zero(attribute: Attribute) -> bool:
    return all(float(value) == 0 for value in attribute.values)


def read_other(track: Element, offset: int) -> Iterator[OtherTrack]:
    """The track of other shapes that a track's element is, if it is one: its keyframes.

    Args:
        track: the element.
        offset: is taken off the numbers of frames.
    """
    for kind in _SHAPES:
        shapes: dict[int, str] = {}
        for shape in track.findall(kind):
            parts = (part.get("keyframe") for part in shape)
            if shape.get("keyframe", "1") == "1" or "1" in parts:
                frame = int(shape.attrib.pop("frame")) - offset
                shape.tail = None
                shapes[frame] = tostring(shape, "unicode").removeprefix(f"<{kind}")
        if shapes:
            marks = ((name, track.get(name)) for name in _OF_TRACKS)
            known = tuple((name, value) for name, value in marks if value is not None)
            frames = tuple(sorted(shapes))
            ordered = tuple(shapes[frame] for frame in frames)
            yield OtherTrack(track.attrib["label"], kind, known, frames, ordered)


def read_labels(meta: Element) -> tuple[LabelSpec, ...]:
    """How labels are defined, in the file's meta."""
    specs = []
    for label in meta.findall(".//labels/label"):
        name, parent = label.findtext("name") or "", label.findtext("parent")
        rest = [child for child in label if child.tag not in ("name", "parent")]
        for child in rest:
            child.tail = None
        specs.append(LabelSpec(name, parent, "".join(tostring(c, "unicode") for c in rest)))
    return tuple(specs)


def label_lines(classes: Sequence[str], kept: Kept, *, scores: bool) -> Iterator[str]:
    """The definitions of classes, and of the parts of skeletons among them."""
    specs = {label.name: label.xml for label in kept.labels if label.parent is None}
    for name in dict.fromkeys([*classes, *specs]):
        yield _label(name, None, specs.get(name, "<attributes></attributes>"), scores=scores)
    for label in kept.labels:
        if label.parent is not None:
            yield _label(label.name, label.parent, label.xml, scores=False)


def _label(name: str, parent: str | None, xml: str, *, scores: bool) -> str:
    if scores and f"<name>{SCORE}</name>" not in xml:
        xml = xml.replace("<attributes />", "<attributes></attributes>", 1)
        xml = xml.replace("</attributes>", f"{_SCORE_SPEC}</attributes>", 1)
    above = "" if parent is None else f"<parent>{escape(parent)}</parent>"
    return f"<label><name>{escape(name)}</name>{xml}{above}</label>"


def other_lines(tracks: Iterable[OtherTrack], first: int) -> Iterator[str]:
    """Tracks of other shapes, with ids from the first on."""
    for number, track in enumerate(tracks, first):
        marks = "".join(f" {name}={quoteattr(value)}" for name, value in track.marks)
        yield f'  <track id="{number}" label={quoteattr(track.label)}{marks}>'
        for frame, shape in zip(track.frames, track.shapes, strict=True):
            yield f'    <{track.kind} frame="{frame}"{shape}'
        yield "  </track>"


def track_marks(attributes: Iterable[Attribute]) -> dict[str, str]:
    """Attributes of a track's element."""
    own = {one.name: one.values[0] for one in attributes if one.place == "track"}
    return {"source": _MADE_HERE["source"], **own}


def box_marks(attributes: Iterable[Attribute], frame: int) -> dict[str, str]:
    """Attributes of a box's element in a frame."""
    own = {one.name: one.at(frame) for one in attributes if one.place == "box"}
    known = {name: value for name, value in own.items() if value is not None}
    return {"z_order": "0", **known}


def children(attributes: Iterable[Attribute], frame: int, score: float | None) -> str:
    """The elements in a box's element in a frame."""
    told = {one.name: one.at(frame) for one in attributes if one.place == "attribute"}
    if score is not None:
        told.setdefault(SCORE, f"{score:.4f}")
    return "".join(
        f"<attribute name={quoteattr(name)}>{escape(value, {chr(13): '&#13;'})}</attribute>"
        for name, value in told.items()
        if value is not None
    )
