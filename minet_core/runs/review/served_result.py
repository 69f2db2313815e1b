"""What `minet review` serves of one result: its page, its videos, and the edits beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from minet_core.formats import read_json
from minet_core.formats.edits import Edit, ResultFacts, read_edits
from minet_core.formats.edits.file import NAME, parse_edits
from minet_core.formats.review_page.columns import data_of_result
from minet_core.formats.review_page.page import PageVideo, Served, page_of
from minet_core.options import FORMATS
from minet_core.publishing import replace_bytes
from minet_core.runs.manifest import ANNOTATED
from minet_core.video.placement import letterboxed

SOURCE, PROXY = "source", "proxy.mp4"
"""Names of videos in addresses."""


@dataclass(slots=True)
class Review:
    """One result that is being reviewed.

    Attributes:
        folder: where edits.json is, beside the result.
        result: by what edits know it.
        page: its HTML.
        file_read: the result.json.
        videos: name in the address → the file.
        source: the video, which a copy for browsers is made of; None: there is none.
        place: folder for the copy.
        say: is told, in a line, what takes long.
    """

    folder: Path
    result: ResultFacts
    page: str
    file_read: Path
    videos: dict[str, Path]
    source: Path | None
    place: Path
    say: Callable[[str], None]
    _copying: Lock = field(default_factory=Lock)

    def file(self, name: str) -> Path | None:
        """The file of a name; the copy is made when it is asked for."""
        if name != PROXY or self.source is None:
            return self.videos.get(name)
        with self._copying:
            if PROXY not in self.videos:
                self.say(f"making a copy of {self.source.name} that browsers play")
                _copy(self.source, self.place / PROXY)
                self.videos[PROXY] = self.place / PROXY
        return self.videos[PROXY]

    def save(self, text: str) -> None:
        """Write edits.json, if these are edits of this result.

        Raises:
            MinetError: they are not, or it cannot be written.
        """
        path = self.folder / NAME
        parse_edits(text, path).check(self.result)
        replace_bytes(path, text.encode())


def open_review(path: Path, place: Path, say: Callable[[str], None]) -> Review:
    """Read a result and the edits beside it.

    Args:
        path: of a result.json or the folder it is in.
        place: a folder that is removed afterwards.
        say: is told, in a line, what takes long.

    Raises:
        InputError: the result cannot be read, or edits.json beside it is of another one.
    """
    file = path / FORMATS["json"] if path.is_dir() else path
    data = data_of_result(read_json(file))
    assert data.result is not None
    edits: tuple[Edit, ...] = ()
    if (file.parent / NAME).exists():
        stored = read_edits(file.parent / NAME)
        stored.check(data.result)
        edits = stored.edits
    source = None if data.source is None else Path(data.source)
    if source is not None and not source.exists():
        source = None
    videos = {SOURCE: source} if source is not None and source.is_file() else {}
    if (place / PROXY).is_file():
        videos[PROXY] = place / PROXY
    if (annotated := file.parent / ANNOTATED).is_file():
        videos[ANNOTATED] = annotated
    page = page_of(data, _listed(videos, source), Served([e.document() for e in edits]))
    return Review(file.parent, data.result, page, file, videos, source, place, say)


def _listed(videos: Mapping[str, Path], source: Path | None) -> list[PageVideo]:
    """What the page tries to play, in order."""
    own = [PageVideo(SOURCE)] if SOURCE in videos else []
    copy = [PageVideo(PROXY)] if source is not None else []
    drawn = [PageVideo(ANNOTATED, annotated=True)] if ANNOTATED in videos else []
    return [*own, *copy, *drawn]


def _copy(source: Path, target: Path) -> None:
    """Write a video, or a folder of pictures, as H.264 with the times of its frames."""
    from minet_core.video import VideoWriter, open_video

    with open_video(source) as reader:
        info = reader.info
        with VideoWriter(
            target,
            frame_rate=info.frame_rate,
            time_base=info.time_base,
            pixel_aspect=info.pixel_aspect,
        ) as writer:
            for frame in reader:
                writer.write(letterboxed(frame.image, (info.width, info.height)), frame.time)
