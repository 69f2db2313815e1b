"""The videos that annotations are of: where they are now, and what they tell."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from minet_core.errors import InputError
from minet_core.formats.annotations import VideoAnnotations
from minet_core.text import shown
from minet_core.video import VideoInfo, open_video
from minet_core.video.names import likeness
from minet_core.video.opening import is_url, open_input
from minet_core.video.pictures.folder import is_picture_pattern, is_pictures

Likeness = tuple[bool, int]

_THE_SAME: Likeness = (True, 1_000_000)
"""More than any two paths have in common that are not one."""


@dataclass(slots=True)
class _Claim:
    """Whose video a named one is: that of a source, as it is like it, and whether that was told."""

    source: str
    likeness: Likeness
    told: bool = False


class Media:
    """Finds videos: among those that the user names, else where they were.

    Args:
        named: paths or URLs. Each stands for the video of the same path, else of the same file
            name, else of the same name with another suffix; among those, for the one whose path
            has most folders in common with it, from the end. A single one stands for any video,
            if it `is_any`.
        is_any: whether there is one video only, so that a file of any name is it.
        sources: the videos that will be asked for, as far as they are known.

    Raises:
        InputError: a named one is not there, or may be of several sources.
    """

    def __init__(
        self, named: Sequence[str], *, is_any: bool = False, sources: Iterable[str] = ()
    ) -> None:
        for path in named:
            if not _exists(path):
                raise InputError(f"{shown(path)}: no such video")
        self._named = list({_identity(path): path for path in reversed(named)}.values())[::-1]
        self._is_any = is_any and len(self._named) == 1
        self._claims: dict[str, _Claim] = {}
        self._known: dict[tuple[str, int | None], VideoInfo] = {}
        if not self._is_any:
            for source in sources:
                self._claim(source)

    def find(self, source: str | None) -> str | None:
        """Where the video of a path or URL is now, None where it is not found.

        A URL is found only if it is named: a file that somebody sends must not make us fetch.

        Raises:
            InputError: several named ones may be it, or a named one may be another's too.
        """
        if self._is_any:
            return self._named[0]
        if source is None:
            return None
        if (path := self._claim(source)) is not None:
            self._claims[path].told = True
            return path
        return source if not is_url(source) and _exists(source) else None

    def require(self, video: VideoAnnotations) -> str:
        """Where the video of annotations is, known to be of the same size.

        Raises:
            InputError: it is not found, or is another one.
        """
        path = self.find(video.source)
        if path is None:
            what = "its video" if video.source is None else shown(video.source)
            raise InputError(f"{video.name}: {what} is not there; --video PATH says where it is")
        info = self._info(path, stream_of(video, path))
        if (info.width, info.height) != (video.width, video.height):
            raise InputError(
                f"{shown(path)}: is another video: {info.width}×{info.height} pixels, "
                f"not {video.width}×{video.height}"
            )
        return path

    def facts_of(self, source: str) -> VideoInfo | None:
        """What the video of a path or URL tells, None where it is not found."""
        path = self.find(source)
        return None if path is None else self._info(path)

    def completed(self, video: VideoAnnotations, *, by_clock: bool) -> VideoAnnotations:
        """The annotations, with what they lack taken from their video where it is found.

        Args:
            video: the annotations.
            by_clock: whether it matters when the pictures begin on a player's clock.

        Raises:
            InputError: the video is there, and cannot be read.
        """
        timed = video.start_time is not None or not by_clock
        if timed and video.frame_rate is not None and video.width and video.height:
            return video
        path = self.find(video.source)
        if path is None:
            return video
        info = self._info(path, stream_of(video, path))
        return replace(
            video,
            width=video.width or info.width,
            height=video.height or info.height,
            frames=info.frames if video.frames is None else video.frames,
            frame_rate=video.frame_rate or info.frame_rate,
            variable_rate=video.variable_rate or bool(info.variable_frame_rate),
            start_time=info.start_time if video.start_time is None else video.start_time,
            delay=info.delay if video.start_time is None else video.delay,
        )

    def other_stream(self, video: VideoAnnotations) -> int | None:
        """The first video stream of the source, where that is not the one that was annotated."""
        path = self.find(video.source)
        if path is None or path != video.source or video.stream is None or is_pictures(path):
            return None
        with open_input(path) as container:
            first = container.streams.video[0].index
        return first if first != video.stream else None

    def _claim(self, source: str) -> str | None:
        """The named video that is this source's; None where it is more like another source."""
        alike = {path: how for path in self._named if (how := _likeness(path, source)) is not None}
        if not alike:
            return None
        most = max(alike.values())
        path, *more = (path for path, how in alike.items() if how == most)
        if more:
            raise InputError(
                f"{shown(source)}: {shown(path)} or {shown(more[0])} may be its video; "
                "export it alone, with the one that it is"
            )
        claim = self._claims.setdefault(path, _Claim(source, most))
        if _identity(claim.source) == _identity(source):
            return path
        if most == claim.likeness or (most > claim.likeness and claim.told):
            raise InputError(
                f"{shown(path)}: may be the video of {shown(claim.source)} or of {shown(source)}; "
                "--video has to name both"
            )
        if most < claim.likeness:
            return None
        self._claims[path] = _Claim(source, most)
        return path

    def _info(self, path: str, stream: int | None = None) -> VideoInfo:
        if (path, stream) not in self._known:
            with open_video(path, stream=stream) as reader:
                self._known[path, stream] = reader.info
        return self._known[path, stream]


def stream_of(video: VideoAnnotations, path: str) -> int | None:
    """The stream to read of a path: the one that was annotated, where it is the very source."""
    return video.stream if path == video.source else None


def _exists(path: str) -> bool:
    return is_url(path) or is_picture_pattern(path) or Path(path).exists()


def _likeness(named: str, source: str) -> Likeness | None:
    return _THE_SAME if _identity(named) == _identity(source) else likeness(named, source)


def _identity(path: str) -> str:
    """Equal for two spellings of one file."""
    return path if is_url(path) else os.path.realpath(path)
