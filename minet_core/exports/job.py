"""`minet export`: from files to files of another format."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from minet_core.errors import ConfigError
from minet_core.export_options import ExportOptions
from minet_core.exports.editing import EditCounts, check_classes
from minet_core.exports.fitting import fitted
from minet_core.exports.inputs import RESULT, Inputs, Map, inputs_of
from minet_core.exports.media import Media
from minet_core.exports.output_listing import ThereAlreadyError, published
from minet_core.exports.picture_folders import (
    with_own_names,
)
from minet_core.exports.shelf import Only, Shelf
from minet_core.exports.writing import OutputWriter, Progress
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.exporters import EXPORTERS, Exporter
from minet_core.suggest import did_you_mean


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
    for edited in inputs.mapped(partial(fitted, to, options, media), map_):
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
