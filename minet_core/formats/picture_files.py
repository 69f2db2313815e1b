"""Frames of a video as picture files, for annotation formats that come with pictures."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from minet_core.errors import InputError, OutputError
from minet_core.files import one_line
from minet_core.publishing import replace_bytes
from minet_core.text import shown
from minet_core.video.drawing.lettering import load_opencv
from minet_core.video.info import Image
from minet_core.video.opening import StrPath
from minet_core.video.pictures.picture import read_picture
from minet_core.video.reading.video_reader import open_video

KINDS = {"jpg": ".jpg", "png": ".png"}
"""Kind of picture → suffix by which it is encoded, whatever suffix the file's name has."""

QUALITY = 95
"""Of JPEG: what is cut out of a lossy video should not lose much again."""


def extract_frames(
    source: StrPath | Mapping[int, Path],
    path_of: Callable[[int], Path | None],
    kind: str,
    *,
    end: int | None = None,
    stream: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write frames of a video as pictures, decoding it once, one frame in memory at a time.

    Each picture appears under its name when it is complete.

    Args:
        source: anything `open_video` opens, or the picture file of each frame.
        path_of: from a 0-based frame to its file, None where the frame is not wanted; the `get` of
            a mapping will do. Folders are made.
        kind: one of `KINDS`.
        end: the frame to stop before; None for the whole video.
        stream: as of `open_video`.
        progress: called after each picture with how many there are.

    Returns:
        How many pictures were written: a frame that cannot be decoded has none.

    Raises:
        InputError: the video is missing or cannot be decoded, or not one wanted frame is in it.
        OutputError: a picture cannot be written.
        MinetError: OpenCV does not load.
    """
    written = 0
    for index, image in _frames(source, stream, end):
        path = path_of(index)
        if path is not None:
            _write(path, image, kind)
            written += 1
            if progress is not None:
                progress(written)
    if not written:
        name = "pictures" if isinstance(source, Mapping) else shown(source)
        raise InputError(f"{name}: not one of the wanted frames is in this video")
    return written


def _frames(
    source: StrPath | Mapping[int, Path], stream: int | None, end: int | None
) -> Iterator[tuple[int, Image]]:
    if isinstance(source, Mapping):
        for index, file in source.items():
            if (image := read_picture(file)) is not None:
                yield index, image
        return
    with open_video(source, stream=stream, end=end) as reader:
        for frame in reader:
            yield frame.index, frame.image


def _write(path: Path, image: Image, kind: str) -> None:
    with one_line(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    replace_bytes(path, encoded(image, kind), sync=False)  # they are many


def encoded(image: Image, kind: str) -> bytes:
    """An RGB picture as a file has it.

    Args:
        image: (height, width, 3).
        kind: one of `KINDS`.

    Raises:
        OutputError: it is too large for its kind.
        MinetError: OpenCV does not load.
    """
    cv2 = load_opencv()
    settings = [cv2.IMWRITE_JPEG_QUALITY, QUALITY] if kind == "jpg" else []
    done, data = cv2.imencode(KINDS[kind], image[:, :, ::-1], settings)
    if not done:
        raise OutputError(f"a picture of {image.shape[1]}×{image.shape[0]} cannot be encoded")
    return bytes(data)


def decoded(content: bytes) -> Image:
    """The (height, width, 3) RGB picture that `encoded` has made.

    Raises:
        InputError: it is damaged.
        MinetError: OpenCV does not load.
    """
    image = load_opencv("read pictures").imdecode(np.frombuffer(content, np.uint8), 1)
    if image is None:
        raise InputError("a kept picture is damaged")
    return np.ascontiguousarray(image[:, :, ::-1])
