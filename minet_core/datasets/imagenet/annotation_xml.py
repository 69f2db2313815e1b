"""One frame's annotation in ImageNet VID: an XML file, read by tag, for tags come in any order."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers.expat import ExpatError, ParserCreate
from xml.sax.saxutils import escape

_MOST_BYTES = 1 << 22
"""No frame's annotation is that long; a real one has a few kilobytes."""


class BrokenXmlError(Exception):
    """A file that is not the annotation of a frame; the message says why."""


@dataclass(frozen=True, slots=True)
class VidObject:
    """An `<object>`.

    Attributes:
        name: a wnid such as n02510455; in the toy dataset the class's own name.
        track_id: unique within a snippet; None where there is none, as in DET.
        box: xmin, ymin, xmax, ymax in pixels; xmax and ymax are the last pixel inside.
        occluded: as annotated.
        generated: made by a tracker, not by a human.
    """

    name: str
    track_id: int | None
    box: tuple[float, float, float, float]
    occluded: bool
    generated: bool


@dataclass(frozen=True, slots=True)
class VidAnnotation:
    """An `<annotation>`.

    Attributes:
        size: (width, height) in pixels, or None where it is not stated.
        objects: in the file's order.
    """

    size: tuple[int, int] | None
    objects: tuple[VidObject, ...]


def vid_xml(
    folder: str, index: int, database: str, size: tuple[int, int], objects: Iterable[VidObject]
) -> str:
    """The annotation of a frame, in the tags and the order of the official files.

    Args:
        folder: name of the snippet.
        index: 0-based frame.
        database: whose annotation it is.
        size: (width, height) in pixels.
        objects: with whole numbers for sides; one without a track id is written without.
    """
    width, height = size
    return (
        f"<annotation>\n\t<folder>{escape(folder)}</folder>\n"
        f"\t<filename>{index:06d}</filename>\n"
        f"\t<source>\n\t\t<database>{escape(database)}</database>\n\t</source>\n"
        f"\t<size>\n\t\t<width>{width}</width>\n\t\t<height>{height}</height>\n\t</size>\n"
        f"{''.join(map(_object_xml, objects))}</annotation>\n"
    )


def _object_xml(item: VidObject) -> str:
    xmin, ymin, xmax, ymax = map(int, item.box)
    sides = {"xmax": xmax, "xmin": xmin, "ymax": ymax, "ymin": ymin}
    box = "".join(f"\t\t\t<{side}>{value}</{side}>\n" for side, value in sides.items())
    track = "" if item.track_id is None else f"\t\t<trackid>{item.track_id}</trackid>\n"
    return (
        f"\t<object>\n{track}\t\t<name>{escape(item.name)}</name>\n"
        f"\t\t<bndbox>\n{box}\t\t</bndbox>\n"
        f"\t\t<occluded>{int(item.occluded)}</occluded>\n"
        f"\t\t<generated>{int(item.generated)}</generated>\n\t</object>\n"
    )


def read_vid_xml(path: Path) -> VidAnnotation:
    """Read one frame's annotation.

    Raises:
        FileNotFoundError: there is no such file.
        BrokenXmlError: it is unreadable, no XML, or lacks a value.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BrokenXmlError(str(error.strerror).lower()) from None
    if len(data) > _MOST_BYTES:
        raise BrokenXmlError("too long for one frame")
    root = _parse(data)
    if root.tag != "annotation":
        raise BrokenXmlError(f"its root is <{root.tag}>, not <annotation>")
    try:
        return VidAnnotation(_size(root), tuple(_object(item) for item in root.iter("object")))
    except (ValueError, OverflowError):
        raise BrokenXmlError("a number is missing, or is none") from None


def _parse(data: bytes) -> Element:
    """The root element. A document type is refused: entities that unfold to gigabytes need one."""
    builder = TreeBuilder()
    parser = ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
    except ExpatError as error:
        raise BrokenXmlError(f"no XML: {error}") from None
    return builder.close()


def _refuse(*_: object) -> NoReturn:
    raise BrokenXmlError("it declares a document type")


def _size(root: Element) -> tuple[int, int] | None:
    width, height = root.findtext("size/width"), root.findtext("size/height")
    if width is None or height is None:
        return None
    return (int(width), int(height)) if int(width) > 0 and int(height) > 0 else None


def _object(item: Element) -> VidObject:
    xmin, ymin, xmax, ymax = (
        float(item.findtext(f"bndbox/{side}", "")) for side in ("xmin", "ymin", "xmax", "ymax")
    )
    track = item.findtext("trackid")
    return VidObject(
        name=item.findtext("name", "").strip(),
        track_id=None if track is None else int(track),
        box=(xmin, ymin, xmax, ymax),
        occluded=item.findtext("occluded", "0").strip() == "1",
        generated=item.findtext("generated", "0").strip() == "1",
    )
