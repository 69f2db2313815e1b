"""Whether pictures are of one size, told by their headers alone."""

from collections.abc import Iterable
from pathlib import Path

import av
from av.error import FFmpegError


def are_of_one_size(pictures: Iterable[Path]) -> bool:
    """Whether all pictures have the same size as they are stored; broken ones do not count."""
    sizes: set[tuple[int, int]] = set()
    for picture in pictures:
        try:
            with picture.open("rb") as data, av.open(data, metadata_errors="replace") as container:
                codec = container.streams.video[0].codec_context
                sizes.add((codec.width, codec.height))
        except (FFmpegError, OSError, ValueError, IndexError):
            continue
        if len(sizes) > 1:
            return False
    return True
