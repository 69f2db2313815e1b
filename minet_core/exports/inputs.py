"""What an export reads: files and folders, as annotations of videos with names of their own."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from minet_core.errors import ConfigError, InputError
from minet_core.export_options import ExportOptions
from minet_core.exports.media import Media
from minet_core.files import numbered
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.class_names import LabelMap, read_label_map
from minet_core.formats.edits import EditsFile, read_edits
from minet_core.formats.minet.reader import name_of
from minet_core.formats.readers import DRAWN, Kind, file_of, kind_of, read_annotations
from minet_core.text import shown

RESULT = "result.json"

A = TypeVar("A")
T = TypeVar("T")


class Map(Protocol):
    """Goes over things with a function, as `map` does."""

    def __call__(self, function: Callable[[A], T], things: Iterable[A], /) -> Iterator[T]:
        """Its answers, in the order of the things."""


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


@dataclass(frozen=True, slots=True)
class Inputs:
    """Files that are to be read, and how.

    Attributes:
        kinds: file → what it is.
        options: of the export.
        label_map: new names of classes.
        edits: what was mended in the one result.
    """

    kinds: dict[Path, Kind]
    options: ExportOptions
    label_map: LabelMap | None
    edits: EditsFile | None

    def loaded(self) -> Iterator[Loaded]:
        """Each video, read when it is asked for, under a name that no other has.

        Raises:
            InputError: one cannot be read.
            ConfigError: the label map does not fit the classes.
        """
        taken: set[str] = set()
        if len(self.kinds) == 1:
            (path,) = self.kinds
            own = [*self.read(path, self._media(is_any=True))]
            # One file of several videos: only its name tells which of them a --video is.
            videos = iter(own) if len(own) < 2 else self.read(path, self._media())
        else:
            media = self._media()
            videos = (each for path in self.kinds for each in self.read(path, media))
        for each in videos:
            name = numbered(safe_name(each.video.name), taken)
            yield replace(each, video=replace(each.video, name=name))
        # Label Studio's files tell the classes that occur, and not those that could.
        if self.label_map is not None and "label-studio" not in self.kinds.values():
            self.label_map.check()

    def mapped(self, function: Callable[[Loaded], T], map_: Map) -> Iterator[T]:
        """What a function makes of each video.

        Args:
            function: called with videos as `loaded` gives them.
            map_: does that. Files of results are read in it too, each of which has one video.

        Raises:
            MinetError: as `loaded`.
        """
        apart = set(self.kinds.values()) == {"result"} and len(self.kinds) > 1
        if map_ is map or not apart or self.options.video or self.label_map is not None:
            yield from map_(function, self.loaded())
            return
        taken: set[str] = set()
        names = (numbered(safe_name(name_of(path)), taken) for path in self.kinds)
        yield from map_(partial(_made, self, function), zip(self.kinds, names, strict=True))

    def read(self, path: Path, media: Media) -> Iterator[Loaded]:
        """The videos of one file, under the names that they have there.

        Raises:
            InputError: it cannot be read.
            ConfigError: the label map does not know a class.
        """
        kind, annotator = self.kinds[path], self.options.annotator
        facts_of = media.facts_of
        for video in read_annotations(path, facts_of, self.label_map, annotator, self.edits):
            yield Loaded(video, drawn=kind in DRAWN)

    def _media(self, *, is_any: bool = False) -> Media:
        return Media(self.options.video, is_any=is_any)

    def media(self) -> Media:
        """Where the videos are; files are read for it where the user names some.

        Raises:
            InputError: one of those is not there, or a file cannot be read.
        """
        if not self.options.video:
            return self._media()
        sources = [each.video.source for each in self.loaded()]
        known = [source for source in sources if source is not None]
        return Media(self.options.video, is_any=len(sources) == 1, sources=known)


def _made(inputs: Inputs, function: Callable[[Loaded], T], which: tuple[Path, str]) -> T:
    path, name = which
    (each,) = inputs.read(path, Media(()))
    return function(replace(each, video=replace(each.video, name=name)))


def inputs_of(sources: Sequence[Path], options: ExportOptions) -> Inputs:
    """What there is to read in files and folders.

    Raises:
        InputError: there is nothing in one.
        ConfigError: the label map is none, or an annotator is asked for where no file has any.
    """
    label_map = None if options.label_map is None else read_label_map(Path(options.label_map))
    kinds = {path: kind_of(path) for path in _files(sources)}
    if options.annotator is not None and "label-studio" not in kinds.values():
        raise ConfigError("--annotator is for files of Label Studio, and there is none")
    edits = None if options.edits is None else read_edits(Path(options.edits))
    if edits is not None and len(kinds) > 1:
        raise ConfigError(f"--edits is for one result, and there are {len(kinds)}")
    return Inputs(kinds, options, label_map, edits)


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
