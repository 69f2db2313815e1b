"""ImageNet VID in its official layout, as `minet train` and `minet eval` open it.

    Annotations/VID/train/street/000012.xml
    Data/VID/train/street/000012.JPEG           with --frames
    ImageSets/VID_train_frames.txt              every frame; of val, VID_val_videos.txt too
    classes.txt                                 where there are others than the 30 of ImageNet VID
    pictures.csv                                where pictures had names: which of them is which

Frames count from 0 without holes, those that a stride left out not counted. Boxes are whole pixels
from 0, xmax and ymax the last one inside. The 30 classes are called by their WordNet ids, unless
there are others beside them: then all have their own names. An interpolated box is `generated`.
Of a box that reaches out of the frame, the part inside is written. Scores are not in this format.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from minet_core.datasets.imagenet.annotation_xml import VidObject, vid_xml
from minet_core.datasets.imagenet.classes import VID_WNIDS
from minet_core.datasets.imagenet.vid import CLASSES
from minet_core.errors import ConfigError
from minet_core.export_options import ExportOptions
from minet_core.files import one_line
from minet_core.formats.annotations import FrameBox, VideoAnnotations
from minet_core.formats.dataset_view import (
    check_sizes,
    classes_of,
    looked_at,
    pixels_inside,
    write_picture_list,
)
from minet_core.formats.xml_text import check_xml


def write_imagenet_vid(
    annotations: Sequence[VideoAnnotations], place: Path, options: ExportOptions
) -> list[Path]:
    """Write all videos into one folder.

    Raises:
        ConfigError: a name, a frame or a size does not fit, see `sampled` and `xml_text`, or two
            videos have names that differ by blanks only.
        OutputError: it cannot be written.
    """
    check_sizes(annotations)
    names = classes_of(annotations)
    check_xml(names)
    _check_names(annotations)
    wnids = {name: wnid for wnid, name in VID_WNIDS.items()}
    own = not wnids.keys() >= set(names)
    with one_line(place):
        for video in annotations:
            folder = place / "Annotations/VID" / _snippet(video, options)
            folder.mkdir(parents=True)
            _write_frames(video, folder, {} if own else wnids)
        if own:
            (place / CLASSES).write_text("".join(f"{n}\n" for n in names), encoding="utf-8")
        lists = list(_write_lists(annotations, place / "ImageSets", options))
    pictures = {
        f"{_snippet(video, options)}/{number:06d}": video.pictures.get(frame)
        for video in annotations
        for number, frame in enumerate(video.looked_at)
    }
    listed = write_picture_list(place, pictures)
    return [*lists, place / "Annotations", *([place / CLASSES] if own else []), *listed]


def picture_path(video: VideoAnnotations, frame: int, options: ExportOptions) -> str:
    """Where a picture belongs.

    Raises:
        ConfigError: the pictures are not to be JPEG.
    """
    if options.frames == "png":
        raise ConfigError("the pictures of ImageNet VID are JPEG: --frames jpg")
    number = video.looked_at.index(frame)
    return f"Data/VID/{_snippet(video, options)}/{number:06d}.JPEG"


def _snippet(video: VideoAnnotations, options: ExportOptions) -> str:
    return f"{options.split}/{_plain(video)}"


def _check_names(annotations: Sequence[VideoAnnotations]) -> None:
    seen: dict[str, str] = {}
    for video in annotations:
        plain = _plain(video)
        if seen.setdefault(plain, video.name) != video.name:
            raise ConfigError(f"{seen[plain]!r} and {video.name!r} would both be called {plain!r}")


def _plain(video: VideoAnnotations) -> str:
    """Name of a video without blanks, which part the columns of lists."""
    return "_".join(video.name.split())


def _write_frames(video: VideoAnnotations, folder: Path, wnids: Mapping[str, str]) -> None:
    for number, (frame, boxes) in enumerate(looked_at(video)):
        size = video.size_of(frame)
        text = vid_xml(folder.name, number, "minet", size, _objects(boxes, size, wnids))
        (folder / f"{number:06d}.xml").write_text(text, encoding="utf-8")


def _objects(
    boxes: Sequence[FrameBox], size: tuple[int, int], wnids: Mapping[str, str]
) -> Iterator[VidObject]:
    for box in boxes:
        pixels = pixels_inside(box.box, *size)
        if pixels is not None:
            name = wnids.get(box.label, box.label)
            yield VidObject(name, box.track, pixels, box.occluded, generated=not box.keyframe)


def _write_lists(
    annotations: Sequence[VideoAnnotations], folder: Path, options: ExportOptions
) -> Iterator[Path]:
    lengths = {_snippet(v, options): len(v.looked_at) for v in annotations if v.looked_at}
    frames = [f"{name}/{frame:06d}" for name, length in lengths.items() for frame in range(length)]
    videos, first = [], 1
    for name, length in lengths.items():
        videos.append(f"{name} {first} 0 {length}")
        first += length
    folder.mkdir()
    lists = {"frames": [f"{name} {number}" for number, name in enumerate(frames, 1)]}
    # A train list names every frame to learn from; a val list may name videos.
    if options.split == "val":
        lists = {"videos": videos, **lists}
    for kind, lines in lists.items():
        path = folder / f"VID_{options.split}_{kind}.txt"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        yield path
