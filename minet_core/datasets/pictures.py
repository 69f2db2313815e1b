"""Where the pictures of a video come from: a file each, or one video file."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from minet_core.errors import InputError
from minet_core.video.info import Image
from minet_core.video.pictures.picture import read_picture
from minet_core.video.reading.video_reader import VideoReader

BLOCK_BYTES = 256_000_000
"""Pictures of a video file that are held at once to be read backwards."""


class Pictures(Protocol):
    """The pictures of one video; RGB, each in its own size, None where it cannot be read."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[tuple[int, Image | None]]:
        """(0-based frame, picture), in order."""
        ...

    def backward(self) -> Iterator[tuple[int, Image | None]]:
        """(0-based frame, picture), from the last to the first."""
        ...

    def read(self, index: int) -> Image | None:
        """One picture."""
        ...

    def place(self, index: int) -> str:
        """What to call a picture in a message."""
        ...

    def first(self, count: int) -> "Pictures":
        """The beginning: no more than so many pictures."""
        ...


class PictureFiles:
    """A file for each frame.

    Args:
        count: number of frames.
        path_of: from a 0-based frame to its file, which need not exist.
    """

    def __init__(self, count: int, path_of: Callable[[int], Path]) -> None:
        self._count = count
        self._path_of = path_of

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[int, Image | None]]:
        return ((index, self.read(index)) for index in range(self._count))

    def backward(self) -> Iterator[tuple[int, Image | None]]:
        """(0-based frame, picture), from the last to the first."""
        return ((index, self.read(index)) for index in reversed(range(self._count)))

    def read(self, index: int) -> Image | None:
        """One picture."""
        return read_picture(self._path_of(index))

    def place(self, index: int) -> str:
        """The file."""
        return str(self._path_of(index))

    def first(self, count: int) -> "PictureFiles":
        """The beginning: no more than so many pictures."""
        return PictureFiles(min(count, self._count), self._path_of)


class PictureVideo:
    """Frames of a video file.

    Args:
        path: the file.
        count: number of frames; those the file does not have count as unreadable.
    """

    def __init__(self, path: Path, count: int) -> None:
        self._path = path
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[int, Image | None]]:
        seen = 0
        with VideoReader(self._path, max_frames=self._count) as reader:
            for frame in reader:
                seen = frame.index + 1
                yield frame.index, frame.image
        yield from ((index, None) for index in range(seen, self._count))

    def backward(self) -> Iterator[tuple[int, Image | None]]:
        """(0-based frame, picture), from the last to the first.

        A block of frames is read forward and handed out from its end; each takes decoding from
        the beginning, without conversion of what comes before it.
        """
        with VideoReader(self._path) as reader:
            picture_bytes = reader.info.width * reader.info.height * 3
        at_once = max(1, BLOCK_BYTES // picture_bytes)
        for end in range(self._count, 0, -at_once):
            block = self._block(max(0, end - at_once), end)
            yield from ((index, block.pop(index)) for index in sorted(block, reverse=True))

    def _block(self, start: int, end: int) -> dict[int, Image | None]:
        block: dict[int, Image | None] = dict.fromkeys(range(start, end))
        with suppress(InputError), VideoReader(self._path, start=start, end=end) as reader:
            block |= {frame.index: frame.image for frame in reader}
        return block

    def read(self, index: int) -> Image | None:
        """One picture, found by decoding from the beginning."""
        try:
            with VideoReader(self._path, start=index, end=index + 1) as reader:
                return next(iter(reader)).image
        except InputError:
            return None

    def place(self, index: int) -> str:
        """The file and the frame."""
        return f"{self._path}, frame {index}"

    def first(self, count: int) -> "PictureVideo":
        """The beginning: no more than so many pictures."""
        return PictureVideo(self._path, min(count, self._count))
