"""Pascal VOC: an xml file a frame.

    Annotations/street_000012.xml
    JPEGImages/street_000012.jpg       with --frames
    ImageSets/Main/train.txt           names of the frames, a line each
    labelmap.txt                       names of the classes, for CVAT and others who want it

Digits at the end of a name are the frame in the source, from 0. Boxes are whole pixels counted
from 1, xmax and ymax the last one inside, as the development kit of VOC has them: the whole frame
is 1, 1, width, height. Some readers take 1 from all four and see boxes a pixel too small. Of a box
that reaches out of the frame, the part inside is written and said to be truncated. Neither ids nor
scores are in this format.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from minet_core.errors import ConfigError
from minet_core.export_options import ExportOptions
from minet_core.files import one_line
from minet_core.formats.annotations import FrameBox, VideoAnnotations
from minet_core.formats.dataset_view import (
    check_names_in_xml,
    check_sizes,
    classes_of,
    clipped,
    frame_stem,
    looked_at,
    names_in,
    picture_name,
    pixels_inside,
)

ANNOTATIONS = "Annotations"
IMAGES = "JPEGImages"
SETS = "ImageSets/Main"
LABEL_MAP = "labelmap.txt"


def write_voc(
    annotations: Sequence[VideoAnnotations], place: Path, options: ExportOptions
) -> list[Path]:
    """Write all videos into one folder.

    Raises:
        ConfigError: a name, a frame or a size does not fit, see `sampled` and `xml_text`.
        OutputError: it cannot be written.
    """
    check_sizes(annotations)
    for video in annotations:
        check_names(video)
    names = classes_of(annotations)
    list_file, stems = place / SETS / f"{options.split}.txt", []
    with one_line(place):
        (place / ANNOTATIONS).mkdir()
        for video in annotations:
            for frame, boxes in looked_at(video):
                stems.append(frame_stem(video, frame))
                name = picture_name(video, frame, options)
                text = _document(name, boxes, video.size_of(frame))
                (place / ANNOTATIONS / f"{stems[-1]}.xml").write_text(text, encoding="utf-8")
        list_file.parent.mkdir(parents=True)
        list_file.write_text("".join(f"{stem}\n" for stem in stems), encoding="utf-8")
        (place / LABEL_MAP).write_text(_label_map(names), encoding="utf-8")
    return [place / ANNOTATIONS, list_file, place / LABEL_MAP]


def picture_path(video: VideoAnnotations, frame: int, options: ExportOptions) -> str:
    """Where a picture belongs."""
    return f"{IMAGES}/{picture_name(video, frame, options)}"


def check_names(video: VideoAnnotations) -> None:
    """See that the classes of a video have names that VOC's files can hold.

    Raises:
        ConfigError: one has not.
    """
    check_names_in_xml(video)
    if colon := [name for name in names_in(video) if ":" in name]:
        raise ConfigError(f"{LABEL_MAP} cannot hold {colon[0]!r}; --label-map renames it")


def _label_map(names: Sequence[str]) -> str:
    return "# label:color_rgb:parts:actions\n" + "".join(f"{name}:::\n" for name in names)


def _document(picture: str, boxes: Sequence[FrameBox], size: tuple[int, int]) -> str:
    width, height = size
    return (
        f"<annotation>\n\t<folder>{IMAGES}</folder>\n\t<filename>{escape(picture)}</filename>\n"
        "\t<source>\n\t\t<database>minet</database>\n\t</source>\n"
        f"\t<size>\n\t\t<width>{width}</width>\n\t\t<height>{height}</height>\n"
        "\t\t<depth>3</depth>\n\t</size>\n\t<segmented>0</segmented>\n"
        f"{''.join(_objects(boxes, size))}</annotation>\n"
    )


def _objects(boxes: Sequence[FrameBox], size: tuple[int, int]) -> Iterator[str]:
    for box in boxes:
        pixels = pixels_inside(box.box, *size)
        if pixels is not None:
            sides = zip(("xmin", "ymin", "xmax", "ymax"), pixels, strict=True)
            bndbox = "".join(f"\t\t\t<{side}>{value + 1}</{side}>\n" for side, value in sides)
            truncated = clipped(box.box, *size) != box.box
            yield (
                f"\t<object>\n\t\t<name>{escape(box.label)}</name>\n"
                "\t\t<pose>Unspecified</pose>\n"
                f"\t\t<truncated>{truncated:d}</truncated>\n"
                f"\t\t<occluded>{box.occluded:d}</occluded>\n"
                f"\t\t<difficult>0</difficult>\n\t\t<bndbox>\n{bndbox}\t\t</bndbox>\n\t</object>\n"
            )
