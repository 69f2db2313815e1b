"""`minet export`: from files to files of another format."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePath

from minet_core.errors import ConfigError
from minet_core.exports.editing import EditCounts, check_classes, edit
from minet_core.exports.inputs import RESULT, Inputs, Loaded, Map, inputs_of
from minet_core.exports.lost import lost, unmarked
from minet_core.exports.output_listing import ThereAlreadyError, published
from minet_core.exports.picture_folders import (
    can_be_ordered,
    in_order_of_names,
    with_own_names,
    with_pictures,
)
from minet_core.exports.retiming import at_constant_rate, ffmpeg_options
from minet_core.exports.shelf import Only, Shelf
from minet_core.exports.videos import Media
from minet_core.exports.writing import OutputWriter, Progress
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.exporters import EXPORTERS, Exporter
from minet_core.options import ExportOptions
from minet_core.suggest import did_you_mean
from minet_core.text import shown
from minet_core.video.pictures.folder import is_pictures, order_line


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export has made.

    Attributes:
        files: the main file of each output first; pictures are not among them.
        videos: what was written of each video, edited; each is read when it is asked for.
        tallies: what editing has done to each.
        pictures: how many were written.
        warnings: what the user should know, a line each.
        hint: how to load the files.
        failures: videos that the format cannot hold, and why; the others were written.
    """

    files: tuple[Path, ...]
    videos: Sequence[VideoAnnotations]
    tallies: tuple[EditCounts, ...]
    pictures: int
    warnings: tuple[str, ...]
    hint: str
    failures: tuple[tuple[str, str], ...] = ()


def export(
    sources: str | Path | Sequence[str | Path],
    to: str,
    out: str | Path,
    options: ExportOptions | None = None,
    progress: Progress | None = None,
    map_: Map = map,
) -> Exported:
    """Write results of `minet detect`, or annotations of CVAT or Label Studio, in another format.

    Args:
        sources: files, or folders of `minet detect`, or folders of these; or one of them.
        to: name of a format, of `EXPORTERS`.
        out: folder to write to, made if missing; or the file, where the format makes just one.
        options: what to write.
        progress: called after each picture.
        map_: goes over many files and videos, in place of `map`; such as
            `minet_core.batch.mapping.PooledMap`, with which nothing is told of single pictures.

    Raises:
        InputError: a source or a video cannot be read, or is not there.
        ConfigError: there is no such format or class, or the format cannot hold what it should,
            in any of the videos.
        OutputError: the files cannot be written, or others are there that may not be replaced.
    """
    options = options or ExportOptions()
    exporter = _exporter(to, options)
    given = [sources] if isinstance(sources, str | Path) else sources
    inputs = inputs_of([Path(source) for source in given], options)
    media = inputs.media()
    chosen = _chosen(inputs, to, options, media, map_)
    videos, lines = with_own_names(chosen.videos)
    warnings = [*chosen.warnings, *lines]
    folder, names = _places(to, exporter, videos, Path(out), options)
    pictures, files = 0, []
    writer = OutputWriter(to, options, media, folder, progress if map_ is map else None)
    with published(folder, replace=options.overwrite) as hidden:
        if exporter.per_video:
            each = ((hidden / name, name, group[0]) for name, group in names.items())
            outputs = map_(writer.write_one, each)
        else:
            ((name, group),) = names.items()
            outputs = iter([writer.write(hidden / name, name, group, map_)])
        for made, count in outputs:
            files += made
            pictures += count
    missing = sum(len(video.looked_at) for video in videos) - pictures if options.frames else 0
    if missing:
        warnings.append(f"frames that cannot be decoded, so that they have no picture: {missing}")
    return Exported(
        tuple(files),
        videos,
        tuple(chosen.tallies),
        pictures,
        tuple(warnings),
        exporter.hint,
        tuple(chosen.failures),
    )


def export_result(
    folder: Path, formats: Sequence[str], *, again: bool, overwrite: bool
) -> list[Exported]:
    """Write a result into the folder it lies in, in other formats.

    Args:
        folder: of `minet detect`, with a result.json.
        formats: of `EXPORTERS`.
        again: whether the result was there before, so that files of these formats may be too and
            are as good.
        overwrite: whether files may be replaced.

    Raises:
        MinetError: as `export`.
    """
    made: list[Exported] = []
    options = ExportOptions(overwrite=overwrite)
    for name in formats:
        try:
            made.append(export([folder / RESULT], name, folder, options))
        except ThereAlreadyError:
            if not again:
                raise
    return made


def _exporter(to: str, options: ExportOptions) -> Exporter:
    if to not in EXPORTERS:
        hint = did_you_mean(to, EXPORTERS) or f" (known: {', '.join(EXPORTERS)})"
        raise ConfigError(f"unknown format {to!r}{hint}")
    if options.scores and not EXPORTERS[to].keeps:
        raise ConfigError(f"--scores is for CVAT, where they become an attribute; not for {to}")
    if options.frames is not None and EXPORTERS[to].pictures is None:
        raise ConfigError(f"{to} has no place for pictures; leave out --frames")
    return EXPORTERS[to]


@dataclass(slots=True)
class _Chosen:
    """What is to be written of all videos, and what there is to say of them."""

    videos: Shelf = field(default_factory=Shelf)
    tallies: list[EditCounts] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)


def _chosen(inputs: Inputs, to: str, options: ExportOptions, media: Media, map_: Map) -> _Chosen:
    """Videos as they are written, but for those whose names the format cannot hold.

    Raises:
        ConfigError: it can hold none of them, or there is no such class.
    """
    chosen, classes = _Chosen(), dict[str, None]()
    refused = None
    for edited in inputs.mapped(partial(_edited, to, options, media), map_):
        classes.update(dict.fromkeys(edited.classes))
        chosen.warnings += edited.warnings
        if edited.refused is not None:
            refused = edited.refused
            chosen.failures.append((edited.video.name, str(refused)))
        else:
            chosen.videos.append(edited.video)
            chosen.tallies.append(edited.tally)
    check_classes(options.classes, classes)
    if refused is not None and not len(chosen.videos):
        raise refused
    return chosen


@dataclass(frozen=True, slots=True)
class _Edited:
    """A video as it is written, and what there is to say of it.

    Attributes:
        video: as it is written.
        tally: what editing has done.
        warnings: a line each.
        classes: that it had before.
        refused: why the format cannot hold it, if it cannot.
    """

    video: VideoAnnotations
    tally: EditCounts
    warnings: list[str]
    classes: tuple[str, ...]
    refused: ConfigError | None = None


def _edited(to: str, options: ExportOptions, media: Media, each: Loaded) -> _Edited:
    exporter = EXPORTERS[to]
    by_clock = exporter.by_rate or options.constant_rate is not None
    warnings: list[str] = []
    completed = media.completed(each.video, by_clock=by_clock)
    video, line = _with_pictures(completed, exporter, options, media)
    warnings += [f"{video.name}: {note}" for note in (*video.notes, *([line] if line else []))]
    sees_one = exporter.first_stream or exporter.by_rate
    if sees_one and (first := media.other_stream(video)) is not None:
        warnings.append(_to_one_stream(video, first, exporter))
    if options.constant_rate is not None:
        video = _of_copy(at_constant_rate(video, options.constant_rate))
    elif exporter.by_rate and video.variable_rate:
        warnings.append(_to_constant_rate(video))
    elif exporter.by_rate and video.source is not None and is_pictures(video.source):
        warnings.append(f"{video.name}: is made of pictures, and this tool plays videos only")
    # What a person has chosen stays, unless asked otherwise.
    as_it_is = not exporter.by_keyframes or (each.drawn and options.keyframes == "auto")
    keyframes = None if as_it_is else options.keyframes
    edited, tally = edit(video, options, keyframes=keyframes, keeps_turned=exporter.keeps)
    edited, line = _in_order(edited, exporter, options)
    if line:
        warnings.append(f"{video.name}: {line}")
        tally.keyframes = sum(int(track.keyframes.sum()) for track in edited.tracks)
    if not exporter.keeps:
        warnings += [f"{video.name}: {line}" for line in lost(edited)]
    if not (exporter.tells_interpolated or each.drawn):
        warnings += [f"{video.name}: {line}" for line in unmarked(edited)]
    if tally.kept_open:
        warnings.append(
            f"{video.name}: --interpolate leaves gaps open that a person has made: "
            f"{tally.kept_open}"
        )
    if exporter.plays:
        edited = replace(edited, source=media.find(edited.source) or edited.source)
    tally.name = edited.name
    tally.labels.update(track.label for track in edited.tracks)
    tally.labels.update(edited.loose.labels)
    refused = None
    try:
        exporter.check(edited)
    except ConfigError as error:
        refused = error
    return _Edited(edited, tally, warnings, tuple(each.video.classes), refused)


def _with_pictures(
    video: VideoAnnotations, exporter: Exporter, options: ExportOptions, media: Media
) -> tuple[VideoAnnotations, str]:
    """The video with its pictures, where it is a folder of them, and a line on their order."""
    if options.order == "natural":
        video = replace(video, by_name=False)
    path = media.find(video.source)
    if path is not None and is_pictures(path):
        return with_pictures(video, path)
    if not video.by_name or exporter.by_names:
        return video, ""
    return video, (
        "its frames are pictures in the order of their names, as CVAT counts them; "
        "--video FOLDER tells which they are"
    )


def _in_order(
    video: VideoAnnotations, exporter: Exporter, options: ExportOptions
) -> tuple[VideoAnnotations, str]:
    """The video with its pictures in the order of the tool it goes to, and a line on that."""
    numbered = exporter.numbers_pictures and options.frames is None
    if not numbered or video.by_name or not can_be_ordered(video):
        return video, ""
    names = [video.pictures[frame] for frame in sorted(video.pictures)]
    by_name = exporter.by_names and options.order == "names"
    line = order_line(names, by_name=by_name)
    return (in_order_of_names(video) if by_name and line else video), line


def _of_copy(video: VideoAnnotations) -> VideoAnnotations:
    return replace(video, source=_copy(video.source or video.name))


def _copy(source: str) -> str:
    """Name of a copy at a constant rate, as the warning about variable rates proposes it."""
    path = PurePath(source)
    return f"{source.removesuffix(path.name)}{path.stem}-cfr.mp4"


def _to_constant_rate(video: VideoAnnotations) -> str:
    rate = round(video.frame_rate or 30)
    source = video.source or video.name
    streams = f"-map 0:{video.stream} -map 0:a? " if video.stream else ""
    return (
        f"{video.name}: its frames are unevenly apart, and this tool counts them by a constant "
        f"rate, so boxes will be off; make a copy with: ffmpeg -i {_quoted(source)} {streams}"
        f"{ffmpeg_options(video, rate)} -c:v libx264 -c:a aac {_quoted(_copy(source))} "
        f"and export with --constant-rate {rate}"
    )


def _to_one_stream(video: VideoAnnotations, first: int, exporter: Exporter) -> str:
    source = video.source or video.name
    copy = f"{source.removesuffix(PurePath(source).suffix)}-{video.stream}.mkv"
    # Chromium plays the first stream of Matroska and WebM, and the default one of MP4.
    shows = "this tool shows" if exporter.first_stream else "a browser may show"
    use = "give it a copy" if exporter.first_stream else "run minet on a copy, and give it that"
    return (
        f"{video.name}: its boxes are of stream {video.stream}, and {shows} stream {first} "
        f"of the file; {use}: ffmpeg -i {_quoted(source)} -map 0:{video.stream} -c copy "
        f"{_quoted(copy)}"
    )


def _quoted(path: str) -> str:
    return "'" + shown(path).replace("'", "'\\''") + "'"


def _places(
    to: str,
    exporter: Exporter,
    videos: Sequence[VideoAnnotations],
    out: Path,
    options: ExportOptions,
) -> tuple[Path, dict[str, Sequence[VideoAnnotations]]]:
    """The folder to write to, and outputs in it by name, each with its videos."""
    suffix = ".zip" if options.zip else exporter.suffix
    groups: dict[str, Sequence[VideoAnnotations]] = {}
    if exporter.per_video:
        names = [video.name for video in videos]
        groups = {f"{name}{suffix}": Only(videos, i) for i, name in enumerate(names)}
    else:
        # A table of all videos is named after what is in it.
        name = "detections" if exporter.suffix else to
        groups = {f"{name}{suffix}": videos}
    if suffix and out.suffix.lower() == suffix and len(groups) == 1:
        return out.parent, {out.name: next(iter(groups.values()))}
    return out, groups
