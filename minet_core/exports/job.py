"""`minet export`: from files to files of another format."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PurePath

from minet_core.errors import ConfigError
from minet_core.exports.editing import Tally, check_classes, edit
from minet_core.exports.inputs import RESULT, Loaded, load
from minet_core.exports.lost import lost, unmarked
from minet_core.exports.output_listing import ThereAlreadyError, published
from minet_core.exports.picture_folders import (
    can_be_ordered,
    in_order_of_names,
    with_own_names,
    with_pictures,
)
from minet_core.exports.retiming import at_constant_rate, ffmpeg_options
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
        videos: what was written of each video, edited.
        tallies: what editing has done to each.
        pictures: how many were written.
        warnings: what the user should know, a line each.
        hint: how to load the files.
        failures: videos that the format cannot hold, and why; the others were written.
    """

    files: tuple[Path, ...]
    videos: tuple[VideoAnnotations, ...]
    tallies: tuple[Tally, ...]
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
) -> Exported:
    """Write results of `minet detect`, or annotations of CVAT or Label Studio, in another format.

    Args:
        sources: files, or folders of `minet detect`, or folders of these; or one of them.
        to: name of a format, of `EXPORTERS`.
        out: folder to write to, made if missing; or the file, where the format makes just one.
        options: what to write.
        progress: called after each picture.

    Raises:
        InputError: a source or a video cannot be read, or is not there.
        ConfigError: there is no such format or class, or the format cannot hold what it should,
            in any of the videos.
        OutputError: the files cannot be written, or others are there that may not be replaced.
    """
    options = options or ExportOptions()
    exporter = _exporter(to, options)
    given = [sources] if isinstance(sources, str | Path) else sources
    loaded = load([Path(source) for source in given], options)
    known = [each.video.source for each in loaded if each.video.source is not None]
    media = Media(options.video, is_any=len(loaded) == 1, sources=known)
    videos, tallies, warnings = _edited(loaded, exporter, options, media)
    videos, tallies, failures = _writable(exporter, videos, tallies)
    videos, lines = with_own_names(videos)
    warnings += lines
    folder, names = _places(to, exporter, videos, Path(out), options)
    pictures, files = 0, []
    writer = OutputWriter(exporter, options, media, folder, progress)
    with published(folder, replace=options.overwrite) as hidden:
        for name, group in names.items():
            made, count = writer.write(hidden / name, name, group)
            files += made
            pictures += count
    missing = sum(len(video.looked_at) for video in videos) - pictures
    if options.frames is not None and missing:
        warnings.append(f"frames that cannot be decoded, so that they have no picture: {missing}")
    return Exported(
        tuple(files),
        tuple(videos),
        tuple(tallies),
        pictures,
        tuple(warnings),
        exporter.hint,
        tuple(failures),
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


def _edited(
    loaded: Sequence[Loaded], exporter: Exporter, options: ExportOptions, media: Media
) -> tuple[list[VideoAnnotations], list[Tally], list[str]]:
    check_classes(options.classes, chain.from_iterable(each.video.classes for each in loaded))
    videos, tallies, warnings = [], [], []
    by_clock = exporter.by_rate or options.constant_rate is not None
    for each in loaded:
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
        videos.append(edited)
        tallies.append(tally)
    return videos, tallies, warnings


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


def _writable(
    exporter: Exporter, videos: Sequence[VideoAnnotations], tallies: Sequence[Tally]
) -> tuple[list[VideoAnnotations], list[Tally], list[tuple[str, str]]]:
    """Videos whose names the format can hold, and the others with the reason.

    Raises:
        ConfigError: it can hold none of them.
    """
    kept: list[tuple[VideoAnnotations, Tally]] = []
    failures: list[tuple[str, str]] = []
    for video, tally in zip(videos, tallies, strict=True):
        try:
            exporter.check(video)
        except ConfigError as error:
            if len(failures) + 1 == len(videos):
                raise
            failures.append((video.name, str(error)))
        else:
            kept.append((video, tally))
    return [video for video, _ in kept], [tally for _, tally in kept], failures


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
        groups = {f"{video.name}{suffix}": [video] for video in videos}
    else:
        # A table of all videos is named after what is in it.
        name = "detections" if exporter.suffix else to
        groups = {f"{name}{suffix}": videos}
    if suffix and out.suffix.lower() == suffix and len(groups) == 1:
        return out.parent, {out.name: next(iter(groups.values()))}
    return out, groups
