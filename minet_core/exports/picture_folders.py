"""Videos that are folders of pictures: which file a frame is, in whose order, under which name."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from minet_core.exports.shelf import Shelf
from minet_core.formats.annotations import LooseBoxes, Sizes, Track, VideoAnnotations
from minet_core.video.pictures.folder import folder_of, order_line, picture_names
from minet_core.video.pictures.picture import picture_size
from minet_core.video.pictures.suffixes import without_suffix

Pictures = Mapping[int, str]
"""Frame → name of its picture, relative to the folder."""


def with_pictures(video: VideoAnnotations, path: str) -> tuple[VideoAnnotations, str]:
    """The annotations with names and sizes of the pictures in a folder, or of a pattern.

    Names that the annotations know count where the folder has one of them at least; else the
    pictures are in the order of their names for a tool that counts them so, or in natural order.

    Returns:
        The annotations, and a line on the order where there is another that could be meant, or
        on a folder that has changed.

    Raises:
        InputError: there are no pictures.
    """
    names, line = picture_names(path), ""
    pictures = _known(video.pictures, names)
    if pictures:
        if video.of_pictures and set(video.pictures.values()) != set(names):
            line = f"its folder has other pictures by now: {len(names)}"
        pictures = {**video.pictures, **pictures}
    else:
        pictures = dict(enumerate(sorted(names) if video.by_name else names))
        line = order_line(names, by_name=video.by_name)
    sizes = _sizes(folder_of(path), pictures) if video.sizes is None else video.sizes
    whole = video.width, video.height
    others = {frame: size for frame, size in sizes.items() if size != whole}
    return replace(video, pictures=pictures, sizes=others, of_pictures=True), line


def files_of(video: VideoAnnotations, path: str) -> dict[int, Path]:
    """Frame → file, of the frames that were looked at and have one."""
    folder = folder_of(path)
    return {f: folder / video.pictures[f] for f in video.looked_at if f in video.pictures}


def in_order_of_names(video: VideoAnnotations) -> VideoAnnotations:
    """The annotations with frames numbered by the order of the pictures' names.

    Boxes beside each other are no longer so in time: each of them is a keyframe.
    """
    frames = sorted(video.pictures, key=lambda frame: video.pictures[frame])
    places = {frame: place for place, frame in enumerate(frames)}
    loose = video.loose
    moved = np.array([places[frame] for frame in loose.frames.tolist()], np.int64)
    order = np.argsort(moved, kind="stable")
    labels = tuple(loose.labels[i] for i in order)
    return replace(
        video,
        by_name=True,
        pictures={places[frame]: name for frame, name in video.pictures.items()},
        sizes={places[f]: size for f, size in (video.sizes or {}).items() if f in places},
        tracks=tuple(_moved(track, places) for track in video.tracks),
        loose=LooseBoxes(moved[order], labels, loose.boxes[order], loose.scores[order]),
        frames=len(frames),
        start=0,
        stop=len(frames),
        step=1,
        times=None,
    )


def can_be_ordered(video: VideoAnnotations) -> bool:
    """Whether it is a folder whose every picture is known, and so its place in any order."""
    known, all_of_them = set(video.pictures), set(range(len(video.pictures)))
    return video.of_pictures and bool(known) and known == all_of_them >= set(video.looked_at)


def with_own_names(videos: Shelf) -> tuple[Shelf, list[str]]:
    """Videos with the names under which their pictures are written: their own, without suffix.

    Where pictures of several videos have one name, that of the video is put before it. Where two
    of one video do, or a name is no text, its pictures are numbered.

    Returns:
        The videos, and a line for each whose pictures cannot keep their names.
    """
    counts = Counter[str]()
    for video in videos:
        counts.update({stem.casefold() for stem in _stems(video).values()})
    if not counts:
        return videos, []
    named, lines = Shelf(), []
    for video in videos:
        own = _stems(video)
        if len({stem.casefold() for stem in own.values()}) < len(own) or not _is_text(own):
            lines.append(f"{video.name}: its pictures cannot keep their names, and are numbered")
            own = {}
        elif any(counts[stem.casefold()] > 1 for stem in own.values()):
            own = {frame: f"{video.name}_{stem}" for frame, stem in own.items()}
        named.append(replace(video, stems=own))
    return named, lines


def _stems(video: VideoAnnotations) -> dict[int, str]:
    return {frame: _stem(name) for frame, name in video.pictures.items()}


def _known(told: Pictures, names: Sequence[str]) -> dict[int, str]:
    """Frames whose picture the annotations tell, with its name in the folder."""
    table: dict[str, str | None] = {}
    for name in names:
        for key in dict.fromkeys(_keys(name)):
            table[key] = None if key in table else name
    table |= {name: name for name in names}
    found = {frame: _first(table.get(key) for key in _keys(name)) for frame, name in told.items()}
    return {frame: name for frame, name in found.items() if name is not None}


def _first(names: Iterator[str | None]) -> str | None:
    return next(filter(None, names), None)


def _keys(name: str) -> tuple[str, ...]:
    """What a picture may be called elsewhere: by another suffix, without folders."""
    stem = without_suffix(name)
    return name, stem, PurePosixPath(name).name, PurePosixPath(stem).name


def _sizes(folder: Path, pictures: Pictures) -> Sizes:
    sizes = {frame: picture_size(folder / name) for frame, name in pictures.items()}
    return {frame: size for frame, size in sizes.items() if size is not None}


def _moved(track: Track, places: Mapping[int, int]) -> Track:
    frames = np.array([places[frame] for frame in track.frames.tolist()], np.int64)
    order = np.argsort(frames)
    columns = {name: getattr(track, name)[order] for name in ("boxes", "scores", "occluded")}
    drawn = np.ones(len(track), np.bool_)
    return replace(track, frames=frames[order], keyframes=drawn, **columns)


def _stem(name: str) -> str:
    return without_suffix(name).replace("/", "_")


def _is_text(stems: Pictures) -> bool:
    """Whether names can stand in text, a line each: `isprintable` knows halves of characters."""
    return all(stem.isprintable() for stem in stems.values())
