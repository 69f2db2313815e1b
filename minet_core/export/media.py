"""The videos that annotations are of: where they are now, and what they tell."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from minet_core.errors import InputError
from minet_core.formats.annotations import VideoAnnotations
from minet_core.video import VideoInfo, open_video
from minet_core.video.folder import is_picture_pattern
from minet_core.video.source import is_url, shown


class Media:
    """Finds videos: among those that the user names, else where they were.

    Args:
        named: paths or URLs. Each stands for the video of the same file name, or of the same name
            with another suffix; a single one for any video, if it `is_any`.
        is_any: whether there is one video only, so that a file of any name is it.

    Raises:
        InputError: a named one is not there.
    """

    def __init__(self, named: Sequence[str], *, is_any: bool = False) -> None:
        self._named = named
        self._is_any = is_any and len(named) == 1
        self._known: dict[str, VideoInfo | None] = {}
        for path in named:
            if not _exists(path):
                raise InputError(f"{shown(path)}: no such video")

    def find(self, source: str | None) -> str | None:
        """Where the video of a path or URL is now, None where it is not found.

        A URL is found only if it is named: a file that somebody sends must not make us fetch.
        """
        if self._is_any:
            return self._named[0]
        if source is None:
            return None
        for key in (_name, _stem):
            for path in self._named:
                if key(path) == key(source):
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
        info = self._info(path)
        if info is not None and (info.width, info.height) != (video.width, video.height):
            raise InputError(
                f"{shown(path)}: is another video: {info.width}×{info.height} pixels, "
                f"not {video.width}×{video.height}"
            )
        return path

    def facts_of(self, source: str) -> VideoInfo | None:
        """What the video of a path or URL tells, None where it is not found."""
        path = self.find(source)
        return None if path is None else self._info(path)

    def completed(self, video: VideoAnnotations) -> VideoAnnotations:
        """The annotations, with what they lack taken from their video where it is found."""
        if video.frame_rate is not None and video.width and video.height:
            return video
        info = (
            None if video.source is None and not self._is_any else self.facts_of(video.source or "")
        )
        if info is None:
            return video
        return replace(
            video,
            width=video.width or info.width,
            height=video.height or info.height,
            frames=info.frames if video.frames is None else video.frames,
            frame_rate=video.frame_rate or info.frame_rate,
            variable_rate=video.variable_rate or bool(info.variable_frame_rate),
        )

    def _info(self, path: str) -> VideoInfo | None:
        if path not in self._known:
            with open_video(path) as reader:
                self._known[path] = reader.info
        return self._known[path]


def _exists(path: str) -> bool:
    return is_url(path) or is_picture_pattern(path) or Path(path).exists()


def _name(path: str) -> str:
    return PurePath(path).name


def _stem(path: str) -> str:
    return PurePath(path).stem
