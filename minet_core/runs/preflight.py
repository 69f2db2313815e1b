"""What can be told of a run before it starts: what will fail, and where it begins.

Nothing here imports torch: a mistyped name is answered at once.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from minet_core.config import PRESETS
from minet_core.detections.locating import DETECTIONS, find_stored
from minet_core.errors import AlreadyDoneError, ConfigError, InputError, OutputError
from minet_core.inference.prompted.prompts import read_first_boxes
from minet_core.options import DetectOptions
from minet_core.publishing import check_place
from minet_core.runs.asked_frames import part_of
from minet_core.runs.folder_names import is_stream, stem_of
from minet_core.runs.manifest import (
    MANIFEST,
    POSSIBLE_FILES,
    Manifest,
    manifest_of,
    read_manifest,
    source_facts,
)
from minet_core.runs.unfinished import (
    SCENES,
    UNFINISHED,
    Checkpoint,
    is_going_on,
    obstacle,
    read_checkpoint,
)
from minet_core.text import shown
from minet_core.video.drawing.lettering import load_opencv
from minet_core.video.opening import StrPath
from minet_core.video.part import FramePicker
from minet_core.video.pictures.folder import is_picture_pattern


@dataclass(frozen=True, slots=True)
class Standing:
    """What a run finds in its output folder.

    Attributes:
        manifest: of the run that is to begin, without files.
        checkpoint: where it will go on, if it will.
        note: a line that the user should see, or nothing.
    """

    manifest: Manifest
    checkpoint: Checkpoint | None = None
    note: str = ""

    @property
    def frames_before(self) -> int:
        """How many frames are done."""
        return self.checkpoint.frames if self.checkpoint else 0

    @property
    def next_frame(self) -> int:
        """Index of the first frame that is not."""
        return self.checkpoint.last_frame + 1 if self.checkpoint else 0


ONCE = (
    "a stream can be read only once, so tracklets are not joined at its end: ids are those that "
    "were known at once"
)


def settled(options: DetectOptions, source: StrPath, folder: Path) -> DetectOptions:
    """The options as they hold for one video: with its file, and links where they can be.

    Args:
        options: of the run.
        source: the video.
        folder: for its results.

    Raises:
        InputError: there is no file of detections for it.
    """
    options = with_file_of(options, source, folder)
    possible = _can_link(options) and not linked_if_read_twice(options, source)
    link = options.link and possible
    fill = options.fill if link else 0
    if (link, fill) == (options.link, options.fill):
        return options  # one object for all of ten thousand videos
    return replace(options, link=link, fill=fill)


def linked_if_read_twice(options: DetectOptions, source: StrPath) -> bool:
    """Whether only this keeps tracklets from being joined: pictures that come but once."""
    once = options.video and source_facts(source)["bytes"] is None
    return once and _can_link(options) and (is_stream(source) or Path(source).exists())


def _can_link(options: DetectOptions) -> bool:
    """Whether there are tracklets to join: not those of the paper, nor of objects drawn by hand."""
    has_existence = PRESETS[options.preset].existence is not None
    is_alone = options.first_boxes is not None or options.prompts is not None
    return options.memory and not is_alone and has_existence


def with_file_of(options: DetectOptions, source: StrPath, folder: Path) -> DetectOptions:
    """The options with the file of this video, where they name a folder of detections.

    Args:
        options: of the run.
        source: the video.
        folder: for its results. A file of its name counts before one of the source's name.

    Raises:
        InputError: there is none.
    """
    if options.detections is None:
        return options
    place, names = Path(options.detections), dict.fromkeys((folder.name, stem_of(source)))
    if place.is_file():
        return options
    if not place.exists():
        raise InputError(f"{shown(place)}: no such file or folder")
    for name in names:
        with suppress(InputError):
            file = find_stored(place, name, DETECTIONS, single=False)
            return replace(options, detections=str(file))
    wanted = " or ".join(names)
    raise InputError(f"{shown(place)}: no detections for {wanted} there")


def check(source: StrPath, folder: Path, options: DetectOptions, model: str) -> Standing:
    """See that there is something to read, a place to write to, and what is in that place.

    Args:
        source: what will be read.
        folder: for its results.
        options: of the run.
        model: its name.

    Raises:
        AlreadyDoneError: the folder has these very results.
        InputError: there is no such file or folder, or the first boxes are none.
        ConfigError: the options can select no frame, there is no such format, or a source that
            can be read but once is to be cut at its scenes.
        OutputError: the folder has results, or unfinished ones, that may not be replaced, or it
            holds the source.
        MinetError: an annotated video is asked for, and OpenCV cannot be loaded.
    """
    FramePicker(**part_of(options))
    if options.export_formats:  # slow to load
        from minet_core.formats.exporters import check_formats

        check_formats(options.formats)
    if options.first_boxes is not None:
        read_first_boxes(options.first_boxes)
    for given in (options.prompts, options.corrections):
        if given is not None and not Path(given).exists():
            raise InputError(f"{shown(given)}: no such file or folder")
    if not (is_stream(source) or is_picture_pattern(source) or Path(source).exists()):
        raise InputError(f"{shown(source)}: no such file or folder")
    can_be = (*POSSIBLE_FILES, MANIFEST)
    check_place(folder, can_be)
    if Path(source).resolve() in {(folder / name).resolve() for name in can_be}:
        raise OutputError(f"{shown(source)}: the results would replace the input itself")
    if options.video:
        load_opencv()
    wanted = manifest_of(source, model, options)
    if not options.overwrite:
        check_finished(folder, wanted)
    standing = _unfinished(folder, wanted, options)
    return _by_scenes(source, folder, standing, options) if options.split_at_cuts else standing


def _by_scenes(
    source: StrPath, folder: Path, standing: Standing, options: DetectOptions
) -> Standing:
    """The same for a run whose scenes are looked at apart.

    Raises:
        ConfigError: the source can be read but once.
        OutputError: scenes are there, and it was asked neither to go on nor to begin anew.
    """
    if standing.manifest.of_stream:
        raise ConfigError(f"{shown(source)}: can be read only once, so remove --split-at-cuts")
    if not (folder / SCENES).is_dir() or options.overwrite:
        return standing
    if not options.resume:
        raise OutputError(
            f"{folder} has scenes of an unfinished run; --resume continues it, "
            "--overwrite starts over"
        )
    return replace(standing, note="resumes after its complete scenes")


def check_finished(folder: Path, wanted: Manifest) -> None:
    """See that no results would be replaced; for runs that may not.

    Raises:
        AlreadyDoneError: they are the very ones that the run would make.
        OutputError: they are others.
    """
    place = folder / UNFINISHED
    publishing = read_manifest(place)  # of a run that was killed while its files appeared
    made = publishing or read_manifest(folder)
    there = [name for name in POSSIBLE_FILES if (folder / name).exists()]
    if made is not None and made.is_same(wanted):
        if publishing is None and set(made.files) <= set(there):
            raise AlreadyDoneError(f"{folder} has these results already; --overwrite replaces them")
        if publishing is not None or not there:
            return
    if not there and publishing is None:
        return
    if made is None or made.of_stream:
        what = f"already has results ({', '.join(there)})"
    else:
        what = f"has other results ({made.difference(wanted) or 'files are missing'})"
    raise OutputError(f"{folder} {what}; --overwrite replaces them")


def _unfinished(folder: Path, wanted: Manifest, options: DetectOptions) -> Standing:
    """Whether to resume what an earlier run left unfinished.

    Raises:
        OutputError: it could go on, and was asked neither to do so nor to begin anew; or another
            process is going on with it.
    """
    place = folder / UNFINISHED
    checkpoint = read_checkpoint(place)
    if checkpoint is None:
        return Standing(wanted)
    why_not = obstacle(place, checkpoint, wanted)
    if why_not:
        note = f"starts over, without {checkpoint.frames} unfinished frames ({why_not})"
        return Standing(wanted, note=note)
    if options.resume:
        return Standing(wanted, checkpoint, f"resumes after {checkpoint.frames} frames")
    if options.overwrite:
        return Standing(wanted)
    if is_going_on(place):
        raise OutputError(f"{folder}: another minet is writing there")
    raise OutputError(
        f"{folder} has an unfinished run of {checkpoint.frames} frames; "
        "--resume continues it, --overwrite starts over"
    )
