"""What every source of frames offers."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Self

from minet_core.errors import InputError
from minet_core.text import shown
from minet_core.video.info import VideoFrame, VideoInfo
from minet_core.video.opening import StrPath
from minet_core.video.part import FramePicker
from minet_core.video.reading.mark import Mark


class FrameReader(ABC):
    """Frames in order, read once, as from an open file.

    It is a context manager and an iterator: a second loop goes on where the first one stopped.
    Frames are decoded as they are asked for, so memory does not grow with length.

    Raises:
        InputError: on iteration, the range asked for holds no frame.
    """

    def __init__(self, path: StrPath, picker: FramePicker) -> None:
        self._name = shown(path)
        self._picker = picker
        self._end: float | None = None
        self._frames = self._read()

    @property
    @abstractmethod
    def info(self) -> VideoInfo:
        """Facts known before reading."""

    @property
    def end(self) -> float | None:
        """Seconds at which the last frame of the source ends; None until that has been read."""
        return self._end

    @property
    @abstractmethod
    def corrupt_packets(self) -> int:
        """Packets, or pictures of a folder, that could not be decoded and were skipped."""

    @property
    @abstractmethod
    def warnings(self) -> list[str]:
        """What went wrong up to now without stopping the reading, a line each."""

    def mark(self, frame: VideoFrame) -> Mark | None:  # noqa: ARG002
        """Where reading can begin with the frame that was given last; None: at the start only."""
        return None

    @abstractmethod
    def _read(self) -> Generator[VideoFrame, None, None]: ...

    def __iter__(self) -> Iterator[VideoFrame]:
        return self._frames

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading and let the file go; harmless when done twice."""
        self._frames.close()

    def _check_not_empty(self, frames: int, seconds: float) -> None:
        if not self._picker.taken:
            raise InputError(
                f"{self._name}: no frame is in the requested range; "
                f"the video has {frames} frames ({seconds:.2f} s)"
            )
