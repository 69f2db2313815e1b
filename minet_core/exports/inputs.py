"""What an export reads: files and folders, as annotations of videos with names of their own."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from minet_core.errors import ConfigError, InputError
from minet_core.exports.videos import Media
from minet_core.files import numbered
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.class_names import LabelMap, read_label_map
from minet_core.formats.edits import EditsFile, read_edits
from minet_core.formats.readers import DRAWN, Kind, file_of, kind_of, read_annotations
from minet_core.options import ExportOptions
from minet_core.text import shown

RESULT = "result.json"

_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_LONGEST_NAME = 100
_MOST_BYTES = 200
"""Of a name: disks take 255, and suffixes and numbers come behind it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Annotations of one video.

    Attributes:
        video: under a name that no other has, and that is safe in file names.
        drawn: whether a person may have chosen the keyframes, as in an annotation tool's file.
    """

    video: VideoAnnotations
    drawn: bool


def load(sources: Sequence[Path], options: ExportOptions) -> list[Loaded]:
    """Read files and folders.

    Raises:
        InputError: one cannot be read, or there is nothing in it.
        ConfigError: the label map does not fit the classes, or an annotator is asked for where
            no file has any.
    """
    label_map = None if options.label_map is None else read_label_map(Path(options.label_map))
    kinds = {path: kind_of(path) for path in _files(sources)}
    if options.annotator is not None and "label-studio" not in kinds.values():
        raise ConfigError("--annotator is for files of Label Studio, and there is none")
    edits = None if options.edits is None else read_edits(Path(options.edits))
    if edits is not None and len(kinds) > 1:
        raise ConfigError(f"--edits is for one result, and there are {len(kinds)}")
    read = partial(_read, kinds, label_map=label_map, annotator=options.annotator, edits=edits)
    loaded = read(Media(options.video, is_any=len(kinds) == 1))
    if len(loaded) > 1 == len(kinds):
        # One file of several videos: only its name tells which of them a --video is.
        loaded = read(Media(options.video))
    # Label Studio's files tell the classes that occur, and not those that could.
    if label_map is not None and "label-studio" not in kinds.values():
        label_map.check()
    names = unique_names([each.video.name for each in loaded])
    return [
        replace(each, video=replace(each.video, name=name))
        for each, name in zip(loaded, names, strict=True)
    ]


def _read(
    kinds: Mapping[Path, Kind],
    media: Media,
    label_map: LabelMap | None,
    annotator: str | None,
    edits: EditsFile | None,
) -> list[Loaded]:
    return [
        Loaded(video, drawn=kind in DRAWN)
        for path, kind in kinds.items()
        for video in read_annotations(path, media.facts_of, label_map, annotator, edits)
    ]


def _files(sources: Iterable[Path]) -> Iterator[Path]:
    """Files as they are; of a folder what is in it, or in the folders in it."""
    for source in sources:
        if not source.is_dir():
            yield source
        elif (file := file_of(source)) is not None:
            yield file
        else:
            folders = sorted(path for path in source.glob("*/") if path.is_dir())
            files = [file for folder in folders if (file := file_of(folder)) is not None]
            if not files:
                raise InputError(f"{shown(source)}: no {RESULT} in it or in a folder of it")
            yield from files


def safe_name(name: str) -> str:
    """A name that stands for itself in a file name, on any disk.

    >>> safe_name("../a:b"), safe_name("street")
    ('_a_b', 'street')
    """
    safe = name.encode("utf-8", "replace").decode("utf-8")
    safe = _NOT_IN_NAMES.sub("_", safe).strip(". ")[:_LONGEST_NAME]
    return safe.encode()[:_MOST_BYTES].decode(errors="ignore") or "video"


def unique_names(names: Iterable[str]) -> list[str]:
    """Safe names, numbered where two are equal but for case."""
    taken: set[str] = set()
    return [numbered(safe_name(name), taken) for name in names]
