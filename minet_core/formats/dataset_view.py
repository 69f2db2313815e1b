"""Annotations as a data set has them: the frames that were looked at, and numbers for classes."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from minet_core.errors import ConfigError
from minet_core.export_options import ExportOptions
from minet_core.formats.annotations import FrameBox, VideoAnnotations
from minet_core.formats.xml_text import check_xml
from minet_core.publishing import complete_text
from minet_core.video.pictures.suffixes import without_suffix

PICTURE_LIST = "pictures.csv"


def looked_at(video: VideoAnnotations) -> Iterator[tuple[int, list[FrameBox]]]:
    """Each frame that was looked at, in order, with its boxes or none.

    Raises:
        ConfigError: a box is in another frame.
    """
    check_looked_at(video)
    boxes = dict(video.by_frame())
    for frame in video.looked_at:
        yield frame, boxes.get(frame, [])


def check_looked_at(video: VideoAnnotations) -> None:
    """See that boxes are in frames that were looked at: a data set has no place for others.

    Raises:
        ConfigError: one is not.
    """
    frames = video.looked_at
    columns = (*(track.frames for track in video.tracks), video.loose.frames)
    annotated = chain.from_iterable(column.tolist() for column in columns)
    stray = next((frame for frame in annotated if frame not in frames), None)
    if stray is not None:
        raise ConfigError(
            f"{video.name}: frame {stray} has boxes, but only {len(frames)} frames from "
            f"{frames.start} in steps of {frames.step} were processed"
        )


def check_sizes(videos: Iterable[VideoAnnotations]) -> None:
    """See that the size of each video is known: not every format that is read tells it.

    Raises:
        ConfigError: one is not.
    """
    for video in videos:
        if not (video.width > 0 and video.height > 0):
            raise ConfigError(
                f"{video.name}: the size of its frames is unknown; give the video with --video PATH"
            )


def classes_of(videos: Iterable[VideoAnnotations]) -> tuple[str, ...]:
    """Names of all classes, each once, in the order in which the videos have them.

    Raises:
        ConfigError: a name has a line break or blanks around it, is empty or no text: a list of
            names cannot hold it.
    """
    names = dict.fromkeys(chain.from_iterable(map(names_in, videos)))
    for name in names:
        if name.splitlines() != [name] or name != name.strip() or not _is_text(name):
            raise ConfigError(f"a class cannot be called {name!r}; --label-map renames it")
    return tuple(names)


def names_in(video: VideoAnnotations) -> tuple[str, ...]:
    """Names of the classes that a video can have or has, each once."""
    tracked = (track.label for track in video.tracks)
    return tuple(dict.fromkeys([*video.classes, *tracked, *video.loose.labels]))


def check_names(video: VideoAnnotations) -> None:
    """See that the classes of a video have names that a list can hold.

    Raises:
        ConfigError: one has not, see `classes_of`.
    """
    classes_of([video])


def check_names_in_xml(video: VideoAnnotations) -> None:
    """See that the classes of a video have names that lists and XML can hold.

    Raises:
        ConfigError: one has not.
    """
    check_xml(classes_of([video]))


def _is_text(name: str) -> bool:
    """Whether it can be encoded: half of a pair of UTF-16 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def picture_name(video: VideoAnnotations, frame: int, options: ExportOptions) -> str:
    """File name of a frame's picture among those of all videos.

    It is the picture's own, where the video is a folder of pictures; see `frame_stem`.
    """
    name = video.pictures[frame] if frame in video.stems else ""
    own = name.removeprefix(without_suffix(name)) or ".jpg"
    return f"{frame_stem(video, frame)}{f'.{options.frames}' if options.frames else own}"


def frame_stem(video: VideoAnnotations, frame: int) -> str:
    """The same without suffix. Where the picture has no name, digits at the end are the frame."""
    return video.stems.get(frame) or f"{video.name}_{frame:06d}"


def write_picture_list(place: Path, names: Mapping[str, str | None]) -> list[Path]:
    """Say which picture is which, where a format numbers those that had names.

    Args:
        place: folder of the export.
        names: picture in the export → name that it had, None where it had none.

    Returns:
        The file, if there is any such name.
    """
    if not any(names.values()):
        return []
    with complete_text(place / PICTURE_LIST) as file:
        csv.writer(file, lineterminator="\n").writerows([("picture", "was"), *names.items()])
    return [place / PICTURE_LIST]


def clipped(
    box: Sequence[float], width: int, height: int
) -> tuple[float, float, float, float] | None:
    """The part of a box that is in the picture; None where nothing of it is."""
    x1, x2 = (min(max(x, 0.0), float(width)) for x in box[::2])
    y1, y2 = (min(max(y, 0.0), float(height)) for y in box[1::2])
    return (x1, y1, x2, y2) if x2 > x1 and y2 > y1 else None


def pixels_inside(
    box: Sequence[float], width: int, height: int
) -> tuple[int, int, int, int] | None:
    """First and last pixel of a box, from 0, as far as they are in the picture.

    At least one pixel, however thin the box; None where nothing of it is in the picture.
    """
    inside = clipped(box, width, height)
    if inside is None:
        return None
    x1, y1, x2, y2 = map(round, inside)
    x1, y1 = min(x1, width - 1), min(y1, height - 1)
    return x1, y1, max(x2 - 1, x1), max(y2 - 1, y1)
