"""What can be told of a run before it starts: what will fail, where results go, how many frames.

Nothing here imports torch: a mistyped name is answered at once.
"""

from collections.abc import Sequence
from glob import has_magic
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from minet_core.config import FORMATS, DetectOptions
from minet_core.errors import InputError, OutputError
from minet_core.files import check_free
from minet_core.inference.first_boxes import read_first_boxes
from minet_core.video.folder import is_picture_pattern
from minet_core.video.info import VideoInfo
from minet_core.video.lettering import load_opencv
from minet_core.video.positions import FramePicker, Part, Position
from minet_core.video.source import StrPath, is_url, shown

ANNOTATED = "annotated.mp4"
OUTPUT_FILES = (ANNOTATED, *FORMATS.values())
"""Every file that a run can make."""


def part_of(options: DetectOptions) -> Part:
    """Which frames the options ask for, as readers take it."""
    return Part(
        start=options.start,
        end=options.end,
        stride=options.stride,
        max_frames=options.max_frames,
    )


def check(source: StrPath, folder: Path, options: DetectOptions) -> None:
    """See that there is something to read and a place to write to.

    Raises:
        InputError: there is no such file or folder, or the first boxes are none.
        ConfigError: the options can select no frame.
        OutputError: the folder has results that may not be replaced, or holds the source.
        MinetError: an annotated video is asked for, and OpenCV cannot be loaded.
    """
    FramePicker(**part_of(options))
    if options.first_boxes is not None:
        read_first_boxes(options.first_boxes)
    named = _is_stream(source) or is_picture_pattern(source)
    if not named and not Path(source).exists():
        raise InputError(f"{shown(source)}: no such file or folder")
    check_free(folder, OUTPUT_FILES, replace=options.overwrite)
    if Path(source).resolve() in {(folder / name).resolve() for name in OUTPUT_FILES}:
        raise OutputError(f"{shown(source)}: the results would replace the input itself")
    if options.video:
        load_opencv()


def expected_frames(info: VideoInfo, options: DetectOptions) -> int | None:
    """About how many frames of a video will be looked at; None when nothing tells."""

    def index(position: Position | None, default: int | None) -> int | None:
        if position is None:
            return default
        return position if isinstance(position, int) else round(position * info.frame_rate)

    start, end = index(options.start, 0) or 0, index(options.end, info.frames)
    if end is not None and info.frames is not None:
        end = min(end, info.frames)
    wanted = None if end is None else max(0, -(-(end - start) // options.stride))
    return min((n for n in (wanted, options.max_frames) if n is not None), default=None)


def folder_names(sources: Sequence[StrPath]) -> list[str]:
    """A folder name for each source: its name without suffix, whatever it takes to tell them apart.

    Sources of one name get their parent's in front; what is still equal is numbered. Case is
    looked through, as some disks do.

    >>> folder_names(["street.mp4", "a/cam.mp4", "b/cam.mp4", "b/cam.avi"])
    ['street', 'a-cam', 'b-cam', 'b-cam-2']
    """
    stems = [_stem(source) for source in sources]
    lowered = [stem.casefold() for stem in stems]
    names = [
        stem if lowered.count(stem.casefold()) == 1 else f"{_parent(source)}{stem}"
        for source, stem in zip(sources, stems, strict=True)
    ]
    taken: set[str] = set()
    return [_numbered(name, taken) for name in names]


def _numbered(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{name}-{number}"
    taken.add(candidate.casefold())
    return candidate


def _stem(source: StrPath) -> str:
    path = _path(source)
    name = path.name if not _is_stream(source) and path.is_dir() else path.stem
    return name if name.strip(".") else "video"  # "..." of "....mp4" is no name for a folder


def _parent(source: StrPath) -> str:
    parent = _path(source).parent.name
    return f"{parent}-" if parent else ""


def _path(source: StrPath) -> Path:
    """The source as a path with a name, even where it was given as `.` or with a query."""
    if source == "-":
        return Path("stdin")
    if is_url(source):
        return Path(PurePath(urlsplit(str(source)).path))
    if is_picture_pattern(source):
        # The folder of the pictures, or the nearest above it that has no wildcard in its name.
        return next(path for path in Path(source).absolute().parents if not has_magic(path.name))
    return Path(source).resolve()


def _is_stream(source: StrPath) -> bool:
    return source == "-" or is_url(source)
