"""One video as a format takes it: edited, in the tool's order and count of frames."""

from dataclasses import dataclass, replace
from pathlib import PurePath

from minet_core.errors import ConfigError
from minet_core.export_options import ExportOptions
from minet_core.exports.editing import EditCounts, edit
from minet_core.exports.inputs import Loaded
from minet_core.exports.lost import lost, unmarked
from minet_core.exports.media import Media
from minet_core.exports.picture_folders import (
    can_be_ordered,
    in_order_of_names,
    with_pictures,
)
from minet_core.exports.retiming import at_constant_rate, ffmpeg_options
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.exporters import EXPORTERS, Exporter
from minet_core.text import shown
from minet_core.video.pictures.folder import is_pictures, order_line


@dataclass(frozen=True, slots=True)
class Fitted:
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


def fitted(to: str, options: ExportOptions, media: Media, each: Loaded) -> Fitted:
    """A video as a format takes it.

    Args:
        to: name of the format.
        options: of the export.
        media: where videos are.
        each: the video, as it was read.
    """
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
    return Fitted(edited, tally, warnings, tuple(each.video.classes), refused)


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
        "its frames are pictures in name order, as in CVAT; give the pictures with --video FOLDER"
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
