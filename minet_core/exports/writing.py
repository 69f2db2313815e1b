"""One output of an export: annotations, pictures if asked for, and a zip file of both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from zipfile import ZIP_DEFLATED, ZipFile

from minet_core.export_options import ExportOptions
from minet_core.exports.annotated import write_annotated
from minet_core.exports.inputs import Map
from minet_core.exports.media import Media, stream_of
from minet_core.exports.output_listing import check_free
from minet_core.exports.picture_folders import files_of
from minet_core.files import one_line
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.exporters import EXPORTERS, Exporter
from minet_core.formats.picture_files import extract_frames
from minet_core.video.pictures.folder import is_pictures

Progress = Callable[[int, int], None]
"""Called with the number of pictures written of a video, and of all it will have."""


@dataclass(frozen=True, slots=True)
class OutputWriter:
    """Writes outputs, each into a hidden folder of its own.

    Attributes:
        to: the format.
        options: of the export.
        media: the videos, for their pictures.
        folder: where files will appear.
        progress: called after each picture.
    """

    to: str
    options: ExportOptions
    media: Media
    folder: Path
    progress: Progress | None

    @property
    def exporter(self) -> Exporter:
        """The format; found by its name wherever this is sent."""
        return EXPORTERS[self.to]

    def write_one(self, which: tuple[Path, str, VideoAnnotations]) -> tuple[list[Path], int]:
        """Write the output of one video: its hidden folder, its name, and the video."""
        hidden, name, video = which
        return self.write(hidden, name, [video])

    def write(
        self, hidden: Path, name: str, videos: Sequence[VideoAnnotations], map_: Map = map
    ) -> tuple[list[Path], int]:
        """Write one output.

        Args:
            hidden: its folder, not there yet; in it, files lie as they will in `folder`.
            name: of the output: a file's, with suffix, or a folder's.
            videos: that are in it.
            map_: goes over them for their pictures.

        Returns:
            Where its files will be, but for pictures, and how many pictures there are.

        Raises:
            MinetError: it cannot be written, or would replace what it may not.
        """
        exporter, zipped = self.exporter, self.options.zip
        content = hidden / "content" if zipped else hidden
        if exporter.per_video and not (exporter.suffix or zipped):
            content = hidden / name
        with one_line(hidden):
            content.mkdir(parents=True)
        place = content / f"{PurePath(name).stem}{exporter.suffix}" if exporter.suffix else content
        made = exporter.write(videos, place, self.options)
        files = [name] if zipped else [path.relative_to(hidden).as_posix() for path in made]
        if self.options.overlay:
            files += [_drawn(video) for video in videos]
        # Told before pictures are decoded.
        check_free(self.folder, {name: files}, replace=self.options.overwrite)
        pictures = sum(map_(partial(self._extract, content), videos)) if self.options.frames else 0
        if self.options.overlay:
            for video in videos:
                self._annotate(video, hidden / _drawn(video))
        if zipped:
            _zip(content, hidden / name)
        return [self.folder / file for file in files], pictures

    def _annotate(self, video: VideoAnnotations, path: Path) -> None:
        source, show, count = self.media.require(video), self.progress, len(video.looked_at)
        write_annotated(
            video,
            source,
            path,
            stream=stream_of(video, source),
            progress=None if show is None else lambda done: show(done, count),
        )

    def _extract(self, folder: Path, video: VideoAnnotations) -> int:
        kind, path_of, wanted = self.options.frames, self.exporter.pictures, video.looked_at
        if kind is None or path_of is None or not wanted:
            return 0
        paths = {frame: folder / path_of(video, frame, self.options) for frame in wanted}
        show = self.progress
        source = self.media.require(video)
        return extract_frames(
            files_of(video, source) if is_pictures(source) else source,
            paths.get,
            kind,
            end=wanted.stop,
            stream=stream_of(video, source),
            progress=None if show is None else lambda done: show(done, len(paths)),
        )


def _drawn(video: VideoAnnotations) -> str:
    return f"{video.name}-annotated.mp4"


def _zip(folder: Path, path: Path) -> None:
    """Move a folder's files into a zip file."""
    with one_line(path), ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
                file.unlink()
