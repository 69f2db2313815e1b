"""Annotations of many videos, of which one at a time is in memory."""

import pickle
from collections.abc import Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import overload
from weakref import finalize

from minet_core.formats.annotations import VideoAnnotations

MOST_BYTES = 32_000_000
"""What is kept in memory of all; more goes to a temporary file."""


class Shelf(Sequence[VideoAnnotations]):
    """Videos in the order in which they were put here; each is read anew when it is asked for."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=MOST_BYTES)  # noqa: SIM115
        finalize(self, self._file.close)
        self._ends = [0]

    def append(self, video: VideoAnnotations) -> None:
        """Put one behind the others."""
        self._file.seek(self._ends[-1])
        pickle.dump(video, self._file, pickle.HIGHEST_PROTOCOL)
        self._ends.append(self._file.tell())

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __iter__(self) -> Iterator[VideoAnnotations]:
        return (self[number] for number in range(len(self)))

    @overload
    def __getitem__(self, which: int) -> VideoAnnotations: ...
    @overload
    def __getitem__(self, which: slice) -> list[VideoAnnotations]: ...
    def __getitem__(self, which: int | slice) -> VideoAnnotations | list[VideoAnnotations]:
        if isinstance(which, slice):
            return [self[number] for number in range(*which.indices(len(self)))]
        start = self._ends[range(len(self))[which]]
        self._file.seek(start)
        video: VideoAnnotations = pickle.load(self._file)
        return video


class Only(Sequence[VideoAnnotations]):
    """One video of a shelf, alone."""

    def __init__(self, videos: Sequence[VideoAnnotations], number: int) -> None:
        self._videos, self._number = videos, number

    def __len__(self) -> int:
        return 1

    @overload
    def __getitem__(self, which: int) -> VideoAnnotations: ...
    @overload
    def __getitem__(self, which: slice) -> list[VideoAnnotations]: ...
    def __getitem__(self, which: int | slice) -> VideoAnnotations | list[VideoAnnotations]:
        if isinstance(which, slice):
            return [self[number] for number in range(*which.indices(1))]
        return self._videos[[self._number][which]]
